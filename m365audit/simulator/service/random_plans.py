"""Owns plans of faults that a seed makes: three to ten, of kinds whose effect on completeness is known beforehand."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from m365audit.simulator.service.faults import Fault, FaultPlan

_GRAPH: Final = (
    "*/auditlogs/signins",
    "*/auditlogs/directoryaudits",
    "*/users",
    "*/serviceprincipals",
    "*/approleassignedto",
    "*/oauth2permissiongrants",
    "*/applications",
    "*/groups*",
    "*/organization",
    "*/policies/*",
    "*/communications/callrecords*",
    "*/security/auditlog/queries*",
    "*/rolemanagement/exchange/*",
)
_MANAGE: Final = ("*/subscriptions/content", "*/activity/feed/audit/*", "*/subscriptions/list")
_LOGS: Final = ("*/auditlogs/signins", "*/auditlogs/directoryaudits")
_BOTH: Final = (*_GRAPH, *_MANAGE)
PATHS: Final = (*_BOTH, "*/oauth2/v2.0/token")
"""Patterns of every path that a random plan knows."""

_DRAWS: Final = 2_000
_QUICK_HEADERS: Final = ("fraction", "zero", "past_date", "negative", "empty", "foreign_digit")


@dataclass(frozen=True, slots=True)
class _Choice:
    """A kind of fault as a plan may have it: where, with what, how often at most."""

    kind: str
    where: Sequence[str]
    detail: Sequence[Mapping[str, Any]] = ({},)
    most: int = 2


def _each(name: str, *values: object, **more: object) -> list[dict[str, Any]]:
    return [{name: value, **more} for value in values]


_PASSING: Final[tuple[_Choice, ...]] = (
    _Choice("throttled", PATHS, _each("retry_after", *_QUICK_HEADERS, seconds=0)),
    _Choice("throttled_without_header", _BOTH, most=1),
    _Choice("throttled_as_forbidden", _MANAGE, _each("retry_after", "zero")),
    _Choice("unavailable", PATHS, _each("status", 500, 502, 503, 504)),
    _Choice("aborted", _BOTH, _each("at", "before", "head", "body", "end", 1, 17, 300)),
    _Choice("aborted", _BOTH, _each("at", "before", "head", "body", ending="close")),
    _Choice("wrong_length", _BOTH, _each("by", 1, 7, 4096, -1, -7)),
    _Choice("chunked_without_end", _BOTH, _each("percent", 0, 50, 100)),
    _Choice(
        "bad_gzip",
        _BOTH,
        _each("flaw", "truncated", "truncated_trailer", "bad_crc", "bad_size", "extra_member", "not_gzip", "no_header"),
    ),
    _Choice("truncated_json", _BOTH, _each("percent", 1, 50, 99)),
    _Choice("html", _BOTH),
    _Choice("empty_body", _BOTH),
    _Choice("empty_pages", (*_GRAPH, "*/subscriptions/content"), most=3),
    _Choice("records_missing", _LOGS, _each("percent", 5, 30, 90, seed=1), most=1),
    _Choice("ends_early", _LOGS, _each("percent", 0, 50), most=1),
    _Choice("skip_token_expired", _GRAPH, _each("status", 400, 410), most=1),
    _Choice("token_expired", _BOTH, most=1),
    _Choice("claims_challenge", _GRAPH, most=1),
    _Choice("repeated_records", _BOTH),
    _Choice("query_fails", ("*/security/auditlog/queries",), most=1),
)
_LASTING: Final[tuple[_Choice, ...]] = (
    _Choice("permission_removed", _GRAPH),
    _Choice("licence_missing", ("*/auditlogs/signins",)),
    _Choice("audit_disabled", ("*",)),
    _Choice("content_expired", ("*",)),
    _Choice("login_refused", ("*",), _each("code", 7000222, 700016, 90002, 700027)),
    _Choice("unauthorized", _BOTH),
    _Choice("link_loop", (*_LOGS, "*/subscriptions/content"), _each("form", "same", "pair", "growing")),
    _Choice("hostile_link", _GRAPH),
    _Choice("hostile_link", ("*/subscriptions/content",), _each("what", "content_uri", "next_page_uri")),
    _Choice("redirected", _BOTH, _each("status", 301, 302, 307, 308)),
    _Choice("not_json", _BOTH, _each("body", b"null", b"{}", b"7", b"\x00\x00", b'"text"')),
    _Choice("deep_nesting", _LOGS, _each("depth", 100_000)),
)


def random_plan(seed: int, tenants: Sequence[str], *, gaps: float = 0.3, paths: Sequence[str] = PATHS) -> FaultPlan:
    """Return the plan of a seed.

    No path meets more than two kinds of passing fault (sign-in one: its clients give up sooner), and one that loses
    records without saying so comes once at most: a collector that pulls twice has then seen everything. Left out are
    kinds that take long (``hangs``, ``drips``, ``huge_page``) and those that invent records or cannot be told from
    silence (``many_records``, ``warming_up``).

    Args:
        seed: same seed, same plan.
        tenants: ids to choose from.
        gaps: share of faults that must end in a recorded gap; 0: a sound collector loses nothing.
        paths: patterns, of `PATHS`, of what is going to be asked; faults elsewhere would never be met.
    """
    chance = random.Random(seed)  # noqa: S311
    plan: list[Fault] = []
    wanted = chance.randint(3, 10)
    for _ in range(_DRAWS):
        if len(plan) == wanted:
            break
        is_lasting = chance.random() < gaps
        choice = chance.choice(_LASTING if is_lasting else _PASSING)
        where = [path for path in choice.where if path == "*" or any(_overlap(path, asked) for asked in paths)]
        if not where:
            continue
        fault = _fault(chance, choice, chance.choice(where), chance.choice(tenants), is_lasting=is_lasting)
        if is_lasting or _fits(plan, fault):
            plan.append(fault)
    return FaultPlan(plan)


def _fault(chance: random.Random, choice: _Choice, where: str, tenant: str, *, is_lasting: bool) -> Fault:
    return Fault(
        choice.kind,
        where=where,
        tenant=tenant,
        first=chance.randint(1, 4),
        count=None if is_lasting else chance.randint(1, choice.most),
        detail=chance.choice(choice.detail),
    )


_SILENT: Final = frozenset({"records_missing", "ends_early"})


def _fits(plan: Sequence[Fault], fault: Fault) -> bool:
    passing = [other for other in plan if other.nature == "repairable"]
    same_path = [other for other in passing if _overlap(other.where, fault.where) and other.tenant == fault.tenant]
    silent = any(other.kind in _SILENT for other in passing) and fault.kind in _SILENT
    return len(same_path) < (1 if fault.where.endswith("/token") else 2) and not silent


def _overlap(one: str, other: str) -> bool:
    return one.strip("*") in other or other.strip("*") in one
