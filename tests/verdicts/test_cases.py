"""The cases of tests/verdicts/cases, judged by the product's queries and by the oracle."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from m365audit.resources import yaml_values

from . import oracle
from .database import judge_all, judge_side_by_side
from .world import Change, Entry, Event, Process, Record, Snapshot, Verdict, World, utc

FILES: Final = sorted(Path(__file__).with_name("cases").glob("*.yml"))
TENANT: Final = "contoso"


def _cases() -> list[Any]:
    found = []
    for path in FILES:
        document = yaml_values(path.read_text(encoding="utf-8"))
        found += [pytest.param(document["given"] | case, id=case["name"]) for case in document["cases"]]
    return found


@pytest.mark.parametrize("case", _cases())
def test_case(case: dict[str, Any]) -> None:
    world = _world(case)
    expect = case["expect"]
    record, _, process = expect.get("by", "/").partition("/")
    expected = Verdict(expect["verdict"], tuple(expect.get("reasons", ())), record or None, process or None)
    (event,) = world.events
    assert oracle.judge(world, event) == expected, "the oracle"
    assert judge_all(world) == {(event.tenant, event.event_id): expected}


def test_all_cases_in_one_world_are_judged_as_if_alone() -> None:
    worlds = [_world(p.values[0]) for p in _cases() if not {"policy", "unevaluated"} & set(p.values[0])]
    expected = [{(e.tenant, e.event_id): oracle.judge(w, e) for e in w.events} for w in worlds]
    assert len(worlds) > 60
    assert judge_side_by_side(*worlds) == expected


def _world(case: dict[str, Any]) -> World:
    policy = case.get("policy", {})
    world = World(
        records=tuple(_record(r) for r in case["register"]),
        events=(_event(case["event"]),),
        snapshots=tuple(_snapshot(s) for s in case.get("snapshots", ())),
        changes=tuple(
            Change(TENANT, c["group"], c["member"], _time(c["at"]), c["change"]) for c in case.get("changes", ())
        ),
        directory=tuple((TENANT, d["id"], d["name"]) for d in case.get("directory", ())),
        service_principals=tuple((TENANT, s["app"], s["owner"]) for s in case.get("service_principals", ())),
        first_party=frozenset({"microsoft-app"}),
        microsoft_tenants=frozenset({"microsoft"}),
        unevaluated=frozenset(case.get("unevaluated", ())),
    )
    return replace(
        world,
        workloads=tuple(policy.get("workloads", world.workloads)),
        before_first=timedelta(days=policy.get("before_first_days", 31)),
    )


def _time(value: date | datetime | str) -> datetime:
    return utc(str(value))


def _record(values: dict[str, Any]) -> Record:
    return Record(
        record=values["record"],
        tenant=TENANT,
        app_ids=tuple(values.get("app_ids", ("crm-app",))),
        history=tuple(_entry(e) for e in values["history"]),
        stop_within=timedelta(hours=values.get("stop_within_hours", 0)),
    )


def _entry(values: dict[str, Any]) -> Entry:
    if "until" not in values:
        return Entry(values["event"], _time(values["from"]), named=tuple(values.get("processes", ())))
    processes = tuple(_process(p) for p in values["processes"])
    return Entry(values["event"], _time(values["from"]), _time(values["until"]), processes)


def _process(values: dict[str, Any]) -> Process:
    permissions = values.get("permissions", [{"name": "Mail.Read", "kind": "application"}])
    return Process(
        id=values["id"],
        workload=values.get("workload", "mail"),
        operations=tuple(values.get("operations", ("read",))),
        permissions=tuple((p["name"], p["kind"]) for p in permissions),
        covers_all=not {"ids", "groups"} & set(values),
        ids=tuple(values.get("ids", ())),
        groups=tuple(values.get("groups", ())),
    )


def _snapshot(values: dict[str, Any]) -> Snapshot:
    members = tuple((m["group"], "group") if isinstance(m, dict) else (m, "user") for m in values["members"])
    return Snapshot(TENANT, values["group"], _time(values["at"]), members, is_complete=values.get("complete", True))


def _event(values: dict[str, Any]) -> Event:
    permissions = values.get("permissions", ("Mail.Read",))
    return Event(
        tenant=values.get("tenant", TENANT),
        event_id="event",
        occurred_at=None if values["at"] is None else _time(values["at"]),
        app_id=values.get("app", "crm-app"),
        access_kind=values.get("kind", "application"),
        workload=values.get("workload", "mail"),
        operation=values.get("operation", "read"),
        permissions=None if permissions is None else tuple(permissions),
        resource_kind=values.get("resource_kind", "user"),
        resource_id=values.get("id", "ann-id"),
        resource_name=values.get("name"),
        succeeded=values.get("succeeded", True),
    )
