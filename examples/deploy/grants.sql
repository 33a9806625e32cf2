-- What the gateways' role may do with all that they keep in PostgreSQL beside the log, where another role owns it.
-- As mcpgw_owner, after each `mcpgw migrate`: tables that an upgrade adds are granted then. The audit log has narrower words of its own, in the README of the plugin audit.
DO $$
DECLARE
  kept text;
BEGIN
  FOR kept IN
    SELECT nspname FROM pg_namespace
    WHERE nspname IN ('mcpgw_auth', 'mcpgw_usage', 'mcpgw_approval', 'mcpgw_stripe', 'mcpgw_kill', 'mcpgw_server', 'mcpgw_credentials')
  LOOP
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO mcpgw_writer', kept);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO mcpgw_writer', kept);
    EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON %I.schema_version FROM mcpgw_writer', kept);
  END LOOP;
END $$;
