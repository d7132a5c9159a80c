"""Owns how a desk is made of a configuration: the clock, the threads, the people's words, the way to sign in."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from m365audit.config import Settings
from m365audit.errors import StoreError
from m365audit.pipeline import reviewing
from m365audit.pipeline.moment import present_moment
from m365audit.store.journal import Actor
from m365audit.web.desk import Desk, SignIn
from m365audit.web.place import Place
from m365audit.web.reading import Published
from m365audit.web.sessions import Sessions
from m365audit.web.wording import page_words

_THREADS: Final = 6


def desk_of(
    settings: Settings,
    place: Place,
    *,
    here: Actor | None = None,
    now: Callable[[], datetime] | None = None,
    sessions: Sessions[Actor] | None = None,
) -> Desk:
    """Return a desk for a configuration; call it in the event loop that will serve.

    Args:
        settings: the configuration.
        place: by which address the page is reached.
        here: who has started it; None for the operating system's user.
        now: the clock; None for the real one.
        sessions: who has come in; None for nobody.
    """
    host = now or (lambda: datetime.now(UTC))

    def clock() -> datetime:
        with suppress(StoreError):  # a journal that cannot be read is told of by whoever asks for what is in it
            return present_moment(settings, host())
        return host()

    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="page")
    report = getattr(settings, "report", None)
    return Desk(
        place=place,
        sessions=Sessions() if sessions is None else sessions,
        published=Published(settings, clock, pool),
        settings=settings,
        here=here or reviewing.actor_here(settings),
        words=page_words(getattr(report, "language", "en"), getattr(report, "time_zone", "Europe/Amsterdam")),
        now=clock,
        host=host,
        pool=pool,
        sign_in=_sign_in(settings, place),
        actor_of=lambda person: reviewing.actor_of(settings, f"entra:{person.object_id}", person.name, "entra"),
    )


def _sign_in(settings: Settings, place: Place) -> SignIn | None:
    wanted = settings.review.sign_in
    if wanted is None:
        return None
    from m365audit.graph.clouds import cloud_of  # noqa: PLC0415 - Microsoft's libraries cost a second
    from m365audit.graph.person_login import PersonLogin  # noqa: PLC0415 - goes with it

    cloud = cloud_of(settings.cloud)
    return PersonLogin(wanted.tenant, wanted.client_id, cloud.login, f"{place.origin}/signed-in", ca_file=cloud.ca_file)
