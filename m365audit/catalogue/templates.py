"""Matches shapes of request URIs against the catalogue's templates; reads no log, stores nothing."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from m365audit.catalogue.files import table
from m365audit.catalogue.rows import endpoint_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Row = dict[str, Any]

_ANY: str = "{}"
_OPERATIONS = {"GET": "read", "HEAD": "read", "POST": "write", "PATCH": "write", "PUT": "write", "DELETE": "delete"}
_ACTOR_ALIASES = frozenset({"me", "me-token-to-replace"})
_NAMESPACES = ("microsoft.graph.", "graph.", "#microsoft.graph.")
"""How casts and bound functions begin; Microsoft's client libraries write the short one."""
_FUNCTIONS = frozenset({"delta"})
"""Words that are never an id and never a type, wherever they stand: any collection may have its changes."""
_UNKNOWN: Row = dict.fromkeys(
    ("template", "workload", "operation", "resource_kind", "resource_segment", "permissions_application",
     "permissions_delegated")
)  # fmt: skip


class _Node:
    """One segment of the templates' tree."""

    __slots__ = ("children", "coarse", "deep", "deep_coarse", "rows")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.rows: dict[str, Row] = {}
        self.deep: dict[tuple[str, str], Row] = {}
        self.coarse: Row | None = None
        self.deep_coarse: Row | None = None

    def at(self, template: str) -> _Node:
        """Return the node of a template, made when missing."""
        node = self
        for part in filter(None, template.split("/")):
            node = node.children.setdefault(part, _Node())
        return node


class _State(NamedTuple):
    """A node reached, and which segment of the shape each of its template's segments took."""

    node: _Node
    places: tuple[int, ...]


class _Tree(NamedTuple):
    """The templates, and the words that are of a workload wherever they stand below a coarse rule."""

    root: _Node
    anywhere: dict[tuple[str, str], Row]


@cache
def _tree() -> _Tree:
    root, anywhere = _Node(), {}
    for row in endpoint_rows():
        base, is_open, tail = row["template"].partition("/**")
        if is_open and not base:
            anywhere[row["method"], tail.strip("/")] = row
        elif is_open:
            root.at(base).deep[row["method"], tail.strip("/")] = row
        else:
            root.at(base).rows[row["method"]] = row
    for line in table("coarse"):
        row = {**_UNKNOWN, "template": line["template"], "workload": line["workload"] or None}
        base, is_open, _ = line["template"].partition("/**")
        if is_open:
            root.at(base).deep_coarse = row
        else:
            root.at(base).coarse = row
    return _Tree(root, anywhere)


def match_shapes(shapes: Iterable[tuple[str, str]]) -> Iterator[Row]:
    """Name each (method, shape); the shape as ``shape_sql`` makes it.

    Yields one row per input, in order. Keys: method, shape (as given), template (None = the catalogue knows no such
    call), workload, operation, resource_kind, resource_segment (the shape's own segment; 0 = the actor),
    permissions_application, permissions_delegated (lists; None = not compared).

    A written segment beats a placeholder; a mask fits placeholders only; an open template (``/**``) answers for what
    lies below it and is not written out; the coarse rules come last, and a word that is of a workload anywhere
    (``/**/mailboxsettings``) comes before them. Dot segments are never matched.
    """
    tree = _tree()
    for method, shape in shapes:
        yield {"method": method, "shape": shape, **_match(tree, method.upper(), shape)}


def _match(tree: _Tree, method: str, shape: str) -> Row:
    parts = [part for part in shape.split("/") if part]
    if any(part in {".", ".."} for part in parts):
        return _UNKNOWN
    states = [_State(tree.root, ())]
    fallbacks: list[_State] = []
    for index, part in enumerate(parts, start=1):
        states = [after for state in states for after in _steps(state, part, index)]
        fallbacks[:0] = [state for state in states if _is_open(state.node)]
        if not states:
            break
    key = "GET" if method == "HEAD" else method
    for state in states:
        if row := state.node.rows.get(key):
            return _placed(row, state, parts)
    for state in states:
        if state.node.coarse:
            return _by_method(state.node.coarse, method)
    name = next((next(iter(state.node.rows.values()))["template"] for state in states if state.node.rows), None)
    return _fallen_back(tree, fallbacks, key, parts, name)


def _fallen_back(tree: _Tree, fallbacks: list[_State], key: str, parts: list[str], name: str | None) -> Row:
    """Return what the deepest open template or coarse rule on the way says; ``name``: the template of the call."""
    tail = parts[-1].rpartition(".")[2] if parts else ""
    for state in fallbacks:
        if not state.node.deep and (row := _anywhere(tree, key, parts)):
            return row
        if row := _open_row(state.node, key, tail):
            return {**_placed(row, state, parts), **({"template": name} if name else {})}
    return _UNKNOWN


def _anywhere(tree: _Tree, key: str, parts: list[str]) -> Row | None:
    row = next((row for part in reversed(parts) if (row := tree.anywhere.get((key, part)))), None)
    return row and {field: row[field] for field in _UNKNOWN}


def _is_open(node: _Node) -> bool:
    return bool(node.deep or node.deep_coarse)


def _steps(state: _State, part: str, index: int) -> Iterator[_State]:
    children, places = state.node.children, (*state.places, index)
    if part.startswith(_NAMESPACES):
        # `microsoft.graph.delta` is the function; `microsoft.graph.user` a cast, which templates leave out.
        word = part.rpartition(".")[2]
        if bare := children.get(word):
            yield _State(bare, places)
        elif word not in _FUNCTIONS:
            yield state
        return
    if part != "~" and (child := children.get(part)):
        yield _State(child, places)
    if not part.startswith("$") and part not in _FUNCTIONS and (child := children.get(_ANY)):
        yield _State(child, places)


def _open_row(node: _Node, method: str, tail: str) -> Row | None:
    row = node.deep.get((method, tail)) or node.deep.get((method, ""))
    if row is None and node.deep:  # an odd method: the workload is certain, what it does is not
        known = next(iter(node.deep.values()))
        return {**known, "operation": None, "permissions_application": None, "permissions_delegated": None}
    return row or (node.deep_coarse and _by_method(node.deep_coarse, method))


def _by_method(row: Row, method: str) -> Row:
    return {**row, "operation": _OPERATIONS.get(method)}


def _placed(row: Row, state: _State, parts: list[str]) -> Row:
    """Return the row's facts with the resource's segment as the shape counts it."""
    segment, found = row["resource_segment"], None
    if segment == 0:
        found = 0
    elif segment:
        # Open templates may hold the id below the part that was walked.
        place = state.places[segment - 1] if segment <= len(state.places) else segment
        word = parts[place - 1] if place <= len(parts) else "$"
        found = 0 if word in _ACTOR_ALIASES else None if word.startswith("$") else place
    return {key: row[key] for key in _UNKNOWN} | {"resource_segment": found}
