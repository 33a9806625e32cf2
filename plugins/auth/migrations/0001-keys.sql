-- The keys of the auth plugin, for gateways on several machines; what happened to them and is still to be recorded.

CREATE SCHEMA IF NOT EXISTS mcpgw_auth;

CREATE TABLE mcpgw_auth.schema_version (version integer PRIMARY KEY, applied timestamptz NOT NULL DEFAULT now());
INSERT INTO mcpgw_auth.schema_version (version) VALUES (1);

-- Times: ms since 1970. `roles` and `claims` are JSON.
CREATE TABLE mcpgw_auth.key (
  id text PRIMARY KEY, digest bytea NOT NULL UNIQUE, name text NOT NULL, principal text NOT NULL, roles text NOT NULL, tenant text NOT NULL,
  created_at bigint NOT NULL, expires_at bigint, revoked_at bigint, claims text NOT NULL
);

CREATE TABLE mcpgw_auth.event (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id text NOT NULL, at bigint NOT NULL, type text NOT NULL, actor text NOT NULL,
  detail text NOT NULL, taken_at bigint
);

-- Proof of the pepper that the keys were made under.
CREATE TABLE mcpgw_auth.fact (name text PRIMARY KEY, value bytea NOT NULL);

-- Grows with each change of the keys, whoever makes it: what gateways look at.
CREATE TABLE mcpgw_auth.revision (revision bigint NOT NULL);
INSERT INTO mcpgw_auth.revision VALUES (0);

CREATE FUNCTION mcpgw_auth.note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE mcpgw_auth.revision SET revision = revision + 1;
  RETURN NULL;
END $$;
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON mcpgw_auth.key
  FOR EACH STATEMENT EXECUTE FUNCTION mcpgw_auth.note_change();
