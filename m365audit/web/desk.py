"""Owns what every page needs: where we are, who is in, what is published, what time it is. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from aiohttp import web

from m365audit.config import Settings
from m365audit.report.words import Words
from m365audit.store.journal import Actor
from m365audit.web.place import Place
from m365audit.web.reading import Published
from m365audit.web.sessions import Session, Sessions


class Somebody(Protocol):
    """Who signed in; ``m365audit.graph.person_login.SignedInPerson``."""

    @property
    def object_id(self) -> str:
        """The directory's id."""
        ...

    @property
    def name(self) -> str:
        """As the directory shows it."""
        ...


class SignIn(Protocol):
    """Signs a person in somewhere else; ``m365audit.graph.person_login.PersonLogin``."""

    @property
    def origin(self) -> str:
        """Where the person is sent to."""
        ...

    def begin(self) -> tuple[str, dict[str, Any]]:
        """Return the address to go to, and what ``finish`` needs."""
        ...

    def finish(self, flow: Mapping[str, Any], answer: Mapping[str, str]) -> Somebody:
        """Return who signed in."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """What every page needs.

    Attributes:
        here: who has started the page: the operating system's user.
        sign_in: how a person signs in; None where nobody does.
        flows: sign-ins that have begun, by the digest of their cookie.
        now: the clock; never earlier than the newest decision.
        host: what this machine's clock says.
        pool: threads for everything that touches a file or the network.
    """

    place: Place
    sessions: Sessions[Actor]
    published: Published
    settings: Settings
    here: Actor
    words: Words
    now: Callable[[], datetime]
    host: Callable[[], datetime]
    pool: ThreadPoolExecutor
    sign_in: SignIn | None = None
    actor_of: Callable[[Somebody], Actor] | None = None
    flows: dict[str, tuple[float, dict[str, Any]]] = field(default_factory=dict)


DESK: Final = web.AppKey("desk", Desk)
SESSION: Final = web.RequestKey("session", Session)
