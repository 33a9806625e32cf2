-- Requests for approval: one for each caller, call and set of needs; `until` and `at` in ms since 1970.

CREATE SCHEMA IF NOT EXISTS mcpgw_approval;
CREATE TABLE mcpgw_approval.schema_version (version integer PRIMARY KEY, applied timestamptz NOT NULL DEFAULT now());
INSERT INTO mcpgw_approval.schema_version (version) VALUES (1);

CREATE TABLE mcpgw_approval.request (
  key text COLLATE "C" PRIMARY KEY,
  id text COLLATE "C" NOT NULL UNIQUE,
  tenant text COLLATE "C" NOT NULL,
  principal text COLLATE "C" NOT NULL,
  state text NOT NULL,
  until bigint NOT NULL,
  at bigint NOT NULL,
  revision bigint NOT NULL,
  body text NOT NULL
);
CREATE INDEX request_until ON mcpgw_approval.request (until);
CREATE INDEX request_whose ON mcpgw_approval.request (tenant, principal);
