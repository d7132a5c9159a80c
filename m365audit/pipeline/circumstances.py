"""What the report says of its own making: hashes, how far the journal goes, who decides alone, dated tables."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

from m365audit.config import Clocks, Settings, load_adequacy, load_clocks
from m365audit.findings import erasures
from m365audit.pipeline.completeness import missing
from m365audit.pipeline.moment import present_moment, set_back_behind
from m365audit.pipeline.reviewing import is_one_person
from m365audit.report import Circumstances, DatedTable
from m365audit.store import published
from m365audit.store.durable import sha256_of
from m365audit.store.journal import open_journal
from m365audit.store.published_file import published_path
from m365audit.store.review_tables import Ask

_AGE: Final = "evidence.listing"
"""Clock that says for how long what was read counts."""


def circumstances(
    settings: Settings, database: Path | None = None, *, host: datetime | None = None, ask: Ask | None = None
) -> Circumstances:
    """Return the circumstances of a report of what is published, or of a database that is about to be.

    Args:
        settings: the configuration.
        database: the one that is about to be published.
        host: what the host's clock says; now.
        ask: asks what is published, where it is open already: nobody can open it twice.

    Raises:
        StoreError: nothing is published, or the journal cannot be read.
        ConfigurationError: a dated table cannot be read.
    """
    with open_journal(settings.state) as journal:
        entries, head = journal.head()
        broken_off = erasures.unfinished(journal.entries(kind="erasure"))
    folder = settings.policy.parent
    clocks = load_clocks(folder)
    tables = {"clocks": clocks, "adequacy": load_adequacy(folder)}
    return Circumstances(
        is_second_person_off=settings.review.second_person == "off",
        is_one_person=is_one_person(settings),
        database_hash=sha256_of(database or published_path(settings.publish)),
        journal_entries=entries,
        journal_head=head if entries else None,
        unfinished_erasures=tuple(broken_off),
        missing_decisions=missing(settings, ask),
        clock_set_back_behind=set_back_behind(settings, host),
        last_evaluated_at=None if database else _long_ago(settings, clocks, present_moment(settings, host), ask),
        dated_tables=tuple(DatedTable(name, None, table.verified_on) for name, table in tables.items()),
    )


def _long_ago(settings: Settings, clocks: Clocks, now: datetime, ask: Ask | None) -> datetime | None:
    """Return when what is published was made, where that is longer ago than a listing may count; None where it is not.

    Evidence tells its own age; that nobody looked at any since, only the clock can tell.
    """
    if ask is not None:
        made_at = _made_at(ask)
    else:
        with published.open_published(settings.publish) as database:
            made_at = _made_at(database.execute)
    if made_at is None:
        return None
    clock = clocks.find(_AGE, now)
    return made_at if clock is None or clock.after(made_at) < now else None


def _made_at(ask: Ask) -> datetime | None:
    ((made_at,),) = ask("SELECT max(coalesce(finished_at, started_at)) FROM runs", {})
    return made_at if isinstance(made_at, datetime) else None
