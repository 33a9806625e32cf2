-- Subjects whose keys are about to be deleted: who seals with one of them stops before it goes.

CREATE TABLE mcpgw_audit.retired (subject text COLLATE "C" PRIMARY KEY);
CREATE TRIGGER refuse_change BEFORE UPDATE OR TRUNCATE ON mcpgw_audit.retired EXECUTE FUNCTION mcpgw_audit.refuse_change();
INSERT INTO mcpgw_audit.schema_version (version) VALUES (4);
