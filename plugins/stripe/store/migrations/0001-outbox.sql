-- The outbox of the stripe plugin: what is to be billed, and what was.

CREATE SCHEMA IF NOT EXISTS mcpgw_stripe;

CREATE TABLE mcpgw_stripe.schema_version (version integer PRIMARY KEY, applied timestamptz NOT NULL DEFAULT now());
INSERT INTO mcpgw_stripe.schema_version (version) VALUES (1);

CREATE TABLE mcpgw_stripe.note (name text PRIMARY KEY, value text NOT NULL);

-- Usage as it was taken over from the meter plugin, so that a total that rises again is told from one that is new.
CREATE TABLE mcpgw_stripe.usage (
  id text PRIMARY KEY, "start" bigint NOT NULL, "end" bigint NOT NULL, tenant text NOT NULL, server text NOT NULL, target text NOT NULL,
  calls bigint NOT NULL, milli_units bigint NOT NULL
);
CREATE INDEX usage_start ON mcpgw_stripe.usage ("start");

-- What is to be billed, and what was: one line for each tenant, meter and window.
CREATE TABLE mcpgw_stripe.line (
  id text PRIMARY KEY, tenant text NOT NULL, event text NOT NULL, quantity text NOT NULL, "start" bigint NOT NULL, "end" bigint NOT NULL,
  used bigint NOT NULL, wanted bigint NOT NULL, sent bigint NOT NULL DEFAULT 0,
  state text NOT NULL DEFAULT 'idle', kind text NOT NULL DEFAULT 'event', customer text NOT NULL DEFAULT '', revision bigint NOT NULL DEFAULT 0,
  identifier text NOT NULL DEFAULT '', value bigint NOT NULL DEFAULT 0, unsure bigint, tried bigint NOT NULL DEFAULT 0,
  next bigint NOT NULL DEFAULT 0, error text NOT NULL DEFAULT '', last_identifier text NOT NULL DEFAULT '',
  last_value bigint NOT NULL DEFAULT 0, last_at bigint NOT NULL DEFAULT 0
);
CREATE INDEX line_start ON mcpgw_stripe.line ("start");
CREATE INDEX line_unsettled ON mcpgw_stripe.line ("start") WHERE state <> 'idle' OR wanted <> sent;
