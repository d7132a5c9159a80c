"""Owns the setting in which a synthetic load is judged: configuration, policy and consent records that fit its apps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.generate import (
    APPS,
    PERMISSION_OF,
    RECORDED_MAILBOXES,
    LoadApp,
    generate_graph_activity,
    mailbox_id,
    tenant_id,
)


@dataclass(frozen=True, slots=True)
class Load:
    """A written load.

    Attributes:
        config: its ``m365audit.yaml``; every tenant imports its file as a standing import.
        files: the log files, by number of the tenant.
        lines: lines in all files together.
        bytes: size of all files together.
    """

    config: Path
    files: tuple[Path, ...]
    tenant_ids: tuple[str, ...]
    lines: int
    bytes: int


def write_load(folder: Path, lines: int, *, tenants: int = 1, seed: int = 1) -> Load:
    """Write logs, register, policy and configuration below ``folder``."""
    files = generate_graph_activity(folder / "exports" / "PT1H.json", lines, tenants=tenants, seed=seed)
    ids = tuple(tenant_id(n + 1) for n in range(tenants))
    for tenant in ids:
        for app in APPS:
            if app.recorded:
                name = app.name.lower().replace(" ", "-")
                _write(folder / "consent" / tenant / f"{name}.yaml", _record(tenant, name, app))
    _write(folder / "policy.yaml", {"schema": "m365audit.policy/1"})
    entries = [
        {"id": tenant, "name": f"Load {n}", "import": [{"kind": "graph_activity", "path": f"./exports/{path.name}"}]}
        for n, (tenant, path) in enumerate(zip(ids, files, strict=True), start=1)
    ]
    _write(folder / "m365audit.yaml", {"tenants": entries})
    return Load(folder / "m365audit.yaml", files, ids, lines, sum(p.stat().st_size for p in files))


def _write(path: Path, document: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def _record(tenant: str, name: str, app: LoadApp) -> dict[str, Any]:
    return {
        "schema": "m365audit.consent/1",
        "record": f"load-{tenant[:8]}-{name}",
        "tenant": tenant,
        "integration": {"kind": "other", "name": app.name, "app_ids": [app.app_id]},
        "history": [
            {
                "event": "granted",
                "recorded_at": "2026-01-01T00:00:00Z",
                "effective_from": "2026-01-01T00:00:00Z",
                "effective_until": "2027-01-01T00:00:00Z",
                "evidence": [{"kind": "document", "ref": "agreement.pdf"}],
                "processes": [_process(tenant, app, workload, operations) for workload, operations in app.recorded],
            }
        ],
    }


def _process(tenant: str, app: LoadApp, workload: str, operations: str) -> dict[str, Any]:
    named = app.permissions.split() if app.is_delegated else [PERMISSION_OF[workload, operations]]
    kind = "delegated" if app.is_delegated else "application"
    listed: str | dict[str, list[str]] = "all"
    if app.lists_mailboxes:
        listed = {"ids": [mailbox_id(tenant, n) for n in range(RECORDED_MAILBOXES)]}
    return {
        "id": f"{workload}-{operations.split(maxsplit=1)[0]}",
        "purpose": f"{app.name}: {workload}",
        "legal_basis": "legitimate_interest",
        "workload": workload,
        "permissions": [{"name": p, "kind": kind} for p in named if p.startswith(PREFIXES[workload])],
        "operations": operations.split(),
        "resources": listed,
    }


PREFIXES = {"mail": "Mail.", "calendar": "Calendars.", "presence": "Presence."}
"""How the names of a workload's permissions begin: a record may not mix workloads."""
