"""Persons where attackers and life put them: in every column that can hold one, written in every way there is."""

from __future__ import annotations

import base64
from itertools import count
from typing import Final

import duckdb

from m365audit.report.people import People
from m365audit.store.person_columns import person_columns

TENANT: Final = "11111111-1111-4111-8111-111111111111"
USER: Final = "5a3c9f00-1111-4222-8333-abcdefabcdef"
UPN: Final = "Femke.de.Boer@contoso.example"
NAME: Final = "Femke de Boer"
STRANGER: Final = "xanthippe.k@fabrikam.example"
PLANTED: Final = (
    UPN, UPN.upper(), USER.upper(), NAME, f"Mailbox of {NAME} ({UPN})", f"/users/{USER}/messages?$top=5",
    f"/users('{UPN.replace('@', '%40')}')/x", UPN.replace("@", "%2540"), UPN.replace("@", "&#64;"),
    UPN.replace("@", "\uff20"), UPN.replace("e", "\u0435"), UPN.replace("@", "\u200b@"),
    base64.b64encode(UPN.encode()).decode(), UPN.encode().hex(), "femke.de.boer@xn--contso-0ta.example",
    f"Mozilla/5.0 (compatible; {NAME}; +mailto:{UPN})", NAME.replace(" ", "\u00a0"), "Boer, Femke de",
    f"/personal/femke_de_boer_contoso_example/Documents/{NAME.replace(' ', '%20')}.docx", f'{{"owner":"{UPN}"}}',
    f"Team of {NAME} \u2013 planning", f"{STRANGER}; 198.51.100.77", f"line 7: cannot read \u201c{STRANGER}\u201d",
)  # fmt: skip
TRACES: Final = (
    "femke",
    "5a3c9f00",
    "boer",
    "xanthippe",
    "198.51.100",
    "rmvta2uu",
    "46656d6b65",
    "@contoso",
    "@fabrikam",
)
"""What tells who it is, in small letters; the planted texts hold at least one each."""

_JOINED: Final = frozenset({
    "event_id", "record_id", "grant_id", "object_id", "record", "run_id", "member_id", "user_id", "principal_id",
})  # fmt: skip
"""Columns by which rows find each other."""
_KNOWN_BY: Final = frozenset({"directory_users", "sign_ins", "directory_changes", "admin_changes"})
"""Tables that say who is a person; planting there would make every disguise a name."""


def knowing(people: People) -> People:
    """Tell who the person is, as the directory does."""
    people.learn([{"tenant_id": TENANT, "person_id": USER, "person_name": name} for name in (UPN.lower(), NAME)])
    return people


def plant(connection: duckdb.DuckDBPyConnection, database: str) -> int:
    """Put the planted texts, in turn, into every column of a database that can hold a person; return how many."""
    number = count()
    for table, columns in person_columns(connection, database).items():
        if table in _KNOWN_BY:
            continue
        for column, kind in columns.items():
            if column in _JOINED or (table, column) == ("review_events", "subject"):
                continue
            _fill(connection, f'{database}.main."{table}"', column, kind, next(number))
    return next(number)


def _fill(connection: duckdb.DuckDBPyConnection, table: str, column: str, kind: str, start: int) -> None:
    turned = [*PLANTED[start % len(PLANTED) :], *PLANTED[: start % len(PLANTED)]]
    text = f"($planted)[1 + (rowid + {start}) % {len(PLANTED)}]"
    value = {"VARCHAR": text, "VARCHAR[]": f"[{text}]"}.get(kind)
    if (table.rpartition(".")[2], column) == ('"findings"', "subject"):
        value = f"json_object('app_id', app_id, 'owner', {text}, 'what', {text})"
    elif kind == "JSON":
        value = f"json_object('reason', {text}, 'owner', {text}, 'evidence', {text})"
    elif column == "changes":
        value = f"[{{'change': 'set', 'what': {text}}}]"
    if value is not None:
        connection.execute(f'UPDATE {table} SET "{column}" = {value}', {"planted": turned})  # noqa: S608


def traces(text: str) -> list[str]:
    """Return what of the planted persons stands in a text, each with what is around it."""
    lowered = text.lower()
    return [lowered[max(lowered.find(trace) - 90, 0) :][:220] for trace in TRACES if trace in lowered]
