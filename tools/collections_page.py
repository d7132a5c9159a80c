"""Makes the page about what is collected from Microsoft, from what each collection says of itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from m365audit.graph.feeds.collection import PREMIUM, Collection
from m365audit.graph.feeds.registry import COLLECTIONS

_APIS: Final = {
    "graph": "Microsoft Graph, application permission",
    "manage": "Office 365 Management APIs, application permission",
    "storage": "Azure role on the storage account's container",
}

_BEGIN: Final = """\
# What is collected from Microsoft

Written by `python tools/generate_docs.py` from `m365audit/graph/feeds/`. `tenants[].feeds` in the configuration says
which of it is wanted; what a licence or a permission forbids becomes a gap of that log, with its reason, and nothing
else suffers. `m365audit doctor` says which of the permissions a tenant has given.

## The permissions

These, and no others. An auditor that holds a permission to write, or one that opens mail, calendars, chats, files or
contacts, is not used: the tenant is a gap until it is taken away. For a person's login (`credential: {kind: login}`)
they are the delegated permissions of the same names, as far as Microsoft has them: call records open to applications
alone. There the person's own rights are a second limit.
"""

_LOGS: Final = """
## Logs

Read in windows of time. *Kept* is how far back Microsoft lets it be read; what nobody read by then is a gap for good. A
window is read twice, the second time at least `settle_after` later; when that brings nothing new, it is complete.
"""

_LISTINGS: Final = """
## Listings of the present state

Read whole in every run.
"""

_LIMITS: Final = """
## Microsoft's limits

Kept to beforehand, over all tenants of a run; what Microsoft answers (`Retry-After`, remaining units) slows down
further.
"""


def collections_page() -> str:
    """Return the page as Markdown."""
    every = list(COLLECTIONS.values())
    logs = [each for each in every if each.window is not None]
    listings = [each for each in every if each.window is None]
    return "".join(
        [
            _BEGIN,
            _table(("permission", "where", "id", "opens"), _permissions(every)),
            _LOGS,
            _table(("collection", "permission", "licence", "kept", "a pull", "key", "cannot be said without it"),
                   (_log(each) for each in logs)),
            _LISTINGS,
            _table(("collection", "permission", "key", "cannot be said without it"),
                   (_listing(each) for each in listings)),
            _LIMITS,
            _table(("collection", "limit, and its source"), _limits(every)),
        ]
    )  # fmt: skip


def _permissions(every: Sequence[Collection]) -> Iterable[Sequence[str]]:
    opens: dict[tuple[str, str, str], list[str]] = {}
    for each in every:
        for permission in each.permissions:
            opens.setdefault((permission.api, permission.name, permission.app_role_id), []).append(each.name)
    for api, api_words in _APIS.items():
        for (of, name, role), names in opens.items():
            if of == api:
                yield f"`{name}`", api_words, f"`{role}`", ", ".join(names)


def _log(each: Collection) -> Sequence[str]:
    return (
        f"`{each.name}`" + _feeds(each), _needed(each), _licence(each), _kept(each), _days(each.window),
        f"`{each.key}`", each.unassessable,
    )  # fmt: skip


def _listing(each: Collection) -> Sequence[str]:
    return f"`{each.name}`", _needed(each), f"`{each.key}`", each.unassessable


def _limits(every: Sequence[Collection]) -> Iterable[Sequence[str]]:
    names: dict[str, list[str]] = {}
    for each in every:
        names.setdefault(each.limits, []).append(each.name)
    return ((", ".join(f"`{name}`" for name in each), limit) for limit, each in names.items())


def _feeds(each: Collection) -> str:
    return "" if each.feeds == (each.name,) else f" → {', '.join(each.feeds)}"


def _needed(each: Collection) -> str:
    return ", ".join(f"`{permission.name}`" for permission in each.permissions)


def _licence(each: Collection) -> str:
    if not each.licence:
        return "none"
    return "Microsoft Entra ID P1 or P2" if each.licence == PREMIUM else " or ".join(each.licence)


def _kept(each: Collection) -> str:
    words = _days(each.reach)
    if each.short_reach is not None and each.short_reach != each.reach:
        words += f", without Entra ID P1 {_days(each.short_reach)}"
    if each.older_than:
        words += f"; asked for what is older than {_days(each.older_than)}"
    return words + (f"; then `{each.continued_by}`" if each.continued_by else "")


def _days(length: timedelta | None) -> str:
    if length is None:
        return "any time"
    return f"{length.days} day{'s' if length.days != 1 else ''}" if length.days else f"{length.seconds // 3600} h"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)
