"""What is looked for of one person in texts, in every spelling, and what is written in its place.

The same masks serve databases, files of evidence, reports and the journal. Knows no file and no table.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
import urllib.parse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from m365audit.store.addresses import truncated_in

Kind = Literal["id", "address", "name", "phone", "other"]

IDENTIFYING: Final = frozenset({"id", "userid", "objectid", "principalid", "userprincipalname", "upn"})
"""Keys, in small letters, that say whom a JSON object is about."""

NAMES: Final = frozenset({"displayname", "userdisplayname", "principaldisplayname", "logonuserdisplayname"})
ADDRESSES: Final = frozenset({
    "mail", "othermails", "proxyaddresses", "imaddresses", "signinname", "onpremisesuserprincipalname",
    "signinidentifier", "email",
})  # fmt: skip
PHONES: Final = frozenset({"mobilephone", "businessphones", "faxnumber", "phone", "phonenumber", "telephonenumber"})
OTHERS: Final = frozenset({
    "employeeid", "onpremisessamaccountname", "onpremisesimmutableid", "onpremisessecurityidentifier",
    "onpremisesdistinguishedname", "securityidentifier", "userkey", "mailboxownersid", "logonusersid", "mailboxguid",
})  # fmt: skip
_ATTRIBUTES: Final = frozenset({
    "givenname", "surname", "mailnickname", "streetaddress", "postalcode", "city", "officelocation", "birthday",
    "aboutme", "jobtitle", "department", "identities", "preferredname", "companyname", "employeehiredate",
})  # fmt: skip
PERSONAL: Final = NAMES | ADDRESSES | PHONES | OTHERS | _ATTRIBUTES
"""Keys whose values go when the object is about the person: what only describes them serves no evidence."""

_FROM_WHERE: Final = frozenset({"ipaddress", "clientip", "clientipaddress", "actoripaddress"})
"""Keys of the address from which the person came; it is cut to its network."""

_SHORTEST_NAME: Final = 6
_SHORTEST_OTHER: Final = 5
_FEWEST_DIGITS: Final = 7
_HEX_ID: Final = 36
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._=-]")
_ENDINGS: Final = "json|jsonl|ndjson|csv|gz|zip|zst|txt|log|xlsx|html?|pdf|xml|parquet|md|ics"
"""What may follow an address that is part of a file's name."""
_BEGINS: Final = ("{", "[", '"')
"""How a JSON document begins that may hold anything."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """Something that tells who a person is, as it was found: ``kind`` says how it is looked for."""

    kind: Kind
    value: str

    @property
    def is_sure(self) -> bool:
        """It is long enough to be looked for everywhere; what is shorter goes only where it stands beside an id."""
        if self.kind == "name":
            return len(self.value) >= _SHORTEST_NAME or bool(re.search(r"\s", self.value.strip()))
        if self.kind == "phone":
            return len(re.sub(r"\D", "", self.value)) >= _FEWEST_DIGITS
        return len(self.value) >= _SHORTEST_OTHER

    def variants(self) -> Iterable[str]:
        """Yield the spellings in which files have it."""
        for text in (self.value, self.value.upper(), self.value.lower()):
            for form in ("NFC", "NFD"):
                yield from _escapes(unicodedata.normalize(form, text))
        if self.kind == "id" and len(self.value) == _HEX_ID:
            yield self.value.replace("-", "")
        if self.kind == "address":
            yield self.value.replace("@", "_")
            yield re.sub(r"[@.]", "_", self.value)
        if self.kind == "phone":
            digits = re.sub(r"\D", "", self.value)
            yield from (digits, f"+{digits}")


def _escapes(text: str) -> set[str]:
    return {
        text,
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        html.escape(text),
        html.escape(text).replace("&quot;", "&#34;").replace("&#x27;", "&#39;"),
        urllib.parse.quote(text, safe=""),
        urllib.parse.quote(text),
    }


class Masks:
    """Identifiers of one person (or of several) and their masks.

    Args:
        pairs: identifier → what is written in its place.
    """

    def __init__(self, pairs: Mapping[Identifier, str]) -> None:
        self.pairs = {identifier: mask for identifier, mask in pairs.items() if identifier.value}
        self._mask_of: dict[str, str] = {}
        patterns: dict[str, str] = {}
        for identifier, mask in self.pairs.items():
            if identifier.is_sure:
                for variant in identifier.variants():
                    folded = variant.lower()
                    is_short_id = identifier.kind == "id" and "-" not in variant and "-" in identifier.value
                    self._mask_of.setdefault(folded, mask.replace("-", "") if is_short_id else mask)
                    patterns.setdefault(folded, _bounded(identifier.kind, variant))
        ordered = sorted(patterns, key=len, reverse=True)
        joined = "|".join(patterns[folded] for folded in ordered)
        self._pattern = re.compile(joined or r"(?!)", re.IGNORECASE)
        self.needles = tuple(_shortest_parts(ordered))
        self._strong = {i.value.lower() for i in self.pairs if i.kind in {"id", "address"}}

    def has(self, text: str) -> bool:
        """Say whether a text holds any of them, without regard to escapes."""
        folded = text.lower()
        return any(needle in folded for needle in self.needles) and self._pattern.search(text) is not None

    def text(self, text: str) -> str:
        """Return a text with masks in the place of identifiers; the same object when there are none."""
        folded = text.lower()
        if not any(needle in folded for needle in self.needles):
            return text
        return self._pattern.sub(self._mask, text)

    def file_name(self, name: str) -> str:
        """Return a file's name masked, also where signs that names do without were replaced in it."""
        masked = self.text(name)
        for identifier in self.pairs:
            plain = _UNSAFE.sub("_", identifier.value)
            if identifier.is_sure and len(plain.strip("_")) >= _SHORTEST_NAME:
                masked = re.sub(re.escape(plain), "erased", masked, flags=re.IGNORECASE)
        return masked

    def _mask(self, found: re.Match[str]) -> str:
        return self._mask_of.get(found.group().lower(), "erased")

    def document(self, text: str) -> str:
        """Return a JSON document masked, what only describes the person removed; other texts as ``text`` does.

        Escapes hide nothing: what stands in the document is looked at as it is read.
        """
        if not self.has(text) and "\\" not in text:
            return text
        if text.lstrip()[:1] in _BEGINS:
            try:
                value = json.loads(text, parse_float=_number)
            except (ValueError, RecursionError):
                return self.text(text)
            masked = self.value(value)
            if masked != value:
                return json.dumps(masked, ensure_ascii=False, separators=(",", ":"))
            return self.text(text)
        return self.text(text)

    def value(self, value: Any) -> Any:
        """Return any plain value masked; in JSON objects about the person what describes them goes too."""
        if isinstance(value, str):
            return self.document(value) if value[:1] in _BEGINS else self.text(value)
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            is_about = self.is_about(value)
            return {self.text(str(key)): self._inner(str(key).lower(), inner, is_about=is_about)
                    for key, inner in value.items()}  # fmt: skip
        return value

    def _inner(self, key: str, value: Any, *, is_about: bool) -> Any:
        if is_about and key in PERSONAL:
            return _emptied(value)
        if is_about and key in _FROM_WHERE and isinstance(value, str):
            return truncated_in(value)
        return self.value(value)

    def is_about(self, value: Mapping[Any, Any]) -> bool:
        """Say whether a JSON object is about the person: it names them by id or user principal name."""
        return any(
            isinstance(inner, str) and str(key).lower() in IDENTIFYING and inner.lower() in self._strong
            for key, inner in value.items()
        )


def _number(digits: str) -> float | str:
    number = float(digits)
    return number if number - number == 0 else digits


def _emptied(value: Any) -> Any:
    if isinstance(value, str):
        return "erased" if value else value
    if isinstance(value, list):
        return []
    return {} if isinstance(value, dict) else None


def _bounded(kind: Kind, variant: str) -> str:
    """Return the pattern of one spelling: part of a longer word or address it is somebody else's."""
    escaped = re.escape(variant)
    if kind == "id":
        return escaped
    if kind == "address":
        return rf"(?:(?<![\w.+%-])|(?<=%[0-9a-f]{{2}})|(?<=\\[nrtbf])){escaped}(?![\w-]|\.(?!(?:{_ENDINGS})\b)\w)"
    if kind == "phone":
        return rf"(?<!\d){escaped}(?!\d)"
    return rf"(?:(?<!\w)|(?<=\\[nrtbf])|(?<=%[0-9a-f]{{2}})){escaped}(?!\w)"


def _shortest_parts(ordered: list[str]) -> list[str]:
    """Return the spellings that hold no other one: whatever holds any spelling holds one of these."""
    kept: list[str] = []
    for text in reversed(ordered):
        if not any(part in text for part in kept):
            kept.append(text)
    return kept


def masks_for(identifiers: Iterable[Identifier], token: str) -> dict[Identifier, str]:
    """Return a mask for each identifier: of the same shape where a program reads it, and telling nothing.

    Args:
        identifiers: of one person.
        token: ten hexadecimal digits, drawn by lot for this person.
    """
    pairs: dict[Identifier, str] = {}
    counts: dict[str, int] = {}
    for identifier in sorted(identifiers, key=lambda each: (each.kind, each.value.lower())):
        if any(known.kind == identifier.kind and known.value.lower() == identifier.value.lower() for known in pairs):
            continue
        number = counts[identifier.kind] = counts.get(identifier.kind, 0) + 1
        if identifier.kind == "id":
            pairs[identifier] = f"e7a5ed00-0000-4000-8000-{token}{number:02x}"
        elif identifier.kind == "address":
            pairs[identifier] = f"erased-{token}{'' if number == 1 else f'-{number}'}@erased.invalid"
        else:
            pairs[identifier] = f"erased-{token}"
    return pairs
