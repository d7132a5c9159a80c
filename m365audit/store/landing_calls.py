"""The SQL that takes Graph activity into the landing tables: a call is its id, its time and its *form*.

A form is everything else that is kept of a call: who called what from where, and what came of it. Calls by the million
share forms by the thousand, so all that follows looks at forms. The request's query string never gets in, nor the
arguments of a function in its path, nor the opaque ids of items.

Sources of the fields: the columns page of MicrosoftGraphActivityLogs.
"""

from __future__ import annotations

from typing import Final

from m365audit.catalogue import LONGEST_LITERAL, path_sql
from m365audit.store.landing_sql import BLANKS, is_call, strictly, timestamp

_FIELDS: Final = (
    "requestId", "timeGenerated", "appId", "requestMethod", "requestUri", "responseStatusCode", "ipAddress", "userId",
    "UserPrincipalObjectID", "servicePrincipalId", "C_Idtyp", "roles", "scopes",
)  # fmt: skip

FORM: Final = (
    "app_id", "method", "path", "status_code", "ip_address", "user_id", "sp_id", "id_type", "has_roles", "has_scopes",
)  # fmt: skip
"""What makes a form, in the order of the table ``landed_forms``."""

_HOSTS: Final = ("https://graph.microsoft.com/v1.0/", "https://graph.microsoft.com/beta/")
"""How nearly every request begins; both have the same length."""


def _source(*, is_careful: bool, is_enveloped: bool) -> str:
    """Return the relation (envelope_time, category, filename, every field) over a file of Graph activity lines.

    The quick way gives DuckDB explicit columns: fastest, and a line that is no object, a duplicate key or a record of
    another shape is an error that sends the file the careful way. The careful way takes any JSON object.
    """
    if is_careful or not is_enveloped:
        place = "$.properties" if is_enveloped else "$"
        paths = ", ".join(f"'{place}.{name}'" for name in _FIELDS)
        named = ", ".join(f"f[{index}] AS {name}" for index, name in enumerate(_FIELDS, start=1))
        return (
            f"SELECT envelope_time, category, filename, {named} FROM (SELECT json->>'$.time' AS envelope_time, "
            f"json->>'$.category' AS category, json->>[{paths}] AS f, filename "
            "FROM read_ndjson_objects($paths, filename = true, maximum_object_size = $longest))"
        )
    fields = ", ".join(f"{name} VARCHAR" for name in _FIELDS)
    named = ", ".join(f"json.properties.{name}" for name in _FIELDS)
    return (
        f'SELECT json."time" AS envelope_time, json.category, filename, {named} FROM '
        + strictly(f'"time" VARCHAR, category VARCHAR, properties STRUCT({fields})')
        # A line that says null is no object, and the only one that is no error either.
        + " WHERE CASE WHEN json IS NULL THEN error('a line holds no object')::BOOLEAN ELSE true END"
    )


def _trimmed(text: str) -> str:
    """Return an expression without the blanks around ``text``; NULL when nothing is left. Most texts have none."""
    return f"CASE WHEN {text}[1] > ' ' AND {text}[-1] > ' ' THEN {text} ELSE nullif(trim({text}, {BLANKS}), '') END"


def _path() -> str:
    """Return an expression for the normalised path of the request; the common spelling takes a short way.

    ``address`` is the request without its query.
    """
    is_common = " OR ".join(f"starts_with(address, '{host}')" for host in _HOSTS)
    is_plain = " AND ".join(
        [f"NOT contains(address, '{sign}')" for sign in ("%", "(", "#")]
        + [f"NOT contains(substr(address, {len(_HOSTS[0])}), '//')"]
        + [f"NOT ends_with(address, '{sign}')" for sign in ("/", " ")]
    )
    return (
        f"CASE WHEN ({is_common}) AND {is_plain} THEN substr(address, {len(_HOSTS[0])}) "
        f"WHEN nullif(requestUri, '') IS NOT NULL THEN {path_sql('requestUri')} END"
    )


def _without_item_ids(path: str) -> str:
    """Return an expression that masks opaque ids; an address, a chat's id and a GUID stay: they may be resources."""
    masked = (
        f"LAMBDA x: CASE WHEN strlen(x) > {LONGEST_LITERAL} AND NOT contains(x, '@') AND NOT contains(x, ':') "
        "THEN '~' ELSE x END"
    )
    return (
        f"CASE WHEN strlen({path}) > {LONGEST_LITERAL} "
        f"THEN array_to_string(list_transform(string_split({path}, '/'), {masked}), '/') ELSE {path} END"
    )


def _has_any(names: str) -> str:
    """Return an expression that says whether a list of permissions has any; NULL where that is not known.

    Where records are retold an empty field may be one that nobody asked for.
    """
    has_any = f"CASE WHEN {names}[1] > ' ' THEN true ELSE coalesce(trim({names}) <> '', false) END"
    return f"nullif({has_any}, CASE WHEN is_retold THEN false END)"


def arrive(*, is_careful: bool, is_enveloped: bool = True) -> str:
    """Return the statement that reads Graph activity into the temporary table ``arrived_calls``.

    Args:
        is_careful: take any JSON object; False reads quickly and fails at a line that is none.
        is_enveloped: the record lies under ``properties``, beside its time and category.

    Parameter: paths; the table ``arriving`` gives each its source. ``standing`` is 1 for a call that can be stored, 0
    for one without an id, -1 for a record of another log category.
    """
    is_other = f"NOT ({is_call('category', 'requestUri')})" if is_enveloped else "false"
    return f"""
        CREATE OR REPLACE TEMP TABLE arrived_calls AS
        SELECT source_id, tenant_id, observed_at, is_retold, event_id, standing, enveloped_at, occurred_at,
            happened <> '' AND occurred_at IS NULL AS has_bad_time,
            {", ".join(FORM)}, hash({", ".join(FORM)}) AS form_hash
        FROM (
            SELECT * EXCLUDE (path), {_without_item_ids("path")} AS path,
                {timestamp("envelope_time")} AS enveloped_at, {timestamp("happened")} AS occurred_at
            FROM (
                SELECT source_id, tenant_id, observed_at, is_retold, envelope_time,
                    coalesce(nullif(timeGenerated, ''), envelope_time, '') AS happened,
                    {_trimmed("requestId")} AS event_id,
                    CASE WHEN {is_other} THEN -1 WHEN {_trimmed("requestId")} IS NULL THEN 0 ELSE 1 END AS standing,
                    lower(nullif(appId, '')) AS app_id,
                    upper(requestMethod) AS method,
                    {_path()} AS path,
                    try_cast(responseStatusCode AS INTEGER) AS status_code,
                    nullif(ipAddress, '') AS ip_address,
                    lower(coalesce(nullif(userId, ''), nullif(UserPrincipalObjectID, ''))) AS user_id,
                    lower(nullif(servicePrincipalId, '')) AS sp_id,
                    lower(nullif(C_Idtyp, '')) AS id_type,
                    {_has_any("roles")} AS has_roles,
                    {_has_any("scopes")} AS has_scopes
                FROM (
                    SELECT *, split_part(requestUri, '?', 1) AS address
                    FROM ({_source(is_careful=is_careful, is_enveloped=is_enveloped)})
                ) INNER JOIN arriving USING (filename)
            )
        )
    """


_SAME: Final = " AND ".join(f"a.{name} IS NOT DISTINCT FROM f.{name}" for name in FORM)

LAND_CALLS: Final = (
    f"""
    CREATE OR REPLACE TEMP TABLE arrived_forms AS
    SELECT DISTINCT tenant_id, form_hash, {", ".join(FORM)} FROM arrived_calls WHERE standing = 1
    """,
    f"""
    INSERT INTO landed_forms
    SELECT a.tenant_id, (SELECT coalesce(max(form_no), 0) FROM landed_forms) + row_number() OVER (),
        {", ".join(f"a.{name}" for name in FORM)}
    FROM arrived_forms AS a
    ANTI JOIN landed_forms AS f ON a.tenant_id = f.tenant_id AND {_SAME}
    """,
    f"""
    CREATE OR REPLACE TEMP TABLE numbered_forms AS
    SELECT a.*, f.form_no, count(*) OVER (PARTITION BY a.form_hash) > 1 AS shares_hash
    FROM arrived_forms AS a
    INNER JOIN landed_forms AS f ON a.tenant_id = f.tenant_id AND {_SAME}
    """,
    # The hash finds the form; where two forms share one, which a stranger could arrange, their fields decide.
    f"""
    INSERT INTO landed_calls BY NAME
    SELECT a.tenant_id, a.source_id, a.event_id, f.form_no, 1 AS version, true AS is_newest, a.is_retold,
        a.enveloped_at, a.occurred_at, a.has_bad_time, a.observed_at
    FROM arrived_calls AS a
    INNER JOIN numbered_forms AS f ON a.form_hash = f.form_hash AND (NOT f.shares_hash OR ({_SAME}))
    WHERE a.standing = 1
    """,
)
"""Statements that land what ``arrive`` read; parameters: none."""
