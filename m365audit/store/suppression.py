"""Who was erased, as keyed hashes: so that what comes in later is masked before it is kept, and no list of names is.

The trade-off: whoever has this list, its key and an identifier can tell that it was erased. Without the list an erased
person would be back with the next file. The key lies apart from the list, and neither opens anything by itself.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import secrets
import urllib.parse
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from m365audit.store.masks import Identifier, Kind, Masks

LIST_NAME: Final = "erased.json"
_KEY_PLACE: Final = ("keys", "erased.key")
_KEY_BYTES: Final = 32
_LONGEST: Final = 320
_PIECES: Final = re.compile(r"[^\"\t\r\n,;<>{}\[\]\\]+")
"""Whatever stands between quotes and commas; no identifier goes across one of these signs."""
_GUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ADDRESS: Final = re.compile(r"[\w.+'!#$&*^`~-]+@[\w.-]*\w")
_ADDRESS_IN_URL: Final = re.compile(r"[^\s\"/?&=<>{}\[\],;\\]+%40[\w.%-]*\w")
_SHORTEST_GUID: Final = 36
_BATCH: Final = 500
"""Records that are looked at together: most of what stands in them stands in many."""
_REMEMBERED: Final = 200_000


def _normal(value: str) -> str:
    return value.strip().casefold()


def key_of(state: Path) -> bytes:
    """Return the key, made when it is not there: 32 random bytes that only the owner may read."""
    path = state.joinpath(*_KEY_PLACE)
    if not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
    return path.read_bytes()


class Suppressed:
    """The list, opened for looking things up.

    Args:
        key: of the hashes.
        entries: hash → kind and mask.
    """

    def __init__(self, key: bytes, entries: Mapping[str, tuple[Kind, str]]) -> None:
        self._key = key
        self.entries = dict(entries)
        self._known: dict[str, Identifier | None] = {}
        self._harmless: set[str] = set()
        """Pieces of texts that were looked at and hold nobody who was erased."""

    def hash_of(self, value: str) -> str:
        """Return the keyed hash of an identifier, without regard to case."""
        return hmac.digest(self._key, _normal(value).encode("utf-8", "surrogatepass"), "sha256").hex()

    def mask_of(self, identifier: Identifier) -> str | None:
        """Return the mask of an identifier that was erased before, None for one that was not."""
        entry = self.entries.get(self.hash_of(identifier.value))
        return entry[1] if entry else None

    def masks_in(self, text: str) -> Masks | None:
        """Return masks for the erased identifiers that a text holds; None when it holds none."""
        found: dict[Identifier, str] = {}
        if len(self._harmless) > _REMEMBERED:
            self._harmless.clear()
        for piece in set(_PIECES.findall(text)) - self._harmless:
            held = {
                one: self.entries[self.hash_of(one.value)][1] for one in map(self._lookup, _candidates(piece)) if one
            }
            found |= held
            if not held:
                self._harmless.add(piece)
        return Masks(found) if found else None

    def _lookup(self, candidate: str) -> Identifier | None:
        if candidate not in self._known:
            if len(self._known) > _REMEMBERED:
                self._known.clear()
            entry = self.entries.get(self.hash_of(candidate))
            self._known[candidate] = Identifier(entry[0], candidate) if entry else None
        return self._known[candidate]

    @property
    def needles(self) -> tuple[str, ...]:
        """Nothing: nobody knows the spellings of what was erased."""
        return ()

    def has(self, text: str) -> bool:
        """Say whether a text holds an erased identifier, without regard to escapes."""
        return self.masks_in(text) is not None

    def text(self, text: str) -> str:
        """Return a text masked."""
        masks = self.masks_in(text)
        return masks.text(text) if masks else text

    def document(self, text: str) -> str:
        """Return a JSON document or a line of a table masked; the same object when nobody in it was erased."""
        masks = self.masks_in(_readable(text))
        return masks.document(text) if masks else text

    def line(self, line: bytes) -> bytes:
        """Return a record masked; the same object when nobody in it was erased."""
        text = line.decode("utf-8", "surrogateescape")
        masked = self.document(text)
        return line if masked is text or masked == text else masked.encode("utf-8", "surrogateescape")

    def lines(self, lines: Sequence[bytes]) -> Sequence[bytes]:
        """Return records masked."""
        masked: list[bytes] = []
        for at in range(0, len(lines), _BATCH):
            batch = lines[at : at + _BATCH]
            together = b"\n".join(batch).decode("utf-8", "surrogateescape")
            is_named = self.masks_in(_readable(together)) is not None
            masked += map(self.line, batch) if is_named else batch
        return masked

    def value(self, value: Any) -> Any:
        """Return a plain value (of a consent record) masked."""
        masks = self.masks_in(json.dumps(value, ensure_ascii=False, default=str))
        return masks.value(value) if masks else value


def _candidates(piece: str) -> Iterable[str]:
    """Yield what of a piece may be an identifier: ids, addresses, those of an URL, and all of it."""
    found = [piece]
    if len(piece) > _SHORTEST_GUID and "-" in piece:
        found += _GUID.findall(piece)
    if "@" in piece:
        found += _ADDRESS.findall(piece)
    if "%40" in piece:
        found += _ADDRESS_IN_URL.findall(piece)
    for each in dict.fromkeys(map(str.strip, found)):
        for spelled in (each, each[5:] if each[:5].lower() == "smtp:" else "",
                        urllib.parse.unquote(each) if "%" in each else ""):  # fmt: skip
            if 3 < len(spelled) <= _LONGEST:  # noqa: PLR2004 - shorter ones are no names
                yield spelled


def _readable(text: str) -> str:
    """Return a text with what its escapes stand for beside it."""
    return text if "\\u" not in text else f"{text}\n{_unescaped(text)}"


def _unescaped(text: str) -> str:
    return re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found.group(1), 16)), text)


def load(state: Path, tenant: str) -> Suppressed | None:
    """Return the list of one tenant; None when nobody was erased there, which costs a look at one file's name."""
    path = state / LIST_NAME
    try:
        stamp = path.stat()
    except FileNotFoundError:
        return None
    return _load(state, tenant, (stamp.st_ino, stamp.st_mtime_ns, stamp.st_size))


@lru_cache(maxsize=64)
def _load(state: Path, tenant: str, _stamp: tuple[int, int, int]) -> Suppressed | None:
    listed = read(state).get(tenant, {})
    return Suppressed(key_of(state), listed) if listed else None


def read(state: Path) -> dict[str, dict[str, tuple[Kind, str]]]:
    """Return the whole list: tenant → hash → kind and mask."""
    path = state / LIST_NAME
    if not path.exists():
        return {}
    content = json.loads(path.read_text(encoding="utf-8"))
    return {tenant: {hash_: (kind, mask) for hash_, (kind, mask) in entries.items()}
            for tenant, entries in content["tenants"].items()}  # fmt: skip


def write(target: Path, state: Path, tenant: str, pairs: Mapping[Identifier, str]) -> None:
    """Write the list as it is with more identifiers in it to a file that is to take its place."""
    tenants = read(state)
    suppressed = Suppressed(key_of(state), tenants.get(tenant, {}))
    suppressed.entries.update({suppressed.hash_of(one.value): (one.kind, mask) for one, mask in pairs.items()
                               if one.is_sure})  # fmt: skip
    content = {
        "what": "keyed hashes (HMAC-SHA-256) of what was erased, so that it is masked when it comes again",
        "tenants": {**tenants, tenant: suppressed.entries},
    }
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)


def masked_tables(
    state: Path, tables: Mapping[str, Iterable[Mapping[str, object]]]
) -> dict[str, Iterable[Mapping[str, object]]]:
    """Return rows of the consent register as the evidence has them: who was erased stands there as a mask, too."""
    if not (state / LIST_NAME).exists():
        return dict(tables)
    return {name: [_masked_row(state, row) for row in rows] for name, rows in tables.items()}


def _masked_row(state: Path, row: Mapping[str, object]) -> Mapping[str, object]:
    suppressed = load(state, str(row.get("tenant_id")))
    masked: Mapping[str, object] = suppressed.value(dict(row)) if suppressed else row
    return masked
