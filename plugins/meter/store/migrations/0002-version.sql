-- What of the usage went to which version of a server. What was counted before has no part here, and gateways of the version before go on counting without.

INSERT INTO mcpgw_usage.schema_version (version) VALUES (2);

-- Each row is a part of the one in `usage` with the same key.
CREATE TABLE mcpgw_usage.usage_version (
  span smallint NOT NULL,
  start bigint NOT NULL,
  finish bigint NOT NULL,
  tenant text COLLATE "C" NOT NULL,
  subject text COLLATE "C" NOT NULL,
  server text COLLATE "C" NOT NULL,
  target text COLLATE "C" NOT NULL,
  version text COLLATE "C" NOT NULL,
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
  PRIMARY KEY (span, start, finish, tenant, subject, server, target, version)
);
CREATE INDEX usage_version_finish ON mcpgw_usage.usage_version (finish);
