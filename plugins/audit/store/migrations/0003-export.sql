-- How far continuous exports have come: one row each, which the gateway that exports changes.

CREATE TABLE mcpgw_audit.export_place (name text COLLATE "C" PRIMARY KEY, state text NOT NULL);
INSERT INTO mcpgw_audit.schema_version (version) VALUES (3);
