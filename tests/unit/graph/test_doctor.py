"""What an examination says, word for word, and how permissions are judged. UPDATE_SNAPSHOTS=1 takes a wanted change."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self, cast

import pytest

from m365audit.cli.examined import examined_facts, examined_lines
from m365audit.cli.harmless import harmless
from m365audit.cli.output import as_json
from m365audit.config import StandingImport, StorageSettings
from m365audit.graph import probes
from m365audit.graph.blobs import Blob
from m365audit.graph.clouds import CLOUDS, Cloud
from m365audit.graph.doctor import needs
from m365audit.graph.entitlements import STANDS_IN, judged, needed, refusal, refused, require_modest
from m365audit.graph.examination import GOOD, Examination, Examined, Held, Licence, Reading, SignIn
from m365audit.graph.failures import CollectionError, SignInError
from m365audit.graph.feeds.collection import Client, Permission
from m365audit.graph.feeds.registry import COLLECTIONS
from m365audit.graph.storage_seen import hours_seen

SNAPSHOTS = Path(__file__).resolve().parents[2] / "snapshots" / "doctor"
CLIENT = "22222222-2222-4222-8222-222222222222"
AT = datetime(2026, 9, 15, 8, tzinfo=UTC)
AUDIT = Permission("graph", "AuditLog.Read.All", "b0afded3-3588-46d8-8b3d-9842eff778da")
USERS = Permission("graph", "User.Read.All", "df021288-bdef-4463-88db-98f22de89214")


def healthy(name: str = "Contoso", number: int = 1) -> Examination:
    tenant = f"{number}1111111-1111-4111-8111-111111111111"
    ends_at = datetime(2027, 8, 20, 9, tzinfo=UTC)
    return Examination(
        tenant,
        name,
        SignIn("works", "certificate", CLIENT, ends_at=ends_at, days_left=339),
        (Held("graph", AUDIT.name, AUDIT.app_role_id, "present", ("directory_audits",), ""),),
        (Licence("Entra ID P1", ("AAD_PREMIUM",), "yes", "sign-in logs"),),
        (Reading("directory_audits", ("directory_audits",), "readable"), Reading("users", ("users",), "permitted")),
        f"https://login.microsoftonline.com/{tenant}/adminconsent?client_id={CLIENT}",
        AT,
    )


def lacking() -> Examination:
    found = healthy("Fabrikam", 2)
    calls = "who called whom"
    return replace(
        found,
        sign_in=replace(found.sign_in, kind="secret_file", ends_at=datetime(2026, 9, 27, tzinfo=UTC), days_left=11),
        permissions=(
            *found.permissions,
            Held("graph", USERS.name, USERS.app_role_id, "covered", ("users",), "by Directory.Read.All"),
            Held("graph", "CallRecords.Read.All", "45bbb07e", "missing", ("call_records",), ""),
            Held("graph", "Presence.Read.All", "", "surplus", (), ""),
        ),
        licences=(Licence("Entra ID P1", ("AAD_PREMIUM",), "no", "sign-in logs"),),
        readings=(
            *found.readings,
            Reading("sign_ins_interactive", ("sign_ins_interactive",), "licence", "no P1", "buy it", "who signed in"),
            Reading("audit_exchange", ("audit_exchange",), "disabled", "it is off", "switch it on", "who read mail"),
            Reading("call_records", ("call_records",), "permission", "not allowed", "grant it", calls),
        ),
    )  # fmt: skip


def excessive() -> Examination:
    found = healthy("Tailspin\x1b[31m", 3)
    mail = Held("graph", "Mail.Read", "", "refused", (), "opens mail")
    write = Held("graph", "User.ReadWrite.All", "", "refused", (), "is more than a permission to read")
    return replace(found, permissions=(*found.permissions, mail, write))


def locked_out() -> Examination:
    message, todo = "the client secret has expired", "make a new secret"
    sign_in = SignIn("refused", "secret_file", CLIENT, "AADSTS7000222", message, todo)
    return Examination("41111111-1111-4111-8111-111111111111", "Northwind", sign_in)


def imports_only() -> Examination:
    return Examination("51111111-1111-4111-8111-111111111111", "Wingtip", SignIn("none"))


def everything() -> Examined:
    tenants = (healthy(), lacking(), excessive(), locked_out(), imports_only())
    return Examined(tenants, needs([COLLECTIONS["directory_audits"], COLLECTIONS["audit_exchange"]]))


@pytest.mark.parametrize("form", ["txt", "json"])
def test_it_says_what_it_said(form: str) -> None:
    found = everything()
    text = "\n".join(map(harmless, examined_lines(found))) if form == "txt" else as_json(examined_facts(found))
    snapshot = SNAPSHOTS / f"doctor.{form}"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        snapshot.parent.mkdir(parents=True, exist_ok=True)
        snapshot.write_text(text + "\n", encoding="utf-8")
    assert text + "\n" == snapshot.read_text(encoding="utf-8")


def test_machines_read_the_verdict() -> None:
    told = json.loads(as_json(examined_facts(everything())))
    assert [tenant["verdict"] for tenant in told["tenants"]] == [
        "ready", "incomplete", "refused", "locked_out", "imports_only"
    ]  # fmt: skip
    assert told["exit_code"] == 4


@pytest.mark.parametrize(
    ("tenants", "code"),
    [
        ([healthy()], 0),
        ([healthy(), imports_only()], 0),
        ([imports_only()], 0),
        ([locked_out()], 3),
        ([locked_out(), imports_only()], 3),
        ([locked_out(), healthy()], 4),
        ([lacking()], 4),
        ([excessive()], 4),
    ],
)
def test_exit_codes(tenants: list[Examination], code: int) -> None:
    assert Examined(tuple(tenants), ()).exit_code == code


@pytest.mark.parametrize(
    "role",
    ["Mail.Read", "Mail.ReadBasic.All", "Mail.Send", "Mail-Advanced.ReadWrite.All", "MailboxSettings.Read",
     "Calendars.Read", "Calendars.ReadBasic.All", "Chat.Read.All", "Chat.ReadBasic.All", "ChatMessage.Read.All",
     "ChannelMessage.Read.All", "Files.Read.All", "Sites.Read.All", "Sites.Selected", "Contacts.Read", "Notes.Read.All",
     "OnlineMeetingTranscript.Read.All", "Group.Read.All", "Directory.ReadWrite.All", "User.ReadUpdate.All",
     "Application.ReadWrite.OwnedBy", "User.Invite.All", "Sites.FullControl.All", "Teamwork.Migrate.All",
     "RoleManagement.ReadWrite.Exchange", "User.Export.All", "full_access_as_app", "Exchange.ManageAsApp", "", "Read"],
)  # fmt: skip
def test_what_an_auditor_must_not_hold(role: str) -> None:
    assert refusal(role)


@pytest.mark.parametrize(
    "role",
    ["AuditLog.Read.All", "Directory.Read.All", "DeviceManagementApps.Read.All", "RoleManagement.Read.Exchange",
     "GroupMember.Read.All", "Group.ReadBasic.All", "ActivityFeed.ReadDlp", "AuditLogsQuery-Exchange.Read.All",
     "TeamsAppInstallation.ReadForTeam.All", "ServicePrincipalEndpoint.Read.All"],
)  # fmt: skip
def test_what_an_auditor_may_hold(role: str) -> None:
    assert not refusal(role)


def test_nothing_is_asked_for_that_is_refused() -> None:
    asked = {
        permission.name
        for each in COLLECTIONS.values()
        for permission in each.permissions
        if permission.api != "storage"
    }
    assert asked
    assert not {name for name in asked if refusal(name)}
    assert not {other for others in STANDS_IN.values() for other in others if refusal(other)}


def test_a_tenant_with_too_much_is_refused() -> None:
    with pytest.raises(SignInError, match=r"Mail\.ReadWrite"):
        require_modest(["graph/AuditLog.Read.All", "graph/Mail.ReadWrite"])
    require_modest(["graph/AuditLog.Read.All", "manage/ActivityFeed.Read"])
    assert refused(["manage/Mail.Read"]) == ("manage/Mail.Read",)


def test_permissions_are_judged_by_service() -> None:
    wanted = {AUDIT: ("directory_audits",), USERS: ("users",)}
    graph = frozenset({"Directory.Read.All", "Calendars.Read", "Presence.Read.All"})
    found = {(held.api, held.name): held.state for held in judged(wanted, {"graph": graph, "manage": None})}
    assert found == {
        ("graph", "AuditLog.Read.All"): "missing",
        ("graph", "User.Read.All"): "covered",
        ("graph", "Directory.Read.All"): "covering",
        ("graph", "Calendars.Read"): "refused",
        ("graph", "Presence.Read.All"): "surplus",
    }


def test_a_token_that_says_nothing_proves_nothing_missing() -> None:
    (held,) = judged({AUDIT: ("directory_audits",)}, {"graph": None})
    assert held.state == "unknown"


def test_every_permission_has_its_id_and_says_who_needs_it() -> None:
    for permission, names in needed(COLLECTIONS.values()).items():
        assert names
        assert permission.api == "storage" or len(permission.app_role_id) == 36


def test_hours_of_graph_activity_are_found(tmp_path: Path) -> None:
    place = tmp_path / "insights-logs-microsoftgraphactivitylogs/tenantId=x/y=2026/m=09/d=14"
    for hour in ("07", "23"):
        (place / f"h={hour}/m=00").mkdir(parents=True)
        (place / f"h={hour}/m=00/PT1H.json").touch()
    seen = hours_seen([StandingImport(path=tmp_path / "insights-logs-microsoftgraphactivitylogs")])
    assert seen.state == "readable"
    assert "2 hours" in seen.detail
    assert "2026-09-14T07:00Z to 2026-09-14T23:00Z" in seen.detail


@pytest.mark.parametrize("imports", [(), (StandingImport(path=Path("/nowhere/at/all"), kind="graph_activity"),)])
def test_no_hours_are_not_seen(imports: tuple[StandingImport, ...]) -> None:
    seen = hours_seen(imports)
    assert seen.state not in GOOD
    assert seen.todo


@dataclass
class _Stored:
    """As much of a client as looking into a storage account needs."""

    storage: StorageSettings | None
    cloud: Cloud = CLOUDS["global"]
    tenant: str = "11111111-1111-4111-8111-111111111111"

    def now(self) -> datetime:
        return AT

    async def storage_token(self) -> str:
        return "token"


class _Container:
    """A container that opens, and whose files can be read, or not."""

    readable = True

    def __init__(self, *_: object, **__: object) -> None:
        pass

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def read(self, *_: object) -> bytes:
        if not self.readable:
            raise CollectionError("permission", "listed, not read", hint="grant Storage Blob Data Reader")
        return b"{"


def _looked(monkeypatch: pytest.MonkeyPatch, hours: list[datetime], *, readable: bool = True) -> probes.Seen | None:
    async def files(*_: object) -> dict[datetime, list[Blob]]:
        return {hour: [Blob("PT1H.json", 1, AT)] for hour in hours}

    monkeypatch.setattr(probes, "files_of", files)
    monkeypatch.setattr(probes, "Container", _Container)
    monkeypatch.setattr(_Container, "readable", readable)
    client = cast("Client", _Stored(StorageSettings(account_url="https://logs.blob.core.windows.net")))
    return asyncio.run(probes.seen(client, COLLECTIONS["graph_activity"]))


def test_hours_in_the_storage_account_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    hours = [AT - timedelta(hours=n) for n in (1, 2)]
    seen = _looked(monkeypatch, hours)
    assert seen == probes.Seen("readable", "2 hours of the last two days, the newest 2026-09-15T07:00:00Z")


def test_a_storage_account_without_hours_is_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = _looked(monkeypatch, [])
    assert seen is not None
    assert seen.state == "unseen"
    assert "diagnostic setting" in seen.todo


def test_who_may_list_and_not_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = _looked(monkeypatch, [AT], readable=False)
    assert seen is not None
    assert (seen.state, seen.todo) == ("permission", "grant Storage Blob Data Reader")


def test_without_a_storage_account_there_is_nothing_to_ask() -> None:
    client = cast("Client", _Stored(None))
    assert asyncio.run(probes.seen(client, COLLECTIONS["graph_activity"])) is None
