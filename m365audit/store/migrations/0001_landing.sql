-- What was landed, from where, and what was made of it. Event tables have no primary key on purpose: an anti-join on
-- the id inside the batch is an order of magnitude faster, and the ledger below makes every insert idempotent.

CREATE SEQUENCE source_ids;

CREATE TABLE sources (
    tenant_id VARCHAR NOT NULL,
    source_id BIGINT NOT NULL,
    path VARCHAR NOT NULL,
    kind VARCHAR,
    sha256 VARCHAR,
    bytes BIGINT,
    records BIGINT NOT NULL,
    stored BIGINT NOT NULL,
    duplicate BIGINT NOT NULL,
    quarantined BIGINT NOT NULL,
    bad_times BIGINT NOT NULL,
    imported_at TIMESTAMPTZ NOT NULL,
    observed_at TIMESTAMPTZ,
    outcome VARCHAR NOT NULL,
    message VARCHAR,
    spool VARCHAR,
    has_next_page BOOLEAN NOT NULL
);

CREATE TABLE quarantine (
    tenant_id VARCHAR NOT NULL,
    source_id BIGINT NOT NULL,
    record BIGINT,
    line BIGINT,
    byte_offset BIGINT,
    reason VARCHAR NOT NULL,
    excerpt VARCHAR
);

-- Graph activity: the one feed that is big. Typed on the way in; query values never get here.
CREATE TABLE landed_calls (
    tenant_id VARCHAR NOT NULL,
    source_id BIGINT NOT NULL,
    event_id VARCHAR,
    content UBIGINT NOT NULL,
    version INTEGER NOT NULL,
    is_newest BOOLEAN NOT NULL,
    enveloped_at TIMESTAMPTZ,
    occurred_at TIMESTAMPTZ,
    has_bad_time BOOLEAN NOT NULL,
    app_id VARCHAR,
    method VARCHAR,
    path VARCHAR,
    shape VARCHAR,
    status_code INTEGER,
    ip_address VARCHAR,
    user_id VARCHAR,
    sp_id VARCHAR,
    id_type VARCHAR,
    has_roles BOOLEAN,
    has_scopes BOOLEAN
);

-- Everything else, whole: audit records, sign-ins, directory audits, state objects.
CREATE TABLE landed_records (
    tenant_id VARCHAR NOT NULL,
    source_id BIGINT NOT NULL,
    feed VARCHAR NOT NULL,
    record_id VARCHAR,
    content UHUGEINT NOT NULL,
    version INTEGER NOT NULL,
    is_newest BOOLEAN NOT NULL,
    enveloped_at TIMESTAMPTZ,
    occurred_at TIMESTAMPTZ,
    has_bad_time BOOLEAN NOT NULL,
    record JSON NOT NULL
);

-- A state object seen again unchanged is a duplicate record but a new observation.
CREATE TABLE sightings (
    tenant_id VARCHAR NOT NULL,
    source_id BIGINT NOT NULL,
    feed VARCHAR NOT NULL,
    record_id VARCHAR NOT NULL,
    content UHUGEINT NOT NULL
);

CREATE TABLE coverage_windows (
    tenant_id VARCHAR NOT NULL,
    source_id BIGINT NOT NULL,
    feed VARCHAR NOT NULL,
    covered_from TIMESTAMPTZ NOT NULL,
    covered_to TIMESTAMPTZ NOT NULL,
    state VARCHAR NOT NULL,
    reason VARCHAR
);

CREATE TABLE runs (
    run_id VARCHAR NOT NULL,
    command VARCHAR NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ,
    outcome VARCHAR,
    version VARCHAR NOT NULL,
    register_hash VARCHAR,
    register_state VARCHAR
);

CREATE TABLE finding_ledger (
    tenant_id VARCHAR NOT NULL,
    finding_id VARCHAR NOT NULL,
    rule VARCHAR NOT NULL,
    severity VARCHAR NOT NULL,
    title VARCHAR NOT NULL,
    question VARCHAR,
    subject JSON NOT NULL,
    app_id VARCHAR,
    record VARCHAR,
    process VARCHAR,
    reasons VARCHAR[],
    state VARCHAR NOT NULL,
    decision VARCHAR,
    first_seen_at TIMESTAMPTZ,
    last_seen_at TIMESTAMPTZ,
    evidence_count BIGINT NOT NULL,
    opened_at TIMESTAMPTZ,
    resolved_at TIMESTAMPTZ,
    reopened BIGINT NOT NULL,
    change VARCHAR NOT NULL
);

CREATE TABLE register_ledger (
    tenant_id VARCHAR NOT NULL,
    record VARCHAR NOT NULL,
    entry INTEGER NOT NULL,
    event VARCHAR NOT NULL,
    entry_hash VARCHAR NOT NULL,
    first_judged_at TIMESTAMPTZ NOT NULL
);
