"""The derived tables as their readers know them, without rows. The store's own tables are checked against this."""

from __future__ import annotations

from typing import Final

TABLES: Final[dict[str, str]] = {
    "access_events": """
        tenant_id VARCHAR, feed VARCHAR, event_id VARCHAR, occurred_at TIMESTAMPTZ, app_id VARCHAR, app_name VARCHAR,
        access_kind VARCHAR, actor_id VARCHAR, actor_name VARCHAR, workload VARCHAR, operation VARCHAR,
        endpoint VARCHAR, protocol VARCHAR, permissions VARCHAR[], resource_kind VARCHAR, resource_id VARCHAR,
        resource_name VARCHAR,
        item_count BIGINT, floor_reason VARCHAR, ip_address VARCHAR, country VARCHAR, succeeded BOOLEAN, origin VARCHAR,
        first_seen_at TIMESTAMPTZ, is_mapped BOOLEAN, status_code INTEGER, source_id BIGINT""",
    "verdicts": """
        tenant_id VARCHAR, feed VARCHAR, event_id VARCHAR, verdict VARCHAR, reasons VARCHAR[], record VARCHAR,
        process VARCHAR""",
    "service_principals": """
        tenant_id VARCHAR, sp_id VARCHAR, app_id VARCHAR, app_name VARCHAR, owner_tenant_id VARCHAR,
        publisher VARCHAR, sp_type VARCHAR, is_enabled BOOLEAN, reply_urls VARCHAR[], privacy_url VARCHAR,
        observed_at TIMESTAMPTZ""",
    "directory_users": """
        tenant_id VARCHAR, user_id VARCHAR, user_name VARCHAR, observed_at TIMESTAMPTZ, user_type VARCHAR,
        is_enabled BOOLEAN, country VARCHAR, age_group VARCHAR, parental_consent VARCHAR, legal_age_group VARCHAR""",
    "licences": """
        tenant_id VARCHAR, sku_id VARCHAR, sku VARCHAR, plan_id VARCHAR, plan VARCHAR, is_enabled BOOLEAN, units BIGINT,
        used_units BIGINT, observed_at TIMESTAMPTZ""",
    "applications": """
        tenant_id VARCHAR, object_id VARCHAR, app_id VARCHAR, app_name VARCHAR, audience VARCHAR,
        created_at TIMESTAMPTZ, certificates UBIGINT, secrets UBIGINT, last_credential_ends_at TIMESTAMPTZ,
        reply_urls VARCHAR[], owners VARCHAR[], observed_at TIMESTAMPTZ""",
    "tenant_policies": """
        tenant_id VARCHAR, user_grants VARCHAR, user_grant_policies VARCHAR[], may_grant_risky_apps BOOLEAN,
        may_create_apps BOOLEAN, guests_are_limited BOOLEAN, has_request_workflow BOOLEAN,
        security_defaults BOOLEAN, mfa_policies BIGINT, mfa_for_all BOOLEAN, mfa_exclusions BIGINT,
        observed_at TIMESTAMPTZ""",
    "auditor": """
        tenant_id VARCHAR, app_id VARCHAR, is_signed_in BOOLEAN, permissions VARCHAR[], scopes VARCHAR[],
        credential_expires_at TIMESTAMPTZ, signed_in_at TIMESTAMPTZ, failed_at TIMESTAMPTZ, is_refused BOOLEAN,
        code VARCHAR, message VARCHAR, hint VARCHAR, clock_at TIMESTAMPTZ""",
    "auditor_events": """
        tenant_id VARCHAR, event_id VARCHAR, occurred_at TIMESTAMPTZ, kind VARCHAR, collection VARCHAR, target VARCHAR,
        detail VARCHAR, run_id VARCHAR""",
    "collected_feeds": """
        tenant_id VARCHAR, feed VARCHAR, collections VARCHAR[], read_until TIMESTAMPTZ, last_read_at TIMESTAMPTZ,
        last_tried_at TIMESTAMPTZ, settled_until TIMESTAMPTZ, open_windows BIGINT, gap_windows BIGINT,
        clock_at TIMESTAMPTZ""",
    "group_snapshots": "tenant_id VARCHAR, group_id VARCHAR, observed_at TIMESTAMPTZ, is_complete BOOLEAN",
    "group_snapshot_members": """
        tenant_id VARCHAR, group_id VARCHAR, observed_at TIMESTAMPTZ, member_id VARCHAR, member_kind VARCHAR""",
    "membership_changes": """
        tenant_id VARCHAR, event_id VARCHAR, occurred_at TIMESTAMPTZ, group_id VARCHAR, member_id VARCHAR,
        change VARCHAR""",
    "grants": """
        tenant_id VARCHAR, grant_id VARCHAR, app_id VARCHAR, app_name VARCHAR, sp_id VARCHAR,
        resource_app_id VARCHAR, permission VARCHAR, kind VARCHAR, granted_for VARCHAR, principal_id VARCHAR,
        source VARCHAR, first_seen_at TIMESTAMPTZ, last_seen_at TIMESTAMPTZ, is_current BOOLEAN,
        app_role_id VARCHAR, resource_sp_id VARCHAR, workload VARCHAR, event_id VARCHAR""",
    "sign_ins": """
        tenant_id VARCHAR, event_id VARCHAR, kind VARCHAR, occurred_at TIMESTAMPTZ, app_id VARCHAR, user_id VARCHAR,
        user_name VARCHAR, sp_id VARCHAR, resource_app_id VARCHAR, ip_address VARCHAR, country VARCHAR,
        is_mfa BOOLEAN, succeeded BOOLEAN, error_code INTEGER, feed VARCHAR, client_app VARCHAR,
        credential_type VARCHAR""",
    "directory_changes": """
        tenant_id VARCHAR, event_id VARCHAR, occurred_at TIMESTAMPTZ, activity VARCHAR, actor_id VARCHAR,
        app_id VARCHAR, sp_id VARCHAR, permissions VARCHAR[], result VARCHAR, actor_name VARCHAR, reason VARCHAR,
        is_admin_consent BOOLEAN, scope_for VARCHAR, kind VARCHAR, feed VARCHAR,
        changes STRUCT(change VARCHAR, what VARCHAR)[]""",
    "admin_changes": """
        tenant_id VARCHAR, feed VARCHAR, event_id VARCHAR, occurred_at TIMESTAMPTZ, operation VARCHAR, change VARCHAR,
        subject VARCHAR, grantee VARCHAR, grantee_kind VARCHAR, app_id VARCHAR, rights VARCHAR[], actor_name VARCHAR,
        succeeded BOOLEAN""",
    "app_credentials": """
        tenant_id VARCHAR, app_id VARCHAR, place VARCHAR, object_id VARCHAR, kind VARCHAR, key_id VARCHAR,
        starts_at TIMESTAMPTZ, ends_at TIMESTAMPTZ, observed_at TIMESTAMPTZ""",
    "tenant_profiles": """
        tenant_id VARCHAR, country VARCHAR, domains VARCHAR[], privacy_url VARCHAR, privacy_contact VARCHAR,
        observed_at TIMESTAMPTZ""",
    "privacy_statements": """
        tenant_id VARCHAR, shown_by VARCHAR, app_id VARCHAR, url VARCHAR, first_seen_at TIMESTAMPTZ,
        last_seen_at TIMESTAMPTZ, is_current BOOLEAN""",
    "mail_forwarding": """
        tenant_id VARCHAR, feed VARCHAR, event_id VARCHAR, occurred_at TIMESTAMPTZ, operation VARCHAR,
        mailbox VARCHAR, mailbox_id VARCHAR, target VARCHAR, target_domain VARCHAR, is_external BOOLEAN,
        app_id VARCHAR, actor_name VARCHAR, succeeded BOOLEAN""",
    "people_in_scope": "tenant_id VARCHAR, user_id VARCHAR, how VARCHAR, app_id VARCHAR, record VARCHAR",
    "calls": """
        tenant_id VARCHAR, event_id VARCHAR, kind VARCHAR, call_type VARCHAR, started_at TIMESTAMPTZ,
        ended_at TIMESTAMPTZ, organizer_id VARCHAR, organizer_name VARCHAR, modalities VARCHAR[], participants BIGINT,
        tenant_country VARCHAR, usage_country VARCHAR, media_region VARCHAR, signaling_region VARCHAR, trunk VARCHAR,
        succeeded BOOLEAN, source_id BIGINT""",
    "policy_versions": """
        version VARCHAR, effective_from TIMESTAMPTZ, renew_by TIMESTAMPTZ, text_sha256 VARCHAR, url VARCHAR,
        is_material BOOLEAN""",
    "policy_categories": "category VARCHAR, workloads VARCHAR[]",
    "coverage": """
        tenant_id VARCHAR, feed VARCHAR, covered_from TIMESTAMPTZ, covered_to TIMESTAMPTZ, state VARCHAR,
        reason VARCHAR, records BIGINT, detail VARCHAR""",
    "tenants": """
        tenant_id VARCHAR, name VARCHAR, is_evaluated BOOLEAN, not_evaluated_reason VARCHAR,
        watched_from TIMESTAMPTZ, watched_to TIMESTAMPTZ, access_events BIGINT, unmapped_events BIGINT,
        is_collected BOOLEAN""",
    "runs": """
        tenant_id VARCHAR, run_id VARCHAR, command VARCHAR, started_at TIMESTAMPTZ, finished_at TIMESTAMPTZ,
        outcome VARCHAR, version VARCHAR, register_hash VARCHAR, register_state VARCHAR""",
    "apps": """
        tenant_id VARCHAR, app_id VARCHAR, app_name VARCHAR, sp_id VARCHAR, owner_tenant_id VARCHAR,
        publisher VARCHAR, is_first_party BOOLEAN, is_recorded BOOLEAN, integration_kind VARCHAR,
        integration_name VARCHAR, first_seen_at TIMESTAMPTZ, last_seen_at TIMESTAMPTZ""",
    "sources": """
        tenant_id VARCHAR, source_id BIGINT, path VARCHAR, kind VARCHAR, sha256 VARCHAR, bytes BIGINT,
        records BIGINT, stored BIGINT, duplicate BIGINT, quarantined BIGINT, imported_at TIMESTAMPTZ,
        observed_at TIMESTAMPTZ, outcome VARCHAR, message VARCHAR""",
    "quarantine": """
        tenant_id VARCHAR, source_id BIGINT, path VARCHAR, record BIGINT, line BIGINT, byte_offset BIGINT,
        reason VARCHAR, excerpt VARCHAR""",
    "unmapped_calls": """
        tenant_id VARCHAR, feed VARCHAR, method VARCHAR, shape VARCHAR, calls BIGINT, apps BIGINT,
        first_at TIMESTAMPTZ, last_at TIMESTAMPTZ""",
    "register_records": """
        tenant_id VARCHAR, record VARCHAR, integration_kind VARCHAR, integration_name VARCHAR, controller VARCHAR,
        processor VARCHAR, publisher VARCHAR, owner_tenant_id VARCHAR, credential VARCHAR, telephony_system VARCHAR,
        pbx_host_country VARCHAR, trunks VARCHAR[], website_origin VARCHAR, file VARCHAR""",
    "register_apps": "tenant_id VARCHAR, record VARCHAR, app_id VARCHAR",
    "register_versions": """
        tenant_id VARCHAR, record VARCHAR, process VARCHAR, version INTEGER, workload VARCHAR, operations VARCHAR[],
        permissions STRUCT(name VARCHAR, kind VARCHAR, api VARCHAR)[], covers_all BOOLEAN, resource_ids VARCHAR[],
        resource_groups VARCHAR[], regions VARCHAR[], purpose VARCHAR, legal_basis VARCHAR,
        data_categories VARCHAR[], data_subjects VARCHAR[], legitimate_interest_ref VARCHAR, consent_store VARCHAR,
        recipients VARCHAR[],
        transfers STRUCT(country VARCHAR, recipient VARCHAR, tool VARCHAR, ref VARCHAR, sha256 VARCHAR,
            valid_until TIMESTAMPTZ)[],
        retention VARCHAR, policy_version VARCHAR, notice_sha256 VARCHAR,
        effective_from TIMESTAMPTZ, effective_until TIMESTAMPTZ, recorded_at TIMESTAMPTZ, ended_at TIMESTAMPTZ,
        ended_by VARCHAR""",
    "register_segments": """
        tenant_id VARCHAR, record VARCHAR, process VARCHAR, valid_from TIMESTAMPTZ, valid_to TIMESTAMPTZ,
        version INTEGER, period_reason VARCHAR""",
    "consent_processes": """
        tenant_id VARCHAR, record VARCHAR, process VARCHAR, app_id VARCHAR, workload VARCHAR,
        permissions STRUCT(name VARCHAR, kind VARCHAR, api VARCHAR)[], operations VARCHAR[], resources VARCHAR,
        effective_from TIMESTAMPTZ, effective_until TIMESTAMPTZ, ended_at TIMESTAMPTZ, ended_by VARCHAR""",
    "first_party_apps": "app_id VARCHAR",
    "microsoft_tenants": "tenant_id VARCHAR",
    "policy_workloads": "workload VARCHAR",
    "workload_feeds": "workload VARCHAR, feed VARCHAR",
    "auditor_permissions": "what VARCHAR, name_part VARCHAR, opens VARCHAR",
    "full_mailbox_permissions": """
        resource_app_id VARCHAR, permission VARCHAR, kind VARCHAR, listed_on DATE, reason VARCHAR""",
    "policy_settings": """
        membership_before_first_seconds BIGINT, consent_record_within_seconds BIGINT,
        record_ending_notice_seconds BIGINT, credential_notice_seconds BIGINT, collection_pause_seconds BIGINT""",
    "register_changes": """
        tenant_id VARCHAR, record VARCHAR, entry INTEGER, event VARCHAR, change VARCHAR, judged_hash VARCHAR,
        present_hash VARCHAR, first_judged_at TIMESTAMPTZ""",
    "permission_reach": """
        resource_app_id VARCHAR, permission VARCHAR, kind VARCHAR, workload VARCHAR, operations VARCHAR[]""",
    "rule_outcomes": """
        tenant_id VARCHAR, rule VARCHAR, outcome VARCHAR, reason VARCHAR, findings BIGINT, is_covered BOOLEAN""",
    "findings": """
        tenant_id VARCHAR, finding_id VARCHAR, rule VARCHAR, severity VARCHAR, title VARCHAR, subject VARCHAR,
        app_id VARCHAR, state VARCHAR, decision VARCHAR, first_seen_at TIMESTAMPTZ, last_seen_at TIMESTAMPTZ,
        evidence_count BIGINT, reasons VARCHAR[], record VARCHAR, process VARCHAR, opened_at TIMESTAMPTZ,
        resolved_at TIMESTAMPTZ, reopened BIGINT, change VARCHAR, question VARCHAR, is_seen BOOLEAN""",
    "finding_evidence": """
        tenant_id VARCHAR, finding_id VARCHAR, feed VARCHAR, event_id VARCHAR, occurred_at TIMESTAMPTZ""",
    "cells": """
        tenant_id VARCHAR, app_id VARCHAR, integration_name VARCHAR, record VARCHAR, workload VARCHAR,
        recorded VARCHAR, granted VARCHAR, used BIGINT, within BIGINT, outside BIGINT, not_assessable BIGINT,
        first_used_at TIMESTAMPTZ, last_used_at TIMESTAMPTZ, coverage VARCHAR""",
}
"""Name of every derived table and its columns, as DuckDB reads them in CREATE TABLE."""


_FORM: Final = """
    e.tenant_id, e.feed, e.app_id, e.app_name, e.access_kind, e.actor_id, e.actor_name, e.workload, e.operation,
    e.endpoint, e.protocol, e.permissions, e.resource_kind, e.resource_id, e.resource_name, e.floor_reason,
    e.ip_address, e.country, e.succeeded, e.origin, e.is_mapped, e.status_code, v.verdict, v.reasons, v.record,
    v.process"""
_COUNTS: Final = """
    count(*) AS accesses, sum(e.item_count)::BIGINT AS items, min(e.occurred_at) AS first_at,
    max(e.occurred_at) AS last_at"""
_JUDGED: Final = "FROM access_events AS e LEFT JOIN verdicts AS v USING (tenant_id, feed, event_id)"
VIEWS: Final[dict[str, str]] = {
    "judged_accesses": f"SELECT e.*, v.verdict, v.reasons, v.record, v.process {_JUDGED}",
    "judged_forms": f"SELECT {_FORM}, {_COUNTS} {_JUDGED} GROUP BY ALL",
    "daily_use": f"""
        SELECT e.tenant_id, e.feed, e.app_id, e.workload, e.operation, v.verdict,
            DATE '1970-01-01' + (epoch_us(e.occurred_at) // 86400000000)::INTEGER AS day, count(*) AS accesses
        {_JUDGED} WHERE e.occurred_at IS NOT NULL GROUP BY ALL""",
}
"""Name of every table made of them, and what it shows: the store builds them another way, to the same end."""


def create_statements() -> tuple[str, ...]:
    """Return what creates every derived table, and the views over them."""
    tables = tuple(f"CREATE TABLE {name} ({columns})" for name, columns in TABLES.items())
    return (*tables, *(f"CREATE VIEW {name} AS {sql}" for name, sql in VIEWS.items()))
