"""Owns what a text says beneath its writing: percent signs, entities, escapes, base64, look-alike letters.

Whoever names an app, a path or a file may write a person so that no eye and no search sees who it is; a reader with a
decoder does. Knows no persons; gives readings, and says nothing of whether they mean anything.
"""

from __future__ import annotations

import base64
import html
import re
import unicodedata
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

_PERCENT: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,31});")
_ESCAPE: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2}))")
_QUOTED_AT: Final = re.compile(r"(?<![0-9A-Za-z])([\w.+-]{1,64})=40(?=\w)")
"""An address in quoted-printable; without one in front, ``=40`` is a value."""
_QUOTED_LOCAL: Final = re.compile(r"[\"'\u2018\u2019\u201c\u201d]([^\s\"'@]{1,64})[\"'\u2018\u2019\u201c\u201d]@")
_UNSEEN: Final = re.compile(
    "[\xad\u034f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)
_MARKS: Final = re.compile(r"&[#A-Za-z]|%[0-9A-Fa-f]{2}|\\[ux]|=40|[\"'\u2019\u201d]@|[^\x00-\x7f]")
"""Without any of these a text says what it says."""
_PACKED: Final = re.compile(r"(?<![0-9A-Za-z+/_-])[0-9A-Za-z+/_-]{12,}={0,2}(?![0-9A-Za-z+/_=-])")
_HEX: Final = re.compile(r"[0-9A-Fa-f]{16,}")
_LOOK_ALIKE: Final = str.maketrans(
    "авеѕорсухкнмтгіјӏԁԛԝһАВЕЅОРСУХКНМТІЈαεοικνρτυχγςΑΒΕΖΗΙΚΜΝΟΡΤΥΧıɑɡɩʟ․‑‐‒–—‘’",  # noqa: RUF001
    "abesopcyxkhmtrijldqwhABESOPCYXKHMTIJaeoikvptuxycABEZHIKMNOPTYXiaglL.-----''",
)  # fmt: skip
"""Letters of other alphabets that are read as Latin ones; what Unicode itself calls equal is folded before."""


def fold(text: str) -> str:
    """Return a word as it is compared: small, without accents, invisible characters and look-alikes."""
    if text.isascii():
        return text.lower()
    seen = unicodedata.normalize("NFKD", _UNSEEN.sub("", text)).translate(_LOOK_ALIKE)
    return "".join(char for char in seen if not unicodedata.combining(char)).casefold()


def said_beneath(text: str) -> str:
    """Return what a text says when it is decoded once; itself where it says what it says."""
    return text if _MARKS.search(text) is None else _plain_letters(_decoded(text))


def unpacked(text: str) -> Iterator[tuple[str, str]]:
    """Yield each word of a text that is base64 or hexadecimal digits of another text, and that text."""
    for word in _PACKED.findall(text):
        if word[8:9] == word[13:14] == "-":  # as ids of Microsoft's are, which are in every other text
            continue
        content = _from_hex(word) or _from_base64(word)
        if content is not None:
            yield word, content


def _decoded(text: str) -> str:
    if _PERCENT.search(text):
        text = unquote(text)
    if _ESCAPE.search(text):
        text = _ESCAPE.sub(lambda found: chr(int(found[1] or found[2], 16)), text)
        # Two escapes are one character beyond the first 65,536; a half without its other one can be written nowhere.
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if _ENTITY.search(text):
        text = html.unescape(text)
    return _QUOTED_LOCAL.sub(r"\1@", _QUOTED_AT.sub(r"\1@", text))


def _plain_letters(text: str) -> str:
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", _UNSEEN.sub("", text)).translate(_LOOK_ALIKE)


def _from_base64(word: str) -> str | None:
    bare = word.rstrip("=").translate(str.maketrans("-_", "+/"))
    if len(bare) % 4 == 1:
        return None
    return _printable(base64.b64decode(bare + "=" * (-len(bare) % 4)))


def _from_hex(word: str) -> str | None:
    return _printable(bytes.fromhex(word)) if len(word) % 2 == 0 and _HEX.fullmatch(word) else None


def _printable(content: bytes) -> str | None:
    try:
        text = content.decode("utf-16-le") if b"\0" in content[:2] else content.decode()
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() else None
