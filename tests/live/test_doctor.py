"""The doctor, from the command line to the simulator and back: five tenants, each with another complaint."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from m365audit.cli import main
from m365audit.config import load_settings
from m365audit.graph import Ended, Job, Page, SignInFailed, cloud_of, collect
from m365audit.simulator.served import ServedClient, ServedTenant
from m365audit.simulator.service import Fault, RequestLog, running, writes
from m365audit.simulator.synthetic import synthetic_world, write_synthetic

KINDS = ("healthy", "lacking", "excessive", "expired", "hanging")
LACKED = ("CallRecords.Read.All", "Directory.Read.All", "DelegatedPermissionGrant.Read.All", "Policy.Read.All")


@dataclass(frozen=True)
class Visit:
    """What the doctor said and asked."""

    tenants: dict[str, dict[str, Any]]
    exit_code: int
    text: str
    log: RequestLog


def _client(tenant: ServedTenant) -> ServedClient:
    return next(iter(tenant.clients.values()))


def _complaints(tenants: dict[str, ServedTenant]) -> None:
    lacking, excessive, expired = tenants["lacking"], tenants["excessive"], tenants["expired"]
    lacking.plans.clear()
    lacking.collections["subscribedSkus"] = []
    lacking.is_audit_enabled = False
    _client(lacking).roles = tuple(role for role in _client(lacking).roles if role not in LACKED)
    _client(excessive).roles += ("Mail.ReadWrite", "Calendars.Read", "Presence.Read.All")
    _client(expired).is_secret_expired = True
    key = {"keyId": "k", "displayName": "auditor", "endDateTime": "2026-09-25T08:00:00Z"}
    tenants["excessive"].collections["applications"][0]["passwordCredentials"] = [key]


def _with_activity(config: Path, tenant: str) -> None:
    """Let a tenant import Graph activity logs of one hour."""
    hour = config.parent / "insights-logs-microsoftgraphactivitylogs/tenantId=x/y=2026/m=09/d=15/h=06/m=00"
    hour.mkdir(parents=True)
    (hour / "PT1H.json").touch()
    settings = yaml.safe_load(config.read_text())
    entry = next(each for each in settings["tenants"] if each["id"] == tenant)
    entry["import"] = [{"kind": "graph_activity", "path": "./insights-logs-microsoftgraphactivitylogs"}]
    config.write_text(yaml.safe_dump(settings))


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    world = synthetic_world(11, tenants=len(KINDS), records=40)
    tenants = dict(zip(KINDS, world.served.tenants.values(), strict=True))
    for name, tenant in tenants.items():
        tenant.name = name
    _complaints(tenants)
    with running(world.served, [Fault("hangs", tenant=tenants["hanging"].id)], separate_ports=True) as simulator:
        config = write_synthetic(tmp_path_factory.mktemp("doctor"), world, cloud=simulator.cloud())
        _with_activity(config, tenants["healthy"].id)
        asked = ["doctor", "--config", str(config)]
        told = CliRunner().invoke(main, [*asked, "--timeout", "8", "--format", "json"])
        text = CliRunner().invoke(main, [*asked, "--tenant", tenants["lacking"].id])
        found = {tenant["name"]: tenant for tenant in json.loads(told.stdout)["tenants"]}
        yield Visit(found, told.exit_code, text.stdout, simulator.log)


def _states(tenant: dict[str, Any], what: str = "readings", name: str = "collection") -> dict[str, str]:
    return {each[name]: each["state"] for each in tenant[what]}


def test_each_tenant_gets_its_verdict(visit: Visit) -> None:
    assert {name: tenant["verdict"] for name, tenant in visit.tenants.items()} == {
        "healthy": "ready",
        "lacking": "incomplete",
        "excessive": "refused",
        "expired": "locked_out",
        "hanging": "locked_out",
    }
    assert visit.exit_code == 4


def test_a_healthy_tenant_can_be_read_whole(visit: Visit) -> None:
    tenant = visit.tenants["healthy"]
    assert set(_states(tenant).values()) <= {"readable", "empty", "permitted"}
    assert set(_states(tenant, "permissions", "name").values()) == {"present"}
    assert _states(tenant)["graph_activity"] == "readable"
    logs = {name: state for name, state in _states(tenant).items() if name.startswith("sign_ins_")}
    assert set(logs.values()) == {"readable"}, "asked for the last day by Microsoft's clock, not by the host's"
    assert not any(each["unassessable"] for each in tenant["readings"])
    assert tenant["sign_in"]["client_id"] in tenant["consent_link"]


def test_what_is_missing_is_told_by_its_cause(visit: Visit) -> None:
    tenant = visit.tenants["lacking"]
    states = _states(tenant)
    assert {name for name, state in states.items() if state == "licence"} == {
        "sign_ins_interactive",
        "sign_ins_non_interactive",
        "sign_ins_service_principal",
        "sign_ins_managed_identity",
    }
    assert {name for name, state in states.items() if state == "disabled"} >= {
        "audit_exchange", "audit_sharepoint", "audit_entra", "audit_general"
    }  # fmt: skip
    assert {"call_records", "policies", "delegated_permission_grants"} == {
        name for name, state in states.items() if state == "permission"
    }
    assert states["graph_activity"] == "unseen"
    assert all(each["unassessable"] for each in tenant["readings"] if each["state"] in {"licence", "permission"})
    missing = {name for name, state in _states(tenant, "permissions", "name").items() if state == "missing"}
    assert missing == {"CallRecords.Read.All", "Directory.Read.All", "Policy.Read.All"}
    assert _states(tenant, "licences", "name")["Entra ID P1"] == "no"


def test_the_page_says_what_to_do(visit: Visit) -> None:
    assert "add CallRecords.Read.All, Directory.Read.All, Policy.Read.All to the application" in visit.text
    assert "/adminconsent?client_id=" in visit.text
    assert "who called or met whom in Teams" in visit.text
    assert "excessive" not in visit.text, "only the tenant that was named"


def test_what_opens_or_changes_is_refused(visit: Visit) -> None:
    states = _states(visit.tenants["excessive"], "permissions", "name")
    assert {name for name, state in states.items() if state == "refused"} == {"Mail.ReadWrite", "Calendars.Read"}
    assert states["Presence.Read.All"] == "surplus"


def test_a_secret_that_ends_soon_is_seen_from_the_application(visit: Visit) -> None:
    assert visit.tenants["excessive"]["sign_in"]["days_left"] == 9


def test_a_refusal_is_told_from_silence(visit: Visit) -> None:
    expired, hanging = visit.tenants["expired"]["sign_in"], visit.tenants["hanging"]["sign_in"]
    assert (expired["state"], expired["code"]) == ("refused", "AADSTS7000222")
    assert expired["todo"]
    assert hanging["state"] == "unreachable"


def test_it_only_asks(visit: Visit) -> None:
    assert not writes(visit.log)
    assert {request.method for request in visit.log if request.service != "login"} == {"GET"}


def test_nobody_let_in_is_a_code_of_its_own(tmp_path: Path) -> None:
    world = synthetic_world(12, tenants=1, records=1)
    _client(next(iter(world.served.tenants.values()))).is_secret_expired = True
    with running(world.served) as simulator:
        config = write_synthetic(tmp_path, world, cloud=simulator.cloud())
        assert CliRunner().invoke(main, ["doctor", "--config", str(config)]).exit_code == 3


def test_a_place_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    world = synthetic_world(13, tenants=1, records=1)
    with running(world.served) as simulator:
        config = write_synthetic(tmp_path, world, cloud=simulator.cloud())
        ca_file = tmp_path / "kept-ca.pem"
        ca_file.write_bytes(simulator.ca_file.read_bytes())
        config.write_text(config.read_text().replace(str(simulator.ca_file), str(ca_file)))
    told = CliRunner().invoke(main, ["doctor", "--config", str(config), "--timeout", "1", "--format", "json"])
    assert told.exit_code == 3
    assert json.loads(told.stdout)["tenants"][0]["sign_in"]["state"] == "unreachable"


def test_a_run_reads_nothing_where_it_may_do_too_much(tmp_path: Path) -> None:
    world = synthetic_world(14, tenants=1, records=1)
    tenant = next(iter(world.served.tenants.values()))
    _client(tenant).roles += ("Mail.ReadWrite",)
    with running(world.served) as simulator:
        settings = load_settings(write_synthetic(tmp_path, world, cloud=simulator.cloud())).settings
        job = Job(settings.tenants[0], ("users", "directory_audits"))
        cloud, within = cloud_of(settings.cloud), timedelta(hours=1)
        events = list(collect([job], cloud, lambda event: [event], state=tmp_path, within=within))
        asked = {request.path.rpartition("/")[2] for request in simulator.log if request.service == "graph"}
    assert not any(isinstance(event, Page) for event in events)
    assert {event.reason for event in events if isinstance(event, Ended)} == {"permission"}
    failed = next(event for event in events if isinstance(event, SignInFailed))
    assert "Mail.ReadWrite" in failed.message
    assert not asked & {"users", "directoryAudits"}


def test_without_a_configuration_it_says_so(tmp_path: Path) -> None:
    assert CliRunner().invoke(main, ["doctor", "--config", str(tmp_path / "none.yaml")]).exit_code == 2
