-- The ledger: see ../README.md.

-- An administrator may have made it for a user who could not.
DO $$
BEGIN
  IF to_regnamespace ('tallyman') IS NULL THEN
    CREATE SCHEMA tallyman;
  END IF;
END $$;
SET LOCAL search_path = tallyman;

-- Times go in and come out as microseconds since 1970.
CREATE FUNCTION moment (bigint) RETURNS timestamptz LANGUAGE sql STABLE STRICT
  AS $$ SELECT '1970-01-01 00:00:00+00'::timestamptz + $1 * interval '1 microsecond' $$;
CREATE FUNCTION micros (timestamptz) RETURNS bigint LANGUAGE sql STABLE STRICT
  AS $$ SELECT (extract (epoch FROM $1) * 1000000)::bigint $$;

CREATE TABLE meta (
  one integer PRIMARY KEY CHECK (one = 1),
  ledger_id text NOT NULL CHECK (ledger_id ~ '^[0-9a-f]{32}$'),
  schema_version integer NOT NULL CHECK (schema_version > 0),
  created_at timestamptz NOT NULL
);

-- One row for each lease or set of leases ever taken: an epoch, and how far it wrote.
CREATE TABLE writers (
  epoch bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY CHECK (epoch > 0),
  token text NOT NULL UNIQUE CHECK (length (token) = 32),
  serial bigint NOT NULL DEFAULT 0 CHECK (serial >= 0),
  host text NOT NULL,
  boot_id text NOT NULL,
  pid bigint NOT NULL,
  process_started bigint NOT NULL,
  command text NOT NULL,
  acquired_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  ended_at timestamptz,
  ending text CHECK (ending IN ('released', 'taken over')),
  CHECK ((ended_at IS NULL) = (ending IS NULL))
);

CREATE INDEX writers_at_work ON writers (epoch) WHERE ended_at IS NULL;

CREATE TABLE leases (
  name text COLLATE "C" PRIMARY KEY CHECK (name <> ''),
  epoch bigint NOT NULL REFERENCES writers
);

CREATE TABLE pipelines (
  name text COLLATE "C" PRIMARY KEY CHECK (name <> ''),
  target text,
  position text,
  pass bigint,
  CHECK (position IS NULL OR pass IS NOT NULL)
);

CREATE TABLE runs (
  id bigint PRIMARY KEY,
  token text NOT NULL UNIQUE CHECK (length (token) = 32),
  pipeline text COLLATE "C" NOT NULL REFERENCES pipelines,
  epoch bigint NOT NULL REFERENCES writers,
  pass bigint NOT NULL CHECK (pass <= id),
  from_position text,
  target text,
  holder text NOT NULL,
  version text NOT NULL,
  started_at timestamptz NOT NULL,
  ended_at timestamptz,
  outcome text,
  counts json,
  CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX runs_by_pipeline ON runs (pipeline, id);
CREATE INDEX runs_not_ended ON runs (epoch) WHERE ended_at IS NULL;

CREATE TABLE scopes (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  target text NOT NULL CHECK (target <> ''),
  entity text NOT NULL CHECK (entity <> ''),
  origin text NOT NULL,
  UNIQUE (target, entity, origin)
);

CREATE TABLE deliveries (
  scope bigint NOT NULL REFERENCES scopes,
  key text COLLATE "C" NOT NULL CHECK (octet_length (key) BETWEEN 1 AND 1024),
  generation integer NOT NULL CHECK (generation >= 1),
  state text NOT NULL CHECK (state IN ('intended', 'delivered', 'rejected', 'in doubt', 'released', 'discarded')),
  idempotency_key text COLLATE "C" NOT NULL UNIQUE CHECK (idempotency_key <> ''),
  request bytea,
  request_hash text NOT NULL,
  content_hash text NOT NULL,
  row_origin text NOT NULL,
  reference text NOT NULL,
  pass bigint NOT NULL,
  run bigint NOT NULL REFERENCES runs,
  attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  intended_at timestamptz NOT NULL,
  intended_target timestamptz,
  settled_at timestamptz,
  target_id text CHECK (target_id <> ''), -- once it is known that the target has it; for ever
  known_since timestamptz,
  other_ids text,
  status integer NOT NULL DEFAULT 0,
  detail text,
  receipt text CHECK (octet_length (receipt) BETWEEN 1 AND 1024), -- by which the fate of this generation can be asked for
  PRIMARY KEY (scope, key),
  CONSTRAINT delivered_has_id CHECK (state <> 'delivered' OR target_id IS NOT NULL),
  CONSTRAINT id_is_known_since CHECK ((target_id IS NULL) = (known_since IS NULL)),
  CONSTRAINT unsettled_is_not_settled CHECK ((state IN ('intended', 'in doubt')) = (settled_at IS NULL)),
  CONSTRAINT unsettled_has_request CHECK (state NOT IN ('intended', 'in doubt') OR request IS NOT NULL)
);
CREATE INDEX deliveries_unsettled ON deliveries (scope, key) WHERE state IN ('intended', 'in doubt');
CREATE INDEX deliveries_rejected ON deliveries (scope, key) WHERE state = 'rejected';
-- Each row is written twice or thrice within seconds: soon, and a little at a time, is best.
ALTER TABLE deliveries SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);

-- A delivery's way is one way, whoever writes: the program, or a hand.
CREATE FUNCTION refuse () RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME;
END $$;
CREATE TRIGGER deliveries_start BEFORE INSERT ON deliveries FOR EACH ROW
  WHEN (NEW.state <> 'intended' OR NEW.generation <> 1)
  EXECUTE FUNCTION refuse ('a delivery begins as the intent of generation 1');
CREATE TRIGGER deliveries_stay BEFORE DELETE ON deliveries FOR EACH ROW
  EXECUTE FUNCTION refuse ('a delivery is never deleted: it would be made again');
CREATE TRIGGER deliveries_stay_all BEFORE TRUNCATE ON deliveries FOR EACH STATEMENT
  EXECUTE FUNCTION refuse ('a delivery is never deleted: it would be made again');
CREATE TRIGGER deliveries_move BEFORE UPDATE ON deliveries FOR EACH ROW
  WHEN (NEW.scope <> OLD.scope OR NEW.key <> OLD.key
    OR (OLD.target_id IS NOT NULL AND NEW.target_id IS DISTINCT FROM OLD.target_id)
    OR (OLD.target_id IS NULL AND NEW.target_id IS NOT NULL AND NEW.state NOT IN ('delivered', 'rejected'))
    OR (OLD.state = 'delivered' AND NEW.state <> 'delivered' AND NEW.generation = OLD.generation)
    OR (OLD.state = 'discarded' AND (NEW.state <> 'discarded' OR NEW.generation <> OLD.generation))
    OR NEW.generation NOT IN (OLD.generation, OLD.generation + 1)
    OR (NEW.generation > OLD.generation
        AND (NEW.state <> 'intended' OR NEW.idempotency_key = OLD.idempotency_key))
    OR (NEW.generation = OLD.generation
        AND (NEW.idempotency_key <> OLD.idempotency_key
             OR (OLD.state = 'rejected' AND NEW.state NOT IN ('rejected', 'released', 'discarded', 'delivered'))
             OR (OLD.state = 'released' AND NEW.state NOT IN ('released', 'delivered'))
             OR (OLD.state IN ('rejected', 'released') AND NEW.target_id IS DISTINCT FROM OLD.target_id))))
  EXECUTE FUNCTION refuse ('not a way that a delivery can go');

CREATE TABLE events (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  scope bigint NOT NULL,
  key text COLLATE "C" NOT NULL,
  generation integer NOT NULL,
  at timestamptz NOT NULL,
  run bigint REFERENCES runs,
  event text NOT NULL,
  status integer NOT NULL DEFAULT 0,
  detail text,
  FOREIGN KEY (scope, key) REFERENCES deliveries
);
CREATE INDEX events_by_key ON events (scope, key, id);

-- What runs have claimed of a rate limit in the newest window that is known of.
CREATE TABLE budgets (
  name text COLLATE "C" PRIMARY KEY CHECK (name <> ''),
  number bigint NOT NULL,
  claimed bigint NOT NULL CHECK (claimed >= 0)
);

-- What source and steps refused; what the target refused is a delivery.
CREATE TABLE rejects (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run bigint NOT NULL REFERENCES runs,
  pipeline text COLLATE "C" NOT NULL REFERENCES pipelines,
  at timestamptz NOT NULL,
  origin text NOT NULL,
  stage text NOT NULL,
  reason text NOT NULL,
  record text NOT NULL
);
CREATE INDEX rejects_by_pipeline ON rejects (pipeline, id);

-- ---- One group of changes: the program's hot path, in one statement whose plans stay with the server ----
--
-- Times are microseconds.  Raises TL001 if the epoch is stale, TL002 if the serial is there already, TL003 if an
-- outcome fits nothing.  The arrays of one kind have the same length.

-- Plans made while the tables were small would be kept too long, hence the settings.
CREATE FUNCTION write_outcomes (
  p_scope bigint, p_run bigint, p_now timestamptz, o_key text[], o_generation integer[], o_state text[],
  o_attempts integer[], o_status integer[], o_target_id text[], o_other_ids text[], o_detail text[], o_event text[],
  o_keep boolean[], o_receipt text[])
RETURNS integer[] -- the ordinals of those that fitted
LANGUAGE plpgsql SET search_path = tallyman, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  v_told integer[];
BEGIN
  -- Of several for one delivery the first; the caller comes again for the next.  LATERAL with a LIMIT looks each up by
  -- its key; a join would be planned as a walk over all that is unsettled, for each.
  WITH o AS MATERIALIZED (
    SELECT DISTINCT ON (t.key COLLATE "C", t.generation) t.*, d.place
    FROM unnest (o_key, o_generation, o_state, o_attempts, o_status, o_target_id, o_other_ids, o_detail, o_event, o_keep,
                 o_receipt)
      WITH ORDINALITY AS t (key, generation, state, attempts, status, target_id, other_ids, detail, event, keep, receipt,
                            nth)
    CROSS JOIN LATERAL (
      SELECT ctid AS place FROM deliveries
      WHERE scope = p_scope AND key = t.key AND generation = t.generation AND state IN ('intended', 'in doubt')
      LIMIT 1) d
    ORDER BY t.key COLLATE "C", t.generation, t.nth),
  told AS (
    UPDATE deliveries d SET
      state = CASE WHEN o.state = 'intended' THEN d.state ELSE o.state END,
      attempts = o.attempts,
      status = CASE WHEN o.state = 'intended' AND o.status = 0 THEN d.status ELSE o.status END,
      target_id = CASE WHEN o.target_id IS NOT NULL AND o.state IN ('delivered', 'rejected') THEN o.target_id ELSE d.target_id END,
      known_since = CASE WHEN o.target_id IS NOT NULL AND o.state IN ('delivered', 'rejected')
                         THEN COALESCE (d.known_since, p_now) ELSE d.known_since END,
      other_ids = COALESCE (o.other_ids, d.other_ids),
      receipt = COALESCE (o.receipt, d.receipt),
      detail = CASE WHEN o.state = 'intended' THEN COALESCE (o.detail, d.detail) ELSE o.detail END,
      request = CASE WHEN o.keep OR o.state IN ('intended', 'in doubt') THEN d.request END,
      settled_at = CASE WHEN o.state NOT IN ('intended', 'in doubt') THEN p_now END
    FROM o
    WHERE d.ctid = o.place AND d.generation = o.generation AND d.settled_at IS NULL
    RETURNING o.nth, o.key, o.generation, o.event, o.status, o.detail),
  noted AS (
    INSERT INTO events (scope, key, generation, at, run, event, status, detail)
    SELECT p_scope, key, generation, p_now, p_run, event, status, detail
    FROM told WHERE event IS NOT NULL ORDER BY nth)
  SELECT array_agg (nth) INTO v_told FROM told;
  RETURN COALESCE (v_told, '{}');
END $$;

CREATE FUNCTION write_intents (
  p_scope bigint, p_run bigint, p_now timestamptz, i_key text[], i_generation integer[],
  i_idempotency_key text[], i_request bytea[], i_request_hash text[], i_content_hash text[], i_row_origin text[],
  i_reference text[], i_pass bigint[], i_target bigint[], i_target_id text[])
RETURNS boolean[] -- which were taken
LANGUAGE plpgsql SET search_path = tallyman, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  v_taken boolean[] := array_fill (true, ARRAY[cardinality (i_key)]);
  v_made text[];
  v_nth integer;
BEGIN
  -- In the order of keys, so that two who want the same ones wait for each other and do not lock each other out.
  WITH made AS (
    INSERT INTO deliveries (scope, key, generation, state, idempotency_key, request, request_hash, content_hash,
                            row_origin, reference, pass, run, intended_at, intended_target)
    SELECT DISTINCT ON (t.key COLLATE "C")
           p_scope, t.key, 1, 'intended', t.idempotency_key, t.request, t.request_hash, t.content_hash, t.row_origin,
           t.reference, t.pass, p_run, p_now, moment (NULLIF (t.target, 0))
    FROM unnest (i_key, i_generation, i_idempotency_key, i_request, i_request_hash, i_content_hash, i_row_origin,
                 i_reference, i_pass, i_target)
      WITH ORDINALITY AS t (key, generation, idempotency_key, request, request_hash, content_hash, row_origin,
                            reference, pass, target, nth)
    WHERE t.generation = 1 ORDER BY t.key COLLATE "C", t.nth
    ON CONFLICT (scope, key) DO NOTHING
    RETURNING deliveries.key)
  SELECT array_agg (key) INTO v_made FROM made;
  IF cardinality (v_made) = cardinality (i_key) THEN
    RETURN array_fill (false, ARRAY[cardinality (i_key)]);
  END IF;

  FOR v_nth IN
    SELECT DISTINCT ON (t.key COLLATE "C") t.nth
    FROM unnest (i_key, i_generation) WITH ORDINALITY AS t (key, generation, nth)
    WHERE t.generation = 1 AND t.key = ANY (v_made) ORDER BY t.key COLLATE "C", t.nth
  LOOP
    v_taken[v_nth] := false;
  END LOOP;

  FOR v_nth IN SELECT nth FROM generate_subscripts (i_key, 1) AS nth WHERE i_generation[nth] > 1 ORDER BY i_key[nth]
  LOOP
    -- What the generation before came to: the row is about to forget it.
    INSERT INTO events (scope, key, generation, at, run, event, status, detail)
    SELECT d.scope, d.key, i_generation[v_nth], p_now, p_run,
           CASE WHEN d.target_id IS NULL THEN 'next generation' ELSE 'update' END, d.status,
           'after one that is ' || d.state || ', key ' || d.idempotency_key
    FROM deliveries d WHERE d.scope = p_scope AND d.key = i_key[v_nth] AND d.generation = i_generation[v_nth] - 1
      AND d.state <> 'discarded' AND d.target_id IS NOT DISTINCT FROM i_target_id[v_nth]
    FOR UPDATE;
    CONTINUE WHEN NOT FOUND;
    UPDATE deliveries d SET
      generation = i_generation[v_nth], state = 'intended', idempotency_key = i_idempotency_key[v_nth],
      request = i_request[v_nth], request_hash = i_request_hash[v_nth], content_hash = i_content_hash[v_nth],
      row_origin = i_row_origin[v_nth], reference = i_reference[v_nth], pass = i_pass[v_nth], run = p_run,
      intended_at = p_now, intended_target = moment (NULLIF (i_target[v_nth], 0)), attempts = 0, settled_at = NULL,
      other_ids = CASE WHEN d.target_id IS NOT NULL THEN d.other_ids END, status = 0, detail = NULL, receipt = NULL
    WHERE d.scope = p_scope AND d.key = i_key[v_nth] AND d.generation = i_generation[v_nth] - 1;
    v_taken[v_nth] := false;
  END LOOP;
  RETURN v_taken;
END $$;

-- Records that changed, but so that nothing had to be sent: the target has them as they are now.
CREATE FUNCTION take_over (p_scope bigint, p_run bigint, p_now timestamptz, s_key text[], s_content_hash text[]) RETURNS void
LANGUAGE sql SET search_path = tallyman, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
  WITH s AS MATERIALIZED (
    SELECT t.content_hash, d.place FROM unnest (s_key, s_content_hash) t (key, content_hash)
    CROSS JOIN LATERAL (SELECT ctid AS place FROM deliveries WHERE scope = p_scope AND key = t.key LIMIT 1) d
    WHERE t.content_hash IS NOT NULL),
  taken AS (
    UPDATE deliveries d SET
      content_hash = s.content_hash, state = 'delivered', request = NULL,
      status = CASE WHEN d.state = 'delivered' THEN d.status ELSE 0 END,
      detail = CASE WHEN d.state = 'delivered' THEN d.detail END
    FROM s WHERE d.ctid = s.place AND d.target_id IS NOT NULL AND d.state IN ('delivered', 'rejected', 'released')
    RETURNING d.key, d.generation)
  INSERT INTO events (scope, key, generation, at, run, event)
  SELECT p_scope, key, generation, p_now, p_run, 'changed, nothing to send' FROM taken
$$;

CREATE FUNCTION write_as (p_epoch bigint, p_serial bigint, p_ttl bigint, p_now timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = tallyman, pg_temp AS $$
DECLARE
  v_serial bigint;
BEGIN
  UPDATE writers SET serial = p_serial, expires_at = p_now + p_ttl * interval '1 microsecond'
  WHERE epoch = p_epoch AND ended_at IS NULL AND serial < p_serial;
  IF FOUND THEN
    RETURN;
  END IF;
  SELECT serial INTO v_serial FROM writers WHERE epoch = p_epoch;
  IF v_serial >= p_serial THEN
    RAISE EXCEPTION 'serial is there' USING ERRCODE = 'TL002';
  END IF;
  RAISE EXCEPTION 'epoch is stale' USING ERRCODE = 'TL001';
END $$;

CREATE FUNCTION write_change (
  p_epoch bigint, p_serial bigint, p_ttl bigint, p_run bigint, p_pass bigint, p_pipeline text, p_scope bigint,
  p_position text,
  i_key text[], i_generation integer[], i_idempotency_key text[], i_request bytea[], i_request_hash text[],
  i_content_hash text[], i_row_origin text[], i_reference text[], i_pass bigint[], i_target bigint[],
  i_target_id text[],
  o_key text[], o_generation integer[], o_state text[], o_attempts integer[], o_status integer[], o_target_id text[],
  o_other_ids text[], o_detail text[], o_event text[], o_keep boolean[],
  o_receipt text[],
  s_key text[], s_row_origin text[], s_content_hash text[],
  r_origin text[], r_stage text[], r_reason text[], r_record text[],
  OUT now bigint, OUT taken text)
LANGUAGE plpgsql SET search_path = tallyman, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  v_now timestamptz := clock_timestamp ();
  v_taken boolean[] := '{}';
  v_left integer := cardinality (o_key); -- outcomes that are not told yet
  v_told integer[];
  v_nth integer;
  v_key text;
BEGIN
  PERFORM write_as (p_epoch, p_serial, p_ttl, v_now);

  -- An outcome may be of the generation before an intent's, or of the intent itself.
  FOR v_round IN 1..2 LOOP
    WHILE v_left > 0 LOOP
      v_told := write_outcomes (p_scope, p_run, v_now, o_key, o_generation, o_state, o_attempts, o_status, o_target_id,
                                o_other_ids, o_detail, o_event, o_keep, o_receipt);
      FOREACH v_nth IN ARRAY v_told LOOP
        o_key[v_nth] := NULL;
      END LOOP;
      v_left := v_left - cardinality (v_told);
      EXIT WHEN cardinality (v_told) = 0;
    END LOOP;
    IF v_round = 1 AND cardinality (i_key) > 0 THEN
      v_taken := write_intents (p_scope, p_run, v_now, i_key, i_generation, i_idempotency_key, i_request,
                                i_request_hash, i_content_hash, i_row_origin, i_reference, i_pass, i_target,
                                i_target_id);
    END IF;
  END LOOP;
  IF v_left > 0 THEN
    SELECT o.key INTO v_key FROM unnest (o_key, o_generation) o (key, generation)
    WHERE o.key IS NOT NULL AND NOT EXISTS (
      SELECT FROM unnest (i_key, i_generation, v_taken) i (key, generation, taken)
      WHERE i.taken AND i.key = o.key AND i.generation = o.generation)
    LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION '%', v_key USING ERRCODE = 'TL003';
    END IF;
  END IF;

  IF cardinality (s_key) > 0 THEN
    WITH s AS MATERIALIZED (
      SELECT t.row_origin, d.place FROM unnest (s_key, s_row_origin) t (key, row_origin)
      CROSS JOIN LATERAL (SELECT ctid AS place FROM deliveries WHERE scope = p_scope AND key = t.key LIMIT 1) d)
    UPDATE deliveries d SET pass = p_pass, row_origin = s.row_origin FROM s WHERE d.ctid = s.place;
    PERFORM take_over (p_scope, p_run, v_now, s_key, s_content_hash);
  END IF;
  IF cardinality (r_origin) > 0 THEN
    INSERT INTO rejects (run, pipeline, at, origin, stage, reason, record)
    SELECT p_run, p_pipeline, v_now, r.origin, r.stage, r.reason, r.record
    FROM unnest (r_origin, r_stage, r_reason, r_record) WITH ORDINALITY r (origin, stage, reason, record, nth)
    ORDER BY nth;
  END IF;
  IF p_position IS NOT NULL THEN
    UPDATE pipelines SET position = p_position WHERE name = p_pipeline AND pass = p_pass;
  END IF;

  now := micros (v_now);
  SELECT string_agg (CASE WHEN t.taken THEN 't' ELSE 'f' END, '' ORDER BY nth) INTO taken
  FROM unnest (v_taken) WITH ORDINALITY t (taken, nth);
END $$;
