"""Says which feeds stand behind each table, and which columns a rule must give. Holds facts only, no behaviour."""

from __future__ import annotations

from typing import Final

_ACCESS: Final = ("graph_activity", "audit_exchange", "audit_sharepoint", "audit_teams", "audit_other", "call_records")
_GRANTS: Final = ("app_role_assignments", "delegated_permission_grants", "rsc_grants", "exchange_role_assignments")
_SIGN_INS: Final = (
    "sign_ins_interactive", "sign_ins_non_interactive", "sign_ins_service_principal", "sign_ins_managed_identity",
)  # fmt: skip
_DIRECTORY: Final = ("directory_audits", "audit_entra")

TABLE_FEEDS: Final[dict[str, tuple[str, ...]]] = {
    "access_events": _ACCESS,
    "verdicts": _ACCESS,
    "judged_accesses": _ACCESS,
    "judged_forms": _ACCESS,
    "daily_use": _ACCESS,
    "cells": _ACCESS,
    "unmapped_calls": _ACCESS,
    "grants": _GRANTS,
    "service_principals": ("service_principals",),
    "directory_users": ("users",),
    "group_snapshots": ("groups",),
    "group_snapshot_members": ("groups",),
    "membership_changes": _DIRECTORY,
    "sign_ins": _SIGN_INS,
    "directory_changes": _DIRECTORY,
    "admin_changes": ("audit_exchange", "audit_other"),
    "coverage": (),
    "tenants": (),
    "runs": (),
    "apps": (),
    "sources": (),
    "quarantine": (),
    "register_records": (),
    "register_apps": (),
    "register_versions": (),
    "register_segments": (),
    "consent_processes": (),
    "first_party_apps": (),
    "microsoft_tenants": (),
    "policy_workloads": (),
    "policy_settings": (),
    "policy_versions": (),
    "policy_categories": (),
    "people_in_scope": ("users",),
    "mail_forwarding": ("audit_exchange", "audit_other"),
    "tenant_profiles": ("organization",),
    "privacy_statements": ("service_principals",),
    "app_credentials": ("applications", "service_principals"),
    "calls": ("call_records",),
    "permission_reach": (),
    "workload_feeds": (),
    "register_changes": (),
    "full_mailbox_permissions": (),
    "auditor_permissions": (),
    "licences": ("subscribed_skus",),
    "applications": ("applications",),
    "tenant_policies": ("policies",),
    "auditor": (),
    "auditor_events": (),
    "collected_feeds": (),
}
"""Tables a rule may read, with the feeds that fill them; a table without feeds is bookkeeping, register or policy."""

RESULT_TABLES: Final = ("rule_outcomes", "findings", "finding_evidence")
"""Tables made from rules: hunts may read them, rules may not."""

REGISTER_TABLES: Final = frozenset(
    {
        *("register_records", "register_apps", "register_versions", "register_segments", "consent_processes"),
        *("register_changes", "people_in_scope"),
        *("verdicts", "judged_accesses", "judged_forms", "daily_use", "cells"),
    }
)
"""Tables that say nothing while the register is invalid."""

COLLECTION_TABLES: Final = frozenset({"auditor", "auditor_events", "collected_feeds"})
"""Tables that say nothing of a tenant of which everything came in files."""

TIMES: Final = "TIMESTAMP WITH TIME ZONE"

ROW_COLUMNS: Final[dict[str, str]] = {
    "tenant_id": "VARCHAR",
    "app_id": "VARCHAR",
    "feed": "VARCHAR",
    "event_id": "VARCHAR",
    "occurred_at": TIMES,
    "reasons": "VARCHAR[]",
    "record": "VARCHAR",
    "process": "VARCHAR",
}
"""What every rule must give for each piece of evidence, with DuckDB's name of the type."""

OPTIONAL_COLUMNS: Final[dict[str, str]] = {"last_seen_at": TIMES}
"""``last_seen_at``: the last time a lasting piece of evidence (a grant, a gap) was seen; else its ``occurred_at``."""

NEVER_IDENTITY: Final = frozenset({"tenant_id", "event_id", "occurred_at", "last_seen_at", "reasons"})
"""Columns that belong to the evidence: as identity they would make a finding of every event."""
