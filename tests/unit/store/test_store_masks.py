"""Masks: every spelling of a person goes, nobody else's does, and what is masked stays readable."""

from __future__ import annotations

import html
import json
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m365audit.store.masks import Identifier, Masks, masks_for

ID = "d0d0d0d0-1111-4222-8333-0123456789ab"
UPN = "ann.o'neil@contoso.example"
NAME = 'Ånn "O\'Neil" Jörgensen'
PHONE = "+31 20 123 4567"
PERSON = [Identifier("id", ID), Identifier("address", UPN), Identifier("name", NAME), Identifier("phone", PHONE)]
MASKS = Masks(masks_for(PERSON, "fedcbafedc"))


@pytest.mark.parametrize("told", [ID, ID.upper(), ID.replace("-", ""), UPN, UPN.title(), NAME, PHONE, "+31201234567"])
@pytest.mark.parametrize(
    "spelling",
    [
        str, html.escape, lambda t: urllib.parse.quote(t, safe=""), lambda t: json.dumps(t)[1:-1],
        lambda t: f"https://x/users/{urllib.parse.quote(t, safe='')}/messages", lambda t: f"smtp:{t};",
        lambda t: json.dumps({"a": [t]}), lambda t: json.dumps(json.dumps({"UserId": t})),
        lambda t: "".join(f"\\u{ord(c):04x}" for c in t).join(['{"x":"', '"}']),
    ],
)  # fmt: skip
def test_every_spelling_goes(told: str, spelling: object) -> None:
    text = spelling(told)  # type: ignore[operator]
    masked = MASKS.document(text)
    assert masked != text
    for part in ("0d0d", "neil", "rgensen", "1234567", "123 4567"):
        assert part not in masked.lower()
    if text[:1] in "{[":
        json.loads(masked)


@pytest.mark.parametrize(
    "other",
    ["joann.o'neil@contoso.example", "ann.o'neil@contoso.example.org", "+31 20 123 45678", "d0d0d0d0-1111", "Annual",
     json.dumps({"id": "someone else", "displayName": "Ann", "mail": "b@x.example"})],
)  # fmt: skip
def test_others_stay(other: str) -> None:
    assert MASKS.document(other) == other


def test_what_only_describes_the_person_goes_where_they_are_named() -> None:
    record = {
        "id": ID, "userPrincipalName": UPN, "displayName": "Ann", "jobTitle": "Nurse", "businessPhones": ["1"],
        "usageLocation": "NL", "n": 12345678901234567890, "f": 1.5,
    }  # fmt: skip
    masked = json.loads(
        MASKS.document(json.dumps({"value": [record, {**record, "id": "x", "userPrincipalName": "y"}]}))
    )
    assert masked["value"][0] == {
        "id": "e7a5ed00-0000-4000-8000-fedcbafedc01", "userPrincipalName": "erased-fedcbafedc@erased.invalid",
        "displayName": "erased", "jobTitle": "erased", "businessPhones": [], "usageLocation": "NL",
        "n": 12345678901234567890, "f": 1.5,
    }  # fmt: skip
    assert masked["value"][1]["jobTitle"] == "Nurse"


def test_addresses_and_ids_keep_apart() -> None:
    addresses = [Identifier("address", "b@x.example"), Identifier("address", "a@x.example")]
    ids = [Identifier("id", ID), Identifier("id", ID.upper()), Identifier("id", "z" * 36)]
    pairs = masks_for([*addresses, *ids], "ab" * 5)
    assert len(pairs) == len(set(pairs.values())) == 4


@given(st.text(max_size=60), st.text(max_size=60))
def test_masking_twice_is_masking_once(before: str, after: str) -> None:
    text = before + UPN + after
    assert MASKS.text(MASKS.text(text)) == MASKS.text(text)
    assert MASKS.document(MASKS.document(text)) == MASKS.document(text)
