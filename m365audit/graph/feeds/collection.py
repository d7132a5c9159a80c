"""What every collection says of itself, and what it may ask of the one who speaks to Microsoft for it.

Facts and types only. A collection must never keep anything between two pulls, and never decide what is stored.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal, Protocol

from kiota_abstractions.request_information import RequestInformation
from msgraph.graph_service_client import GraphServiceClient

from m365audit.config import StorageSettings
from m365audit.graph.answers import Answer
from m365audit.graph.values import Ended, Page, Task

__all__ = ["PREMIUM", "Answer", "Client", "Collection", "Permission", "Places", "Pull"]

PREMIUM: Final = ("AAD_PREMIUM", "AAD_PREMIUM_P2")
"""Service plans of which each brings Entra ID P1: sign-in logs, and 30 days of logs instead of 7."""


class Places(Protocol):
    """What a collection must know of the cloud: bare https origins, and what there is."""

    @property
    def graph(self) -> str:
        """Origin of Microsoft Graph."""
        ...

    @property
    def manage(self) -> str | None:
        """Origin of the Management Activity API, None where there is none."""
        ...

    @property
    def has_audit_queries(self) -> bool:
        """Graph has audit queries there."""
        ...

    @property
    def has_call_records(self) -> bool:
        """Graph has call records there."""
        ...

    @property
    def ca_file(self) -> Path | None:
        """Certificates to trust instead of the system's."""
        ...


class Client(Protocol):
    """What a collection asks of the tenant's client; ``TenantClient`` is the one there is.

    Everything that is refused, expired or broken comes as a ``CollectionError`` with its reason.
    """

    @property
    def tenant(self) -> str:
        """Tenant id."""
        ...

    @property
    def cloud(self) -> Places:
        """Where the services are."""
        ...

    @property
    def sdk(self) -> GraphServiceClient:
        """Microsoft's client, for building requests."""
        ...

    @property
    def requests(self) -> int:
        """Requests made so far, repeated ones included."""
        ...

    @property
    def wanted_groups(self) -> Sequence[str]:
        """Ids of the groups that the register names."""
        ...

    @property
    def storage(self) -> StorageSettings | None:
        """The storage account that the tenant's logs are written to, None when none is configured."""
        ...

    async def storage_token(self) -> str:
        """Return a token for Azure Storage."""
        ...

    def now(self) -> datetime:
        """Return the time by Microsoft's clock."""
        ...

    async def send(
        self,
        info: RequestInformation,
        *,
        limits: Sequence[str],
        cost: float = 1,
        is_beta: bool = False,
        what: str = "next_link",
    ) -> Answer:
        """Send what the SDK's builders made."""
        ...

    async def get(
        self,
        url: str,
        *,
        limits: Sequence[str],
        cost: float = 1,
        headers: Mapping[str, str] | None = None,
        what: str = "next_link",
    ) -> Answer:
        """Read an absolute address, if it is one of the configuration's places."""
        ...

    async def post(
        self,
        url_or_info: str | RequestInformation,
        *,
        body: bytes,
        limits: Sequence[str],
        look_first: Callable[[], Awaitable[Answer | None]],
        cost: float = 1,
        is_beta: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a POST; before it is ever sent again, ``look_first`` looks whether the one before took effect."""
        ...

    def note_users(self, at_least: int) -> None:
        """Say how many users the tenant has at the least."""
        ...

    async def pause(self, seconds: float) -> None:
        """Wait for something that takes Microsoft its time."""
        ...

    def slot(self, limit: str) -> AbstractAsyncContextManager[None]:
        """Hold one of the places of a limit on how many may run side by side."""
        ...


Pull = Callable[[Client, Task], AsyncIterator[Page | Ended]]
"""Reads one task: pages as they come, ``Ended`` for each part of the window when it fell into parts; raises for the
rest what went wrong with it (``CollectionError``)."""


@dataclass(frozen=True, slots=True)
class Permission:
    """One application permission.

    Attributes:
        api: the service that it belongs to.
        name: as Microsoft writes it.
        app_role_id: what an app role assignment names; unique only within the service.
    """

    api: Literal["graph", "manage", "storage"]
    name: str
    app_role_id: str


@dataclass(frozen=True, slots=True)
class Collection:
    """One thing that is read from Microsoft, with the facts about it.

    Attributes:
        name: of the collection.
        feeds: feeds of ``model.FEEDS`` whose coverage it fills.
        kind: what its records land as, one of ``model.EXPORT_KINDS``.
        permissions: the exact least ones, all needed.
        licence: service plans of which one is needed; empty when none is.
        window: longest window of one pull; None for a listing of the present state.
        reach: how far back Microsoft keeps it, with licence; None where that is no question.
        key: what identifies a record.
        limits: Microsoft's limits that apply, with their source.
        unassessable: what cannot be said without it, in words for a data protection officer.
        pull: reads one task.
        short_reach: how far back Microsoft keeps it in a tenant without Entra ID P1; None where that is the same.
        first_reach: how far back a first run goes when nobody says; None for ``reach``.
        older_than: only what is at least that old is read here, because a better source has what is younger.
        takes_over: age from which on a better source cannot read again what it read once: here it is, until it rests;
            None: what another source read is left to it.
        continued_by: collection that still has what Microsoft has here no longer; empty: what is beyond is lost.
    """

    name: str
    feeds: tuple[str, ...]
    kind: str
    permissions: tuple[Permission, ...]
    licence: tuple[str, ...]
    window: timedelta | None
    reach: timedelta | None
    key: str
    limits: str
    unassessable: str
    pull: Pull
    short_reach: timedelta | None = None
    first_reach: timedelta | None = None
    older_than: timedelta = timedelta(0)
    takes_over: timedelta | None = None
    continued_by: str = ""
