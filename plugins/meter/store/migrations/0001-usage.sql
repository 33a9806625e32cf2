-- Usage: sums by window, tenant, caller and tool, and through which record of the audit log they were made, so that each record counts once.

CREATE SCHEMA IF NOT EXISTS mcpgw_usage;
CREATE TABLE mcpgw_usage.schema_version (version integer PRIMARY KEY, applied timestamptz NOT NULL DEFAULT now());
INSERT INTO mcpgw_usage.schema_version (version) VALUES (1);

-- `span` is 0 for a window and 1 for a month; `start` and `finish` (exclusive) in ms since 1970; `subject` is a pseudonym of the audit log; `changed` the number of the transaction that changed the row last.
CREATE TABLE mcpgw_usage.usage (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  span smallint NOT NULL,
  start bigint NOT NULL,
  finish bigint NOT NULL,
  tenant text COLLATE "C" NOT NULL,
  subject text COLLATE "C" NOT NULL,
  server text COLLATE "C" NOT NULL,
  target text COLLATE "C" NOT NULL,
  answered bigint NOT NULL,
  tool_error bigint NOT NULL,
  upstream_error bigint NOT NULL,
  timeout bigint NOT NULL,
  crashed bigint NOT NULL,
  cancelled bigint NOT NULL,
  withheld bigint NOT NULL,
  input_required bigint NOT NULL,
  unknown bigint NOT NULL,
  latency_0 bigint NOT NULL,
  latency_1 bigint NOT NULL,
  latency_2 bigint NOT NULL,
  latency_3 bigint NOT NULL,
  latency_4 bigint NOT NULL,
  latency_5 bigint NOT NULL,
  latency_6 bigint NOT NULL,
  latency_7 bigint NOT NULL,
  latency_8 bigint NOT NULL,
  latency_9 bigint NOT NULL,
  latency_10 bigint NOT NULL,
  latency_11 bigint NOT NULL,
  latency_12 bigint NOT NULL,
  latency_13 bigint NOT NULL,
  latency_14 bigint NOT NULL,
  latency_15 bigint NOT NULL,
  request_bytes bigint NOT NULL,
  result_bytes bigint NOT NULL,
  milli_units bigint NOT NULL,
  changed bigint NOT NULL,
  CONSTRAINT usage_key UNIQUE (span, start, finish, tenant, subject, server, target)
);
CREATE INDEX usage_changed ON mcpgw_usage.usage (changed);
CREATE INDEX usage_finish ON mcpgw_usage.usage (finish);

-- How far each stream of the log was counted, and of when the latest outcome among it is.
CREATE TABLE mcpgw_usage.cursor (stream text COLLATE "C" PRIMARY KEY, seq bigint NOT NULL, at bigint NOT NULL);
-- Records that went from the log before they were counted.
CREATE TABLE mcpgw_usage.lost (stream text COLLATE "C" NOT NULL, first bigint NOT NULL, last bigint NOT NULL, PRIMARY KEY (stream, first));
-- One row. Whoever changes usage holds it until the end of his transaction, so that changes become visible in the order of their numbers.
CREATE TABLE mcpgw_usage.state (one integer PRIMARY KEY CHECK (one = 1), change bigint NOT NULL, place text);
INSERT INTO mcpgw_usage.state (one, change) VALUES (1, 0);
