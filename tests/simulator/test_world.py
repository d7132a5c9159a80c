"""The demo's world: documented shapes, truth that its own lines bear out, and the same bytes every time."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from m365audit.model import EXPORT_KINDS
from m365audit.resources import data_dir
from m365audit.simulator.diary import BEGIN, DAYS
from m365audit.simulator.integrations import CRM, ROLE_IDS, SHADOW, SYNC, TELEPHONY
from m365audit.simulator.people import CONTOSO_ID, FABRIKAM_ID, TAILSPIN_ID
from m365audit.simulator.world import World, write_world

RULES = {path.stem for path in (data_dir("queries") / "rules").rglob("*.sql")}
GRAPH_PROPERTIES = {
    "timeGenerated",
    "requestId",
    "operationId",
    "apiVersion",
    "requestMethod",
    "responseStatusCode",
    "tenantId",
    "requestUri",
    "roles",
    "scopes",
    "ipAddress",
    "userAgent",
    "durationMs",
    "signInActivityId",
}
BLOB = re.compile(r"tenantId=[0-9a-f-]{36}/y=2026/m=(\d\d)/d=(\d\d)/h=(\d\d)/m=00/PT1H\.json$")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return write_world(tmp_path_factory.mktemp("world"))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    content = path.read_bytes()
    assert content.endswith(b"\r\n")
    for line in content.split(b"\r\n")[:-1]:
        yield json.loads(line)


def _blobs(world: World, tenant: str, category: str = "microsoftgraphactivitylogs") -> list[Path]:
    return sorted((world.folder / "exports" / tenant / f"insights-logs-{category}").rglob("*.json"))


def _calls(world: World, tenant: str) -> list[dict[str, Any]]:
    return [line["properties"] for path in _blobs(world, tenant) for line in _lines(path)]


def _audit_records(world: World, tenant: str) -> list[dict[str, Any]]:
    folder = world.folder / "exports" / tenant
    records = [r for path in (folder / "management-activity").glob("*.json") for r in json.loads(path.read_bytes())]
    for path in (folder / "audit-search").glob("*.csv"):
        with path.open(encoding="utf-8-sig", newline="") as stream:
            records.extend(json.loads(row["AuditData"]) for row in csv.DictReader(stream))
    return records


def _time(text: str) -> datetime:
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))


def test_two_runs_write_the_same_bytes_and_file_times(world: World, tmp_path: Path) -> None:
    again = write_world(tmp_path)

    def prints(root: Path) -> dict[str, tuple[str, float]]:
        files = sorted(p for p in (root / "exports").rglob("*") if p.is_file())
        return {
            str(p.relative_to(root)): (hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_mtime) for p in files
        }

    assert prints(world.folder) == prints(again.folder)
    assert world.truth == again.truth
    for name in ("m365audit.yaml", "policy.yaml"):
        assert (world.folder / name).read_bytes() == (again.folder / name).read_bytes()


def test_another_seed_moves_ids_but_not_the_story(world: World, tmp_path: Path) -> None:
    other = write_world(tmp_path, seed=7)
    assert {c["requestId"] for c in _calls(world, "contoso")}.isdisjoint(
        c["requestId"] for c in _calls(other, "contoso")
    )
    assert {(v.app_id, v.verdict, v.reasons) for v in other.truth.verdicts} == {
        (v.app_id, v.verdict, v.reasons) for v in world.truth.verdicts
    }


def test_the_world_stays_small(world: World) -> None:
    assert sum(world.truth.lines.values()) <= 6_000
    assert world.bytes <= 8_000_000
    assert world.files <= 1_000


@pytest.mark.parametrize("tenant", ["contoso", "fabrikam", "tailspin"])
def test_graph_lines_have_the_documented_shape_and_lie_in_the_blob_of_their_hour(world: World, tenant: str) -> None:
    late = 0
    for path in _blobs(world, tenant):
        month, day, hour = (int(part) for part in (BLOB.search(path.as_posix()) or pytest.fail(str(path))).groups())
        begin = datetime(2026, month, day, hour, tzinfo=UTC)
        assert path.stat().st_mtime == (begin + timedelta(days=2)).timestamp()
        for line in _lines(path):
            assert line["category"] == "MicrosoftGraphActivityLogs"
            assert isinstance(line["durationMs"], str)
            properties = line["properties"]
            assert set(properties) >= GRAPH_PROPERTIES
            assert properties["requestUri"].startswith(f"https://graph.microsoft.com/{properties['apiVersion']}/")
            assert " " not in properties["requestUri"]
            assert bool(properties.get("userId")) != ("servicePrincipalId" in properties)
            moment = _time(properties["timeGenerated"])
            assert BEGIN <= moment < BEGIN + timedelta(days=DAYS)
            assert begin - timedelta(hours=1) <= moment < begin + timedelta(hours=1)
            late += moment < begin
    assert late or tenant == "tailspin"


def test_every_hour_is_exported_except_tailspins_three_days(world: World) -> None:
    hours = {t: {p.as_posix()[-25:] for p in _blobs(world, t)} for t in ("contoso", "fabrikam", "tailspin")}
    assert len(hours["contoso"]) == len(hours["fabrikam"]) == DAYS * 24
    missing = hours["contoso"] - hours["tailspin"]
    assert {m.split("/d=")[1][:2] for m in missing} == {"06", "07", "08"}
    assert len(missing) == 72


@pytest.mark.parametrize(
    ("tenant", "tenant_id"), [("contoso", CONTOSO_ID), ("fabrikam", FABRIKAM_ID), ("tailspin", TAILSPIN_ID)]
)
def test_truth_counts_what_is_written(world: World, tenant: str, tenant_id: str) -> None:
    calls = _calls(world, tenant)
    assert len(calls) == world.truth.lines[tenant_id, "graph_activity"]
    by_app = Counter(app for _, app in {(c["requestId"], c.get("appId")) for c in calls})
    for app, events in by_app.items():
        assert events == world.truth.count(tenant_id=tenant_id, feed="graph_activity", app_id=app)
    records = _audit_records(world, tenant)
    for feed, workload in (("audit_exchange", "Exchange"), ("audit_teams", "MicrosoftTeams")):
        found = Counter(
            r["AppAccessContext"]["ClientAppId"] if "AppAccessContext" in r else r.get("AppId") or None
            for r in records
            if r["Workload"] == workload
        )
        assert sum(found.values()) == world.truth.count(tenant_id=tenant_id, feed=feed)
        for app, events in found.items():
            assert events == world.truth.count(tenant_id=tenant_id, feed=feed, app_id=app)
    signed_in = [p for c in ("signinlogs", "noninteractiveusersigninlogs", "serviceprincipalsigninlogs") for p in
                 _blobs(world, tenant, c)] + _blobs(world, tenant, "managedidentitysigninlogs")  # fmt: skip
    ids = {line["properties"]["id"] for path in signed_in for line in _lines(path)}
    assert len(ids) == sum(n for (t, _), n in world.truth.sign_ins.items() if t == tenant_id)


def test_duplicates_say_the_same_under_a_later_envelope_time(world: World) -> None:
    seen: dict[str, list[dict[str, Any]]] = {}
    for path in _blobs(world, "contoso"):
        for line in _lines(path):
            seen.setdefault(line["properties"]["requestId"], []).append(line)
    doubled = [lines for lines in seen.values() if len(lines) > 1]
    assert doubled
    assert all(a["properties"] == b["properties"] and a["time"] < b["time"] for a, b in doubled)


def test_refused_calls_are_never_expected_inside_scope(world: World) -> None:
    for tenant, tenant_id in (("contoso", CONTOSO_ID), ("fabrikam", FABRIKAM_ID), ("tailspin", TAILSPIN_ID)):
        refused = {c["requestId"] for c in _calls(world, tenant) if c["responseStatusCode"] >= 400}
        microsoft = {c["requestId"] for c in _calls(world, tenant) if c.get("appId") == SYNC.id}
        scoped_out = world.truth.count(tenant_id=tenant_id, feed="graph_activity", verdict="out_of_scope")
        assert scoped_out >= len(refused | microsoft)
        assert world.truth.count(tenant_id=tenant_id, app_id=SYNC.id, verdict="out_of_scope") == len(microsoft)


def test_the_ignored_withdrawal_turns_at_the_end_of_stop_within(world: World) -> None:
    ends = datetime(2026, 9, 5, 9, tzinfo=UTC)
    calendar = [
        _time(c["timeGenerated"])
        for c in _calls(world, "fabrikam")
        if c.get("appId") == CRM.id and re.search(r"/(calendarView|events)\b", c["requestUri"])
    ]
    expected = world.truth.count(tenant_id=FABRIKAM_ID, app_id=CRM.id, reasons=("after_withdrawal",))
    assert sum(t >= ends for t in set(calendar)) == expected > 50
    assert {ends, ends - timedelta(microseconds=1)} <= set(calendar)


def test_scope_creep_is_granted_audited_and_used(world: World) -> None:
    folder = world.folder / "exports" / "contoso"
    audit = next(iter((folder / "insights-logs-auditlogs").glob("*.json")))
    roles = [
        json.loads(p["newValue"])
        for line in _lines(audit)
        for target in line["properties"]["targetResources"]
        for p in target["modifiedProperties"]
        if p["displayName"] == "AppRole.Value"
    ]
    assert roles == ["Calendars.ReadWrite"]
    assigned = json.loads((folder / "directory/app_role_assignments.json").read_bytes())["value"]
    mine = {a["appRoleId"] for a in assigned if a["principalDisplayName"] == TELEPHONY.name}
    assert ROLE_IDS["Calendars.ReadWrite"] in mine
    written = [c for c in _calls(world, "contoso") if c["requestMethod"] == "POST" and c.get("appId") == TELEPHONY.id]
    assert len(written) == world.truth.count(app_id=TELEPHONY.id, reasons=("operation", "permission")) == 7
    assert all("Calendars.ReadWrite" in c["roles"] for c in written)


def test_every_grant_of_a_token_stands_in_the_directory(world: World) -> None:
    """A role in a token that no assignment explains would be a wrong that nobody declared."""
    unexplained = set()
    for tenant in ("contoso", "fabrikam", "tailspin"):
        folder = world.folder / "exports" / tenant / "directory"
        assigned = json.loads((folder / "app_role_assignments.json").read_bytes())["value"]
        held = {(a["principalId"], a["appRoleId"]) for a in assigned}
        for call in _calls(world, tenant):
            roles = call["roles"].split() if call.get("servicePrincipalId") else []
            unexplained |= {(tenant, r) for r in roles if (call["servicePrincipalId"], ROLE_IDS[r]) not in held}
    assert unexplained == {("fabrikam", "Presence.Read.All")}


def test_audit_records_have_the_documented_shape(world: World) -> None:
    for tenant in ("contoso", "fabrikam"):
        for record in _audit_records(world, tenant):
            assert set(record) >= {"CreationTime", "Id", "Operation", "OrganizationId", "RecordType", "UserType"}
            assert re.fullmatch(r"2026-09-\d\dT\d\d:\d\d:\d\d", record["CreationTime"])
            if record["Operation"] == "MailItemsAccessed":
                assert record["RecordType"] == 50
                assert record["OperationCount"] == sum(len(f["FolderItems"]) for f in record["Folders"])
                assert {p["Name"] for p in record["OperationProperties"]} == {"MailAccessType", "IsThrottled"}
    mail = [r for r in _audit_records(world, "contoso") if r["Workload"] == "Exchange"]
    callers = {(r["AppId"], r["ClientAppId"]) for r in mail}
    assert ("00000003-0000-0000-c000-000000000000", CRM.id) in callers


def test_the_hostile_name_is_really_hostile(world: World) -> None:
    page = world.folder / "exports/contoso/directory/service_principals.json"
    names = {sp["appId"]: sp["displayName"] for sp in json.loads(page.read_bytes())["value"]}
    hostile = names[SHADOW.id]
    assert hostile.startswith("=")
    assert "<script>" in hostile
    assert "\u202e" in hostile


def test_listings_are_whole_and_groups_nest(world: World) -> None:
    folder = world.folder / "exports/contoso/directory"
    assert all("@odata.nextLink" not in json.loads(path.read_bytes()) for path in folder.glob("*.json"))
    groups = json.loads((folder / "groups.json").read_bytes())["value"]
    kinds = {m["@odata.type"] for g in groups for m in g["members"]}
    assert kinds == {"#microsoft.graph.user", "#microsoft.graph.group"}
    assert not (world.folder / "exports/tailspin/directory/groups.json").exists()


def test_the_configuration_names_every_exported_folder(world: World) -> None:
    config = yaml.safe_load(world.config.read_text(encoding="utf-8"))
    assert [t["id"] for t in config["tenants"]] == [t.id for t in world.tenants]
    for tenant in config["tenants"]:
        named = [world.folder / entry["path"] for entry in tenant["import"]]
        assert all(entry["kind"] in EXPORT_KINDS for entry in tenant["import"])
        assert all(path.exists() for path in named)
        root = world.folder / "exports" / tenant["name"].lower()
        covered = sum(1 for path in named for p in (path, *path.rglob("*")) if p.is_file())
        assert covered == sum(1 for p in root.rglob("*") if p.is_file())


def test_expected_findings_speak_of_known_rules_and_apps(world: World) -> None:
    truth = world.truth
    assert {f.rule for f in truth.findings} <= RULES
    assert {f.rule for f in truth.quiet} <= RULES | {"*"}
    for finding in truth.findings:
        clash = [q for q in truth.quiet if q.tenant_id == finding.tenant_id and q.rule in {"*", finding.rule}]
        assert all(dict(q.subject) != dict(finding.subject) for q in clash)


def test_configuration_and_policy_are_valid(world: World) -> None:
    config = pytest.importorskip("m365audit.config", reason="the configuration room is not built yet")
    assert config.load_settings(world.config).problems == ()
    assert config.load_policy(world.folder / "policy.yaml").problems == ()


def test_the_register_is_valid(world: World) -> None:
    register = pytest.importorskip("m365audit.register", reason="the register room is not built yet")
    config = pytest.importorskip("m365audit.config", reason="the configuration room is not built yet")
    catalogue = pytest.importorskip("m365audit.catalogue", reason="the catalogue is not built yet")
    if not hasattr(register, "load_register") or not hasattr(catalogue, "permission_names"):
        pytest.skip("the register room is not built yet")
    policy = config.load_policy(world.folder / "policy.yaml").policy
    loaded = register.load_register(world.folder / "consent", policy=policy, permissions=catalogue.permission_names())
    assert [str(p) for p in loaded.problems] == []
