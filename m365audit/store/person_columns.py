"""Which columns can hold a person, in either database, and why the others cannot. A test holds this complete.

What is in neither list counts as able to: a new column is searched and masked before anybody thinks of it.
"""

from __future__ import annotations

from typing import Final

import duckdb

HOLDS: Final = {
    "record": "landed records: the record as Microsoft wrote it",
    "record_id": "id of the record; of a listed user it is the object id",
    "event_id": "id of a record; of evidence about a listed user it is the object id",
    "event_text": "id of a record that is no GUID",
    "path": "address that a call asked for, or name of a file that was offered",
    "spool": "name under which a file is kept",
    "user_id": "object id of a user",
    "user_name": "user principal name",
    "actor_id": "object id of who acted",
    "actor_name": "name of who acted",
    "actor": "who decided",
    "organizer_id": "object id of a call's organiser",
    "organizer_name": "name of a call's organiser",
    "principal_id": "the user that something was granted for",
    "grant_id": "Microsoft's id of a grant; it encodes the ids of app and user",
    "member_id": "member of a group",
    "member_name": "name of a group's member",
    "owners": "owners of an application",
    "resource_id": "whose mailbox, calendar or chat was reached",
    "resource_name": "name of the same",
    "resource_ids": "resources that a consent record lists",
    "resources": "resources that a consent record lists",
    "resource_groups": "groups that a consent record lists",
    "granted_for": "scope of a grant; in Exchange it may name a mailbox",
    "subject": "what a finding, a command or a decision is about",
    "grantee": "who was given a right",
    "changes": "what an audited change set, old and new",
    "endpoint": "shape of a call; ids in it are masked, names may not be",
    "shape": "shape of a call that the catalogue does not know",
    "title": "sentence about a finding",
    "question": "question that a finding asks",
    "excerpt": "beginning of a record that was set aside",
    "reason": "words of a refusal, of a change or of a coverage gap",
    "message": "words about a file or a sign-in",
    "hint": "next step after a failed sign-in",
    "detail": "words about something that was not read",
    "target": "place that an answer pointed to",
    "blob": "name of a blob that is read",
    "command": "command line as it was typed",
    "name": "name of a tenant or of the policy, as configured",
    "app_name": "name of an app, chosen by whoever registered it",
    "publisher": "publisher as the app states it",
    "integration_name": "name of an integration in a consent record",
    "controller": "controller that a consent record names",
    "processor": "processor that a consent record names",
    "purpose": "purpose in a consent record",
    "file": "name of a consent record's file",
    "object_id": "object id of an application",
    "not_evaluated_reason": "why a tenant was not judged, with names of files",
    "ip_address": "address of a caller",
    "token_id": "token by which a sign-in and its calls belong together",
    "approved_by": "who agreed to a decision",
    "approved_person": "who agreed to a decision",
    "attested_by": "who answered for a control",
    "decided_by": "who decided",
    "decided_person": "who decided",
    "requested_by": "who asked for a decision",
    "requested_person": "who asked for a decision",
    "requested_owner": "who is to own an accepted risk",
    "owner": "who owns a risk or a control",
    "person": "who did it",
    "set_by": "who set a hold",
    "body": "particulars of an entry of the journal",
    "evidence": "what a decision refers to",
    "ref": "what an attestation refers to",
    "late_reason": "why something was late",
    "requested_reason": "reason of a decision asked for",
    "opinion": "opinion of the data protection officer",
    "opinion_reason": "reason of an opinion",
    "note": "words of the policy",
    "object": "what a hold keeps",
    "what": "what was looked at",
    "mailbox": "mailbox that forwards",
    "mailbox_id": "mailbox that forwards",
    "place": "where a credential is",
    "privacy_contact": "whom a tenant names as its contact",
    "privacy_url": "address of a privacy statement",
    "url": "address of a text",
    "reply_urls": "addresses that an app answers to",
    "recipients": "recipients in a consent record",
    "said": "what an attestation says",
    "sentence": "sentence about a control",
    "shown_by": "what shows a control",
    "attach": "what is to be attached",
    "trunk": "telephone line",
    "trunks": "telephone lines of a consent record",
    "value": "words of the policy",
    "why": "words about the policy",
    "exporters": "words of an adequacy decision",
    "credential": "how an app signs in, in a consent record",
    "telephony_system": "words of a consent record",
    "website_origin": "words of a consent record",
    "consent_store": "words of a consent record",
    "data_categories": "words of a consent record",
    "data_subjects": "words of a consent record",
    "legitimate_interest_ref": "words of a consent record",
    "transfers": "words of a consent record",
    "domains": "domains of a tenant",
}
"""Column name → what of a person it may hold."""

NEVER: Final = frozenset({
    "tenant_id", "feed", "kind", "collection", "collections", "run_id", "state", "finding_id",
    "rule", "severity", "app_id", "process", "reasons", "decision", "change", "method", "sp_id", "id_type", "event",
    "entry_hash", "outcome", "version", "register_hash", "register_state", "client_id", "roles", "scopes", "code",
    "sha256", "origin", "access_kind", "workload", "operation", "protocol", "permissions", "resource_kind",
    "floor_reason", "country", "audience", "owner_tenant_id", "integration_kind", "verdict", "call_type", "modalities",
    "tenant_country", "usage_country", "media_region", "signaling_region", "recorded", "granted", "coverage",
    "legal_basis", "permission_kinds", "operations", "ended_by", "activity", "resource_app_id", "resource_sp_id",
    "scope_for", "result", "user_type", "age_group", "parental_consent", "legal_age_group", "permission",
    "app_role_id", "source", "group_id", "member_kind", "sku_id", "sku", "plan_id", "plan", "judged_hash",
    "present_hash", "period_reason", "regions", "policy_version", "sp_type", "client_app", "user_grants",
    "user_grant_policies", "apps", "grantee_kind", "rights",
    "computed_id", "breach", "by_role", "case_id", "category", "class", "clause", "clauses", "clock", "commitment",
    "control", "credential_type", "dated_table", "decided_how", "finding_ids", "gdpr", "hash", "hold_id", "how",
    "iso", "key", "key_id", "notice_sha256", "pbx_host_country", "pending", "reason_code", "request_id", "returned",
    "returned_from", "risk", "rules", "scope", "target_domain", "text_sha256", "unit", "words", "workloads",
    "retention", "name_part", "opens",
})  # fmt: skip
"""Ids of events, apps and groups, words of fixed lists, hashes."""

_NEVER_IN: Final = frozenset({
    ("cells", "record"),
    ("consent_processes", "record"),
    ("finding_ledger", "record"),
    ("findings", "record"),
    ("landed_calls", "event_id"),
    ("register_apps", "record"),
    ("register_changes", "record"),
    ("register_ledger", "record"),
    ("register_records", "record"),
    ("register_segments", "record"),
    ("register_versions", "record"),
    ("verdict_answers", "record"),
})  # fmt: skip
"""Where ``record`` is the name of a consent record; calls have ids that Microsoft draws by lot."""


def can_hold(table: str, column: str) -> bool:
    """Say whether a column is searched for a person."""
    return column not in NEVER and (table, column) not in _NEVER_IN


def text_columns(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, dict[str, str]]:
    """Return table → column → type of every column of a database that holds text, in order; views left out."""
    rows = connection.execute(
        "SELECT c.table_name, c.column_name, c.data_type FROM duckdb_columns() AS c "
        "SEMI JOIN duckdb_tables() AS t ON c.database_name = t.database_name AND c.table_name = t.table_name "
        "WHERE c.database_name = ? AND (contains(c.data_type, 'VARCHAR') OR contains(c.data_type, 'JSON')) "
        "ORDER BY c.table_name, c.column_index",
        [database],
    ).fetchall()
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        found.setdefault(table, {})[column] = kind
    return found


def person_columns(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, dict[str, str]]:
    """Return those of ``text_columns`` that can hold a person."""
    found = {
        table: {column: kind for column, kind in columns.items() if can_hold(table, column)}
        for table, columns in text_columns(connection, database).items()
    }
    return {table: columns for table, columns in found.items() if columns}
