"""The tables that an evaluation starts from beside the evidence: register, policy, catalogue, tenants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from m365audit.store.rows import Columns

Rows = Iterable[Mapping[str, object]]

_PERMISSION_LIST: Final = "STRUCT(name VARCHAR, kind VARCHAR, api VARCHAR)[]"
_TRANSFER_LIST: Final = (
    "STRUCT(country VARCHAR, recipient VARCHAR, tool VARCHAR, ref VARCHAR, sha256 VARCHAR, valid_until TIMESTAMPTZ)[]"
)

REGISTER_COLUMNS: Final[Mapping[str, Columns]] = {
    "register_records": {
        "tenant_id": "VARCHAR", "record": "VARCHAR", "integration_kind": "VARCHAR", "integration_name": "VARCHAR",
        "controller": "VARCHAR", "processor": "VARCHAR", "publisher": "VARCHAR", "owner_tenant_id": "VARCHAR",
        "credential": "VARCHAR", "telephony_system": "VARCHAR", "pbx_host_country": "VARCHAR",
        "trunks": "VARCHAR[]", "website_origin": "VARCHAR", "file": "VARCHAR",
    },
    "register_apps": {"tenant_id": "VARCHAR", "record": "VARCHAR", "app_id": "VARCHAR"},
    "register_versions": {
        "tenant_id": "VARCHAR", "record": "VARCHAR", "process": "VARCHAR", "version": "INTEGER", "workload": "VARCHAR",
        "operations": "VARCHAR[]", "permissions": _PERMISSION_LIST, "covers_all": "BOOLEAN",
        "resource_ids": "VARCHAR[]", "resource_groups": "VARCHAR[]", "regions": "VARCHAR[]", "purpose": "VARCHAR",
        "legal_basis": "VARCHAR", "data_categories": "VARCHAR[]", "data_subjects": "VARCHAR[]",
        "legitimate_interest_ref": "VARCHAR", "consent_store": "VARCHAR", "recipients": "VARCHAR[]",
        "transfers": _TRANSFER_LIST, "retention": "VARCHAR", "policy_version": "VARCHAR", "notice_sha256": "VARCHAR",
        "effective_from": "TIMESTAMPTZ",
        "effective_until": "TIMESTAMPTZ", "recorded_at": "TIMESTAMPTZ", "ended_at": "TIMESTAMPTZ",
        "ended_by": "VARCHAR",
    },
    "register_segments": {
        "tenant_id": "VARCHAR", "record": "VARCHAR", "process": "VARCHAR", "valid_from": "TIMESTAMPTZ",
        "valid_to": "TIMESTAMPTZ", "version": "INTEGER", "period_reason": "VARCHAR",
    },
    "register_entries": {
        "tenant_id": "VARCHAR", "record": "VARCHAR", "entry": "INTEGER", "event": "VARCHAR",
        "recorded_at": "TIMESTAMPTZ", "effective_from": "TIMESTAMPTZ", "entry_hash": "VARCHAR",
    },
}  # fmt: skip
"""The register as tables; empty when the register is invalid."""

CATALOGUE_COLUMNS: Final[Mapping[str, Columns]] = {
    "audit_operations": {
        "audit_workload": "VARCHAR", "audit_operation": "VARCHAR", "record_type": "INTEGER", "protocol": "VARCHAR",
        "workload": "VARCHAR", "operation": "VARCHAR", "resource_kind": "VARCHAR", "decided_by": "VARCHAR",
        "permissions_application": "VARCHAR[]", "permissions_delegated": "VARCHAR[]",
    },
    "audit_workloads": {"audit_workload": "VARCHAR", "workload": "VARCHAR"},
    "audit_record_types": {"record_type": "INTEGER", "name": "VARCHAR", "feed": "VARCHAR"},
    "permission_ids": {
        "resource_app_id": "VARCHAR", "kind": "VARCHAR", "permission_id": "VARCHAR", "permission": "VARCHAR",
    },
    "permission_reach": {
        "resource_app_id": "VARCHAR", "permission": "VARCHAR", "kind": "VARCHAR", "workload": "VARCHAR",
        "operations": "VARCHAR[]",
    },
    "first_party_apps": {"app_id": "VARCHAR"},
    "microsoft_tenants": {"tenant_id": "VARCHAR"},
    "workload_feeds": {"workload": "VARCHAR", "feed": "VARCHAR"},
    "auditor_permissions": {"what": "VARCHAR", "name_part": "VARCHAR", "opens": "VARCHAR"},
    "full_mailbox_permissions": {
        "resource_app_id": "VARCHAR", "permission": "VARCHAR", "kind": "VARCHAR", "listed_on": "DATE",
        "reason": "VARCHAR",
    },
}  # fmt: skip
"""Microsoft's facts as the shipped catalogue holds them."""

SHAPE_COLUMNS: Final[Columns] = {
    "method": "VARCHAR", "shape": "VARCHAR", "template": "VARCHAR", "workload": "VARCHAR", "operation": "VARCHAR",
    "resource_kind": "VARCHAR", "resource_segment": "INTEGER", "permissions_application": "VARCHAR[]",
    "permissions_delegated": "VARCHAR[]",
}  # fmt: skip
"""What the catalogue says of each distinct shape of call."""

SETTING_COLUMNS: Final[Mapping[str, Columns]] = {
    "configured_tenants": {"tenant_id": "VARCHAR", "name": "VARCHAR", "not_evaluated_reason": "VARCHAR"},
    "policy_workloads": {"workload": "VARCHAR"},
    "policy_settings": {
        "membership_before_first_seconds": "BIGINT", "consent_record_within_seconds": "BIGINT",
        "record_ending_notice_seconds": "BIGINT", "credential_notice_seconds": "BIGINT",
        "collection_pause_seconds": "BIGINT", "name": "VARCHAR", "version": "VARCHAR",
    },
    "policy_versions": {
        "version": "VARCHAR", "effective_from": "TIMESTAMPTZ", "renew_by": "TIMESTAMPTZ", "text_sha256": "VARCHAR",
        "url": "VARCHAR", "is_material": "BOOLEAN",
    },
    "policy_categories": {"category": "VARCHAR", "workloads": "VARCHAR[]"},
    "log_feeds": {"feed": "VARCHAR"},
    "state_feeds": {"feed": "VARCHAR"},
}  # fmt: skip
"""What configuration and policy say."""

POLICY_COLUMNS: Final[Mapping[str, Columns]] = {
    "policy_commitments": {
        "clause": "VARCHAR", "key": "VARCHAR", "value": "VARCHAR", "period": "INTERVAL", "note": "VARCHAR",
    },
    "policy_recipients": {"name": "VARCHAR", "purpose": "VARCHAR", "country": "VARCHAR", "clause": "VARCHAR"},
    "policy_findings": {
        "rule": "VARCHAR", "clauses": "VARCHAR[]", "title": "VARCHAR", "why": "VARCHAR", "severity": "VARCHAR",
        "gdpr": "VARCHAR", "words": "JSON",
    },
    "countries": {
        "code": "VARCHAR", "class": "VARCHAR", "valid_from": "DATE", "valid_until": "DATE", "decision": "VARCHAR",
        "scope": "VARCHAR", "exporters": "VARCHAR", "source": "VARCHAR",
    },
    "clocks": {
        "clock": "VARCHAR", "amount": "BIGINT", "unit": "VARCHAR", "valid_from": "DATE", "valid_until": "DATE",
        "source": "VARCHAR",
    },
    "dated_tables": {
        "dated_table": "VARCHAR", "verified_on": "DATE", "verify_within_days": "BIGINT", "lines": "BIGINT",
    },
}  # fmt: skip
"""The policy's facts, its own weaknesses, and the law's tables by date; all of them are published."""

PUBLISHED_INPUTS: Final = (
    *POLICY_COLUMNS,
    "register_records", "register_apps", "register_versions", "register_segments", "permission_reach",
    "policy_workloads", "policy_settings", "policy_versions", "policy_categories", "first_party_apps",
    "microsoft_tenants", "workload_feeds", "full_mailbox_permissions", "auditor_permissions",
)  # fmt: skip
"""Inputs that stay in the published database: rules, hunts and the report read them."""
