"""Turns what Microsoft Entra answers when it lets nobody in into a sentence and a next step; asks nobody.

The sentences are data: ``config/aadsts.yml``. What is not in there is told in Microsoft's own first sentence, cleaned.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from m365audit.resources import data_dir, yaml_values

ERROR_PAGE: Final = "https://login.microsoftonline.com/error?code="
_CODE: Final = re.compile(r"AADSTS([0-9]{4,9})")
_TRACES: Final = re.compile(r"(?is)\s*\b(?:trace id|correlation id|timestamp)\s*:.*")
_ADDRESS: Final = re.compile(r"(?i)\b[a-z][a-z0-9+.-]*://\S+")
_OPAQUE: Final = re.compile(r"(?<![^\s'\"(])(?![0-9a-fA-F]{8}-)[^\s'\"]{28,}")
"""What is as long as a secret (Microsoft's have 40 characters) or a token, and no GUID."""
_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s")
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Place:
    """Who wanted to be let in where; nothing in it is secret.

    Attributes:
        tenant: tenant id.
        client_id: application id, empty when the platform knows it.
        login: origin of the login endpoint, e.g. ``https://login.microsoftonline.com``.
    """

    tenant: str
    client_id: str
    login: str

    @property
    def consent_link(self) -> str:
        """Where an administrator lets the application into the tenant."""
        return f"{self.login}/{self.tenant}/adminconsent?client_id={self.client_id}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A no, in words.

    Attributes:
        code: ``AADSTS7000222`` and the like; the OAuth error where there is no such code; empty when there is neither.
        what: what is wrong.
        todo: the next step.
        again: empty for a no; ``soon`` or ``later`` for a place that cannot answer now.
    """

    code: str
    what: str
    todo: str
    again: str = ""


def explain(error: str, description: str, codes: Iterable[object], place: Place) -> Refusal:
    """Return what an answer of the token endpoint means.

    Args:
        error: its ``error``, e.g. ``invalid_client``.
        description: its ``error_description``.
        codes: its ``error_codes``.
        place: who wanted in where.
    """
    number = _number(description, codes)
    known = _table().get(number) if number is not None else None
    if known is not None:
        facts = {"tenant": place.tenant, "client_id": place.client_id, "consent": place.consent_link}
        return Refusal(f"AADSTS{number}", known["what"], known["todo"].format(**facts), known.get("again", ""))
    again = "soon" if error in {"temporarily_unavailable", "server_error"} else ""
    said = harmless_sentence(description) or "Microsoft gave no reason"
    if number is None:
        return Refusal(harmless_sentence(error)[:40], said, "ask whoever administers the tenant's applications", again)
    return Refusal(f"AADSTS{number}", said, f"see {ERROR_PAGE}{number}", again)


def known_codes() -> Mapping[int, Mapping[str, str]]:
    """Return the codes that have a sentence of this product's own."""
    return _table()


def harmless_sentence(text: str) -> str:
    """Return the first sentence of Microsoft's words: one short line without traces, addresses and tokens."""
    start = _CODE.sub("", _TRACES.sub("", text[:4_000])).strip(" :")
    first = _SENTENCE_END.split(start, maxsplit=1)[0]
    plain = _OPAQUE.sub("(…)", _ADDRESS.sub("(an address)", first))
    printable = "".join(char if char.isprintable() else " " for char in plain)
    return " ".join(printable.split())[:_LONGEST].rstrip(" .")


def _number(description: str, codes: Iterable[object]) -> int | None:
    """Return the code that the description names, else the first one of the list."""
    found = _CODE.search(description)
    if found is not None:
        return int(found.group(1))
    return next((code for code in codes if isinstance(code, int) and not isinstance(code, bool) and code > 0), None)


@cache
def _table() -> dict[int, dict[str, str]]:
    text = (data_dir("config") / "aadsts.yml").read_text(encoding="utf-8")
    table: dict[int, dict[str, str]] = yaml_values(text)
    return table
