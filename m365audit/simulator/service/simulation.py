"""Owns the state that every service of one simulator shares. Must never know aiohttp."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from m365audit.simulator.served import ServedClient, ServedTenant, ServedWorld
from m365audit.simulator.service.assertions import Assertions
from m365audit.simulator.service.blobs import Blobs
from m365audit.simulator.service.calls import Service
from m365audit.simulator.service.clock import SimulatedClock
from m365audit.simulator.service.faults import FaultPlan
from m365audit.simulator.service.jobs import Jobs
from m365audit.simulator.service.listings import Encoder, TimeOrder
from m365audit.simulator.service.paging import Snapshots
from m365audit.simulator.service.promises import SignIns
from m365audit.simulator.service.request_log import RequestLog
from m365audit.simulator.service.tokens import Tokens

OFFICIAL: Final[dict[Service, tuple[str, ...]]] = {
    "login": (),
    "graph": ("https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000"),
    "manage": ("https://manage.office.com", "c5393580-f805-4401-95e8-94b7a6ef2fc2"),
}
"""Names under which a service may be asked for, besides its own address."""


@dataclass(slots=True)
class Counts:
    """What the limits have let through.

    Attributes:
        is_enforced: the limits refuse.
        passed: when requests passed, by limit and tenant, in simulated seconds, and what they cost.
        refused: requests that were one too many.
    """

    is_enforced: bool = False
    passed: dict[tuple[str, str], deque[tuple[float, int]]] = field(default_factory=lambda: defaultdict(deque))
    refused: int = 0


@dataclass(slots=True)
class Simulation:
    """One simulated Microsoft 365 while it runs.

    Attributes:
        world: what it holds.
        clock: its time.
        origins: service → scheme, host and port.
        log: every request.
        tokens: access tokens.
        assertions: client assertions that were used.
        snapshots: listings that are being paged through.
        encoder: records as bytes.
        time_order: lists by time.
        blobs: content blobs of the Management Activity API.
        blobs_on_a_page: entries of one content listing.
        jobs: audit queries.
        disabled_subscriptions: tenant and content type of subscriptions that were switched off.
        sign_ins: codes and refresh tokens of people.
        machine: tenant and client id of the managed identity of this machine.
        machine_origin: address of its metadata service.
        is_compressing: answers are compressed for whoever takes that.
        faults: what goes wrong.
        limits: Microsoft's limits.
        challenged: tenants whose tokens must have been asked for with a challenge's claims, and how many tokens had
            been made when it was: those are worth nothing any more.
        elsewhere: address of another server, where nobody should ever go.
        loops: growing links that were given out.
    """

    world: ServedWorld
    clock: SimulatedClock
    origins: dict[Service, str]
    log: RequestLog = field(default_factory=RequestLog)
    tokens: Tokens = field(init=False)
    assertions: Assertions = field(default_factory=Assertions)
    snapshots: Snapshots = field(default_factory=Snapshots)
    encoder: Encoder = field(default_factory=Encoder)
    time_order: TimeOrder = field(default_factory=TimeOrder)
    blobs: Blobs = field(default_factory=Blobs)
    blobs_on_a_page: int = 100
    jobs: Jobs = field(default_factory=Jobs)
    disabled_subscriptions: set[tuple[str, str]] = field(default_factory=set)
    sign_ins: SignIns = field(default_factory=SignIns)
    machine: tuple[str, str] | None = None
    machine_origin: str = ""
    is_compressing: bool = False
    faults: FaultPlan = field(default_factory=FaultPlan)
    limits: Counts = field(default_factory=Counts)
    challenged: dict[str, int] = field(default_factory=dict)
    elsewhere: str = ""
    loops: int = 0

    def __post_init__(self) -> None:
        self.tokens = Tokens(self.origins)

    def now(self) -> datetime:
        """Return simulated time."""
        return self.clock.now()

    def audiences(self, service: Service) -> frozenset[str]:
        """Return the audiences that a service accepts."""
        return frozenset((self.origins[service], self.origins[service] + "/", *OFFICIAL[service]))

    def roles(self, client: ServedClient, resource: str) -> tuple[str, ...] | None:
        """Return the application permissions on a resource; None: nobody here has that name.

        Where one address serves Graph and the Management API, a token for it carries the permissions of both.
        """
        granted: tuple[tuple[Service, tuple[str, ...]], ...] = (
            ("graph", client.roles),
            ("manage", client.manage_roles),
        )
        found = [roles for service, roles in granted if resource in self.audiences(service)]
        return tuple(dict.fromkeys(role for roles in found for role in roles)) if found else None

    def tenant(self, tenant_id: str) -> ServedTenant | None:
        """Return a tenant by its id."""
        return self.world.tenants.get(tenant_id.lower())
