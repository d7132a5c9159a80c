"""Is the evidence what it was: kept files against their hashes, rows against their accounts, publication, journal.

Reads; repairs nothing. What is found wrong is said in a sentence, and what cannot be proven is said too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import duckdb

from m365audit.store.durable import sha256_of
from m365audit.store.journal import open_journal
from m365audit.store.publish import PUBLISHED_NAME
from m365audit.store.screening import read_note

NOTE_NAME: Final = "published.json"
NOT_PROVEN: Final = (
    "that Microsoft logged everything: what was never read stands in the table coverage",
    "that an imported file was not changed before it was imported",
    "that who may write to the state folder did not replace a file and its hash: keep the journal's head elsewhere",
    "that back-ups are whole",
)
"""What no check here can prove."""
_SHOWN: Final = 20

State = Literal["whole", "damaged", "not_checked"]


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        name: what was checked.
        state: whole, damaged, or not_checked (there is nothing to check against).
        checked: how many things were looked at.
        sentences: what is wrong, or why it was not checked.
    """

    name: str
    state: State
    checked: int
    sentences: tuple[str, ...] = ()


def verify(connection: duckdb.DuckDBPyConnection, state: Path, publish: Path) -> Iterator[Check]:
    """Yield every check.

    Args:
        connection: the working database.
        state: the private folder.
        publish: the published one.
    """
    yield _kept_files(state)
    yield _named_files(connection, state)
    yield _accounts(connection)
    yield _rows(connection)
    yield from _publication(state, publish)
    yield _journal(state)


def note_publication(target: Path, files: dict[str, Path]) -> None:
    """Note the hashes of what was just published; ``verify`` holds the files against them."""
    content = {name: sha256_of(path) for name, path in files.items() if path.is_file()}
    unfinished = target.with_name(f"{target.name}.unfinished")
    with unfinished.open("w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(target)


def _check(name: str, checked: int, wrong: list[str]) -> Check:
    more = [f"and {len(wrong) - _SHOWN} more"] if len(wrong) > _SHOWN else []
    return Check(name, "damaged" if wrong else "whole", checked, (*wrong[:_SHOWN], *more))


def _kept_files(state: Path) -> Check:
    wrong, checked = [], 0
    for path in sorted((state / "spool").glob("*/??/*/*")):
        if not path.is_file():
            continue
        checked += 1
        noted = read_note(path.parent)
        if sha256_of(path) != (noted["sha256"] if noted else path.parent.name):
            wrong.append(f"{path.relative_to(state)} is not what was kept: its bytes have another hash")
    return _check("kept files have the bytes that came", checked, wrong)


def _named_files(connection: duckdb.DuckDBPyConnection, state: Path) -> Check:
    rows = connection.execute(
        "SELECT DISTINCT spool, path FROM sources WHERE outcome IN ('imported', 'partial') AND spool <> '' ORDER BY ALL"
    ).fetchall()
    wrong = []
    for spool, path in rows:
        kept = Path(spool)
        # A folder that was moved as a whole keeps its inner order.
        home = state / "spool" / Path(*kept.parts[-4:]) if len(kept.parts) > 3 else kept  # noqa: PLR2004
        if not kept.is_file() and not home.is_file() and not any(home.parent.glob("*")):
            wrong.append(f"the kept bytes of {path} are gone")
    return _check("every imported or collected file is kept", len(rows), wrong)


def _accounts(connection: duckdb.DuckDBPyConnection) -> Check:
    rows = connection.execute(
        "SELECT path, records, stored, duplicate, quarantined FROM sources "
        "WHERE records <> stored + duplicate + quarantined"
    ).fetchall()
    total = connection.execute("SELECT count(*) FROM sources").fetchone()
    wrong = [f"{path}: {records} records came, {s} + {d} + {q} are accounted for" for path, records, s, d, q in rows]
    return _check("records in = stored + duplicate + quarantined", total[0] if total else 0, wrong)


def _rows(connection: duckdb.DuckDBPyConnection) -> Check:
    rows = connection.execute(
        """
        SELECT s.path, s.stored, coalesce(l.rows, 0), coalesce(r.records, 0) FROM sources AS s
        LEFT JOIN (
            SELECT source_id, count(*) AS rows FROM (
                SELECT source_id FROM landed_calls UNION ALL SELECT source_id FROM landed_records
            ) GROUP BY ALL
        ) AS l USING (source_id)
        LEFT JOIN (SELECT source_id, sum(records) AS records FROM removals GROUP BY ALL) AS r USING (source_id)
        WHERE s.stored <> coalesce(l.rows, 0) + coalesce(r.records, 0) ORDER BY ALL
        """
    ).fetchall()
    total = connection.execute("SELECT count(*) FROM sources").fetchone()
    wrong = [
        f"{path}: {stored} records were stored, {there} are there and {gone} were removed by retention"
        for path, stored, there, gone in rows
    ]
    return _check("stored records are there, or were removed by retention", total[0] if total else 0, wrong)


def _publication(state: Path, publish: Path) -> Iterator[Check]:
    noted = state / NOTE_NAME
    names = {PUBLISHED_NAME: "the published database is the one that was published",
             "report.html": "the report is the one that was rendered"}  # fmt: skip
    try:
        hashes = json.loads(noted.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        hashes = {}
    for name, words in names.items():
        path = publish / name
        if name not in hashes:
            yield Check(words, "not_checked", 0, ("no hash of it was noted: `m365audit evaluate` publishes it again",))
        elif not path.is_file():
            yield Check(words, "damaged", 1, (f"{path} is gone",))
        else:
            is_whole = sha256_of(path) == hashes[name]
            wrong = (
                [] if is_whole else [f"{path} was changed after it was published: `m365audit evaluate` makes it anew"]
            )
            yield _check(words, 1, wrong)


def _journal(state: Path) -> Check:
    with open_journal(state) as journal:
        wrong = [f"entry {link.seq}: {link.what}" for link in journal.broken_links()]
        place, head = journal.head()
    check = _check("the journal of decisions is an unbroken chain", place, wrong)
    return check if wrong else Check(check.name, check.state, place, (f"head {place}: {head}",))
