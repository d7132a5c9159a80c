"""Owns who has come in: the one-time link, sessions with their ends, form tokens. Never reads a request, never decides.

All of it is held in memory: when the page stops, everybody is out.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

LINK_SECONDS: Final = 600.0
"""How long a one-time link may be used."""
IDLE_SECONDS: Final = 3_600.0
LONGEST_SECONDS: Final = 43_200.0
_BYTES: Final = 32
_MOST: Final = 200
"""Sessions at once; the oldest gives way."""

_Who = TypeVar("_Who")


@dataclass(slots=True)
class Session(Generic[_Who]):
    """One browser that has come in.

    Attributes:
        who: the person; None until somebody has signed in.
        began_at, seen_at: seconds of the sessions' clock.
        secret: what form tokens are made with; never leaves the process.
    """

    who: _Who | None
    began_at: float
    seen_at: float
    secret: bytes = field(repr=False)

    def form_token(self, action: str) -> str:
        """Return the token of the form that is sent to ``action``; no other form, and no other session, has it."""
        return hmac.new(self.secret, action.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()

    def is_form_token(self, action: str, token: str) -> bool:
        """Return whether this is the token of that form."""
        return hmac.compare_digest(self.form_token(action).encode(), token.encode("utf-8", "surrogatepass"))


class Sessions(Generic[_Who]):
    """Everybody who has come in.

    Args:
        clock: seconds that only rise.
        idle, longest: seconds after which a session ends: without a request, and in any case.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        idle: float = IDLE_SECONDS,
        longest: float = LONGEST_SECONDS,
        link_life: float = LINK_SECONDS,
    ) -> None:
        self._clock = clock
        self._idle = idle
        self._longest = longest
        self._link_life = link_life
        self._link: tuple[bytes, float] | None = None
        self._sessions: dict[bytes, Session[_Who]] = {}

    def new_link(self) -> str:
        """Return a token of 256 bits that lets one browser in, once, soon; the one before is worth nothing any more."""
        token = secrets.token_urlsafe(_BYTES)
        self._link = (_digest(token), self._clock() + self._link_life)
        return token

    def is_link(self, token: str) -> bool:
        """Return whether this token would let somebody in now; uses nothing up."""
        if self._link is None or self._clock() > self._link[1]:
            return False
        return hmac.compare_digest(self._link[0], _digest(token))

    def enter(self, token: str, who: _Who | None) -> str | None:
        """Use the link up; return the new session's cookie, or None when this is not the token."""
        if not self.is_link(token):
            return None
        self._link = None
        return self.open(who)

    def open(self, who: _Who | None) -> str:
        """Begin a session; return its cookie's value, which nothing else keeps."""
        now = self._clock()
        self._forget_ended(now)
        if len(self._sessions) >= _MOST:
            del self._sessions[min(self._sessions, key=lambda key: self._sessions[key].seen_at)]
        cookie = secrets.token_urlsafe(_BYTES)
        self._sessions[_digest(cookie)] = Session(who, now, now, secrets.token_bytes(_BYTES))
        return cookie

    def find(self, cookie: str | None) -> Session[_Who] | None:
        """Return the session of a cookie and note that it was used; None when there is none, or it has ended."""
        if not cookie:
            return None
        now = self._clock()
        session = self._sessions.get(_digest(cookie))
        if session is None:
            return None
        if self._is_over(session, now):
            del self._sessions[_digest(cookie)]
            return None
        session.seen_at = now
        return session

    def close(self, cookie: str | None) -> None:
        """End a session."""
        if cookie:
            self._sessions.pop(_digest(cookie), None)

    def _is_over(self, session: Session[_Who], now: float) -> bool:
        return now - session.seen_at > self._idle or now - session.began_at > self._longest

    def _forget_ended(self, now: float) -> None:
        self._sessions = {key: session for key, session in self._sessions.items() if not self._is_over(session, now)}


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
