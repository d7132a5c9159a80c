"""Owns the tokens that stand for persons in every form of the report; knows no form, and keeps no list beside the key.

A token says "the same person again", never who: HMAC-SHA-256 under a key that stays in the private folder.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from m365audit.report.disguises import fold, said_beneath, unpacked

_LENGTH: Final = 10
_SHORTEST: Final = 4
"""Characters of a name that is looked for inside of texts: one or two stand in every other word."""
_WORD: Final = re.compile(r"[^\s<>\"'()\[\]{},;=|\\\u2018-\u201f\u00ab\u00bb\u2039\u203a]+")
"""What an id or an address stands in; linear also on one long word."""
_NAME_WORD: Final = re.compile(r"[^\W_]+")
_BETWEEN: Final = re.compile(r"[\s_.+\u2010-\u2015-]{1,3}|,\s?")
"""What may stand between the words of one name, however it is written."""
_LONGEST_NAME: Final = 6
"""Words of a name that is also looked for with its last word first."""
_ADDRESS_GOES_ON: Final = re.compile(r"[\w.+-]{0,64}(?:@|%40)")
_SHORTEST_JOINED: Final = 8
_LOCAL: Final = re.compile(r"[^\W_]+(?:[._-][^\W_]+)+")
_BARE_GUID: Final = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{32}(?![0-9A-Za-z])")
_GUID: Final = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}")
_IPV4: Final = re.compile(r"(?<![\d.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?!\.?\d)")
_IPV6: Final = re.compile(r"(?<![0-9A-Za-z:])[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{2,45}(?![0-9A-Za-z:])")
_LAYERS: Final = 3
"""How often a text may have been encoded over itself; each proxy on the way adds one."""
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
        self._phrases: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        """First word of a name of several words → the words of such names, the longest first, and who it is."""

    def learn(self, rows: Iterable[Mapping[str, object]]) -> None:
        """Take in who is known: ``tenant_id``, ``person_id`` and ``person_name``, each may be NULL.

        A name that is known together with an id is that id's; a name alone is a person of its own.
        """
        phrases: dict[tuple[str, ...], str] = {}
        for row in rows:
            tenant = str(row["tenant_id"] or "")
            name = str(row["person_name"] or "").strip()
            person = str(row["person_id"] or "").strip().lower() or self._ids.get(name.lower(), ("", ""))[1]
            person = person or name.lower()
            for known in {person, name.lower(), *_other_spellings(name)}:
                if len(known) >= _SHORTEST:
                    self._ids.setdefault(known, (tenant, person))
            if name:
                self._names.setdefault(person, name)
            for words in _orders(name) if " " in name else ():
                phrases.setdefault(words, name.lower())
        for words in sorted(phrases, key=len, reverse=True):
            self._phrases.setdefault(words[0], []).append((words, phrases[words]))

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

        Encodings and look-alike letters hide nobody: where a person stands beneath them, what is beneath is shown.
        Where names are shown, only ids become names.
        """
        shown = self._hide(text, tenant)
        return shown if self.is_identified else self._undisguised(shown, tenant)

    def _hide(self, text: str, tenant: str) -> str:
        if self._phrases and not self.is_identified:
            text = self._without_phrases(text, tenant)
        return _WORD.sub(lambda word: self._word(word.group(), tenant), text)

    def _undisguised(self, text: str, tenant: str) -> str:
        """Return the text, or what it says beneath its writing when a person is found only there."""
        reading = text
        for _ in range(_LAYERS):
            for packed, content in unpacked(reading):
                bare = self._hide(content, tenant)
                if bare != content:
                    text = reading = reading.replace(packed, bare)
            beneath = said_beneath(reading)
            if beneath == reading:
                break
            reading = self._hide(beneath, tenant)
            if reading != beneath:
                text = reading
        return text

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
        word = _BARE_GUID.sub(lambda found: self._if_known(found.group(), tenant), word)
        return _IPV4.sub(lambda found: self._address(found.group(), tenant), word)

    def _if_known(self, guid: str, tenant: str) -> str:
        known = guid if "-" in guid else "-".join((guid[:8], guid[8:12], guid[12:16], guid[16:20], guid[20:]))
        return self.person(tenant, known) if known.lower() in self._ids else guid

    def _address(self, text: str, tenant: str) -> str:
        try:
            ipaddress.ip_address(text.rstrip("."))
        except ValueError:
            return text
        return "IP-" + self.token(tenant, text)[2:]

    def _without_phrases(self, text: str, tenant: str) -> str:
        if self._phrases.keys().isdisjoint(_NAME_WORD.findall(fold(text))):
            return text
        out, at = [], 0
        words = list(_NAME_WORD.finditer(text))
        for index, word in enumerate(words):
            if word.start() < at:
                continue
            for phrase, name in self._phrases.get(fold(word.group()), ()):
                end = _end_of(phrase, text, words[index : index + len(phrase)])
                if end is not None and _ADDRESS_GOES_ON.match(text, end) is None:
                    out += [text[at : word.start()], self.token(tenant, name)]
                    at = end
                    break
        return "".join([*out, text[at:]])


def _end_of(phrase: Sequence[str], text: str, words: Sequence[re.Match[str]]) -> int | None:
    """Return where a name ends in a text, None where the words are others or do not belong together."""
    if [fold(word.group()) for word in words] != list(phrase):
        return None
    gaps = (text[one.end() : other.start()] for one, other in pairwise(words))
    return words[-1].end() if all(map(_BETWEEN.fullmatch, gaps)) else None


def _orders(name: str) -> Iterator[tuple[str, ...]]:
    """Yield the words of a name as it is written, and with its last words first."""
    words = tuple(fold(word) for word in _NAME_WORD.findall(name))
    if len(words) > 1:
        yield words
        if len(words) <= _LONGEST_NAME:
            yield from ((*words[at:], *words[:at]) for at in range(1, len(words)))


def _other_spellings(name: str) -> Iterator[str]:
    """Yield how else a UPN or a name of several words is written as one word."""
    if "@" in name:
        yield re.sub(r"[@.]", "_", name.lower())  # as OneDrive writes it into addresses
        local = name.lower().partition("@")[0]
        if _LOCAL.fullmatch(local):
            yield local
    elif " " in name and len(joined := "".join(name.lower().split())) >= _SHORTEST_JOINED:
        yield joined
