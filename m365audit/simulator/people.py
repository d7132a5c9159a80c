"""Owns who lives in the demo's world: tenants, people, groups and their ids. Must never say what anybody did."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field

CONTOSO_ID = "11111111-1111-4111-8111-111111111111"
FABRIKAM_ID = "22222222-2222-4222-8222-222222222222"
TAILSPIN_ID = "33333333-3333-4333-8333-333333333333"


def fixed_id(*parts: str) -> str:
    """Return a GUID that depends on the names alone, so that every run writes the same bytes."""
    digest = hashlib.sha256("/".join(parts).encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


@dataclass(frozen=True, slots=True)
class Person:
    """One user account and mailbox.

    Attributes:
        key: short name by which the stories call the account.
        name: display name.
        upn: user principal name.
        id: object id.
    """

    key: str
    name: str
    upn: str
    id: str


@dataclass(frozen=True, slots=True)
class Group:
    """One security group as it was at the snapshot; ``members`` are keys of people or of other groups."""

    key: str
    name: str
    id: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tenant:
    """One organisation with its people and groups.

    Attributes:
        key: folder name of its exports and records.
        has_group_export: False where the groups were never exported, so that no membership is observed.
    """

    key: str
    name: str
    id: str
    domain: str
    people: dict[str, Person] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    has_group_export: bool = True

    def person(self, key: str) -> Person:
        """Return the account with that key."""
        return self.people[key]

    def in_group(self, key: str) -> tuple[Person, ...]:
        """Return everyone in the group at the snapshot, nested groups included."""
        found: list[Person] = []
        for member in self.groups[key].members:
            found.extend(self.in_group(member) if member in self.groups else (self.people[member],))
        return tuple(found)


def _tenant(
    key: str,
    name: str,
    tenant_id: str,
    people: dict[str, str],
    groups: dict[str, tuple[str, tuple[str, ...]]],
    *,
    has_group_export: bool = True,
) -> Tenant:
    domain = f"{key}.example"
    return Tenant(
        key=key,
        name=name,
        id=tenant_id,
        domain=domain,
        people={k: Person(k, n, f"{k}@{domain}", fixed_id(key, "user", k)) for k, n in people.items()},
        groups={k: Group(k, n, fixed_id(key, "group", k), m) for k, (n, m) in groups.items()},
        has_group_export=has_group_export,
    )


def contoso() -> Tenant:
    """A trading company: most things in order, three wrongs."""
    return _tenant(
        "contoso",
        "Contoso",
        CONTOSO_ID,
        {
            "a.bakker": "Anna Bakker",
            "b.devries": "Bram de Vries",
            "c.jansen": "Chloé Jansen",
            "d.visser": "Daan Visser",
            "e.smit": "Eva Smit",
            "n.haddad": "Noor Haddad",
            "p.mulder": "Pieter Mulder",
            "ceo": "Marloes van den Berg",
            "f.meijer": "Fleur Meijer",
            "g.bos": "Gijs Bos",
            "noreply": "Website",
            "admin": "Adele Admin",
        },
        {
            "sales": ("Sales", ("a.bakker", "b.devries", "c.jansen", "n.haddad", "sales-north")),
            "sales-north": ("Sales North", ("d.visser", "e.smit")),
            "management": ("Management", ("ceo",)),
        },
    )


def fabrikam() -> Tenant:
    """A manufacturer that withdrew one purpose and trusted that it would stop."""
    return _tenant(
        "fabrikam",
        "Fabrikam",
        FABRIKAM_ID,
        {
            "h.kok": "Hanna Kok",
            "i.peters": "Ivo Peters",
            "j.vos": "Jasmijn Vos",
            "k.dekker": "Koen Dekker",
            "l.maas": "Lotte Maas",
            "noreply": "Website",
            "admin": "Bert Beheer",
        },
        {"verkoop": ("Verkoop", ("h.kok", "i.peters", "j.vos"))},
    )


def tailspin() -> Tenant:
    """A toy maker whose exports have holes: no groups, three days without Graph activity."""
    return _tenant(
        "tailspin",
        "Tailspin",
        TAILSPIN_ID,
        {
            "m.prins": "Milan Prins",
            "o.schouten": "Olga Schouten",
            "q.willems": "Quinten Willems",
            "noreply": "Website",
            "admin": "Carla Chef",
        },
        {"customers": ("Customer team", ("m.prins", "o.schouten"))},
        has_group_export=False,
    )
