-- Legal holds: whose records must stay. Neither tenant nor consumer: everybody's.

CREATE TABLE mcpgw_audit.hold (id text COLLATE "C" PRIMARY KEY, tenant text, consumer text, reason text NOT NULL, at bigint NOT NULL);
CREATE TRIGGER refuse_change BEFORE UPDATE OR TRUNCATE ON mcpgw_audit.hold EXECUTE FUNCTION mcpgw_audit.refuse_change();
INSERT INTO mcpgw_audit.schema_version (version) VALUES (2);
