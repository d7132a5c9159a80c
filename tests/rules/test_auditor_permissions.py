"""What an auditor may hold is told the same by the doctor, by a run and by the rule, odd names too."""

from __future__ import annotations

from typing import Final

from rule_database import MemoryDatabase

from m365audit.catalogue import auditor_permission_rows, permission_id_rows
from m365audit.graph.entitlements import refusal
from m365audit.resources import data_dir

ODD: Final = (
    "Application Mail.Read", "Application EWS.AccessAsApp", "Group.Read.All", "GroupMember.Read.All",
    "Group.ReadBasic.All", "GroupSettings.Read.All", "Groups.Read", "Sorcery.Perform.All", "Sorcery.Read.All",
    "Mail", "Mail.Read\n", "Mail\n.Read", ".Read", "User.Read.", "User.Readable", "User.ReadForever.All", "read", "",
)  # fmt: skip


def test_rule_and_sign_in_refuse_the_same() -> None:
    database = MemoryDatabase()
    for row in auditor_permission_rows():
        database.insert("auditor_permissions", row)
    names = sorted({row["permission"] for row in permission_id_rows()} | set(ODD))
    database.insert("auditor", {"tenant_id": "t", "app_id": "a", "permissions": names, "scopes": []})
    sql = (data_dir("queries") / "rules" / "auditor" / "auditor-holds-too-much.sql").read_text("utf-8")
    found = {str(row[2]) for row in database.execute(sql)}
    assert len(names) > 500
    assert found == {name for name in names if refusal(name)}
    assert {"Mail.ReadBasic", "Chat.Read", "Directory.ReadWrite.All", "Sorcery.Perform.All"} <= found
    assert not found & {"GroupMember.Read.All", "Group.ReadBasic.All", "Directory.Read.All", "AuditLog.Read.All"}


def test_a_catalogue_that_says_nothing_lets_nothing_be_held() -> None:
    database = MemoryDatabase()
    database.insert("auditor", {"tenant_id": "t", "app_id": "a", "permissions": ["AuditLog.Read.All"], "scopes": []})
    sql = (data_dir("queries") / "rules" / "auditor" / "auditor-holds-too-much.sql").read_text("utf-8")
    assert [row[2] for row in database.execute(sql)] == ["AuditLog.Read.All"]
