-- Which key changed, in the order in which the changes are seen, so that gateways read that one again and not all.

-- `mark` is random: a gateway that does not find its last one where it was reads all keys, since the log it had read from is not this one.
-- A row of no key is there from the beginning, so that there is always a last one.
CREATE TABLE mcpgw_auth.change (
  revision bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key_id text NOT NULL, mark text NOT NULL DEFAULT gen_random_uuid()::text
);
INSERT INTO mcpgw_auth.change (key_id) VALUES ('');

-- note_change() holds the one row of `revision` until its transaction ends. It now does so before the first key is changed, so that changes
-- become visible in the order of their numbers. Gateways of the version before still look at the row itself.
DROP TRIGGER changed ON mcpgw_auth.key;
CREATE TRIGGER changing BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON mcpgw_auth.key
  FOR EACH STATEMENT EXECUTE FUNCTION mcpgw_auth.note_change();

CREATE FUNCTION mcpgw_auth.note_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    DELETE FROM mcpgw_auth.change;
    INSERT INTO mcpgw_auth.change (key_id) VALUES ('');
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO mcpgw_auth.change (key_id) VALUES (OLD.id);
  ELSE
    INSERT INTO mcpgw_auth.change (key_id) VALUES (NEW.id);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON mcpgw_auth.key FOR EACH ROW EXECUTE FUNCTION mcpgw_auth.note_key();
CREATE TRIGGER emptied AFTER TRUNCATE ON mcpgw_auth.key FOR EACH STATEMENT EXECUTE FUNCTION mcpgw_auth.note_key();

INSERT INTO mcpgw_auth.schema_version (version) VALUES (2);
