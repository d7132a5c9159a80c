"""Turns Microsoft's map into calls with a meaning; builds endpoints.csv and coarse.csv."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from catalogue_build.names import KINDS, Names, Reach, area_grants, only_reads, permission_cell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from catalogue_build.sources import Sources

METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")
WITHOUT_DELETE = frozenset({"teams_chat", "teams_channel", "teams_meeting", "presence"})
"""Workloads in which every change that is not a message sent is a write, a deletion too (the verdict's page)."""
_KEY = re.compile(r"\((?:(?:appid|userprincipalname|deviceid|uniquename|roletemplateid|id)=)?'?\{\}'?\)")
_ARGUMENTS = re.compile(r"\([^()]*\)")
_NAMESPACE = re.compile(r"microsoft\.graph\.(?:\w+\.)*")
_TEAMS = {"/teams/{}": 2, "/groups/{}/team": 2, "/users/{}/joinedteams/{}": 4, "/me/joinedteams/{}": 3,
          "/teamwork/deletedteams/{}": 3}  # fmt: skip
"""Every way to a team, and the segment that holds its id (a group's id is its team's)."""
_CHATS = {"/chats/{}": 2, "/users/{}/chats/{}": 4, "/me/chats/{}": 3}
_WAYS = {"~": {"/users/{}": 2, "/me": 0}, "@": _TEAMS, "%": _CHATS}
Names2 = dict[str, set[str]]


def plain(path: str) -> str:
    """Return a path of the map as a template: keys as segments, arguments and namespaces dropped."""
    path = _ARGUMENTS.sub("", _KEY.sub("/{}", path))
    return _NAMESPACE.sub("", path).rstrip("/") or "/"


@dataclass
class Area:
    """One area of areas.yml; ``root`` is one of its roots with `~` resolved."""

    rule: dict[str, Any]
    root: str
    kind: str = ""
    at: int | None = None
    permissions: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))

    @property
    def workload(self) -> str:
        """Workload as written to the file: empty = unknown."""
        return str(self.rule.get("workload") or "")

    @property
    def is_action(self) -> bool:
        """Whether a POST of the root itself sends or only reads."""
        return self.root.rsplit("/", 1)[-1] in (*self.rule.get("sends", ()), *self.rule.get("reads", ()))

    def owns(self, template: str) -> bool:
        """Tell whether a template is the root or lies under it."""
        return template == self.root or template.startswith(self.root + "/")

    def operation(self, method: str, template: str) -> str:
        """Return what the method does here (areas.yml says how)."""
        tail = template.rsplit("/", 1)[-1]
        if method == "POST" and tail in self.rule.get("sends", ()):
            return "send"
        if method == "GET" or (method == "POST" and tail in self.rule.get("reads", ())):
            return "read"
        return "delete" if method == "DELETE" else "write"

    def segment(self, template: str) -> str:
        """Return the segment of the resource's id, 0 for the actor, empty when the URL names none."""
        if self.at is None or self.at == 0:
            return "" if self.at is None else "0"
        parts = template.split("/")
        return str(self.at) if len(parts) > self.at and parts[self.at] == "{}" else ""


class Calls:
    """All calls of the map and of the corrections, area by area."""

    def __init__(self, sources: Sources, names: Names, areas: dict[str, Any], corrections: dict[str, Any]) -> None:
        self._names, self._rules, self._corrections = names, areas, corrections
        self._areas = sorted(self._expand(areas["areas"]), key=lambda area: -len(area.root))
        self._map: dict[tuple[str, str], Names2] = {}
        self._reached: Reach = {}
        self._paths: set[str] = set()
        for row in sources.permission_map:
            self._take(row)
        self._add_templates()
        self._mirror()
        self._exact = {key: self._permissions(*key) for key in sorted(self._map) if self._area(key[0])}

    def _expand(self, rules: list[dict[str, Any]]) -> Iterator[Area]:
        for rule in rules:
            resource = rule.get("resource")
            kind = resource if isinstance(resource, str) else (resource or {}).get("kind", "")
            at = resource.get("at") if isinstance(resource, dict) else None
            if not rule.get("workload") and not rule.get("unknown"):
                raise SystemExit(f"areas.yml does not say why the workload of {rule['area']} is unknown")
            for root in rule["roots"]:
                ways = _WAYS.get(root[0], {})
                if not ways:
                    yield Area(rule, root, kind, at)
                for prefix, own in ways.items():
                    place = at[prefix.removesuffix("/{}")] if isinstance(at, dict) else own
                    yield Area(rule, prefix + root[1:], kind, place if kind else None)

    def _area(self, template: str) -> Area | None:
        return next((area for area in self._areas if area.owns(template)), None)

    def _take(self, row: dict[str, str]) -> None:
        if any(drop["containing"] in row["path"] for drop in self._corrections["drop_templates"]):
            return
        path = plain(row["path"])
        for swap in self._corrections["replace_in_templates"]:
            path = path.replace(swap["from"], swap["to"])
        self._paths.add(path)
        kind = "application" if row["scheme"] == "application" else "delegated"
        entry = self._map.setdefault((path, row["method"]), {kind: set() for kind in KINDS})
        if name := self._names.real(kind, row["permission"]):
            entry[kind].add(name)

    def _add_templates(self) -> None:
        for block in self._corrections["add_templates"]:
            for short, methods in block["templates"].items():
                for template in _every(short):
                    for method in methods.split():
                        self._map.setdefault((template, method), {kind: set() for kind in KINDS})
                    self._paths.add(template)

    def _mirror(self) -> None:
        """Give every way to a mailbox or a team what the others have: the same calls, which the map lists unevenly."""
        for ways in _WAYS.values():
            prefixes = [f"{prefix}/" for prefix in ways]
            for path, method in list(self._map):
                taken = next((prefix for prefix in prefixes if path.startswith(prefix)), None)
                if taken is None or self._area(path) is None:
                    continue
                for prefix in prefixes:
                    twin = (prefix + path[len(taken) :], method)
                    entry = self._map.setdefault(twin, {kind: set() for kind in KINDS})
                    for kind in KINDS:
                        entry[kind] |= self._map[path, method][kind]
        for (path, _), entry in self._map.items():
            if path == "/me" or path.startswith("/me/"):
                entry["application"] = set()  # an app without a user has no /me

    def _permissions(self, template: str, method: str) -> Names2:
        area = self._area(template)
        assert area is not None
        operation = area.operation(method, template)
        found = {}
        for kind in KINDS:
            stated = self._without_foreign(area, operation, template, self._map[template, method][kind])
            if not (kind == "application" and area.root.startswith("/me/")):
                stated |= self._names.demand(kind, area_grants(area.rule, kind, operation))
            closed = self._names.closed(kind, stated)
            for extra in self._corrections["for_one_resource"]:
                below = template.startswith(tuple(_every(extra["under"])))
                if below and extra["kind"] == kind and extra["has"] in closed:
                    closed |= self._names.closed(kind, self._names.demand(kind, extra["add"]))
            found[kind] = closed if area.workload else set()
            area.permissions[kind, operation] |= found[kind]
        return found

    def _without_foreign(self, area: Area, operation: str, template: str, names: set[str]) -> set[str]:
        starts = tuple(
            start
            for rule in self._corrections["foreign_permissions"]
            if rule["workload"] == area.workload and operation != rule.get("unless")
            and not template.endswith(rule.get("but_for", "\0"))
            for start in rule["starts"]
        )  # fmt: skip
        return {name for name in names if not name.startswith(starts)} if starts else set(names)

    def endpoint_rows(self) -> Iterator[tuple[str, ...]]:
        """Return the rows of endpoints.csv: exact templates, then open-ended ones (``/**``) for each area."""
        stated = {(row["template"], row["method"]): row for row in self._rules["rows"]}
        for (template, method), permissions in self._exact.items():
            area = self._area(template)
            if area is None or (template, method) in stated:
                continue
            yield self._row(area, template, method, area.operation(method, template), permissions)
        for area in self._areas:
            yield from self._open_rows(area)
        for (template, method), row in stated.items():
            yield (template, method, row.get("workload", ""), row["operation"], "", "", "", "")
        for entry in self._rules["anywhere"]:
            area = self._area(entry["as"])
            assert area is not None
            for method in METHODS:
                said = self._open(area, "", method)
                yield (f"/**/{entry['word']}", method, *said[2:5], "", *said[6:])

    def _open_rows(self, area: Area) -> Iterator[tuple[str, ...]]:
        for method in METHODS:
            yield self._open(area, "", method)
        if area.is_action and (area.root, "POST") not in self._exact:
            operation = area.operation("POST", area.root)
            yield self._row(
                area, area.root, "POST", operation, {kind: self._anywhere(area, kind, operation) for kind in KINDS}
            )
        if not area.is_action or any(path.startswith(area.root + "/") for path, _ in self._exact):
            for tail in (*area.rule.get("sends", ()), *area.rule.get("reads", ())):
                yield self._open(area, "/" + tail, "POST")

    def _open(self, area: Area, tail: str, method: str) -> tuple[str, ...]:
        template = f"{area.root}/**{tail}"
        operation = area.operation(method, template)
        permissions = {
            kind: self._without_foreign(area, operation, template, self._anywhere(area, kind, operation))
            for kind in KINDS
        }
        return self._row(area, template, method, operation, permissions)

    def _anywhere(self, area: Area, kind: str, operation: str) -> set[str]:
        """Return every permission that allows this operation somewhere in the area: never too few.

        Names that only read are left out of writes: the map lists some of them there, for single odd calls.
        """
        found: set[str] = set()
        for other in self._areas:
            if other.rule is area.rule and other.root.startswith("/me/") == area.root.startswith("/me/"):
                found |= other.permissions[kind, operation]
        if not found and not (kind == "application" and area.root.startswith("/me/")):
            found = self._names.closed(kind, area_grants(area.rule, kind, operation))
        return {name for name in found if operation == "read" or not only_reads(name)}

    def _row(self, area: Area, template: str, method: str, operation: str, permissions: Names2) -> tuple[str, ...]:
        reach = self._reached
        for kind in KINDS:
            for name in permissions[kind]:
                workloads, operations = reach.setdefault((kind, name), (set(), set()))
                workloads.add(area.workload)
                operations.add(operation)
        cells = (permission_cell(permissions[kind]) for kind in KINDS)
        where = area.segment(template.replace("/**", "/{}" * 4))
        said = "write" if operation == "delete" and area.workload in WITHOUT_DELETE else operation
        return (template, method, area.workload, said, area.kind, where, *cells)

    def coarse_rows(self) -> Iterator[tuple[str, str]]:
        """Return the rows of coarse.csv: everything that is no area, by its first segments."""
        rules = self._rules["coarse"]
        for workload, templates in rules["exact"].items():
            yield from ((template, workload.replace("unknown", "")) for template in templates)
        covered = {"users", "me", "groups", "teams", "communications", "chats", "subscriptions"}
        by_first = {name: workload for workload in ("files", "directory") for name in rules["first"][workload]}
        firsts = {path.split("/")[1] for path in self._paths} | set(rules["first"]["also_other"]) | set(by_first)
        for first in sorted(firsts - covered - {""}):
            yield f"/{first}/**", by_first.get(first, rules["first"]["otherwise"])
        for inside in rules["inside"]:
            for prefix in inside["prefix"]:
                yield from self._inside(prefix, inside)

    def _inside(self, prefix: str, rule: dict[str, Any]) -> Iterator[tuple[str, str]]:
        depth = prefix.count("/") + 1
        seen = {path.split("/")[depth] for path in self._paths if path.startswith(prefix + "/")}
        named = {name: workload for workload in ("files", "other") for name in rule.get(workload, ())}
        for name in sorted((seen | set(named) | set(rule.get("also_directory", ()))) - {"{}"}):
            if not self._area(f"{prefix}/{name}"):
                yield f"{prefix}/{name}/**", named.get(name, rule["otherwise"])

    def reach(self) -> Reach:
        """Return what each Graph permission reaches; endpoint rows must have been read before.

        Files and directory are taken from the coarse rules over the map's own rows.
        """
        list(self.endpoint_rows())
        coarse = sorted(self.coarse_rows(), key=lambda row: -len(row[0]))
        for (path, method), entry in self._map.items():
            if self._area(path):
                continue
            workload = next((w for t, w in coarse if path == t or path.startswith(t.removesuffix("/**") + "/")
                             or path == t.removesuffix("/**")), "")  # fmt: skip
            if workload not in {"files", "directory"}:
                continue
            operation = {"GET": "read", "DELETE": "delete"}.get(method, "write")
            for kind in KINDS:
                for name in entry[kind]:
                    workloads, operations = self._reached.setdefault((kind, name), (set(), set()))
                    workloads.add(workload)
                    operations.add(operation)
        return {key: (workloads - {""}, operations) for key, (workloads, operations) in self._reached.items()}

    def allowed(self, call: str) -> Names2:
        """Return what allows a call of the audited areas, written ``GET /me/messages``.

        Raises:
            SystemExit: there is no such call.
        """
        method, _, template = call.partition(" ")
        if (template, method) not in self._exact:
            raise SystemExit(f"audit.yml names a call that is in no area: {call}")
        return self._exact[template, method]

    def report(self) -> list[str]:
        """Return lines on what is covered."""
        audited = sorted({path for path in self._paths if self._area(path)})
        return [f"templates of the audited areas: {len(audited)} of {len(self._paths)}"]


def _every(short: str) -> list[str]:
    ways = _WAYS.get(short[0])
    return [prefix + short[1:] for prefix in ways] if ways else [short]
