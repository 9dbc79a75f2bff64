-- One row for each dossier. Dropped and rebuilt, never migrated. {table} carries the version.
CREATE TABLE views.{table} (
    dossier_id uuid PRIMARY KEY,
    version integer NOT NULL,
    opened_seq bigint NOT NULL,
    code text,
    status smallint,
    procedure text,
    procedure_version integer,
    channel text,
    receiving_unit text,
    competent_unit text,
    returning_unit text,
    custodian_unit text,
    units text[] NOT NULL,
    financial text NOT NULL,
    delivery text NOT NULL,
    synchronisation text NOT NULL,
    submitted_at timestamptz,
    accepted_at timestamptz,
    printed_due timestamptz,
    first_due timestamptz,
    due timestamptz,
    paused_since timestamptz,
    finished_at timestamptz,
    returned_at timestamptz,
    last_moment timestamptz,
    told_at timestamptz NOT NULL,
    answer_by timestamptz,
    transfer_answer_by timestamptz,
    calendar text,
    calendar_version integer,
    pauses integer NOT NULL,
    paused_minutes integer NOT NULL,
    irregularities integer NOT NULL,
    voiding boolean NOT NULL,
    state bytea NOT NULL
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX ON views.{table} (opened_seq);
CREATE INDEX ON views.{table} (code text_pattern_ops);
CREATE INDEX ON views.{table} (reverse(code) text_pattern_ops);
CREATE INDEX ON views.{table} (procedure, opened_seq);
CREATE INDEX ON views.{table} (competent_unit, opened_seq);
CREATE INDEX ON views.{table} (receiving_unit, opened_seq);
CREATE INDEX ON views.{table} (status, opened_seq);
CREATE INDEX ON views.{table} USING gin (units) WITH (fastupdate = off);
CREATE INDEX ON views.{table} (opened_seq) WHERE irregularities > 0;
CREATE INDEX ON views.{table} (answer_by) WHERE status IN ({supplement});
CREATE INDEX ON views.{table} (transfer_answer_by) WHERE status IN ({work});
CREATE INDEX ON views.{table} (calendar, calendar_version, dossier_id) WHERE status IN ({open});
