"""What the report says of its own making: hashes, how far the journal goes, who decides alone, dated tables."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from m365audit.config import Settings, load_adequacy, load_clocks
from m365audit.findings import erasures
from m365audit.pipeline.completeness import missing
from m365audit.pipeline.present import set_back_behind
from m365audit.pipeline.reviewing import is_one_person
from m365audit.report import Circumstances, DatedTable
from m365audit.store.durable import sha256_of
from m365audit.store.journal import open_journal
from m365audit.store.published_file import published_path


def circumstances(settings: Settings, database: Path | None = None, host: datetime | None = None) -> Circumstances:
    """Return the circumstances of a report of what is published, or of a database that is about to be.

    Args:
        settings: the configuration.
        database: the one that is about to be published.
        host: what the host's clock says; now.

    Raises:
        StoreError: nothing is published, or the journal cannot be read.
        ConfigurationError: a dated table cannot be read.
    """
    with open_journal(settings.state) as journal:
        entries, head = journal.head()
        broken_off = erasures.unfinished(journal.entries(kind="erasure"))
    folder = settings.policy.parent
    tables = {"clocks": load_clocks(folder), "adequacy": load_adequacy(folder)}
    return Circumstances(
        is_second_person_off=settings.review.second_person == "off",
        is_one_person=is_one_person(settings),
        database_hash=sha256_of(database or published_path(settings.publish)),
        journal_entries=entries,
        journal_head=head if entries else None,
        unfinished_erasures=tuple(broken_off),
        missing_decisions=missing(settings),
        clock_set_back_behind=set_back_behind(settings, host),
        dated_tables=tuple(DatedTable(name, None, table.verified_on) for name, table in tables.items()),
    )
