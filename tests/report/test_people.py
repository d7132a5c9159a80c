"""Persons are tokens in every form: planted names, addresses and ids come out of no field, however they are written."""

from __future__ import annotations

import base64
import json
import stat
import time
from pathlib import Path

import duckdb
import pytest

from m365audit.errors import StoreError
from m365audit.report import People, render
from m365audit.report.tables import SECTIONS
from m365audit.store.person_key import person_key

from .reader import _OURS, QueryReader, ReplacedReader, document_of, people, pieces
from .replaced import VOCABULARY

TENANT = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
USER = "5a3c9f00-1111-4222-8333-abcdefabcdef"
UPN = "Femke.de.Boer@contoso.example"
NAME = "Femke de Boer"

PLANTED = (
    UPN, UPN.upper(), USER, USER.upper(), NAME, "femke DE boer", f"Mailbox of {NAME} ({UPN})",
    f"/users/{USER}/messages",
    f"/users/{UPN}/messages?$top=5", "/personal/femke_de_boer_contoso_example/Documents/x.docx", f"<{UPN}>",
    f"smtp:{UPN}", "femke.de.boer%40contoso.example", f"{UPN}, {UPN}; {UPN}", f'{{"owner":"{UPN}"}}', f"it was {UPN}.",
    "198.51.100.77", "from 198.51.100.77:443", "it came from 198.51.100.77. And then", "[198.51.100.77]",
    "2001:db8:85a3::8a2e:370:7334",
    "somebody.else@fabrikam.example",
    f"x={UPN}", f"{NAME}'s calendar", f"\u201c{NAME}\u201d",
)  # fmt: skip
NULL, AT = "\u200b", "\uff20"
DISGUISED = (
    UPN.replace("@", "%2540"), "".join(f"%{byte:02X}" for byte in UPN.encode()), UPN.replace("@", AT),
    UPN.replace("@", "&#64;"), UPN.replace("@", "&commat;"), UPN.replace("@", "=40"), UPN.replace("@", "\\u0040"),
    UPN.replace("e", "\u0435"), UPN.replace("@", f"{NULL}@"), "".join(chr(ord(char) + 0xFEE0) for char in UPN),
    '"Femke.de.Boer"@contoso.example', "Femke.de.Boer_contoso.example#EXT#@other.onmicrosoft.com",
    "femke.de.boer@xn--contso-0ta.example", "CONTOSO\\femke.de.boer", f"i:0#.f|membership|{UPN}",
    base64.b64encode(UPN.encode()).decode(),
    base64.urlsafe_b64encode(f'{{"user":"{UPN}"}}'.encode()).decode().rstrip("="),
    base64.b64encode(NAME.encode()).decode(), UPN.encode().hex(), USER.replace("-", ""), USER.replace("-", "%2D"),
    f"Mozilla/5.0 (compatible; {NAME})", f"/sites/Team%20of%20{NAME.replace(' ', '%20')}/x",
    NAME.replace(" ", "\u00a0"),
    NAME.replace(" ", "_"), NAME.replace(" ", "+"), NAME.replace(" ", "."), NAME.replace(" ", "  "), "Boer, Femke de",
    "de Boer Femke", "FemkedeBoer", NAME.replace("e", "\u0435"), NAME.replace("k", f"k{NULL}"), f"\u0130 {NAME}",
    "Fe\u0301mke de Boer",
)  # fmt: skip
"""Ways to write a person so that neither an eye nor a search finds them, and a decoder does."""
_CODES = {"operation", "reasons", "table_name", "gap_reasons", "run_id", "register_state", "register_hash"}
"""Columns of page 1 that hold the product's own codes and numbers."""
TRACES = ("femke", "5a3c9f00", "boer", "198.51.100.77", "2001:db8", "somebody.else", "@")


def _knowing(*, is_identified: bool = False) -> People:
    known = people(is_identified=is_identified)
    known.learn([
        {"tenant_id": TENANT, "person_id": USER, "person_name": UPN.lower()},
        {"tenant_id": TENANT, "person_id": USER, "person_name": NAME},
    ])  # fmt: skip
    return known


@pytest.mark.parametrize("text", [*PLANTED, *DISGUISED], ids=ascii)
def test_no_way_of_writing_a_person_gets_through(text: str) -> None:
    hidden = _knowing().hide(text, TENANT)
    assert not [trace for trace in TRACES if trace in hidden.lower()], hidden
    assert "P-" in hidden or "IP-" in hidden


def test_what_is_encoded_and_names_nobody_stays_as_it_is_written() -> None:
    for text in (
        "a%20b%2Fc",
        "Caf\u00e9 \u2116 1",
        "R&amp;D",
        "SGVsbG8gd29ybGQhIQ==",
        "\\u0041bc",
        "\u041c\u0438\u0440",
        "deadbeef" * 4,
    ):
        assert _knowing().hide(text, TENANT) == text
    assert _knowing().hide("see a%20b of " + NAME, TENANT).startswith("see a%20b of P-")


@pytest.mark.parametrize("half", [r"\ud800", r"\udc00\ud800", r"\uDBFF x"])
def test_half_a_character_beside_a_disguised_person_can_still_be_written(half: str) -> None:
    shown = _knowing().hide(f"{half} {UPN.replace('@', '&#64;')}", TENANT)
    assert "P-" in shown
    assert "femke" not in shown.encode("utf-8").decode().lower()


def test_two_halves_of_a_character_are_one() -> None:
    assert _knowing().hide(rf"\ud83d\ude00 {UPN.replace('@', '&#64;')}", TENANT).startswith("\U0001f600 P-")


@pytest.mark.parametrize("text", PLANTED)
def test_no_form_holds_what_was_planted_in_every_field(report_world: duckdb.DuckDBPyConnection, text: str) -> None:
    """Every column that does not come from a closed list of the product's own holds the planted text."""
    reader = ReplacedReader(QueryReader(report_world), text, {})
    made = {"html": render(document_of(reader, people=_knowing()), "html").decode()}
    made |= {"json": b"".join(pieces(reader, "json", people=_knowing())).decode()}
    made |= {name: b"".join(pieces(reader, "csv", name, people=_knowing())).decode() for name in SECTIONS}
    for name, form in made.items():
        style = form.partition("<style>")[0] + form.partition("</style>")[2] if name == "html" else form
        found = [trace for trace in TRACES if trace in style.lower()]
        assert not found, (name, found, style[max(style.lower().find(found[0]) - 200, 0) :][:400])


def test_id_upn_and_name_are_one_person_and_two_tenants_are_two() -> None:
    known = _knowing()
    assert len({known.token(TENANT, value) for value in (USER, UPN, NAME, USER.upper())}) == 1
    assert known.token(TENANT, "a@b.example") != known.token(OTHER, "a@b.example")
    assert known.token(TENANT, USER) != People(b"x" * 32).token(TENANT, USER)
    assert known.token(TENANT, USER).startswith("P-")
    assert len(known.token(TENANT, USER)) == 12


@pytest.mark.parametrize(
    "text",
    ["Calendars.ReadWrite", "2026-09-15 08:30:00", "GET /users/{}/messages", "SalSoft CRM", "1.2.3", "12:30:45",
     "c0ffee00-0000-4000-8000-000000000001", "@ home", "exports/contoso/PT1H.json", "C12-3", "ISO/IEC 27701", "a:b"],
)  # fmt: skip
def test_what_is_no_person_stays_as_it_is(text: str) -> None:
    assert _knowing().hide(text, TENANT) == text


def test_identified_shows_the_name_in_place_of_the_id() -> None:
    known = _knowing(is_identified=True)
    assert known.hide(f"mailbox {USER}", TENANT) == f"mailbox {UPN.lower()}"
    assert known.hide(UPN, TENANT) in {UPN, UPN.lower()}


def test_page_one_names_nobody_even_when_names_are_shown(report_world: duckdb.DuckDBPyConnection) -> None:
    reader = ReplacedReader(QueryReader(report_world), UPN, {}, _OURS | _CODES)
    document = document_of(reader, people=_knowing(is_identified=True))
    assert document.is_identified
    page = render(document, "html").decode()
    first = page.partition('id="page-one"')[2].partition('id="changes"')[0]
    assert UPN.lower() in page.lower()
    assert UPN.lower() not in first.lower()


def test_one_enormous_text_takes_no_enormous_time() -> None:
    known = _knowing()
    begin = time.perf_counter()
    for letters in (
        "a",
        "@",
        ":",
        "1.",
        "a@",
        "Femke ",
        "/",
        "f:",
        "Femke.de.Boer.",
        "%25",
        "&#64;",
        "Fe\u0301",
        "QUJD",
    ):
        known.hide(letters * (500_000 // len(letters)), TENANT)
    assert time.perf_counter() - begin < 30  # quadratic time would be hours


def test_the_key_is_private_made_once_and_never_made_anew(tmp_path: Path) -> None:
    key = person_key(tmp_path)
    path = tmp_path / "keys" / "people.key"
    assert len(key) == 32
    assert person_key(tmp_path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["people.key"]
    path.write_bytes(b"short")
    with pytest.raises(StoreError, match="not a key"):
        person_key(tmp_path)


def test_the_closed_lists_of_this_test_hold_no_persons() -> None:
    assert not {"app_name", "title", "subject", "reason", "owner", "person", "what", "resource_id"} & VOCABULARY
    assert json.dumps(sorted(VOCABULARY))


def test_a_plan_for_mailboxes_is_nobody_and_a_mailbox_is_somebody(report_world: duckdb.DuckDBPyConnection) -> None:
    """Only what can be a person is hidden: what new mailboxes are made after has a name that is read."""
    report_world.execute("BEGIN")
    try:
        for operation, subject in (("Set-MailboxPlan", "ExchangeOnlineEnterprise"), ("Set-Mailbox", "voorraadbeheer")):
            report_world.execute(
                "INSERT INTO admin_changes BY NAME SELECT ? AS tenant_id, 'audit_exchange' AS feed, ? AS event_id, "
                "? AS operation, 'mailbox_audit_short' AS change, ? AS subject",
                [TENANT, subject, operation, subject],
            )
        known = people()
        known.learn(QueryReader(report_world).rows("report-people"))
    finally:
        report_world.execute("ROLLBACK")
    title = "The audit was weakened: mailbox_audit_short"
    assert known.hide(f"{title} (ExchangeOnlineEnterprise)", TENANT) == f"{title} (ExchangeOnlineEnterprise)"
    assert "voorraadbeheer" not in known.hide(f"{title} (voorraadbeheer)", TENANT)
