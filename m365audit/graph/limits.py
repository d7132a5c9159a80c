"""Microsoft's published limits, as data with sources; what a directory request costs. Never decides who may go when.

The sources were read in September 2026; Microsoft says of all of them that they are subject to change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

_GRAPH: Final = "https://learn.microsoft.com/graph/throttling-limits"
_MANAGE: Final = (
    "https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-reference"
)

Size = Literal["S", "M", "L"]
"""Size of a tenant by its users: under 50, up to 500, more."""


@dataclass(frozen=True, slots=True)
class Limit:
    """So much in any window of so many seconds, for this app.

    Attributes:
        name: what callers of the throttle name; several limits may share a name, and all of them hold.
        scope: ``each`` tenant has as much for itself, or ``all`` of them together.
        amount: most in a window.
        seconds: length of the window.
        unit: ``request`` counts every request as one, ``resource unit`` as its cost.
        what: the words for people.
        source: where Microsoft says so.
    """

    name: str
    scope: Literal["each", "all"]
    amount: float
    seconds: float
    unit: Literal["request", "resource unit"]
    what: str
    source: str = _GRAPH

    @property
    def sentence(self) -> str:
        """The limit in words, for progress."""
        scope = "per tenant" if self.scope == "each" else "over all tenants"
        return f"{self.what}: {self.amount:g} {self.unit}s in {self.seconds:g} s {scope}"


EVERY_REQUEST: Final = "global"
"""Holds for every request, whether the caller names it or not."""

LIMITS: Final = (
    Limit("reports", "each", 5, 10, "request", "identity reports"),
    Limit("reports", "all", 122, 10, "request", "identity reports"),
    Limit("directory", "each", 3_500, 10, "resource unit", "directory"),
    Limit("directory", "all", 150_000, 20, "resource unit", "directory"),
    Limit("management", "each", 2_000, 60, "request", "Management Activity API", _MANAGE),
    Limit("call_records", "each", 1_500, 20, "request", "call records"),
    # Microsoft gives 15,000 per 20 s over all tenants and 10,000 per tenant for all apps; the lower one serves both.
    Limit("call_records", "all", 10_000, 20, "request", "call records"),
    Limit("teams", "each", 30, 1, "request", "Teams"),
    Limit("teams", "all", 600, 1, "request", "Teams"),
    Limit("audit_queries", "each", 600, 60, "request", "audit log queries"),  # own choice: reading has none published
    Limit("audit_query_submissions", "each", 200, 86_400, "request", "audit log queries submitted"),
    Limit(EVERY_REQUEST, "all", 130_000, 10, "request", "Microsoft Graph"),
    Limit(EVERY_REQUEST, "each", 130_000, 10, "request", "Microsoft Graph"),  # what a tenant's Retry-After closes
)

_SMALL: Final = 50
MOST_COUNTED: Final = 500
"""Users from which on more of them make no difference."""


def size_of(users: int) -> Size:
    """Return the size of a tenant with so many users, as Microsoft counts it."""
    return "S" if users < _SMALL else "M" if users <= MOST_COUNTED else "L"


DIRECTORY_UNITS: Final[Mapping[Size, float]] = MappingProxyType({"S": 3_500, "M": 5_000, "L": 8_000})
"""Resource units per app and tenant in 10 s; the smallest is assumed until the size is known."""


@dataclass(frozen=True, slots=True)
class Slots:
    """So many at a time in one tenant.

    Attributes:
        count: most at a time; Microsoft promises at least 50 queued or running queries to all apps together, of which
            this one takes a modest part.
        submissions: name of the limit that each taking of a slot counts against.
    """

    name: str
    count: int
    submissions: str
    what: str


SLOTS: Final = (Slots("audit_queries", 10, "audit_query_submissions", "audit log queries at a time"),)

_SUFFIX_UNITS: Final = (
    ("/extensionproperties", 2),
    ("/domainnamereferences", 4),
    ("/transitivemembers", 5),
    ("/members", 3),
    ("/licensedetails", 2),
    ("/memberof", 2),
    ("/ownedobjects", 2),
    ("/transitivememberof", 2),
    ("/approleassignments", 2),
    ("/approleassignedto", 2),
)
_COLLECTION_UNITS: Final[Mapping[str, int]] = MappingProxyType(
    {"applications": 2, "contracts": 3, "oauth2permissiongrants": 2, "subscribedskus": 3, "users": 2}
)
_SMALL_PAGE: Final = 20


def resource_units(path: str, *, selects: bool = False, expands: bool = False, top: int | None = None) -> int:
    """Return what a GET of the directory costs in resource units.

    Args:
        path: below the version, e.g. ``servicePrincipals/{id}/appRoleAssignments``.
        selects: the request has ``$select`` (one less).
        expands: it has ``$expand`` (one more).
        top: its ``$top``; under 20 is one less.

    Source: the table "Identity and access service limits" of Microsoft's page on throttling limits.
    """
    plain = "/" + path.strip("/").lower()
    by_suffix = (units for suffix, units in _SUFFIX_UNITS if plain.endswith(suffix))
    cost = next(by_suffix, _COLLECTION_UNITS.get(plain[1:], 1))
    cost += int(expands) - int(selects) - int(top is not None and top < _SMALL_PAGE)
    return max(1, cost)
