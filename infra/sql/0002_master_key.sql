-- By which master key the ledger is sealed: a keyed digest of a fixed text, put at the first start.
-- It tells nobody the key, and tells another key at once.
CREATE TABLE ledger.master_key (
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton)
);
CREATE TRIGGER immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.master_key
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
ALTER TABLE ledger.master_key ENABLE ALWAYS TRIGGER immutable;
GRANT SELECT, INSERT ON ledger.master_key TO hoso_service;
