"""Compiles the audit log's operations, services and record types from audit.yml and the source tables."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Any

from catalogue_build.names import KINDS, Names, permission_cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from catalogue_build.sources import Sources

Alternatives = dict[str, set[str]]
_DASHES = re.compile(r"[\u2010-\u2015\u2212\ufe58\ufe63\uff0d-]")


def folded(operation: str) -> str:
    """Return an operation's name as it is compared: lower-case, one kind of dash, single blanks, no end stop."""
    return " ".join(_DASHES.sub("-", operation).split()).lower().rstrip(". ")


def audit_operations(
    sources: Sources, names: Names, rules: dict[str, Any], allowed: Callable[[str], Alternatives]
) -> list[tuple[str, ...]]:
    """Return the rows of audit_operations.csv; ``allowed``: what allows a call of Graph, written ``GET /me/messages``.

    Raises:
        SystemExit: an operation of the sources is in no table, or a permission or call does not exist.
    """

    def closed(held: dict[str, Any]) -> Alternatives:
        return {kind: names.closed(kind, names.demand(kind, held.get(kind, ()))) for kind in KINDS}

    lists = {}
    for name, held in rules["permission_lists"].items():
        lists[name] = closed(held)
        for call in held.get("calls", ()):
            for kind, found in allowed(call).items():
                lists[name][kind] |= found
    protocols = {name: closed(held) for name, held in rules["protocols"].items()}
    rows = [row for service in ("exchange", "teams") for row in _service(rules[service], lists, protocols)]
    for row in sources.audit_operations:
        if row["workload"] == "AzureActiveDirectory" or row["source"] == "directoryAudits":
            name = folded(row["operation"])
            access = "delete" if name.startswith("remove ") else "write"
            rows.append(("AzureActiveDirectory", name, "", "", "directory", access, "", "", "", "", ""))
    known = {row[1] for row in rows}
    if missing := [row["operation"] for row in sources.audit_operations if folded(row["operation"]) not in known]:
        raise SystemExit(f"audit.yml says nothing about {missing}")
    return rows


def _service(
    service: dict[str, Any], lists: dict[str, Alternatives], protocols: dict[str, Alternatives]
) -> Iterator[tuple[str, ...]]:
    for entry in service["operations"]:
        held = lists.get(entry.get("permissions", ""), {})
        alternatives = {"": held}
        for protocol, opens in protocols.items():
            left = {kind: names & opens[kind] for kind, names in held.items()}
            if any(left.values()):  # else the protocol does no such thing: the whole list stands
                alternatives[protocol] = left
        kind = entry.get("resource_kind", service.get("resource_kind", ""))
        for name, (protocol, left) in product(entry["names"], alternatives.items()):
            cells = [permission_cell(left.get(kind, ())) for kind in KINDS]
            yield (
                service["audit_workload"], folded(name), str(entry.get("record_type", "")), protocol,
                entry.get("workload", ""), entry.get("operation", ""), kind, entry.get("decided_by", ""), *cells,
                entry.get("note", ""),
            )  # fmt: skip


def audit_workloads(rules: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the rows of audit_workloads.csv."""
    return [(service, workload) for workload, services in rules["audit_workloads"].items() for service in services]


def record_types(sources: Sources, rules: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return the rows of audit_record_types.csv: number, name, feed."""
    feeds = [(re.compile(pattern), feed) for feed, patterns in rules["feeds"].items() for pattern in patterns]
    return [
        (
            row["value"].zfill(3),
            row["name"],
            next((feed for p, feed in feeds if p.fullmatch(row["name"])), "audit_other"),
        )
        for row in sources.audit_record_types
    ]
