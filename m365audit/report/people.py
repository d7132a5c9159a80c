"""Owns the tokens that stand for persons in every form of the report; knows no form, and keeps no list beside the key.

A token says "the same person again", never who: HMAC-SHA-256 under a key that stays in the private folder.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Final

_LENGTH: Final = 10
_SHORTEST: Final = 4
"""Characters of a name that is looked for inside of texts: one or two stand in every other word."""
_WORD: Final = re.compile(r"[^\s<>\"'()\[\]{},;=|\\\u2018-\u201f\u00ab\u00bb\u2039\u203a]+")
"""What an id or an address stands in; linear also on one long word."""
_NAME_WORD: Final = re.compile(r"\w[\w.-]*")
_GUID: Final = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}")
_IPV4: Final = re.compile(r"(?<![\d.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\d.])")
_IPV6: Final = re.compile(r"(?<![0-9A-Za-z:])[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{2,45}(?![0-9A-Za-z:])")
_MAYBE: Final = re.compile(r"[@:.%_-]|\d")
"""A word without any of these is no id and no address; it may still be a name."""


class People:
    """Who may be named, and the tokens of those who may not.

    Args:
        key: 32 random bytes of this installation; an empty key gives tokens that anybody could make.
        is_identified: True shows names in place of ids and no tokens at all.
    """

    def __init__(self, key: bytes, *, is_identified: bool = False) -> None:
        self.is_identified = is_identified
        self._key = key
        self._ids: dict[str, tuple[str, str]] = {}
        """Lower-case id, address or name → the tenant and the object id it stands for."""
        self._names: dict[str, str] = {}
        """Object id → the name to show where names are shown."""
        self._phrases: dict[str, list[str]] = {}
        """First word of a name of several words → such names, the longest first."""

    def learn(self, rows: Iterable[Mapping[str, object]]) -> None:
        """Take in who is known: ``tenant_id``, ``person_id`` and ``person_name``, each may be NULL.

        A name that is known together with an id is that id's; a name alone is a person of its own.
        """
        phrases: set[str] = set()
        for row in rows:
            tenant = str(row["tenant_id"] or "")
            name = str(row["person_name"] or "").strip()
            person = str(row["person_id"] or "").strip().lower() or self._ids.get(name.lower(), ("", ""))[1]
            person = person or name.lower()
            for known in {person, name.lower(), _as_folder(name)}:
                if len(known) >= _SHORTEST:
                    self._ids.setdefault(known, (tenant, person))
            if name:
                self._names.setdefault(person, name)
            if " " in name:
                phrases.add(name.lower())
        for phrase in sorted(phrases, key=len, reverse=True):
            begin = _NAME_WORD.match(phrase)
            if begin is not None:
                self._phrases.setdefault(begin.group(), []).append(phrase)

    def token(self, tenant: str, value: str) -> str:
        """Return the person's token, the same for id, UPN and mail address where the directory ties them together."""
        tenant_of, person = self._ids.get(value.strip().lower(), (tenant, value.strip().lower()))
        digest = hmac.new(self._key, f"{tenant_of.lower()}|{person}".encode("utf-8", "surrogatepass"), hashlib.sha256)
        return "P-" + base64.b32encode(digest.digest()).decode("ascii")[:_LENGTH]

    def person(self, tenant: str, value: str) -> str:
        """Return how a value that is a person's id or name for certain is shown: its token, or the name."""
        if self.is_identified:
            return self._names.get(self._ids.get(value.strip().lower(), ("", ""))[1], value)
        return self.token(tenant, value)

    def hide(self, text: str, tenant: str = "") -> str:
        """Return the text with every person in it replaced: known ids and names, every mail and network address.

        Where names are shown, only ids become names.
        """
        if self._phrases and not self.is_identified:
            text = self._without_phrases(text, tenant)
        return _WORD.sub(lambda word: self._word(word.group(), tenant), text)

    def _word(self, word: str, tenant: str) -> str:
        known = self._ids.get(word.lower())
        if known is not None:
            return self.person(tenant, word)
        if _MAYBE.search(word) is None:
            return word
        if self.is_identified:
            return _GUID.sub(lambda found: self._if_known(found.group(), tenant), word)
        if "/" in word or "%2" in word.lower() or ":" in word:
            return self._parts(word, tenant)
        return self._plain(word, tenant)

    def _parts(self, word: str, tenant: str) -> str:
        """Treat each part of a path or an address by itself; ``mailto:a@b`` and a network address keep their colons."""
        hidden = _IPV6.sub(lambda found: self._address(found.group(), tenant), word)
        return re.sub(r"[^/:]+", lambda part: self._part(part.group(), tenant), hidden)

    def _part(self, part: str, tenant: str) -> str:
        return self.token(tenant, part) if part.lower() in self._ids else self._plain(part, tenant)

    def _plain(self, word: str, tenant: str) -> str:
        bare = word.strip(".!?*`~#&$^")
        if "@" in bare.strip("@") or "%40" in bare:
            return word.replace(bare, self.token(tenant, bare.replace("%40", "@")))
        if bare != word and bare.lower() in self._ids:
            return word.replace(bare, self.token(tenant, bare))
        word = _GUID.sub(lambda found: self._if_known(found.group(), tenant), word)
        return _IPV4.sub(lambda found: self._address(found.group(), tenant), word)

    def _if_known(self, guid: str, tenant: str) -> str:
        return self.person(tenant, guid) if guid.lower() in self._ids else guid

    def _address(self, text: str, tenant: str) -> str:
        try:
            ipaddress.ip_address(text.rstrip("."))
        except ValueError:
            return text
        return "IP-" + self.token(tenant, text)[2:]

    def _without_phrases(self, text: str, tenant: str) -> str:
        lowered = text.lower()
        if len(lowered) != len(text):  # a letter that grows in lower case would move the places
            return text
        out, at = [], 0
        for word in _NAME_WORD.finditer(lowered):
            if word.start() < at:
                continue
            for phrase in self._phrases.get(word.group(), ()):
                begin, end = word.start(), word.start() + len(phrase)
                if lowered.startswith(phrase, begin) and not lowered[end : end + 1].isalnum():
                    out += [text[at:begin], self.token(tenant, phrase)]
                    at = end
                    break
        return "".join([*out, text[at:]])


def _as_folder(name: str) -> str:
    """Return a UPN as OneDrive writes it into addresses."""
    return re.sub(r"[@.]", "_", name.lower()) if "@" in name else ""
