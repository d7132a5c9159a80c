-- Graph calls share few forms: what a call is stands once, and a call is its id, its time and its form. Item ids in
-- the path (80 signs and more) are masked, for they tell nothing that is judged by and make every path unlike others.

CREATE TABLE landed_forms (
    tenant_id VARCHAR NOT NULL,
    form_no BIGINT NOT NULL,
    app_id VARCHAR,
    method VARCHAR,
    path VARCHAR,
    status_code INTEGER,
    ip_address VARCHAR,
    user_id VARCHAR,
    sp_id VARCHAR,
    id_type VARCHAR,
    has_roles BOOLEAN,
    has_scopes BOOLEAN
);

UPDATE landed_calls SET path = array_to_string(list_transform(
    string_split(path, '/'),
    LAMBDA x: CASE WHEN strlen(x) > 79 AND NOT contains(x, '@') AND NOT contains(x, ':') THEN '~' ELSE x END
), '/') WHERE strlen(path) > 79;

INSERT INTO landed_forms
SELECT tenant_id, row_number() OVER (), * EXCLUDE (tenant_id)
FROM (
    SELECT DISTINCT
        tenant_id, app_id, method, path, status_code, ip_address, user_id, sp_id, id_type, has_roles, has_scopes
    FROM landed_calls
);

CREATE TABLE landed_calls_by_form AS
SELECT
    c.tenant_id, c.source_id, c.event_id, f.form_no, c.version, c.is_newest, c.is_retold, c.enveloped_at, c.occurred_at,
    c.has_bad_time, c.observed_at
FROM landed_calls AS c
INNER JOIN landed_forms AS f
    ON c.tenant_id = f.tenant_id
    AND (c.app_id, c.method, c.path, c.status_code, c.ip_address, c.user_id, c.sp_id, c.id_type, c.has_roles, c.has_scopes)
        IS NOT DISTINCT FROM (
            f.app_id, f.method, f.path, f.status_code, f.ip_address, f.user_id, f.sp_id, f.id_type, f.has_roles,
            f.has_scopes
        );

DROP TABLE landed_calls;
ALTER TABLE landed_calls_by_form RENAME TO landed_calls;
