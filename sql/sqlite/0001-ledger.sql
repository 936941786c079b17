-- The ledger: see ../README.md.  Times are microseconds since 1970.

CREATE TABLE meta (
  one integer PRIMARY KEY CHECK (one = 1),
  ledger_id text NOT NULL CHECK (length(ledger_id) = 32 AND ledger_id NOT GLOB '*[^0-9a-f]*'),
  schema_version integer NOT NULL CHECK (schema_version > 0),
  created_at integer NOT NULL,
  -- Where the ledger's clock stood when the machine's boot clock stood there, see sqlite.c.
  clock_boot text,
  clock_boot_time integer,
  clock_time integer
) STRICT;

-- One row for each lease or set of leases ever taken: an epoch, and how far it wrote.
CREATE TABLE writers (
  epoch integer PRIMARY KEY AUTOINCREMENT CHECK (epoch > 0),
  token text NOT NULL UNIQUE CHECK (length(token) = 32),
  serial integer NOT NULL DEFAULT 0 CHECK (serial >= 0),
  host text NOT NULL,
  boot_id text NOT NULL,
  pid integer NOT NULL,
  process_started integer NOT NULL,
  command text NOT NULL,
  acquired_at integer NOT NULL,
  expires_at integer NOT NULL,
  ended_at integer,
  ending text CHECK (ending IN ('released', 'taken over')),
  CHECK ((ended_at IS NULL) = (ending IS NULL))
) STRICT;

CREATE INDEX writers_at_work ON writers (epoch) WHERE ended_at IS NULL;

CREATE TABLE leases (
  name text NOT NULL PRIMARY KEY CHECK (name <> ''),
  epoch integer NOT NULL REFERENCES writers
) STRICT, WITHOUT ROWID;

CREATE TABLE pipelines (
  name text NOT NULL PRIMARY KEY CHECK (name <> ''),
  target text,
  position text,
  pass integer,
  CHECK (position IS NULL OR pass IS NOT NULL)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
  id integer PRIMARY KEY,
  token text NOT NULL UNIQUE CHECK (length(token) = 32),
  pipeline text NOT NULL REFERENCES pipelines,
  epoch integer NOT NULL REFERENCES writers,
  pass integer NOT NULL CHECK (pass <= id),
  from_position text,
  target text,
  holder text NOT NULL,
  version text NOT NULL,
  started_at integer NOT NULL,
  ended_at integer,
  outcome text,
  counts text CHECK (counts IS NULL OR json_valid (counts)),
  CHECK ((ended_at IS NULL) = (outcome IS NULL))
) STRICT;
CREATE INDEX runs_by_pipeline ON runs (pipeline, id);
CREATE INDEX runs_not_ended ON runs (epoch) WHERE ended_at IS NULL;

CREATE TABLE scopes (
  id integer PRIMARY KEY AUTOINCREMENT,
  target text NOT NULL CHECK (target <> ''),
  entity text NOT NULL CHECK (entity <> ''),
  origin text NOT NULL,
  UNIQUE (target, entity, origin)
) STRICT;

CREATE TABLE deliveries (
  scope integer NOT NULL REFERENCES scopes,
  key text NOT NULL CHECK (length(CAST(key AS blob)) BETWEEN 1 AND 1024),
  generation integer NOT NULL CHECK (generation >= 1),
  state text NOT NULL CHECK (state IN ('intended', 'delivered', 'rejected', 'in doubt', 'released', 'discarded')),
  idempotency_key text NOT NULL UNIQUE CHECK (idempotency_key <> ''),
  request blob,
  request_hash text NOT NULL,
  content_hash text NOT NULL,
  row_origin text NOT NULL,
  reference text NOT NULL,
  pass integer NOT NULL,
  run integer NOT NULL REFERENCES runs,
  attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  intended_at integer NOT NULL,
  intended_target integer,
  settled_at integer,
  target_id text CHECK (target_id <> ''), -- once it is known that the target has it; for ever
  known_since integer,
  other_ids text,
  status integer NOT NULL DEFAULT 0,
  detail text,
  -- By which the fate of this generation can be asked for.
  receipt text CHECK (length(CAST(receipt AS blob)) BETWEEN 1 AND 1024),
  PRIMARY KEY (scope, key),
  CONSTRAINT delivered_has_id CHECK (state <> 'delivered' OR target_id IS NOT NULL),
  CONSTRAINT id_is_known_since CHECK ((target_id IS NULL) = (known_since IS NULL)),
  CONSTRAINT unsettled_is_not_settled CHECK ((state IN ('intended', 'in doubt')) = (settled_at IS NULL)),
  CONSTRAINT unsettled_has_request CHECK (state NOT IN ('intended', 'in doubt') OR request IS NOT NULL)
) STRICT;
CREATE INDEX deliveries_unsettled ON deliveries (scope, key) WHERE state IN ('intended', 'in doubt');
CREATE INDEX deliveries_rejected ON deliveries (scope, key) WHERE state = 'rejected';

-- A delivery's way is one way, whoever writes: the program, or a hand.
CREATE TRIGGER deliveries_start BEFORE INSERT ON deliveries
WHEN NEW.state <> 'intended' OR NEW.generation <> 1
BEGIN
  SELECT RAISE (ABORT, 'a delivery begins as the intent of generation 1');
END;
CREATE TRIGGER deliveries_stay BEFORE DELETE ON deliveries
BEGIN
  SELECT RAISE (ABORT, 'a delivery is never deleted: it would be made again');
END;
CREATE TRIGGER deliveries_move BEFORE UPDATE ON deliveries
WHEN NEW.scope <> OLD.scope OR NEW.key <> OLD.key
  OR (OLD.target_id IS NOT NULL AND NEW.target_id IS NOT OLD.target_id)
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
           OR (OLD.state IN ('rejected', 'released') AND NEW.target_id IS NOT OLD.target_id)))
BEGIN
  SELECT RAISE (ABORT, 'not a way that a delivery can go');
END;

CREATE TABLE events (
  id integer PRIMARY KEY AUTOINCREMENT,
  scope integer NOT NULL,
  key text NOT NULL,
  generation integer NOT NULL,
  at integer NOT NULL,
  run integer REFERENCES runs,
  event text NOT NULL,
  status integer NOT NULL DEFAULT 0,
  detail text,
  FOREIGN KEY (scope, key) REFERENCES deliveries
) STRICT;
CREATE INDEX events_by_key ON events (scope, key, id);

-- What runs have claimed of a rate limit in the newest window that is known of.
CREATE TABLE budgets (
  name text NOT NULL PRIMARY KEY CHECK (name <> ''),
  number integer NOT NULL,
  claimed integer NOT NULL CHECK (claimed >= 0)
) STRICT, WITHOUT ROWID;

-- What source and steps refused; what the target refused is a delivery.
CREATE TABLE rejects (
  id integer PRIMARY KEY AUTOINCREMENT,
  run integer NOT NULL REFERENCES runs,
  pipeline text NOT NULL REFERENCES pipelines,
  at integer NOT NULL,
  origin text NOT NULL,
  stage text NOT NULL,
  reason text NOT NULL,
  record text NOT NULL
) STRICT;
CREATE INDEX rejects_by_pipeline ON rejects (pipeline, id);
