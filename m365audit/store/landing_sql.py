"""The SQL that takes prepared records into the landing table whole: which path holds which fact, for every kind.

Source of the paths: the v1.0/beta metadata of Microsoft Graph.
"""

from __future__ import annotations

import re
from typing import Final

from m365audit.model import STATE_FEEDS

LONGEST_LINE: Final = 67_108_864
"""Longest record DuckDB may read (64 MiB); the exports room quarantines long before that.

DuckDB sets memory for two such lines aside in each thread: where the longest line is known, it is told (``$longest``).
"""

_EARLIEST: Final = "TIMESTAMPTZ '0001-01-02 00:00:00+00'"
_LATEST: Final = "TIMESTAMPTZ '9999-12-31 23:59:59.999999+00'"

BLANKS: Final = "E' \\t\\r\\n'"
"""What is cut off both ends of an id; ``unusable`` cuts the same."""


def timestamp(text: str) -> str:
    """Return an expression that reads ``text`` as a time in UTC, NULL when it is none.

    Read are ISO 8601 with any fraction (truncated to microseconds), with or without zone (none means UTC), offsets
    with a one-digit hour, ``5/18/2021 9:13:33 PM`` and ``/Date(ms)/``, blanks around them or not. Words that
    DuckDB would take for a time (``infinity``, ``epoch``) are none, nor is the first day of year 1, by which .NET says
    that there is no time, nor what lies outside the years 1 to 9999: no reader could show it.
    """
    word = f"trim({text}, {BLANKS})"
    read = (
        f"CASE WHEN {word}[1] BETWEEN '0' AND '9' THEN coalesce("
        f"try_cast({word} AS TIMESTAMPTZ), "
        f"try_cast(regexp_replace({word}, '([+-])(\\d:\\d\\d)$', '\\1' || '0\\2') AS TIMESTAMPTZ), "
        f"try_strptime({word}, ['%m/%d/%Y %I:%M:%S %p', '%m/%d/%Y %H:%M:%S', '%m/%d/%Y %I:%M %p'])::TIMESTAMPTZ) "
        # At most 15 digits: a number too large to multiply would be an error of the whole file.
        f"WHEN {word}[1] = '/' THEN make_timestamptz(1000 * try_cast("
        f"regexp_extract({word}, '^/Date\\((-?\\d{{1,15}})\\)/$', 1) AS BIGINT)) END"
    )
    any_spelling = f"list_filter([{read}], lambda t: t BETWEEN {_EARLIEST} AND {_LATEST})[1]"
    # A year of four digits is in bounds: the common spelling needs no second look.
    is_common = f"{text}[1] BETWEEN '1' AND '9' AND {text}[5] = '-' AND {text}[-1] = 'Z'"
    return (
        f"CASE WHEN {is_common} THEN coalesce(try_cast({text} AS TIMESTAMPTZ), {any_spelling}) ELSE {any_spelling} END"
    )


def content_of(record: str, feed: str) -> str:
    """Return an expression for what tells the versions of one record from each other.

    Of a state object its owner writes most, such as an app's name: two versions that he makes must not come to the
    same, and MD5's 128 bits are for that. Of a log's record Microsoft alone gives id and text: DuckDB's own hash
    tells them apart, at a fifth of the cost. It may change with DuckDB; ``settling`` then compares what the texts mean.

    Args:
        record: expression of the record's text, a VARCHAR.
        feed: expression of its feed.
    """
    state = ", ".join(f"'{name}'" for name in STATE_FEEDS)
    return f"CASE WHEN {feed} IN ({state}) THEN md5_number({record}) ELSE hash({record})::UHUGEINT END"


def strictly(fields: str) -> str:
    """Return a relation (json) that fails where a key among ``fields`` stands twice.

    Read as one value and not as columns, because only then DuckDB looks for duplicates at the top level too. DuckDB
    takes the first of two equal keys and other readers the last: such a record has no single meaning.
    """
    return (
        f"read_ndjson($paths, columns = {{json: 'STRUCT({fields})'}}, records = 'false', filename = true, "
        "maximum_object_size = $longest)"
    )


_OTHER_CATEGORIES: Final = (
    "('signinlogs', 'noninteractiveusersigninlogs', 'serviceprincipalsigninlogs', 'managedidentitysigninlogs', "
    "'auditlogs')"
)


def is_call(category: str, uri: str) -> str:
    """Return a condition, never NULL: the enveloped record is a Graph call. ``_ENVELOPE_FEED`` decides the same way."""
    known = f"coalesce(lower({category}), '')"
    return f"{known} = 'microsoftgraphactivitylogs' OR ({known} NOT IN {_OTHER_CATEGORIES} AND {uri} IS NOT NULL)"


_ENVELOPE_FEED: Final = """CASE lower(category)
    WHEN 'signinlogs' THEN 'sign_ins_interactive'
    WHEN 'noninteractiveusersigninlogs' THEN 'sign_ins_non_interactive'
    WHEN 'serviceprincipalsigninlogs' THEN 'sign_ins_service_principal'
    WHEN 'managedidentitysigninlogs' THEN 'sign_ins_managed_identity'
    WHEN 'auditlogs' THEN 'directory_audits'
    WHEN 'microsoftgraphactivitylogs' THEN 'graph_activity'
    -- Some collectors write the audit's own category, or none: then the record's fields say what it is.
    ELSE CASE
        WHEN record->>'$.requestUri' IS NOT NULL THEN 'graph_activity'
        WHEN json_exists(record, '$.activityDisplayName') OR json_exists(record, '$.activityDateTime')
            OR json_exists(record, '$.initiatedBy') THEN 'directory_audits'
        WHEN json_exists(record, '$.createdDateTime') OR json_exists(record, '$.userPrincipalName')
            OR json_exists(record, '$.servicePrincipalId') THEN {sign_in} END END"""

_SIGN_IN_FEED: Final = """CASE
    WHEN record->>'$.signInEventTypes' LIKE '%nonInteractiveUser%' THEN 'sign_ins_non_interactive'
    WHEN record->>'$.signInEventTypes' LIKE '%servicePrincipal%' THEN 'sign_ins_service_principal'
    WHEN record->>'$.signInEventTypes' LIKE '%managedIdentity%' THEN 'sign_ins_managed_identity'
    WHEN record->>'$.signInEventTypes' LIKE '%interactiveUser%' THEN 'sign_ins_interactive'
    WHEN nullif(record->>'$.userId', '') IS NULL AND nullif(record->>'$.servicePrincipalId', '') IS NOT NULL
        THEN 'sign_ins_service_principal'
    WHEN record->>'$.isInteractive' = 'false' THEN 'sign_ins_non_interactive'
    ELSE 'sign_ins_interactive' END"""

_AUDIT_FEED: Final = """CASE
    WHEN lower(record->>'$.Workload') = 'exchange' THEN 'audit_exchange'
    WHEN lower(record->>'$.Workload') IN ('sharepoint', 'onedrive') THEN 'audit_sharepoint'
    WHEN lower(record->>'$.Workload') = 'microsoftteams' THEN 'audit_teams'
    WHEN lower(record->>'$.Workload') = 'azureactivedirectory' THEN 'audit_entra'
    WHEN record->>'$.Workload' IS NOT NULL THEN 'audit_other'
    WHEN record->>'$.RecordType' IN ('1', '2', '3', '50', 'ExchangeAdmin', 'ExchangeItem', 'ExchangeItemGroup',
        'ExchangeItemAggregated') THEN 'audit_exchange'
    WHEN record->>'$.RecordType' IN ('4', '6', '14', '36', 'SharePoint', 'SharePointFileOperation',
        'SharePointSharingOperation', 'SharePointListItemOperation') THEN 'audit_sharepoint'
    WHEN record->>'$.RecordType' IN ('25', 'MicrosoftTeams') THEN 'audit_teams'
    WHEN record->>'$.RecordType' IN ('8', '9', '15', 'AzureActiveDirectory', 'AzureActiveDirectoryAccountLogon',
        'AzureActiveDirectoryStsLogon') THEN 'audit_entra'
    ELSE 'audit_other' END"""

_GRANT_FEED: Final = """CASE WHEN json_exists(record, '$.consentType') THEN 'delegated_permission_grants'
    WHEN json_exists(record, '$.appRoleId') OR json_exists(record, '$.appRoleValue') THEN 'app_role_assignments'
    ELSE '{kind}' END"""
"""One table may list both; what tells neither is of the file's kind."""

_POLICY_ID: Final = (
    "coalesce(nullif(record->>'$.id', ''), "
    "nullif(regexp_extract(record->>'$.\"@odata.type\"', '[A-Za-z]+$'), ''), "
    "regexp_extract(record->>'$.\"@odata.context\"', '([A-Za-z]+)(/[$]entity)?$', 1))"
)
"""Of a policy of which a tenant has just one, Graph gives no id: what it is tells it from the others."""

_FEED: Final = {
    "sign_ins": _SIGN_IN_FEED,
    "directory_audits": "'directory_audits'",
    "audit_records": _AUDIT_FEED,
    "delegated_permission_grants": _GRANT_FEED,
    "app_role_assignments": _GRANT_FEED,
}
_ID: Final = {"audit_records": "record->>'$.Id'", "policies": _POLICY_ID}
_TIME: Final = {
    "sign_ins": "$.createdDateTime", "directory_audits": "$.activityDateTime", "audit_records": "$.CreationTime",
    "call_records": "$.startDateTime",
}  # fmt: skip

_READ: Final = re.compile(r"record->>'([^']+)'")

_CHECKED: Final = {
    "sign_ins": "id VARCHAR, createdDateTime VARCHAR, appId VARCHAR, userId VARCHAR, "
    "status STRUCT(errorCode VARCHAR), location STRUCT(countryOrRegion VARCHAR)",
    "directory_audits": "id VARCHAR, activityDateTime VARCHAR, activityDisplayName VARCHAR, result VARCHAR, "
    'initiatedBy STRUCT("user" STRUCT(id VARCHAR), app STRUCT(appId VARCHAR)), targetResources STRUCT(id VARCHAR, '
    "modifiedProperties STRUCT(displayName VARCHAR, newValue VARCHAR, oldValue VARCHAR)[])[]",
    "audit_records": "Id VARCHAR, CreationTime VARCHAR, Operation VARCHAR, Workload VARCHAR, RecordType VARCHAR, "
    "UserId VARCHAR, UserType VARCHAR, ClientAppId VARCHAR, AppId VARCHAR, MailboxOwnerUPN VARCHAR, "
    "ResultStatus VARCHAR, OperationCount VARCHAR, AppAccessContext STRUCT(ClientAppId VARCHAR), "
    "ModifiedProperties STRUCT(Name VARCHAR, NewValue VARCHAR, OldValue VARCHAR)[]",
}


def check_records(kind: str, *, is_enveloped: bool) -> str | None:
    """Return a statement that fails where a key that is read stands twice, None when there is nothing to check.

    Parameters: paths, longest. The file then goes the careful way, and the record is quarantined there.
    """
    fields = _CHECKED.get(kind)
    if fields is None:
        return None
    if is_enveloped:
        fields = f'"time" VARCHAR, category VARCHAR, properties STRUCT({fields})'
    return f"SELECT count(json) FROM {strictly(fields)}"  # counting the value makes DuckDB read all of it


def insert_records(kind: str, *, is_enveloped: bool) -> str:
    """Return the statement that lands records of one kind whole; ``arriving`` gives each its source.

    Parameters: paths, longest. Rows without an id come in with ``version`` 0, Graph activity with -1, other storage
    categories with -2; the caller takes them out again, counted.
    """
    category = "json->>'$.category'" if is_enveloped else "NULL"
    feed = _FEED.get(kind, "'{kind}'").replace("{kind}", kind)
    if is_enveloped:
        feed = _ENVELOPE_FEED.format(sign_in=_SIGN_IN_FEED)
    key = _ID.get(kind, "record->>'$.id'")
    record_id = f"nullif(trim({key}, {BLANKS}), '')"
    when = f"record->>'{_TIME[kind]}'" if kind in _TIME else "NULL::VARCHAR"
    if is_enveloped:  # one file may hold several categories: each has its own field for the time
        when = (
            f"CASE WHEN starts_with(feed, 'sign_ins_') THEN record->>'{_TIME['sign_ins']}' "
            f"ELSE record->>'{_TIME['directory_audits']}' END"
        )
    paths, (feed, record_id, when) = _in_one_go(feed, record_id, when)
    return f"""
        INSERT INTO landed_records BY NAME
        SELECT tenant_id, source_id, observed_at, is_retold, coalesce(feed, 'unknown') AS feed, record_id, content,
            CASE WHEN feed IS NULL THEN -2 WHEN feed = 'graph_activity' THEN -1
                WHEN record_id IS NULL THEN 0 ELSE 1 END AS version,
            true AS is_newest,
            {timestamp("envelope_time")} AS enveloped_at, {timestamp("occurred")} AS occurred_at,
            nullif(occurred, '') IS NOT NULL AND ({timestamp("occurred")}) IS NULL AS has_bad_time, record
        FROM (
            SELECT tenant_id, source_id, observed_at, is_retold, feed, {record_id} AS record_id,
                {content_of("record::VARCHAR", "feed")} AS content, envelope_time, {when} AS occurred, record
            FROM (SELECT {feed} AS feed, filename, envelope_time, record, told FROM (
                SELECT filename, envelope_time, category, record, record->>[{paths}] AS told FROM (
                    SELECT {"json->'$.properties'" if is_enveloped else "json"} AS record, {category} AS category,
                        {"json->>'$.time'" if is_enveloped else "NULL::VARCHAR"} AS envelope_time, filename
                    FROM read_ndjson_objects($paths, filename = true, maximum_object_size = $longest)
                )
            )) INNER JOIN arriving USING (filename)
        )
    """


def _in_one_go(*expressions: str) -> tuple[str, list[str]]:
    """Return the paths that the expressions read of ``record``, and the expressions reading a list ``told`` instead.

    Every path by itself would parse the record again, and keep what it parsed in memory beside the others.
    """
    paths = list(dict.fromkeys(path for expression in expressions for path in _READ.findall(expression)))
    told = [_READ.sub(lambda found: f"told[{paths.index(found[1]) + 1}]", text) for text in expressions]
    return ", ".join(f"'{path}'" for path in paths), told
