"""Evidence in which a person stands in every field, every spelling and every kind of file; and a search of bytes."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import duckdb
from landed import Desk, audit, call, envelope, group_page, sign_in

ID: Final = "d0d0cafe-1111-4222-8333-00c0ffee00aa"
UPN: Final = "zoë.o'marker@contoso.example"
MAIL: Final = "zmarker.mail@contoso.example"
NAME: Final = "Zoë O'Marker-Quux"
PHONE: Final = "+31 20 765 4321"
GIVEN: Final = "Zoëmarkergiven"
NEEDLES: Final = (
    ID, ID.replace("-", ""), UPN, "o'marker", "zmarker.mail", "zmarkerphone", "marker-quux", "7654321", "765 4321",
    "markergiven", "omarker",
)  # fmt: skip
"""What no file may hold afterwards, in any case."""

OTHER_ID: Final = "0e0e0e0e-1111-4222-8333-0000000000bb"
OTHER: Final = "bert@contoso.example"

USER: Final = {
    "id": ID, "userPrincipalName": UPN, "displayName": NAME, "mail": MAIL, "mobilePhone": PHONE, "givenName": GIVEN,
    "businessPhones": ["+31207654321"], "otherMails": [MAIL.upper()], "proxyAddresses": [f"SMTP:{MAIL}"],
    "userType": "Member", "accountEnabled": True, "usageLocation": "NL",
}  # fmt: skip
COLLEAGUE: Final = {
    "id": OTHER_ID, "userPrincipalName": OTHER, "displayName": "Bert Bystander", "mail": OTHER, "userType": "Member",
}  # fmt: skip


def users_page(*users: dict[str, Any]) -> str:
    """Return one whole listing of users, over several lines."""
    context = "https://graph.microsoft.com/v1.0/$metadata#users"
    return json.dumps({"@odata.context": context, "value": list(users)}, indent=1)


def directory_audit(event_id: str) -> dict[str, Any]:
    """Return a directory audit of what the person did to themselves."""
    who = {"id": ID, "displayName": NAME, "userPrincipalName": UPN, "ipAddress": "192.0.2.9"}
    return {
        "id": event_id, "category": "UserManagement", "activityDisplayName": "Update user", "result": "success",
        "activityDateTime": "2026-05-04T10:00:00Z", "loggedByService": "Core Directory", "initiatedBy": {"user": who},
        "targetResources": [{"id": ID, "type": "User", "userPrincipalName": UPN, "displayName": NAME,
                             "modifiedProperties": [{"displayName": "MobilePhone", "oldValue": json.dumps([PHONE]),
                                                     "newValue": json.dumps([NAME])}]}],
    }  # fmt: skip


def evidence(desk: Desk) -> list[Path]:
    """Write files of evidence of every kind and container; all name the person, most name a colleague too."""
    quoted = UPN.replace("'", "%27").replace("@", "%40").replace("ë", "%C3%AB")
    calls = [
        call("00000000-0000-4000-8000-000000000001"),
        call("00000000-0000-4000-8000-000000000002",
             requestUri=f"https://graph.microsoft.com/v1.0/users/{ID}/messages"),
        call("00000000-0000-4000-8000-000000000003",
             requestUri=f"https://graph.microsoft.com/v1.0/users/{quoted}/messages"),
        call("00000000-0000-4000-8000-000000000004", userId=ID.upper(), ipAddress="203.0.113.77", scopes="Mail.Read",
             requestUri="https://graph.microsoft.com/v1.0/me/messages"),
        call("00000000-0000-4000-8000-000000000005",
             requestUri=f"https://graph.microsoft.com/v1.0/users/{OTHER_ID}/messages"),
    ]  # fmt: skip
    audits = [
        audit("a1", UserId=UPN, MailboxOwnerUPN=UPN, UserKey=ID, LogonUserDisplayName=NAME),
        audit("a2", MailboxOwnerUPN=UPN.upper()),
        audit("a3", UserId=OTHER, MailboxOwnerUPN=OTHER),
    ]
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner/audit.ndjson", "\n".join(json.dumps(audit(f"z{n}", UserId=UPN)) for n in range(3)))
        archive.writestr("inner/others.ndjson", json.dumps(audit("z9", UserId=OTHER, MailboxOwnerUPN=OTHER)))
    signed = [
        sign_in("s1", userId=ID, userPrincipalName=UPN, userDisplayName=NAME, ipAddress="203.0.113.77"),
        sign_in("s2", userId=OTHER_ID, userPrincipalName=OTHER, userDisplayName="Bert Bystander"),
    ]
    spelled = json.dumps(sign_in("s3", userId=ID, userPrincipalName=UPN)).replace("c0ffee00aa", "c0ff\\u0065e00aa")
    return [
        desk.write("calls.json", calls),
        desk.write("audit.ndjson", audits),
        desk.write("portal.csv", _portal(audits)),
        desk.write("zipped.zip", zipped.getvalue()),
        desk.write("sign_ins.ndjson.gz", gzip.compress("\n".join(map(json.dumps, signed)).encode())),
        desk.write("spelled.ndjson", spelled),
        desk.write("directory.json", json.dumps({"value": [directory_audit("d1")]}).encode("utf-16")),
        desk.write(f"users of {NAME} {UPN}.json", users_page(USER, COLLEAGUE), at="2026-05-04T00:00:00+00:00"),
        desk.write("groups.json", group_page([ID, OTHER_ID]), at="2026-05-04T00:00:00+00:00"),
        desk.write("bad.ndjson", json.dumps(audit("", UserId=UPN)) + "\n" + json.dumps(audit("b1", UserId=UPN))),
        desk.write("enveloped.json", [envelope("SignInLogs", sign_in("e1", userId=ID, userPrincipalName=UPN))]),
    ]  # fmt: skip


def _portal(audits: list[dict[str, Any]]) -> str:
    rows = ["RecordId,CreationDate,RecordType,Operation,UserId,AuditData"]
    for record in audits:
        data = json.dumps({**record, "Id": f"p{record['Id']}"}).replace('"', '""')
        rows.append(f'p{record["Id"]},{record["CreationTime"]}Z,50,MailItemsAccessed,{record["UserId"]},"{data}"')
    return "\r\n".join(rows)


def plain_bytes(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file as they lie there, and as they are when what is compressed is undone."""
    data = path.read_bytes()
    yield data
    yield path.name.encode()
    if data[:2] == b"\x1f\x8b":
        yield gzip.decompress(data)
    if data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield from (archive.read(name) for name in archive.namelist())
    if path.suffix == ".duckdb":
        yield every_value(path)


def every_value(path: Path) -> bytes:
    """Return every value of every table of a database as text: DuckDB packs texts, so bytes alone prove little."""
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute("SELECT table_name FROM duckdb_tables() WHERE NOT internal").fetchall()
        found = [str(connection.table(name).fetchall()) for (name,) in tables]
    return "\n".join(found).encode("utf-8", "surrogatepass")


def search(folders: list[Path], needles: tuple[str, ...] = NEEDLES) -> list[tuple[str, str]]:
    """Return file and needle wherever one is found: in UTF-8, UTF-16 of both orders and as JSON escapes it."""
    found = []
    for path in sorted(each for folder in folders for each in folder.rglob("*") if each.is_file()):
        for data in plain_bytes(path):
            folded = data.lower()
            for needle in needles:
                spellings = {needle.lower(), json.dumps(needle.lower())[1:-1]}
                encoded = {s.encode(code) for s in spellings for code in ("utf-8", "utf-16-le", "utf-16-be")}
                if any(each in folded for each in encoded):
                    found.append((path.name, needle))
    return found
