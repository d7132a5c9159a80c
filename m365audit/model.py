"""Frozen values and closed vocabularies that every room shares. Names are the field's own terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

Workload = Literal[
    "mail",
    "calendar",
    "contacts",
    "teams_chat",
    "teams_channel",
    "teams_meeting",
    "presence",
    "telephony",
    "files",
    "directory",
]
WORKLOADS: Final[tuple[str, ...]] = get_args(Workload)
"""Workloads a consent record may name (consent-register.md)."""

AUDITED_WORKLOADS: Final = WORKLOADS[:8]
"""Default of ``policy.workloads`` (verdicts.md, *Which events are judged*)."""

Operation = Literal["read", "write", "send", "delete"]
OPERATIONS: Final[tuple[str, ...]] = get_args(Operation)

LOG_FEEDS: Final = (
    "graph_activity",
    "audit_exchange",
    "audit_sharepoint",
    "audit_teams",
    "audit_entra",
    "audit_other",
    "call_records",
    "sign_ins_interactive",
    "sign_ins_non_interactive",
    "sign_ins_service_principal",
    "sign_ins_managed_identity",
    "directory_audits",
)  # fmt: skip
STATE_FEEDS: Final = (
    "organization",
    "service_principals",
    "delegated_permission_grants",
    "app_role_assignments",
    "users",
    "groups",
    "subscribed_skus",
    "applications",
    "rsc_grants",
    "exchange_role_assignments",
    "policies",
)  # fmt: skip
FEEDS: Final = LOG_FEEDS + STATE_FEEDS

EXPORT_KINDS: Final = (
    "graph_activity",
    "sign_ins",
    "directory_audits",
    "audit_records",
    "service_principals",
    "delegated_permission_grants",
    "app_role_assignments",
    "users",
    "groups",
    "organization",
    "subscribed_skus",
    "applications",
    "rsc_grants",
    "exchange_role_assignments",
    "policies",
    "call_records",
)  # fmt: skip
"""What ``import --kind`` accepts: one kind may fill several feeds (``sign_ins`` fills four, ``audit_records`` five)."""

SEVERITIES: Final = ("info", "low", "medium", "high", "critical")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file a person wrote: where, what, and what to do about it.

    Attributes:
        file: path as the user knows it.
        line: 1-based; 0 when the whole file is meant.
        path: dotted path inside the file, e.g. ``history[1].processes[0].workload``; empty for the whole.
        what: what is wrong.
        todo: what to do; names the nearest valid word for a misspelling.
        code: stable short name of the check, e.g. ``unknown_key``.
        is_warning: True when the file can still be used.
    """

    file: str
    line: int
    path: str
    what: str
    todo: str
    code: str
    is_warning: bool = False

    def __str__(self) -> str:
        file = self.file.encode("unicode_escape").decode() if not self.file.isprintable() else self.file
        place = f"{file}:{self.line}" if self.line else file
        where = f" {self.path}" if self.path else ""
        label = " warning:" if self.is_warning else ""
        return f"{place}{where}:{label} {self.what}; {self.todo}"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One record that could not be taken in; its bytes are kept.

    Attributes:
        record: 1-based ordinal of the record in its file (data row of a CSV, element of an array, line of NDJSON).
        line: 1-based physical line where it begins, None when the container has no lines of its own.
        offset: byte offset of the record in the (decompressed, decoded) file, None when unknown.
        reason: why, in words a person can act on.
        excerpt: the first bytes of it, for a person to look at; never the whole.
    """

    record: int | None
    line: int | None
    offset: int | None
    reason: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class PreparedFile:
    """An exported file made ready for the store: one JSON record per line, nothing interpreted.

    Attributes:
        path: the file as the user named it.
        kind: one of ``EXPORT_KINDS``; how its records are to be read.
        enveloped: True for diagnostic-settings exports (the record is under ``properties``).
        ndjson: file of UTF-8 JSON objects, one per line; the original itself where it already is one.
        is_temporary: True when ``ndjson`` was written for this import and is to be removed after it.
        records: records read, quarantined ones included; None where the store is the first to read all of them.
        quarantine: file of those that could not be taken in, one ``Quarantined`` per line as JSON, ordinals
            rising; None when there are none. Temporary: to be removed after the import.
        quarantined: how many they are.
        covered_hour: ISO hour ``2026-07-16T13:00:00Z`` when the storage path names one (``y=/m=/d=/h=``), else None.
        has_broken_end: True when the file ended early (truncated gzip, cut array): its extent proves nothing.
        has_next_page: True when the answer names a next page, which is another file or was never fetched.
        is_retold: True when records came in another spelling than Microsoft's API and exports have (a row of Log
            Analytics, of a portal's table), and were put into theirs: a copy that is told first-hand is preferred.
    """

    path: str
    kind: str
    enveloped: bool
    ndjson: str
    is_temporary: bool
    records: int | None
    quarantine: str | None = None
    quarantined: int = 0
    covered_hour: str | None = None
    has_broken_end: bool = False
    has_next_page: bool = False
    is_retold: bool = False
