-- The audit log: tables that are only added to. Whoever may insert can neither change nor remove, and cannot fork or tear a chain.

CREATE SCHEMA IF NOT EXISTS mcpgw_audit;
CREATE TABLE mcpgw_audit.schema_version (version integer PRIMARY KEY, applied timestamptz NOT NULL DEFAULT now());
INSERT INTO mcpgw_audit.schema_version (version) VALUES (1);

CREATE TABLE mcpgw_audit.record (
  stream text COLLATE "C" NOT NULL,
  seq bigint NOT NULL CHECK (seq > 0),
  at bigint NOT NULL,
  type text NOT NULL,
  call text NOT NULL,
  prev bytea NOT NULL,
  hash bytea NOT NULL,
  body text NOT NULL,
  PRIMARY KEY (stream, seq),
  CONSTRAINT record_fork UNIQUE (stream, prev)
);
CREATE INDEX record_at ON mcpgw_audit.record (at, stream, seq);
-- Only one record continues nothing: of gateways that begin a log at once, one does.
CREATE UNIQUE INDEX record_first ON mcpgw_audit.record (prev) WHERE prev = decode(repeat('00', 32), 'hex');
COMMENT ON TABLE mcpgw_audit.record IS 'body is the evidence; the other columns repeat what is searched for, and mcpgw audit verify compares each with it';

-- `opened` is the order of their starts: a stream that continues a record of another one comes behind it.
CREATE TABLE mcpgw_audit.stream (name text COLLATE "C" PRIMARY KEY, opened bigint GENERATED ALWAYS AS IDENTITY);
-- Ended in order: none of its calls is open.
CREATE TABLE mcpgw_audit.stream_end (name text COLLATE "C" PRIMARY KEY);
-- A later stream refers to its end at `seq`.
CREATE TABLE mcpgw_audit.stream_close (name text COLLATE "C" NOT NULL, seq bigint NOT NULL, PRIMARY KEY (name, seq));

CREATE TABLE mcpgw_audit.subject (id text COLLATE "C" PRIMARY KEY, lookup text NOT NULL, key text NOT NULL, who text NOT NULL);
CREATE INDEX subject_lookup ON mcpgw_audit.subject (lookup);

CREATE TABLE mcpgw_audit.checkpoint (
  stream text COLLATE "C" NOT NULL, size bigint NOT NULL, at bigint NOT NULL, frontier text NOT NULL, note text NOT NULL,
  PRIMARY KEY (stream, size)
);
CREATE TABLE mcpgw_audit.tombstone (
  stream text COLLATE "C" NOT NULL, through bigint NOT NULL, at bigint NOT NULL, link text NOT NULL, frontier text NOT NULL, note text NOT NULL,
  PRIMARY KEY (stream, through)
);

CREATE FUNCTION mcpgw_audit.refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  RAISE EXCEPTION '% of mcpgw_audit.% is refused: the audit log is only added to', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege';
END $$;

-- A record follows the one before it in its stream, or what a tombstone says was before it.
CREATE FUNCTION mcpgw_audit.require_previous() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF NEW.seq > 1
    AND NOT EXISTS (SELECT FROM mcpgw_audit.record WHERE stream = NEW.stream AND seq = NEW.seq - 1 AND hash = NEW.prev)
    AND NOT EXISTS (SELECT FROM mcpgw_audit.tombstone WHERE stream = NEW.stream AND through = NEW.seq - 1 AND link = encode(NEW.prev, 'hex'))
  THEN
    RAISE EXCEPTION 'record % of stream % does not continue the record before it', NEW.seq, NEW.stream USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;

-- Retention: what a tombstone covers may go, by a role that may delete.
CREATE FUNCTION mcpgw_audit.require_tombstone() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM mcpgw_audit.tombstone WHERE stream = OLD.stream AND through >= OLD.seq) THEN
    RAISE EXCEPTION 'DELETE of record % of stream % is refused: no tombstone covers it', OLD.seq, OLD.stream
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN OLD;
END $$;

CREATE TRIGGER require_previous BEFORE INSERT ON mcpgw_audit.record FOR EACH ROW EXECUTE FUNCTION mcpgw_audit.require_previous();
CREATE TRIGGER require_tombstone BEFORE DELETE ON mcpgw_audit.record FOR EACH ROW EXECUTE FUNCTION mcpgw_audit.require_tombstone();
CREATE TRIGGER refuse_change BEFORE UPDATE OR TRUNCATE ON mcpgw_audit.record EXECUTE FUNCTION mcpgw_audit.refuse_change();
-- Erasure deletes the row of a subject, and nothing changes one.
CREATE TRIGGER refuse_change BEFORE UPDATE OR TRUNCATE ON mcpgw_audit.subject EXECUTE FUNCTION mcpgw_audit.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON mcpgw_audit.stream EXECUTE FUNCTION mcpgw_audit.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON mcpgw_audit.stream_end EXECUTE FUNCTION mcpgw_audit.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON mcpgw_audit.stream_close EXECUTE FUNCTION mcpgw_audit.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON mcpgw_audit.checkpoint EXECUTE FUNCTION mcpgw_audit.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON mcpgw_audit.tombstone EXECUTE FUNCTION mcpgw_audit.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON mcpgw_audit.schema_version EXECUTE FUNCTION mcpgw_audit.refuse_change();
