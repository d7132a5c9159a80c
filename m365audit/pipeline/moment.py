"""What time it is for decisions and clocks: never earlier than the newest decision. Knows nothing of evidence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from m365audit.config import Settings
from m365audit.store.journal import has_journal, open_journal

_SLIP: Final = timedelta(minutes=5)
"""By how much a clock may be put right without a word."""


def present_moment(settings: Settings, host: datetime | None = None) -> datetime:
    """Return the time: the host's, or that of the newest decision where the host's clock was set back behind it.

    An acceptance grows no longer by that, and no clock of the law slower.

    Raises:
        StoreError: the journal cannot be read.
    """
    moment = host or datetime.now(UTC)
    newest = _newest(settings)
    return moment if newest is None else max(moment, newest)


def set_back_behind(settings: Settings, host: datetime | None = None) -> datetime | None:
    """Return the time of the newest decision where the host's clock is earlier; None where it is not.

    Raises:
        StoreError: the journal cannot be read.
    """
    newest = _newest(settings)
    return newest if newest is not None and newest - (host or datetime.now(UTC)) > _SLIP else None


def _newest(settings: Settings) -> datetime | None:
    if not has_journal(settings.state):
        return None
    with open_journal(settings.state) as journal:
        return journal.newest_at()
