"""A small store for tests: writes files of evidence, imports them through the real pipeline, asks the databases."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import duckdb

from m365audit import pipeline
from m365audit.config import load_policy, load_settings
from m365audit.pipeline import Import, Outcome, Step, judging, load_register
from m365audit.pipeline.values import Work
from m365audit.store import candidate
from m365audit.store.arrivals import Landed
from m365audit.store.database import open_store

TENANT: Final = "11111111-1111-4111-8111-111111111111"
APP: Final = "c0ffee00-0000-4000-8000-000000000001"
USER: Final = "d0000000-0000-4000-8000-00000000000d"
GROUP: Final = "33333333-3333-4333-8333-333333333331"
Json = dict[str, Any]

REGISTER: Final = f"""
schema: m365audit.consent/1
record: crm
tenant: {TENANT}
integration: {{kind: crm, name: CRM, app_ids: [{APP}]}}
history:
  - event: granted
    recorded_at: 2026-01-01T00:00:00Z
    effective_from: 2026-01-01T00:00:00Z
    effective_until: 2027-01-01T00:00:00Z
    evidence: [{{kind: document, ref: a.pdf}}]
    processes:
      - id: mail
        purpose: Log mail
        legal_basis: contract
        workload: mail
        permissions: [{{name: Mail.Read, kind: application}}]
        operations: [read]
        resources: {{groups: [{GROUP}]}}
"""


@dataclass
class Quiet:
    """Hears how the work goes on and says nothing."""

    stages: list[str] = field(default_factory=list)
    skips: list[str] = field(default_factory=list)

    def file(self, landed: Landed, number: int, total: int) -> None:
        """Hear of a file."""

    def working(self, path: str, doing: str, done: int, total: int) -> None:
        """Hear of the progress in a file."""

    def skipped(self, path: Path, reason: str) -> None:
        """Hear of a skipped file."""
        self.skips.append(f"{path}: {reason}")

    def stage(self, name: str) -> None:
        """Hear of a stage."""
        self.stages.append(name)

    def gathering(self, step: Step) -> None:
        """Hear of what is collected."""


class Desk:
    """A configuration in a folder of its own, with the ways to use it that tests need."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "m365audit.yaml"
        (folder / "consent").mkdir(parents=True, exist_ok=True)
        (folder / "consent" / "crm.yaml").write_text(REGISTER, encoding="utf-8")
        self.config.write_text(f"tenants:\n  - {{id: {TENANT}, name: Contoso}}\n", encoding="utf-8")
        self.settings = load_settings(self.config).settings

    def write(self, name: str, records: Iterable[Json] | str | bytes, *, at: str | None = None) -> Path:
        """Write a file of lines (or the text as given), its own time ``at``."""
        path = self.folder / "evidence" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(records, str):
            records = records.encode()
        data = records if isinstance(records, bytes) else b"".join(json.dumps(r).encode() + b"\n" for r in records)
        path.write_bytes(data)
        if at:
            moment = datetime.fromisoformat(at).timestamp()
            os.utime(path, (moment, moment))
        return path

    def run(self, *imports: Path | Import, evaluate: bool = False) -> Outcome:
        """Import files in one run."""
        policy = load_policy(self.settings.policy)
        wanted = [item if isinstance(item, Import) else Import(item, TENANT) for item in imports]
        return pipeline.run(self.settings, policy, wanted, Quiet(), command="test", evaluate=evaluate)

    def judge(self, *imports: Path | Import) -> Outcome:
        """Import files, and make the tables with their verdicts in the place of the published database.

        For whoever asks these tables alone: rules, controls and report are three quarters of an evaluation.
        """
        outcome = self.run(*imports)
        self.settings.publish.mkdir(exist_ok=True)
        made = self.settings.publish / "m365audit.duckdb"
        made.unlink(missing_ok=True)
        with open_store(self.settings.state) as connection:
            work = Work(connection, self.settings, load_policy(self.settings.policy), Quiet())
            register = load_register(self.settings, work.policy)
            assert register.is_valid
            with work.folder() as folder:
                given = judging._inputs(work, register, "")
                candidate.build(connection, made, given, workdir=folder, progress=work.reporter.stage)
        return outcome

    def bring(self, name: str, records: Iterable[Json] | str | bytes, *, at: str | None = None) -> Landed:
        """Write and import one file; check that its account adds up, and return it."""
        (landed,) = self.run(self.write(name, records, at=at)).landed
        assert landed.records == landed.stored + landed.duplicate + landed.quarantined
        assert min(landed.stored, landed.duplicate, landed.quarantined) >= 0
        return landed

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the working database."""
        return ask(self.settings.state / "m365audit.duckdb", sql)

    def published(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the published database."""
        return ask(self.settings.publish / "m365audit.duckdb", sql)


def ask(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """Ask any database file."""
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(sql).fetchall()


def call(
    event_id: object, when: str | None = "2026-05-04T10:15:00Z", *, envelope: str | None = None, **more: object
) -> Json:
    """Return a Graph activity line of a storage export."""
    properties: Json = {
        "requestId": event_id, "timeGenerated": when, "appId": APP, "requestMethod": "GET",
        "requestUri": f"https://graph.microsoft.com/v1.0/users/{USER}/messages", "responseStatusCode": 200,
        "roles": "Mail.Read", "servicePrincipalId": "5b000000-0000-4000-8000-000000000001", **more,
    }  # fmt: skip
    return {
        "time": envelope or when or "2026-05-04T10:15:01Z",
        "resourceId": f"/TENANTS/{TENANT.upper()}/PROVIDERS/MICROSOFT.AADIAM",
        "operationName": "Microsoft Graph Activity",
        "category": "MicrosoftGraphActivityLogs",
        "properties": {name: value for name, value in properties.items() if value is not None},
    }


def envelope(category: object, properties: Mapping[str, object], time: str = "2026-05-04T10:15:01Z") -> Json:
    """Return a line of a storage export."""
    return {"time": time, "resourceId": "/tenants/x", "operationName": "x", "category": category,
            "properties": dict(properties)}  # fmt: skip


def audit(event_id: object, when: str = "2026-05-04T10:15:00", **more: object) -> Json:
    """Return a record of the unified audit log."""
    return {
        "Id": event_id, "CreationTime": when, "Operation": "MailItemsAccessed", "Workload": "Exchange",
        "RecordType": 50, "UserId": "ann@contoso.example", "UserType": 0, "ClientAppId": APP,
        "MailboxOwnerUPN": "ann@contoso.example", "ResultStatus": "Succeeded", **more,
    }  # fmt: skip


def sign_in(event_id: object, when: str = "2026-05-04T10:15:00Z", **more: object) -> Json:
    """Return a sign-in as Graph writes it."""
    return {"id": event_id, "createdDateTime": when, "appId": APP, "userId": USER, "userPrincipalName": "a@x.example",
            "conditionalAccessStatus": "success", "isInteractive": True, "status": {"errorCode": 0},
            **more}  # fmt: skip


def group_page(members: Sequence[str], **more: object) -> str:
    """Return one whole listing of groups."""
    group = {"id": GROUP, "displayName": "Sales", "securityEnabled": True,
             "transitiveMembers": [{"@odata.type": "#microsoft.graph.user", "id": m} for m in members]}  # fmt: skip
    return json.dumps({"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#groups", "value": [group], **more})
