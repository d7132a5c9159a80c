"""Examines the auditor's own access to each tenant: may it read what it needs and no more, and which logs are there.

Only asks, with GETs. Tenants side by side; one that hangs or breaks harms none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from m365audit.config import TenantSettings
from m365audit.graph import entitlements, probes
from m365audit.graph.auth import OpenCredential, open_credential
from m365audit.graph.bridge import LINGER
from m365audit.graph.claims import TokenClaims
from m365audit.graph.client import TenantClient
from m365audit.graph.clouds import Cloud
from m365audit.graph.examination import GOOD, Examination, Examined, Held, Licence, Need, Reading, SignIn
from m365audit.graph.failures import CollectionError, SignInError
from m365audit.graph.feeds.collection import Collection, Permission
from m365audit.graph.feeds.registry import COLLECTIONS
from m365audit.graph.licences import service_plans
from m365audit.graph.storage_seen import hours_seen
from m365audit.graph.throttle import Throttle

WITHIN: Final = timedelta(seconds=60)
"""Time for one tenant; a login that hangs takes no longer."""

TENANTS_AT_ONCE: Final = 16
_GRACE: Final = 5.0
_ANSWERED: Final = ("readable", "empty")
_DAY_SECONDS: Final = 86_400

_BOUGHT: Final = (
    ("Entra ID P1", ("AAD_PREMIUM", "AAD_PREMIUM_P2"), "sign-in logs; 30 days of sign-ins and directory audits, not 7"),
    ("Entra ID P2", ("AAD_PREMIUM_P2",), "risk that Microsoft saw in sign-ins"),
    ("Audit (Premium)", ("M365_ADVANCED_AUDITING",), "reading of Teams messages; a year of audit log, not 180 days"),
)
"""Name, the service plans of which each brings it, what it brings."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A tenant that was examined, for progress."""

    examination: Examination
    done: int
    total: int


async def examine(
    tenants: Sequence[TenantSettings], cloud: Cloud, *, state: Path, within: timedelta = WITHIN,
    on_done: Callable[[Seen], None] | None = None,
) -> Examined:  # fmt: skip
    """Examine tenants, all side by side.

    Args:
        tenants: their settings; those without a credential are told of and not asked.
        cloud: where they are.
        state: the auditor's private folder.
        within: time for one tenant.
        on_done: told of each when it is done.
    """
    gate, throttle = asyncio.Semaphore(TENANTS_AT_ONCE), Throttle()
    done: list[Examination] = []

    async def one(tenant: TenantSettings) -> Examination:
        async with gate:
            found = await _Patient(tenant, cloud, state, within).examined(throttle)
        done.append(found)
        if on_done is not None:
            on_done(Seen(found, len(done), len(tenants)))
        return found

    found = await asyncio.gather(*map(one, tenants))
    await asyncio.sleep(LINGER)
    wanted = {feed for tenant in tenants for feed in tenant.feeds}
    return Examined(tuple(found), needs(_wanted(wanted)))


def needs(collections: Iterable[Collection]) -> tuple[Need, ...]:
    """Return the exact least that each collection needs."""
    return tuple(
        Need(each.name, each.feeds, tuple((p.api, p.name, p.app_role_id) for p in each.permissions), each.licence,
             each.limits)
        for each in collections
    )  # fmt: skip


def _wanted(feeds: Iterable[str]) -> list[Collection]:
    names = set(feeds)
    return [each for each in COLLECTIONS.values() if names & set(each.feeds)]


@dataclass(frozen=True, slots=True)
class _Patient:
    """One tenant under examination."""

    tenant: TenantSettings
    cloud: Cloud
    state: Path
    within: timedelta

    async def examined(self, throttle: Throttle) -> Examination:
        """Return what was found out; whatever goes wrong is this tenant's finding."""
        if self.tenant.credential is None:
            return self._shut(SignIn("none"))
        try:
            async with asyncio.timeout(self.within.total_seconds() + _GRACE):
                return await self._let_in(throttle)
        except TimeoutError:
            message = f"there was no answer within {self.within.total_seconds():.0f} seconds"
            return self._shut(self._not_let_in("unreachable", "", message, "look at the network and any proxy"))
        except SignInError as error:
            state = "refused" if error.is_refused else "unreachable"
            return self._shut(self._not_let_in(state, error.code, error.message, error.hint))
        except CollectionError as error:
            return self._shut(self._not_let_in("unreachable", error.code, error.message, error.hint))

    def _not_let_in(self, state: str, code: str, message: str, todo: str) -> SignIn:
        kind, client_id = self._credential
        return SignIn(state, kind, client_id, code, message, todo)

    @property
    def _credential(self) -> tuple[str, str]:
        credential = self.tenant.credential
        return (credential.kind, getattr(credential, "client_id", None) or "") if credential else ("", "")

    def _shut(self, sign_in: SignIn) -> Examination:
        """Return what is known of a tenant that nobody was let into."""
        local = self._imported()
        detail = "fed by files alone" if sign_in.state == "none" else "the auditor is not let in"
        blind = [
            local.get(each.name) or Reading(each.name, each.feeds, "unseen", detail, unassessable=each.unassessable)
            for each in _wanted(self.tenant.feeds)
        ]
        return self._told(sign_in, readings=(*blind, *self._beside(local, blind)))

    def _told(
        self, sign_in: SignIn, *, permissions: tuple[Held, ...] = (), licences: tuple[Licence, ...] = (),
        readings: tuple[Reading, ...] = (), at: datetime | None = None,
    ) -> Examination:  # fmt: skip
        link = f"{self.cloud.login}/{self.tenant.id}/adminconsent?client_id={sign_in.client_id}"
        return Examination(
            self.tenant.id, self.tenant.display_name, sign_in, permissions, licences, readings,
            link if sign_in.client_id else "", at,
        )  # fmt: skip

    async def _let_in(self, throttle: Throttle) -> Examination:
        credential = open_credential(self.tenant, self.cloud, state=self.state)
        async with TenantClient(self.tenant.id, self.cloud, credential, throttle, deadline=self.within) as client:
            client.storage = self.tenant.storage
            async with asyncio.timeout(self.within.total_seconds()):
                claims = await client.token_claims("graph")
                manage = await self._manage(client)
            collections = _wanted(self.tenant.feeds)
            needed = entitlements.needed(_in_token(collections))
            permissions = entitlements.judged(needed, self._held(needed, _roles(claims), manage))
            plans = await _plans(client)  # the first answer: from here on Microsoft's clock is known
            tried, unified, ends_at = await asyncio.gather(
                asyncio.gather(*(probes.seen(client, each) for each in collections)),
                probes.audit_log(client, [each.name for each in collections]),
                _ends_at(client, credential, claims.client_id),
            )
            asked = {each.name: seen for each, seen in zip(collections, tried, strict=True) if seen} | unified
            readings = self._readings(collections, asked, permissions)
            sign_in = self._works(claims, ends_at, client.now())
            return self._told(
                sign_in, permissions=permissions, licences=_licences(plans), readings=readings, at=client.now()
            )

    def _held(
        self, needed: Iterable[Permission], graph: frozenset[str] | None, manage: frozenset[str] | None
    ) -> dict[str, frozenset[str] | None]:
        """Return what is held of which service; where one address serves both, one token speaks of both."""
        if self.cloud.manage == self.cloud.graph and graph is not None:
            manage = graph & {permission.name for permission in needed if permission.api == "manage"}
            graph -= manage
        return {"graph": graph, "manage": manage}

    async def _manage(self, client: TenantClient) -> frozenset[str] | None:
        """Return what the token for the Management Activity API permits; nothing when there is no such token."""
        if not self.cloud.has_management:
            return frozenset()
        try:
            return _roles(await client.token_claims("manage"))
        except SignInError:
            return frozenset()

    def _works(self, claims: TokenClaims, ends_at: datetime | None, now: datetime) -> SignIn:
        kind, client_id = self._credential
        days = None if ends_at is None else int((ends_at - now).total_seconds() // _DAY_SECONDS)
        return SignIn("works", kind, claims.client_id or client_id, ends_at=ends_at, days_left=days)

    def _readings(
        self, collections: Sequence[Collection], asked: Mapping[str, probes.Seen], permissions: Sequence[Held]
    ) -> tuple[Reading, ...]:
        local = self._imported()
        missing = {name for held in permissions if held.state == "missing" for name in held.collections}
        found = []
        for each in collections:
            seen = asked.get(each.name) or _expected(each, missing)
            blind = "" if seen.state in GOOD else each.unassessable
            reading = Reading(each.name, each.feeds, seen.state, seen.detail, seen.todo, blind)
            found.append(reading if seen.state in _ANSWERED else local.get(each.name, reading))
        return (*found, *self._beside(local, found))

    def _imported(self) -> dict[str, Reading]:
        """Return what the standing imports show of logs that come as files."""
        seen = hours_seen(self.tenant.imports)
        if "graph_activity" not in self.tenant.feeds:
            return {}
        blind = "" if seen.state in GOOD else seen.unassessable
        return {
            "graph_activity": Reading("graph_activity", ("graph_activity",), seen.state, seen.detail, seen.todo, blind)
        }

    def _beside(self, local: Mapping[str, Reading], found: Iterable[Reading]) -> list[Reading]:
        names = {each.collection for each in found}
        return [reading for name, reading in local.items() if name not in names]


async def _plans(client: TenantClient) -> frozenset[str] | None:
    try:
        return await service_plans(client)
    except SignInError:  # told by everything else that was asked
        return None


def _roles(claims: TokenClaims) -> frozenset[str] | None:
    """Return application permissions; None when the token says nothing at all, or speaks for a person."""
    return frozenset(claims.roles) if claims.client_id and not claims.scopes else None


def _in_token(collections: Iterable[Collection]) -> list[Collection]:
    """Return those whose permissions a token of Graph or the Management API would show."""
    return [each for each in collections if all(p.api != "storage" for p in each.permissions)]


def _expected(collection: Collection, missing: set[str]) -> probes.Seen:
    """Return what is to be expected of a listing that was not tried."""
    if collection.name in missing:
        return probes.Seen("permission", "a permission is missing")
    is_told = all(permission.api != "storage" for permission in collection.permissions)
    return probes.Seen("permitted") if is_told else probes.Seen("unseen", "not tried")


def _licences(plans: frozenset[str] | None) -> tuple[Licence, ...]:
    return tuple(
        Licence(name, any_of, "unknown" if plans is None else "yes" if plans & set(any_of) else "no", brings)
        for name, any_of, brings in _BOUGHT
    )


class _Key(msgspec.Struct, rename="camel"):
    end_date_time: datetime | None = None


class _Application(msgspec.Struct, rename="camel"):
    key_credentials: list[_Key] = []
    password_credentials: list[_Key] = []


class _Applications(msgspec.Struct):
    value: list[_Application]


async def _ends_at(client: TenantClient, credential: OpenCredential, client_id: str) -> datetime | None:
    """Return the end of the credential's life: the certificate's own, else the first end that Microsoft knows of."""
    if credential.expires_at is not None or not client_id:
        return credential.expires_at
    place = (
        f"{client.cloud.graph}/v1.0/applications?$filter=appId%20eq%20'{client_id}'"
        "&$select=keyCredentials,passwordCredentials"
    )
    try:
        answer = await client.get(place, limits=("directory",))
        found = msgspec.json.decode(answer.body, type=_Applications).value
    except (CollectionError, msgspec.MsgspecError):
        return None
    ends = [key.end_date_time for app in found for key in (*app.key_credentials, *app.password_credentials)]
    return min((end for end in ends if end is not None and end.tzinfo and end > client.now()), default=None)
