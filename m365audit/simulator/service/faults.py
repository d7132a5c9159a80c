"""Owns what goes wrong, where and when: faults by name, a plan of them, who met which. Must never inflict one."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final, Literal

from m365audit.simulator.service.calls import Call, Service

Nature = Literal["repairable", "gap", "either"]
"""What a sound collector makes of it: nothing is lost; a gap is recorded; or one of both, depending on its patience."""

FOR_EVER: Final = 1 << 40


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault.

    Attributes:
        catalogue: its line in the catalogue of faults (A1 …).
        nature: what it does to completeness when it is not for ever.
        is_lasting: it stays once it began.
        service: where it makes sense; None: everywhere.
        paths: what the path must end in, one of these; only such requests are counted.
        pages: it concerns first pages alone, or later ones alone.
        method: the only HTTP method that it concerns.
    """

    catalogue: str
    nature: Nature
    is_lasting: bool = False
    service: Service | None = None
    paths: tuple[str, ...] = ("*",)
    pages: Literal["first", "later"] | None = None
    method: str | None = None


KINDS: Final[dict[str, Kind]] = {
    "throttled": Kind("A1", "repairable"),
    "throttled_without_header": Kind("A2", "repairable"),
    "unavailable": Kind("A3", "repairable"),
    "throttled_as_forbidden": Kind("A4", "repairable", service="manage"),
    "aborted": Kind("A5", "repairable"),
    "wrong_length": Kind("A6", "repairable"),
    "chunked_without_end": Kind("A6", "repairable"),
    "bad_gzip": Kind("A7", "repairable"),
    "truncated_json": Kind("A8", "repairable"),
    "html": Kind("A8", "repairable"),
    "empty_body": Kind("A8", "repairable"),
    "not_json": Kind("A8", "either"),
    "empty_pages": Kind("A9", "repairable"),
    "records_missing": Kind("A10", "repairable", service="graph", pages="first"),
    "ends_early": Kind("A10", "repairable", service="graph"),
    "link_loop": Kind("A11", "gap", is_lasting=True),
    "skip_token_expired": Kind("A12", "repairable", service="graph", pages="later"),
    "hostile_link": Kind("A13", "gap", is_lasting=True),
    "token_expired": Kind("A14", "repairable"),
    "unauthorized": Kind("A14", "gap", is_lasting=True),
    "claims_challenge": Kind("A15", "repairable", service="graph"),
    "permission_removed": Kind("A16", "gap", is_lasting=True),
    "licence_missing": Kind("A17", "gap", is_lasting=True, service="graph"),
    "audit_disabled": Kind("A17", "gap", is_lasting=True, paths=("*/activity/feed/*", "*/security/auditlog/*")),
    "login_refused": Kind("A18", "gap", is_lasting=True, service="login", paths=("*/token",)),
    "hangs": Kind("A19", "either"),
    "drips": Kind("A19", "either"),
    "proxy_refuses": Kind("A20", "either"),
    "huge_page": Kind("A21", "gap", is_lasting=True),
    "many_records": Kind("A21", "either", service="graph"),
    "deep_nesting": Kind("A21", "gap", is_lasting=True),
    "redirected": Kind("A22", "gap", is_lasting=True),
    "content_expired": Kind("A23", "gap", is_lasting=True, service="manage", paths=("*/activity/feed/audit/*",)),
    "subscription_disabled": Kind("A24", "either", service="manage", paths=("*/content",)),
    "warming_up": Kind("A24", "either", is_lasting=True, service="manage", paths=("*/content",)),
    "repeated_records": Kind("B3", "repairable"),
    "not_found": Kind("B1", "either"),
    "query_fails": Kind("A3", "repairable", service="graph", paths=("*/security/auditlog/queries",), method="POST"),
    "query_is_capped": Kind("A10", "either", service="graph", paths=("*/security/auditlog/queries",), method="POST"),
    "clock_jumps": Kind("C13", "repairable"),
}
"""Every kind by name. What ``detail`` may say stands with the function that inflicts it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        kind: name in `KINDS`.
        where: pattern with ``*`` for the path, in any case.
        tenant: tenant id; None: any.
        service: None: any that the kind makes sense for.
        method: HTTP method; None: any.
        query: text that the decoded query must hold.
        first: which matching request meets it first, from 1.
        every: it is met by every so-many-th request from then on.
        count: how many requests meet it; None: one, or all when the kind is lasting.
        detail: what the kind wants to know.
    """

    kind: str
    where: str = "*"
    tenant: str | None = None
    service: Service | None = None
    method: str | None = None
    query: str = ""
    first: int = 1
    every: int = 1
    count: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            message = f"there is no fault {self.kind!r}"
            raise ValueError(message)

    @property
    def nature(self) -> Nature:
        """What a sound collector makes of it."""
        kind = KINDS[self.kind]
        if self.detail.get("retry_after") == "huge":
            return "either"
        return "gap" if kind.nature == "repairable" and self.limit >= FOR_EVER else kind.nature

    @property
    def limit(self) -> int:
        """How many requests meet it."""
        if self.count is not None:
            return self.count
        return FOR_EVER if KINDS[self.kind].is_lasting else 1

    def concerns(self, call: Call, tenant: str) -> bool:
        """Return whether a call is one that it waits for."""
        kind = KINDS[self.kind]
        path = call.path.lower()
        is_later = "$skiptoken" in call.query or "nextPage" in call.query
        return (
            (self.service or kind.service) in {None, call.service}
            and any(fnmatchcase(path, pattern) for pattern in kind.paths)
            and kind.pages in {None, "later" if is_later else "first"}
            and self.tenant in {None, tenant}
            and self.method in {None, call.method}
            and kind.method in {None, call.method}
            and fnmatchcase(path, self.where.lower())
            and (not self.query or self.query in str(call.query))
        )

    def __str__(self) -> str:
        said = [f"{self.kind} at {self.where}", f"from request {self.first}", f"{self.limit} times"]
        said += [f"tenant {self.tenant}"] if self.tenant else []
        said += [f"every {self.every}"] if self.every > 1 else []
        return ", ".join(said) + (f" {dict(self.detail)}" if self.detail else "")


class FaultPlan:
    """Faults, and how often each was met. May be added to while the simulator runs."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = list(faults)
        self._seen: list[int] = [0] * len(self._faults)
        self.met: list[Fault] = []
        """Every fault as often as it was met, in order."""

    def __iter__(self) -> Any:
        return iter(self._faults[:])

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self._faults)

    def add(self, *faults: Fault) -> None:
        """Plan more faults; they count requests from now on."""
        with self._lock:
            self._faults.extend(faults)
            self._seen.extend([0] * len(faults))

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        with self._lock:
            self._faults.clear()
            self._seen.clear()

    def meet(self, call: Call, tenant: str) -> list[Fault]:
        """Return the faults that a call meets, and count it."""
        found = []
        with self._lock:
            for number, fault in enumerate(self._faults):
                if not fault.concerns(call, tenant):
                    continue
                self._seen[number] += 1
                since = self._seen[number] - fault.first
                if since >= 0 and since % fault.every == 0 and since // fault.every < fault.limit:
                    found.append(fault)
        self.met.extend(found)
        return found

    @property
    def may_lose(self) -> bool:
        """Whether a sound collector may end with a gap."""
        return any(fault.nature != "repairable" for fault in self._faults)
