-- Live collection: where a file came from, which time of which log was read, which listing, and how far into a growing
-- blob. A window is told as read in the transaction that makes its last record durable.

ALTER TABLE sources ADD COLUMN origin VARCHAR;
ALTER TABLE sources ADD COLUMN run_id VARCHAR;
UPDATE sources SET origin = 'import';

-- The windows of one tenant, feed and collection do not overlap; they are half-open. Times are Microsoft's.
CREATE TABLE collection_windows (
    tenant_id VARCHAR NOT NULL,
    feed VARCHAR NOT NULL,
    collection VARCHAR NOT NULL,
    covered_from TIMESTAMPTZ NOT NULL,
    covered_to TIMESTAMPTZ NOT NULL,
    state VARCHAR NOT NULL,
    reason VARCHAR,
    detail VARCHAR NOT NULL,
    pulls INTEGER NOT NULL,
    records BIGINT,
    added_last BIGINT NOT NULL,
    first_pulled_at TIMESTAMPTZ,
    last_pulled_at TIMESTAMPTZ,
    tried_at TIMESTAMPTZ,
    run_id VARCHAR NOT NULL
);

-- The newest pull of each listing, whatever became of it.
CREATE TABLE collection_listings (
    tenant_id VARCHAR NOT NULL,
    feed VARCHAR NOT NULL,
    collection VARCHAR NOT NULL,
    is_whole BOOLEAN NOT NULL,
    reason VARCHAR,
    detail VARCHAR NOT NULL,
    records BIGINT NOT NULL,
    observed_at TIMESTAMPTZ NOT NULL,
    whole_at TIMESTAMPTZ,
    run_id VARCHAR NOT NULL
);

-- Blobs that are appended to: what was read of each is landed.
CREATE TABLE blob_cursors (
    tenant_id VARCHAR NOT NULL,
    blob VARCHAR NOT NULL,
    bytes_read BIGINT NOT NULL,
    covered_hour TIMESTAMPTZ,
    seen_at TIMESTAMPTZ NOT NULL
);

-- What happened to the auditor itself.
CREATE TABLE collection_events (
    tenant_id VARCHAR NOT NULL,
    event_id VARCHAR NOT NULL,
    occurred_at TIMESTAMPTZ NOT NULL,
    kind VARCHAR NOT NULL,
    collection VARCHAR,
    target VARCHAR,
    detail VARCHAR NOT NULL,
    run_id VARCHAR NOT NULL
);

-- What is known of the auditor's own way in, one row for each tenant.
CREATE TABLE sign_in_states (
    tenant_id VARCHAR NOT NULL,
    is_signed_in BOOLEAN NOT NULL,
    client_id VARCHAR,
    roles VARCHAR[],
    scopes VARCHAR[],
    credential_expires_at TIMESTAMPTZ,
    signed_in_at TIMESTAMPTZ,
    failed_at TIMESTAMPTZ,
    is_refused BOOLEAN,
    code VARCHAR,
    message VARCHAR,
    hint VARCHAR
);
