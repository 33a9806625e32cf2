-- The rate that a key has of its own: JSON, null where it has none.
ALTER TABLE mcpgw_auth.key ADD COLUMN rate text;

INSERT INTO mcpgw_auth.schema_version (version) VALUES (4);
