"""An event that was exported and is collected as well is one row: the API tells of it as the export did."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from m365audit import pipeline
from m365audit.config import load_policy, load_settings
from m365audit.pipeline import Import
from m365audit.simulator.live_world import live_world
from m365audit.simulator.served import Record, ServedTenant
from m365audit.simulator.served_truth import known_ids
from m365audit.simulator.world import write_world

from .audited import Quiet

FEEDS = (
    "audit_entra",
    "audit_exchange",
    "audit_sharepoint",
    "audit_teams",
    "directory_audits",
    "sign_ins_interactive",
    "sign_ins_managed_identity",
    "sign_ins_non_interactive",
    "sign_ins_service_principal",
)


def _as_collected(tenant: ServedTenant) -> dict[str, list[Record]]:
    """Return what the API gives, by kind; audit records as often as they arrive."""
    return {
        "sign_ins": tenant.collections["signIns"],
        "directory_audits": tenant.collections["directoryAudits"],
        "audit_records": [audit.record for audit in tenant.audit],
    }


@pytest.mark.parametrize("is_collected_first", [False, True])
def test_exported_and_collected_events_are_one_row(tmp_path: Path, *, is_collected_first: bool) -> None:
    served = live_world().served
    settings = load_settings(write_world(tmp_path).config).settings
    wanted = {"sign_ins", "directory_audits", "audit_records"}
    exported = [
        Import(item.path, tenant.id, item.kind, window=item.window)
        for tenant in settings.tenants
        for item in tenant.imports
        if item.kind in wanted
    ]
    collected = []
    for tenant in served.tenants.values():
        for kind, records in _as_collected(tenant).items():
            path = tmp_path / f"{tenant.name}-{kind}.json"
            path.write_text(json.dumps(records))
            collected += [Import(path, tenant.id, kind)] if records else []
    imports = [*collected, *exported] if is_collected_first else [*exported, *collected]
    policy = load_policy(tmp_path / "policy.yaml")
    pipeline.run(settings, policy, imports, Quiet(), command="test", evaluate=False)
    with duckdb.connect(str(settings.state / "m365audit.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            "SELECT tenant_id, feed, list(record_id) FROM landed_records WHERE is_newest GROUP BY ALL"
        ).fetchall()
    found = {(tenant_id, feed): sorted(ids) for tenant_id, feed, ids in rows}
    assert found == {key: sorted(ids) for key, ids in known_ids(served).items() if key[1] in FEEDS}
