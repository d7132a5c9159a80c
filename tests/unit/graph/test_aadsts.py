"""Microsoft's refusals in words: the table is whole, and what is not in it is told harmlessly."""

from __future__ import annotations

import re

import pytest

from m365audit.graph.aadsts import ERROR_PAGE, Place, explain, harmless_sentence, known_codes

from .login_endpoint import CLIENT, SECRET, TENANT

PLACE = Place(TENANT, CLIENT, "https://login.example")
MET = (
    7000215, 7000222, 700016, 90002, 700027, 700024, 50034, 50076, 50079, 50158, 53003, 65001, 7000112, 7000229, 50012,
    70043, 50173, 90033, 50196, 900023, 7000216, 7000218,
)  # fmt: skip


def test_the_codes_that_an_auditor_meets_are_known() -> None:
    assert len(known_codes()) >= 45
    assert set(MET) <= set(known_codes())


@pytest.mark.parametrize("code", known_codes())
def test_each_sentence_is_short_plain_and_complete(code: int) -> None:
    entry = known_codes()[code]
    assert set(entry) <= {"what", "todo", "again"}
    assert entry.get("again", "soon") in {"soon", "later"}
    told = explain("invalid_client", f"AADSTS{code}: whatever", [code], PLACE)
    assert told.code == f"AADSTS{code}"
    for text in (told.what, told.todo):
        assert 10 < len(text) < 250
        assert text.isprintable()
        assert not text.endswith(".")
        assert not re.search(r"\{(tenant|client_id|consent)\}", text)
    assert not re.search(r"(?i)\bconsent\b", told.what)


def test_the_code_of_the_description_comes_before_the_list() -> None:
    assert explain("", "AADSTS50034: no.", [700016], PLACE).code == "AADSTS50034"
    assert explain("", "no.", ["x", True, 700016], PLACE).code == "AADSTS700016"
    assert explain("invalid_grant", "", [], PLACE).code == "invalid_grant"


def test_the_address_where_an_administrator_lets_the_application_in() -> None:
    address = f"https://login.example/{TENANT}/adminconsent?client_id={CLIENT}"
    assert address in explain("", "AADSTS700016: x", [], PLACE).todo


def test_an_unknown_code_names_its_page() -> None:
    told = explain("invalid_grant", "AADSTS123456: A new rule applies. See more. Trace ID: 1", [], PLACE)
    assert (told.what, told.todo, told.again) == ("A new rule applies", f"see {ERROR_PAGE}123456", "")


@pytest.mark.parametrize("error", ["temporarily_unavailable", "server_error"])
def test_errors_that_pass_are_asked_again(error: str) -> None:
    assert explain(error, "", [], PLACE).again == "soon"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("AADSTS1234: One. Two.", "One"),
        ("AADSTS1234: One\r\nTrace ID: 3f1a-44 Correlation ID: 5", "One"),
        ("Timestamp: 2026-09-01 08:00:00Z", ""),
        ("See https://evil.example/?a=b now", "See (an address) now"),
        ("Token " + "e" * 300 + " seen", "Token (…) seen"),
        ("\x1b[31mred\x07 \u202eevil", "[31mred evil"),
        ("App '11111111-1111-4111-8111-111111111111' is off", "App '11111111-1111-4111-8111-111111111111' is off"),
        (f"The secret '{SECRET}' is wrong", "The secret '(…)' is wrong"),
        ("", ""),
        ("line\nbreak", "line break"),
        ("x" * 10_000_000, "(…)"),
        ("word " * 1000, ("word " * 40).strip()),
    ],
)
def test_microsoft_s_words_are_cleaned(text: str, plain: str) -> None:
    assert harmless_sentence(text) == plain
