"""Who is meant: from an object id or user principal name to everything by which the evidence knows the person.

Only what Microsoft wrote side by side links an id with a name. What two accounts share is nobody's for sure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import duckdb

from m365audit.store.copying import find_rows
from m365audit.store.masks import ADDRESSES, IDENTIFYING, NAMES, OTHERS, PHONES, Identifier, Kind

_GUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ROUNDS: Final = 6
_KINDS: Final[Mapping[Kind, frozenset[str]]] = {
    "name": NAMES, "address": ADDRESSES, "phone": PHONES, "other": OTHERS,
}  # fmt: skip


@dataclass(slots=True)
class Person:
    """A person as the evidence knows them.

    Attributes:
        ids: object ids.
        addresses: user principal names, in small letters.
        identifiers: all of it: ids, addresses, names, telephone numbers, other numbers.
        shared: addresses that belong to another account too, and are not taken for this person.
        other_ids: those accounts.
    """

    ids: set[str] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)
    identifiers: set[Identifier] = field(default_factory=set)
    shared: set[str] = field(default_factory=set)
    other_ids: set[str] = field(default_factory=set)

    @property
    def is_known(self) -> bool:
        """The evidence names them at all."""
        return bool(self.identifiers)


def identify(connection: duckdb.DuckDBPyConnection, tenant: str, wanted: str) -> Person:
    """Return everything by which a tenant's evidence knows the person whose id or user principal name is given.

    Args:
        connection: the working database.
        tenant: tenant id.
        wanted: object id or user principal name, in any case.
    """
    folded = wanted.strip().lower()
    person = Person()
    (person.ids if _GUID.fullmatch(folded) else person.addresses).add(folded)
    for _ in range(_ROUNDS):
        before = (len(person.ids), len(person.addresses), len(person.identifiers))
        _look(connection, tenant, person)
        if before == (len(person.ids), len(person.addresses), len(person.identifiers)):
            break
    person.addresses -= person.shared
    named = person.ids | person.addresses
    person.identifiers = {each for each in person.identifiers if each.value.lower() not in named}
    person.identifiers |= {Identifier("id", each) for each in person.ids}
    person.identifiers |= {Identifier("address", each) for each in person.addresses}
    person.identifiers = {i for i in person.identifiers if i.value.lower() not in person.shared}
    return person


def _look(connection: duckdb.DuckDBPyConnection, tenant: str, person: Person) -> None:
    needles = sorted(person.ids | person.addresses)
    kept = f"tenant_id = '{tenant}'"
    linked: dict[str, set[str]] = {}
    objects: list[dict[str, Any]] = []
    for _, row in find_rows(connection, "main.landed_records", {"record": "JSON"}, needles, kept):
        for each in _objects(row["record"]):
            id_, address = _pair(each)
            if id_ and address:
                linked.setdefault(address, set()).add(id_)
            objects.append(each)
    if person.ids:  # who is known by id: an address leads to no second account
        for address, ids in linked.items():
            if ids & person.ids:
                (person.shared if ids - person.ids else person.addresses).add(address)
                person.other_ids |= ids - person.ids
    else:
        person.ids |= {id_ for address in person.addresses for id_ in linked.get(address, ())}
    person.addresses -= person.shared
    for each in objects:
        if _is_about(each, person):
            person.identifiers |= set(_described(each))


def _objects(record: str) -> Iterator[dict[str, Any]]:
    """Yield every JSON object in a record, also in texts that are JSON themselves."""
    try:
        waiting: list[Any] = [json.loads(record)]
    except (ValueError, RecursionError):
        return
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and value[:1] in ("{", "["):
            try:
                waiting.append(json.loads(value))
            except (ValueError, RecursionError):
                continue


def _pair(value: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return id and address where an object tells both of one account."""
    folded = {key.lower(): inner.lower() for key, inner in value.items() if isinstance(inner, str)}
    address = folded.get("userprincipalname")
    id_ = folded.get("userid") if "userid" in folded else folded.get("id")
    is_pair = id_ and _GUID.fullmatch(id_) and address and "@" in address
    return (id_, address) if is_pair else (None, None)


def _is_about(value: Mapping[str, Any], person: Person) -> bool:
    known = person.ids | person.addresses
    return any(isinstance(v, str) and k.lower() in IDENTIFYING and v.lower() in known for k, v in value.items())


def _described(value: Mapping[str, Any]) -> Iterator[Identifier]:
    for key, inner in value.items():
        for kind, keys in _KINDS.items():
            if key.lower() in keys:
                yield from (Identifier(kind, text) for text in _texts(inner, kind))


def _texts(value: object, kind: Kind) -> Iterable[str]:
    texts = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    for text in texts:
        if isinstance(text, str) and text.strip():
            cut = re.sub(r"(?i)^(smtp|sip):", "", text.strip()) if kind == "address" else text.strip()
            if kind != "address" or "@" in cut:
                yield cut
