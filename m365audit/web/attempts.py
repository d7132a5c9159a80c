"""Owns what a page says of a form that was sent: written down, overtaken by somebody else, or refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from m365audit.errors import AuditError, StaleVersionError
from m365audit.web import pages
from m365audit.web.desk import DESK
from m365audit.web.forms import version_of
from m365audit.web.refusals import told
from m365audit.web.showing import Said


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a form came to.

    Attributes:
        done: what was written down, by which name the page has words for it; empty when nothing was.
        here: the form that was sent and refused.
        typed: what was typed into it: nothing of it gets lost.
        error: why it was refused.
    """

    done: str = ""
    here: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    error: AuditError | None = None


NOTHING: Final = Attempt()
"""Nobody has sent anything."""


def done(request: web.Request, *known: str) -> Attempt:
    """Return what the address says was written down, if it is one of the words that are known."""
    name = request.query.get("done", "")
    return Attempt(done=name if name in known else "")


async def page(
    request: web.Request, template: str, values: Mapping[str, Any], attempt: Attempt, history: Sequence[Said] = ()
) -> web.Response:
    """Return a page that has forms, with what became of the one that was sent.

    Args:
        request: what was asked.
        template: the page.
        values: what it shows.
        attempt: what was sent before.
        history: all that was written down about the thing, the oldest first.
    """
    error, conflict = attempt.error, _meanwhile(attempt, history)
    shown = {
        **values, "history": history[::-1], "conflict": conflict, "done": attempt.done, "here": attempt.here,
        "typed": dict(attempt.typed), "trouble": told(request.app[DESK].words, error) if error is not None else None,
    }  # fmt: skip
    return await pages.page(request, template, shown, status=409 if conflict else 422 if error else 200)


def _meanwhile(attempt: Attempt, history: Sequence[Said]) -> list[Said]:
    """Return what others wrote down after the version that was looked at."""
    if not isinstance(attempt.error, StaleVersionError):
        return []
    return [entry for entry in history if entry.version > version_of(attempt.typed)]
