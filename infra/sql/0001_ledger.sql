-- The ledger: what is not rebuildable. Never edited once released; a change is a new file.

CREATE SCHEMA ledger;

-- One row, locked FOR UPDATE by every writer and never updated: seq is gap-free and commit-ordered,
-- and no hot row bloats under a long snapshot.
CREATE TABLE ledger.head (
    ledger_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    singleton boolean NOT NULL DEFAULT true UNIQUE CHECK (singleton)
);
INSERT INTO ledger.head DEFAULT VALUES;

CREATE TABLE ledger.stream (
    stream_id uuid PRIMARY KEY,
    category text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    leaf bytea NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE ledger.event (
    seq bigint PRIMARY KEY,
    stream_id uuid NOT NULL,
    version integer NOT NULL,
    type text NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    data bytea NOT NULL,
    leaf bytea NOT NULL,
    UNIQUE (stream_id, version)
);
CREATE INDEX event_register ON ledger.event (seq) WHERE type NOT LIKE 'dossier.%';

-- Idempotency: same key and content, same answer; same key with other content is refused.
CREATE TABLE ledger.append (
    scope text NOT NULL,
    key text NOT NULL,
    digest bytea NOT NULL,
    outcome bytea NOT NULL,
    PRIMARY KEY (scope, key)
);

-- Names that only one stream may hold; a numbering (scope, serial) gives out the next one.
CREATE TABLE ledger.claim (
    kind text NOT NULL,
    value text NOT NULL,
    stream_id uuid NOT NULL,
    scope text,
    serial bigint,
    issued boolean NOT NULL DEFAULT false,
    PRIMARY KEY (kind, value)
);
-- The counter of a numbering is its highest issued number; given ones are skipped, never followed.
CREATE INDEX claim_issued ON ledger.claim (scope, serial) WHERE issued;
CREATE INDEX claim_given ON ledger.claim (scope, serial) WHERE NOT issued AND scope IS NOT NULL;

-- Beside the ledger and erasable: keys wrapped by a master key that is not in this database, and
-- keyed hashes by which a person is found.
CREATE TABLE ledger.subject_key (
    subject uuid NOT NULL,
    stream_id uuid NOT NULL,
    wrapped bytea NOT NULL,
    PRIMARY KEY (subject, stream_id)
);
CREATE TABLE ledger.lookup (
    kind text NOT NULL,
    hash bytea NOT NULL,
    subject uuid NOT NULL,
    PRIMARY KEY (kind, hash, subject)
);
CREATE INDEX lookup_subject ON ledger.lookup (subject);

CREATE FUNCTION ledger.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of ledger.% is refused: what is recorded is never changed', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.event
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
CREATE TRIGGER immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.append
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
CREATE TRIGGER immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.claim
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
CREATE TRIGGER immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.head
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
CREATE TRIGGER immutable BEFORE DELETE OR TRUNCATE ON ledger.stream
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
ALTER TABLE ledger.event ENABLE ALWAYS TRIGGER immutable;
ALTER TABLE ledger.append ENABLE ALWAYS TRIGGER immutable;
ALTER TABLE ledger.claim ENABLE ALWAYS TRIGGER immutable;
ALTER TABLE ledger.head ENABLE ALWAYS TRIGGER immutable;
ALTER TABLE ledger.stream ENABLE ALWAYS TRIGGER immutable;

-- Everything but migrations runs under this role.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'hoso_service') THEN
        CREATE ROLE hoso_service NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;  -- Another database's migration.
END
$$;
GRANT hoso_service TO CURRENT_USER;
GRANT USAGE ON SCHEMA ledger TO hoso_service;
GRANT SELECT, UPDATE (ledger_id) ON ledger.head TO hoso_service;  -- UPDATE for the lock only.
GRANT SELECT, INSERT, UPDATE (version, leaf) ON ledger.stream TO hoso_service;
GRANT SELECT, INSERT ON ledger.event, ledger.append, ledger.claim TO hoso_service;
GRANT SELECT, INSERT, DELETE ON ledger.subject_key, ledger.lookup TO hoso_service;

CREATE SCHEMA views AUTHORIZATION hoso_service;
