"""Owns the diary of one tenant: what happened, when, and which verdict it deserves. Must never format a log line."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from m365audit.simulator.integrations import SYNC, App, Holdings, holdings
from m365audit.simulator.people import Person, Tenant, fixed_id
from m365audit.simulator.truth import OUT_OF_SCOPE, Expected

BEGIN = datetime(2026, 9, 1, tzinfo=UTC)
DAYS = 14
END = BEGIN + timedelta(days=DAYS)
OBSERVED = datetime(2026, 9, 15, 6, tzinfo=UTC)
"""The watched period, and the moment at which the directory was exported."""


def at(day: int, hour: int = 0, minute: int = 0, second: float = 0.0) -> datetime:
    """Return a moment of September 2026 in UTC."""
    return datetime(2026, 9, day, hour, minute, tzinfo=UTC) + timedelta(seconds=second)


@dataclass(frozen=True, slots=True)
class Call:
    """One call to Microsoft Graph.

    Attributes:
        path: path and query behind the version, as the app spelled it.
        actor: the signed-in user of a delegated call, None for an app's own.
        operation_id: shared by the calls of one JSON batch, else the request's own id.
        late: written into the blob of the next hour although it belongs to this one.
        copies: lines in the export that say the same (at-least-once delivery).
    """

    at: datetime
    app: App | None
    method: str
    path: str
    expected: Expected
    permissions: str
    request_id: str
    operation_id: str
    actor: Person | None = None
    status: int = 200
    version: str = "v1.0"
    late: bool = False
    copies: int = 1


@dataclass(frozen=True, slots=True)
class Audited:
    """One record of the unified audit log; ``user`` None: the app acted as itself; ``said``: a command's parameters."""

    at: datetime
    id: str
    operation: str
    app: App
    expected: Expected
    mailbox: Person | None = None
    user: Person | None = None
    items: int = 1
    chat: str = ""
    said: tuple[tuple[str, str], ...] = ()
    is_throttled: bool = False


@dataclass(frozen=True, slots=True)
class SignIn:
    """One sign-in; ``kind`` is the diagnostic-settings category."""

    at: datetime
    id: str
    kind: str
    app: App
    user: Person | None = None
    error: int = 0
    has_mfa: bool = True
    country: str = "NL"
    client: str = "Browser"


@dataclass(frozen=True, slots=True)
class DirectoryChange:
    """One audit event of the directory; ``facts`` holds what its activity needs."""

    at: datetime
    id: str
    activity: str
    actor: Person
    facts: dict[str, str]


@dataclass
class Diary:
    """What happened in one tenant; the order of writing is part of the world, so ids stay the same."""

    tenant: Tenant
    seed: int
    calls: list[Call] = field(default_factory=list)
    audited: list[Audited] = field(default_factory=list)
    sign_ins: list[SignIn] = field(default_factory=list)
    changes: list[DirectoryChange] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(f"{self.seed}/{self.tenant.key}")  # noqa: S311  # a world, not a key
        self.held: Holdings = holdings(self.tenant)
        self.removed_roles: dict[App, str] = {}

    def _id(self, what: str, number: int) -> str:
        return fixed_id(str(self.seed), self.tenant.key, what, str(number))

    def _permissions(self, app: App | None, actor: Person | None, when: datetime) -> str:
        if app is None:
            return ""
        if actor is None:
            roles = [g.permission for g in self.held.roles if g.app == app and g.since <= when.isoformat()]
            return " ".join([*roles, *filter(None, [self.removed_roles.get(app, "")])])
        for grant in self.held.scopes:
            if grant.app == app and grant.principal in {None, actor.key}:
                return " ".join(grant.scopes)
        return ""

    def call(
        self,
        when: datetime,
        app: App | None,
        request: str,
        expected: Expected,
        *,
        actor: Person | None = None,
        status: int = 200,
        version: str = "v1.0",
        batch: str = "",
        late: bool = False,
        copies: int = 1,
    ) -> None:
        """Note one Graph call; ``request`` is ``METHOD /path?query``, ``batch`` names the batch it belongs to."""
        method, path = request.split(" ", 1)
        request_id = self._id("call", len(self.calls))
        self.calls.append(
            Call(
                at=when,
                app=app,
                method=method,
                path=path,
                expected=expected,
                permissions=self._permissions(app, actor, when),
                request_id=request_id,
                operation_id=fixed_id(self.tenant.key, "batch", batch) if batch else request_id,
                actor=actor,
                status=status,
                version=version,
                late=late,
                copies=copies,
            )
        )

    def audit(
        self,
        when: datetime,
        operation: str,
        app: App,
        expected: Expected,
        *,
        mailbox: Person | None = None,
        user: Person | None = None,
        items: int = 1,
        chat: str = "",
        is_throttled: bool = False,
    ) -> None:
        """Note one record of the unified audit log; ``is_throttled``: Exchange left out what followed."""
        record = self._id("audit", len(self.audited))
        told = Audited(when, record, operation, app, expected, mailbox, user, items, chat, is_throttled=is_throttled)
        self.audited.append(told)

    def command(self, when: datetime, name: str, app: App, user: Person, **said: str) -> None:
        """Note one command of an administrator in Exchange; ``app`` is the console that it was given in."""
        record = self._id("audit", len(self.audited))
        self.audited.append(Audited(when, record, name, app, OUT_OF_SCOPE, user=user, said=tuple(said.items())))

    def sign_in(
        self,
        when: datetime,
        kind: str,
        app: App,
        *,
        user: Person | None = None,
        error: int = 0,
        has_mfa: bool = True,
        country: str = "NL",
        client: str = "Browser",
    ) -> None:
        """Note one sign-in."""
        record = self._id("sign-in", len(self.sign_ins))
        self.sign_ins.append(SignIn(when, record, kind, app, user, error, has_mfa, country, client))

    def change(self, when: datetime, activity: str, **facts: str) -> None:
        """Note one audit event of the directory, done by the administrator unless ``by`` names another person."""
        actor = self.tenant.person(facts.pop("by", "admin"))
        correlation = self._id("change", len(self.changes))
        number = f"Directory_{correlation}_{correlation[:5].upper()}_{1000000 + len(self.changes)}"
        self.changes.append(DirectoryChange(when, number, activity, actor, facts))

    def working_hours(self, per_day: int) -> Iterator[datetime]:
        """Yield that many moments of every watched day between 06:00 and 18:00, weekends included."""
        for day in range(DAYS):
            start = BEGIN + timedelta(days=day, hours=6)
            yield from sorted(start + timedelta(seconds=self.rng.uniform(0, 12 * 3600)) for _ in range(per_day))

    def opaque(self) -> str:
        """Return an item id as Exchange writes them: long, opaque, base64 for URLs."""
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        return "AAMkAD" + "".join(self.rng.choices(alphabet, k=90)) + "AAA="


def keep_directory_in_sync(diary: Diary, *, blind: tuple[datetime, datetime] | None = None) -> None:
    """Note the hourly directory sync of Microsoft's own app: it gives every hour of the export a line.

    ``blind`` names hours in which nothing was exported; then nothing is noted.
    """
    for hour in range(DAYS * 24):
        when = BEGIN + timedelta(hours=hour, seconds=diary.rng.uniform(60, 3500))
        if blind and blind[0] <= when < blind[1]:
            continue
        diary.call(when, SYNC, f"GET /users/delta?$deltatoken={fixed_id(str(hour))[:13]}", OUT_OF_SCOPE)
