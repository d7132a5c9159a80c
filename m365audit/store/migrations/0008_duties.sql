-- What was taken out of the evidence, and why, so that in = stored + duplicate + quarantined stays explained; and what
-- is kept of what retention removed.

CREATE TABLE removals (
    tenant_id VARCHAR NOT NULL,
    source_id BIGINT NOT NULL,
    feed VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    records BIGINT NOT NULL,
    removed_at TIMESTAMPTZ NOT NULL
);

-- How far retention has removed a feed: what is older was there, and is not any more.
CREATE TABLE purged_feeds (
    tenant_id VARCHAR NOT NULL,
    feed VARCHAR NOT NULL,
    purged_from TIMESTAMPTZ NOT NULL,
    purged_until TIMESTAMPTZ NOT NULL
);

-- Use per day of what was removed: no person, no address.
CREATE TABLE kept_use (
    tenant_id VARCHAR NOT NULL,
    day DATE NOT NULL,
    feed VARCHAR,
    app_id VARCHAR,
    workload VARCHAR,
    operation VARCHAR,
    verdict VARCHAR,
    accesses HUGEINT NOT NULL
);

-- A finding keeps its id, and with it what was decided, when its subject was masked: computed from what is there now → id.
CREATE TABLE finding_names (
    tenant_id VARCHAR NOT NULL,
    computed_id VARCHAR NOT NULL,
    finding_id VARCHAR NOT NULL
);
