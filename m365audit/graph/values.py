"""What the rooms of collection hand each other: windows, tasks, pages, ends; frozen values and no behaviour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

GapReason = Literal["licence", "permission", "throttled", "expired", "disabled", "error"]
"""Why something was not seen (issue of record: the coverage ledger names one of these, and a sentence)."""

GAP_REASONS: Final[tuple[GapReason, ...]] = ("licence", "permission", "throttled", "expired", "disabled", "error")


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A half-open interval of time in UTC: ``begin`` belongs to it, ``end`` does not."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Task:
    """One pull to make: a window of a log, or the present state of a listing.

    Attributes:
        number: given by whoever plans; every event of the pull carries it.
        tenant: tenant id.
        collection: name of the collection (a module of ``graph/feeds``).
        window: interval to read; None for a listing.
        cursors: blob name → bytes already read, for collections that read growing files.
    """

    number: int
    tenant: str
    collection: str
    window: Window | None = None
    cursors: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Planned:
    """What will be asked of one collection of a tenant, known once Microsoft's clock is: tasks, oldest first.

    Attributes:
        tenant: tenant id.
        collection: name of the collection.
        feeds: the feeds whose coverage it fills.
        tasks: the pulls that follow.
        lost: intervals that can never be read any more, each with the reason and a sentence.
    """

    tenant: str
    collection: str
    feeds: tuple[str, ...]
    tasks: tuple[Task, ...]
    lost: tuple[tuple[Window, GapReason, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Records as Microsoft wrote them, each one JSON object without a raw line feed.

    Attributes:
        task: the pull that they belong to.
        records: the untouched objects.
        enveloped: they lie in the envelope of a diagnostic setting.
        source: where they came from, without query and secrets, e.g. ``GET /auditLogs/signIns``; a blob's name.
        covered_hour: first moment of the hour that a blob's path names, None elsewhere.
        next_cursor: blob name and bytes read after this page, for growing files.
    """

    task: Task
    records: Sequence[bytes]
    enveloped: bool = False
    source: str = ""
    covered_hour: datetime | None = None
    next_cursor: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """A pull, or a part of its window, is over; the parts of one task tile its window without overlap.

    Attributes:
        task: the pull.
        window: the part that this is about; None for a listing.
        reason: None when every page of the part was read; else why not.
        detail: a sentence for people: what happened and what to do; empty when whole.
        began_at: when the reading began, by Microsoft's clock (``Date`` header): nothing later can have been seen.
        requests: requests made, repeated ones included.
        restarts: times that it was begun again from its first page.
    """

    task: Task
    window: Window | None
    reason: GapReason | None
    detail: str
    began_at: datetime
    requests: int = 0
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A tenant's request waits, for a limit or because Microsoft said so; for progress only."""

    tenant: str
    collection: str
    seconds: float
    why: str


@dataclass(frozen=True, slots=True)
class LinkRefused:
    """An answer sent the collector to a place that configuration did not name; nothing was sent there.

    Attributes:
        tenant: tenant whose answer it was.
        collection: what was being read.
        what: ``next_link``, ``content_uri``, ``redirect`` or ``location``.
        target: scheme, host and port that were named, at most 200 characters; chosen by an attacker, perhaps.
        at: Microsoft's clock, or the host's where there was no answer.
    """

    tenant: str
    collection: str
    what: str
    target: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The auditor is let in.

    Attributes:
        tenant: tenant id.
        client_id: application id of the auditor in its token, empty when the token does not say.
        roles: application permissions in the token, by service (``graph``, ``manage``).
        scopes: delegated permissions in it, when a person signed in.
        credential_expires_at: end of the certificate's life, None when nobody can know.
        at: when, by Microsoft's clock.
    """

    tenant: str
    client_id: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    credential_expires_at: datetime | None
    at: datetime


@dataclass(frozen=True, slots=True)
class SignInFailed:
    """The auditor is not let in, or the place where it would be could not be reached.

    Attributes:
        tenant: tenant id.
        is_refused: Microsoft refused; False: nothing could be asked (network, TLS, a file that cannot be read).
        code: ``AADSTS7000222`` and the like, empty when there is none.
        message: what is wrong, for people.
        hint: the next step.
        at: when.
    """

    tenant: str
    is_refused: bool
    code: str
    message: str
    hint: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ClockDiffers:
    """This computer's clock and Microsoft's name different times; Microsoft's is taken for everything.

    Attributes:
        tenant: tenant whose answers said so.
        ahead: how far Microsoft's is ahead; negative when it is behind.
        at: when, by Microsoft's clock.
    """

    tenant: str
    ahead: timedelta
    at: datetime


Event = ClockDiffers | Planned | Page | Ended | Waiting | LinkRefused | SignedIn | SignInFailed
