"""Owns the plain words for the product's codes; decides nothing. A code without words is shown as it stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from m365audit.model import STATE_FEEDS

TITLE: Final = "Processing outside the recorded consent"

REASONS: Final = {
    "no_record": "no consent record names this app",
    "before_start": "before the recorded start",
    "invalidated": "under a consent record that was declared invalid",
    "after_withdrawal": "after the withdrawal",
    "after_expiry": "after the recorded period ended",
    "workload": "a kind of data that the record does not name",
    "operation": "an action that the record does not name",
    "access_kind": "a way of access (as itself, or for a user) that the record does not name",
    "permission": "by a permission that the record does not name",
    "resource": "a mailbox, calendar, team or chat that the record does not cover",
    "time_unknown": "the log gives no time",
    "app_unknown": "the log names no app",
    "workload_unknown": "the call is not known, so nobody can say what kind of data it touched",
    "operation_unknown": "the log does not say whether data was read, written, sent or deleted",
    "access_kind_unknown": "the log does not say whether the app acted as itself or for a user",
    "resource_unknown": "it cannot be told whether the mailbox, calendar, team or chat is one of the recorded ones",
    "register_invalid": "the consent register could not be used",
}
"""Reasons of verdicts (verdicts.md)."""

GAPS: Final = {
    "not_collected": "never collected",
    "not_covered": "no file covers it",
    "licence": "the tenant's licence does not include it: buy one that does, or accept the gap",
    "permission": "the auditor may not read it: grant it the permission that “m365audit doctor” names",
    "no_permission": "the auditor may not read it",
    "throttled": "Microsoft's limits did not let it be read in time: the next run reads on",
    "expired": "Microsoft does not keep it any more: it can only come from an export made in time",
    "disabled": "the log is not switched on: “m365audit doctor” says where",
    "error": "reading it failed: the next run tries again",
    "not_read_yet": "not read yet: the next run reads it",
    "next_page_missing": "the listing names a next page that is not there",
    "records_missing": "records of it could not be taken in",
    "file_ends_early": "the file ends early",
    "extent_of_file": "only the time from its first to its last event is known to be covered",
    "hour_may_still_grow": "the hour's file may still grow",
    "no_file_for_hour": "no file for the hour: no event, or the export was off",
}
"""Reasons of coverage, with the next step where there is one."""

WORKLOADS: Final = {
    "mail": "Mail", "calendar": "Calendar", "contacts": "Contacts", "teams_chat": "Teams chat",
    "teams_channel": "Teams channels", "teams_meeting": "Teams meetings", "presence": "Presence",
    "telephony": "Telephony", "files": "Files", "directory": "Directory", None: "Not known",
}  # fmt: skip

FEEDS: Final = {
    "graph_activity": "Graph activity log", "audit_exchange": "Exchange audit", "audit_sharepoint": "SharePoint audit",
    "audit_teams": "Teams audit", "audit_entra": "Entra audit", "audit_other": "Other audit",
    "call_records": "Call records", "sign_ins_interactive": "Sign-ins, interactive",
    "sign_ins_non_interactive": "Sign-ins, non-interactive", "sign_ins_service_principal": "Sign-ins of apps",
    "sign_ins_managed_identity": "Sign-ins of managed identities", "directory_audits": "Directory audit",
    "organization": "Organisation", "service_principals": "Apps in the directory",
    "delegated_permission_grants": "Grants, delegated", "app_role_assignments": "Grants, application",
    "users": "Users", "groups": "Groups", "subscribed_skus": "Licences", "applications": "Apps of its own",
    "rsc_grants": "Grants inside teams and chats", "exchange_role_assignments": "Grants inside Exchange",
    "policies": "Consent policies",
}  # fmt: skip

_FAMILIES: Final = (
    ("All four sign-in logs", frozenset(feed for feed in FEEDS if feed.startswith("sign_ins_"))),
    ("Unified audit log", frozenset(feed for feed in FEEDS if feed.startswith("audit_"))),
    ("Every listing of the directory", frozenset(STATE_FEEDS)),
)
"""Sources that have one name together: they come and go together."""

COVERAGE: Final = {
    "complete": "complete", "provisional": "may be incomplete", "partial": "gaps", "gap": "gaps",
    "observed": "read", "none": "nothing",
}  # fmt: skip

OPERATIONS: Final = {"read": "read", "write": "changed", "send": "sent", "delete": "deleted", None: "action not known"}

COVERAGE_GROUPS: Final = (
    ("Graph activity", ("graph_activity",)),
    ("Exchange audit", ("audit_exchange",)),
    ("Teams audit", ("audit_teams",)),
    ("Sign-ins", ("sign_ins_interactive", "sign_ins_non_interactive", "sign_ins_service_principal",
                  "sign_ins_managed_identity")),
    ("Directory audit", ("directory_audits",)),
    ("Grants", ("app_role_assignments", "delegated_permission_grants")),
)  # fmt: skip
"""Columns of the coverage table on page 1: the sources that decide whether an answer is possible."""

METHOD: Final = (
    (
        "Recorded is what the consent register says at the end of the watched time. Granted is what Microsoft would "
        "allow the app to do, as last read. Used is what the logs show. The three are compared, never mixed up."
    ),
    "A grant in Microsoft Entra is an administrator's authorisation. It does not prove the consent of a data subject.",
    (
        "No logged use is never reported as no processing. Where a log has gaps, use may have happened unseen; an app "
        "may also have kept data that it read before."
    ),
    (
        "One access can show in more than one log and is then counted once in each. Times are UTC. Percentages of "
        "coverage are rounded down."
    ),
    (
        "Refused calls, Microsoft's own apps and workloads that the policy does not audit are out of scope. Refused "
        "calls have rules of their own."
    ),
    (
        "Grants are read from app role assignments and delegated permission grants. Grants inside single teams, and "
        "roles inside Exchange, are read where the auditor may; one adds to the other. Grants inside chats are there "
        "only where a file brought them: to list chats takes a permission that an auditor must not hold."
    ),
    (
        "What happens outside Microsoft 365 cannot be seen here: what a provider does with data after reading it, who "
        "receives it from there, and how long it is kept."
    ),
    (
        "This report ranks and profiles nobody. Mailboxes, chats and teams appear under the ids that the log gives; "
        "names stay in the database, behind the command that each finding gives."
    ),
    (
        "In the CSV files, text that a spreadsheet would take for a formula begins with an apostrophe, and invisible "
        "characters are written out. The JSON file holds the exact values."
    ),
)
"""How to read the report and where its limits are; printed in every report."""


def reason(code: str) -> str:
    """Return the words for a reason, the code itself when it has none."""
    return REASONS.get(code) or GAPS.get(code, code)


def gap(code: str) -> str:
    """Return the words for what stands behind a gap: ``permission`` is the auditor's here, not an app's."""
    return GAPS.get(code, code)


def workload(code: str | None) -> str:
    """Return the words for a workload."""
    return WORKLOADS.get(code, code or "Not known")


def feed(code: str) -> str:
    """Return the words for a source of evidence."""
    return FEEDS.get(code, code)


def feeds(codes: Iterable[str]) -> str:
    """Return the words for several sources of evidence; those that have a name together go by it."""
    left = list(codes)
    names = []
    for name, members in _FAMILIES:
        if members <= set(left):
            names.append(name)
            left = [code for code in left if code not in members]
    return ", ".join([*names, *(feed(code) for code in left)])
