-- When each key was last used, ms since 1970. Apart from the keys, as a use is no change of a key.
CREATE TABLE mcpgw_auth.last_use (key_id text PRIMARY KEY, at bigint NOT NULL);

INSERT INTO mcpgw_auth.schema_version (version) VALUES (3);
