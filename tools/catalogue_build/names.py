"""Which permission names exist in which kind, and what includes what; builds permissions.csv."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from catalogue_build.sources import Sources

GRAPH = "00000003-0000-0000-c000-000000000000"
KINDS = ("application", "delegated")
OPERATIONS = ("read", "write", "send", "delete")
WORKLOADS = ("mail", "calendar", "contacts", "teams_chat", "teams_channel", "teams_meeting", "presence", "telephony",
             "files", "directory")  # fmt: skip
Reach = dict[tuple[str, str], tuple[set[str], set[str]]]


class Names:
    """The permission names of Microsoft Graph and of Exchange, corrected and closed under inclusion."""

    def __init__(self, sources: Sources, corrections: dict[str, Any]) -> None:
        self._corrections = corrections
        self._ids = {
            (kind, row["value"], row["id"].lower())
            for row in sources.permission_ids
            for kind in ("application" if row["kind"] == "appRole" else "delegated",)
            if row["resource_app_id"] == GRAPH and row["is_enabled"] == "True"
            and ("hidden" not in row["source"] or row["value"].endswith((".Group", ".Chat", ".User")))
        }  # fmt: skip
        self._graph = {(kind, name) for kind, name, _ in self._ids}
        others = {
            (kind, str(name))
            for api in corrections["other_permissions"]
            for kind in KINDS
            for name in api.get(kind, ())
        }
        self._known = self._graph | others
        self._renamed = {(c["kind"], c["from"]): c["to"] for c in corrections["rename_permissions"]}
        self._includes: dict[tuple[str, str], set[str]] = defaultdict(set)
        for kind, chains in corrections["supersets"].items():
            for chain in chains:
                for lower, upper in pairwise(chain):
                    self._includes[kind, lower].add(upper)
        self._unknown: set[tuple[str, str]] = set()
        self._prove()

    def _prove(self) -> None:
        written = {(kind, name) for (kind, low), highs in self._includes.items() for name in (low, *highs)}
        written |= {(kind, to) for (kind, _), to in self._renamed.items()}
        if missing := sorted(written - self._known):
            raise SystemExit(f"corrections.yml names permissions that do not exist: {missing}")

    def real(self, kind: str, name: str) -> str | None:
        """Return the permission's real name in this kind, None when there is no such permission."""
        name = self._renamed.get((kind, name), name)
        if (kind, name) in self._known:
            return name
        self._unknown.add((kind, name))
        return None

    def demand(self, kind: str, names: Iterable[str]) -> set[str]:
        """Return hand-written names unchanged.

        Raises:
            SystemExit: one of them does not exist.
        """
        found = set(names)
        if missing := sorted(name for name in found if (kind, name) not in self._known):
            raise SystemExit(f"no such {kind} permission: {missing}")
        return found

    def closed(self, kind: str, names: Iterable[str]) -> set[str]:
        """Return the names and everything that includes them."""
        found, queue = set(names), list(names)
        while queue:
            for upper in self._includes.get((kind, queue.pop()), ()):
                if upper not in found:
                    found.add(upper)
                    queue.append(upper)
        return found

    def rows(self, reach: Reach) -> list[tuple[str, ...]]:
        """Return the rows of permissions.csv."""
        stated = {
            (kind, name): (set(entry["workloads"]), set(entry["operations"]))
            for entry in self._corrections["reach"]
            for name in entry["names"]
            for kind in KINDS
        }
        rows: list[tuple[str, ...]] = []
        for kind, name, guid in self._ids:
            workloads, operations = stated.get((kind, name)) or self._sober(name, reach.get((kind, name)))
            rows.append(("microsoft_graph", GRAPH, name, kind, guid, *_texts(workloads, operations)))
        for api in self._corrections["other_permissions"]:
            for kind in KINDS:
                for name, facts in api.get(kind, {}).items():
                    texts = _texts(facts.get("reach", ()), facts.get("may", ()))
                    rows.append((api["api"], api["resource_app_id"], name, kind, facts.get("id", ""), *texts))
        return rows

    def _sober(self, name: str, reached: tuple[set[str], set[str]] | None) -> tuple[set[str], set[str]]:
        """Return what is reached without the map's slips: Mail.ReadWrite reaches no calendar, a Read writes nothing.

        A permission that the map uses nowhere reaches what its name states.
        """
        workloads, operations = reached or (set(), set())
        for rule in self._corrections["reach_by_name"]:
            if name.startswith(tuple(rule["starts"])):
                stated = set(rule["workloads"])
                workloads = workloads & stated or (stated if len(stated) == 1 else set())
                break
        said = operations_by_name(name)
        return workloads, (said if said in ({"read"}, {"send"}) or not operations else operations)

    def report(self) -> list[str]:
        """Return lines on names of the map that exist in no tenant."""
        return ["names of the map that do not exist: " + ", ".join(f"{k}:{n}" for k, n in sorted(self._unknown))]


def _texts(workloads: Iterable[str], operations: Iterable[str]) -> tuple[str, str]:
    held, may = set(workloads), set(operations)
    return " ".join(w for w in WORKLOADS if w in held), " ".join(o for o in OPERATIONS if o in may and held)


def only_reads(name: str) -> bool:
    """Tell whether a permission's name says that it only reads."""
    return ".Read" in name and ".ReadWrite" not in name and ".ReadUpdate" not in name


def operations_by_name(name: str) -> set[str]:
    """Return what a permission's name says that it allows."""
    if only_reads(name):
        return {"read"}
    if ".Send" in name:
        return {"send"}
    words = {".ReadWrite": {"read", "write", "delete"}, ".Create": {"write"}, ".Edit": {"write"}, ".Delete": {"delete"}}
    return next((set(may) for word, may in words.items() if word in name), {"read", "write"})


def permission_cell(names: Iterable[str]) -> str:
    """Return a list cell: names separated by ``;`` (roles of Exchange have blanks in their names)."""
    return ";".join(sorted(names))


def area_grants(area: Mapping[str, Any], kind: str, operation: str) -> list[str]:
    """Return the permissions that an area states for an operation."""
    return list(area.get("grants", {}).get(kind, {}).get(operation, ()))
