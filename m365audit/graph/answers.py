"""Owns the step from what came over the wire to an answer, or to the error that it is. Never asks anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import httpx

from m365audit.graph.body import IncompleteError, TooLargeError
from m365audit.graph.documents import OPENINGS, Listed, require_document
from m365audit.graph.failures import CollectionError, NotFoundError, StaleLinkError
from m365audit.graph.refusals import Refusal, error_of, meaning_of
from m365audit.graph.retry import TransientError, http_date, retry_after
from m365audit.graph.values import GAP_REASONS, GapReason

NEXT_RUN: Final = "the next run goes on where this one stopped"

_NO_CONTENT: Final = 204


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of status 2xx, whole.

    Attributes:
        status: HTTP status.
        headers: names in lower case.
        body: one JSON document as it was sent, decompressed; empty for 204 only.
        at: when it was given, by Microsoft's clock.
        listed: the records of it, where it lists any.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    at: datetime
    listed: Listed | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back, and what it means.

    Attributes:
        response: read to its end.
        at: when, by its own ``Date`` header.
        asked_to_wait: seconds that it asks us to wait, None when it does not say.
        refusal: what it means when it is no success, else None.
        code: Microsoft's error code, empty when there is none.
    """

    response: httpx.Response
    at: datetime
    asked_to_wait: float | None
    refusal: Refusal | None
    code: str

    @property
    def status(self) -> int:
        """Return the HTTP status; a limit that hides behind another one is 429."""
        return int(httpx.codes.TOO_MANY_REQUESTS) if self.is_busy else self.response.status_code

    @property
    def is_busy(self) -> bool:
        """Return whether Microsoft limits us."""
        return self.refusal is not None and self.refusal.meaning == "busy"

    @property
    def is_microsofts(self) -> bool:
        """Return whether it looks like a service's own answer: gateways and portals answer with pages of theirs."""
        body = self.response.content
        return body[:1] in OPENINGS or (not body and self.response.status_code == _NO_CONTENT)

    def answer(self) -> Answer:
        """Return the answer if it is one.

        Raises:
            TransientError: asking again may help: a limit, a fault, a body that is not whole.
            StaleLinkError, NotFoundError, CollectionError: it will not.
        """
        if self.refusal is not None:
            raise self._error(self.refusal)
        response, listed = self.response, None
        if response.status_code != _NO_CONTENT:
            try:
                listed = require_document(response.content)
            except IncompleteError as error:
                raise TransientError(str(error), status=response.status_code) from None
            except TooLargeError as error:
                raise CollectionError("error", str(error), status=response.status_code) from None
        return Answer(response.status_code, dict(response.headers), response.content, self.at, listed)

    def _error(self, refusal: Refusal) -> TransientError | CollectionError:
        status = self.response.status_code
        if refusal.meaning in {"busy", "broken"}:
            return TransientError(
                refusal.says,
                is_throttling=self.is_busy,
                retry_after=self.asked_to_wait,
                status=status,
                code=self.code,
            )
        text = f"{refusal.says} (HTTP {status}{f', {self.code}' if self.code else ''})"
        if refusal.meaning == "stale_link":
            return StaleLinkError("error", text, hint=refusal.todo, status=status, code=self.code)
        if refusal.meaning == "not_found":
            return NotFoundError("error", text, hint=refusal.todo, status=status, code=self.code)
        reason = next(each for each in GAP_REASONS if each == refusal.meaning)
        return CollectionError(reason, text, hint=refusal.todo, status=status, code=self.code)


def heard(response: httpx.Response, now: datetime) -> Heard:
    """Return what an answer means; ``now`` is believed where it does not say the time itself."""
    at = http_date(response.headers.get("date")) or now
    asked_to_wait = retry_after(response.headers.get("retry-after"), at)
    if response.is_success:
        return Heard(response, at, asked_to_wait, None, "")
    code, message = error_of(response.content)
    return Heard(response, at, asked_to_wait, meaning_of(response.status_code, code, message), code)


def given_up(error: TransientError, sent: int) -> CollectionError:
    """Return the error for a fault or a limit that lasted for ``sent`` requests."""
    times = "one request" if sent == 1 else f"{sent} requests"
    status = f"HTTP {error.status}" if error.status else "no answer"
    text = f"{error.why} ({status}{f', {error.code}' if error.code else ''}; given up after {times})"
    reason: GapReason = "throttled" if error.is_throttling else "error"
    return CollectionError(reason, text, hint=NEXT_RUN, status=error.status, code=error.code)
