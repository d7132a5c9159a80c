"""Files → landing: found, kept byte for byte, prepared, landed in batches; each accounted for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from m365audit import exports
from m365audit.errors import EvidenceError
from m365audit.model import STATE_FEEDS, PreparedFile
from m365audit.pipeline import offering
from m365audit.pipeline.offering import Offer
from m365audit.pipeline.values import Import, Work, now
from m365audit.store import arrivals, landing
from m365audit.store.arrivals import Arrival, Landed
from m365audit.store.database import roomy, transaction


def take_in(work: Work, imports: Sequence[Import]) -> Iterator[Landed]:
    """Land everything, a batch of files at a time; a batch that is durable stays so whatever comes after."""
    wanted: list[tuple[Path, Import]] = []
    for item in imports:
        try:
            wanted += [(file, item) for file in exports.find_files([item.path], on_skip=work.reporter.skipped)]
        except EvidenceError as error:
            (missing,) = _arrivals(work, [offering.refused(item.path, item, error.message)])
            yield arrivals.record_refusal(work.connection, missing, error.message)
    offers = offering.Offers(work, wanted, arrivals.find_taken(work.connection))
    done = 0
    while True:
        with work.folder() as folder:
            batch = offers.next_batch(folder)
            for landed in _land_batch(work, batch, folder):
                done += 1
                work.reporter.file(landed, done, offers.total)
                yield landed
        if not batch:
            return


def _land_batch(work: Work, batch: Sequence[Offer], folder: Path) -> list[Landed]:
    """Land a batch of files and return what became of each, in order."""
    offered = _arrivals(work, batch)
    results: dict[int, Landed] = {}
    waiting = list(zip(offered, (offer.item for offer in batch), strict=True))
    while waiting:
        # The same bytes a second time wait until the first are landed: then they are known.
        first = {(arrival.tenant, arrival.sha256): arrival.source_id for arrival, _ in reversed(waiting)}
        now_first = [pair for pair in waiting if first[pair[0].tenant, pair[0].sha256] == pair[0].source_id]
        waiting = [pair for pair in waiting if pair not in now_first]
        results |= _land_distinct(work, now_first, folder)
    return [results[arrival.source_id] for arrival in offered]


def _land_distinct(work: Work, files: Sequence[tuple[Arrival, Import]], folder: Path) -> dict[int, Landed]:
    """Land files of which no two have the same bytes."""
    results = arrivals.find_known(work.connection, [arrival for arrival, _ in files])
    families: dict[tuple[str, str, bool, bool], list[landing.Ready]] = {}
    for arrival, item in files:
        if arrival.source_id not in results:
            try:
                ready = landing.Ready(arrival, _prepare(work, arrival, item.kind, folder, is_careful=False))
                families.setdefault(ready.family, []).append(ready)
            except EvidenceError as error:
                results[arrival.source_id] = arrivals.record_refusal(work.connection, arrival, offering.in_words(error))
    for family in families.values():
        results |= _land_family(work, family, folder)
    return results


def _land_family(work: Work, files: list[landing.Ready], folder: Path) -> dict[int, Landed]:
    """Land files together; when DuckDB stumbles over one, each by itself, and that one record by record checked."""
    size = sum(file.arrival.size for file in files)
    work.reporter.working(files[-1].arrival.path, "storing", size, size)
    try:
        landed = landing.land(work.connection, files, is_careful=files[0].prepared.is_temporary)
        return {file.arrival.source_id: result for file, result in zip(files, landed, strict=True)}
    except landing.UnreadableRecordsError as error:
        if len(files) > 1:
            return {source: result for file in files for source, result in _land_family(work, [file], folder).items()}
        return {files[0].arrival.source_id: _land_carefully(work, files[0], folder, error)}


def _land_carefully(work: Work, file: landing.Ready, folder: Path, first: landing.UnreadableRecordsError) -> Landed:
    arrival = replace(file.arrival, origin=None)
    try:
        prepared = _prepare(work, arrival, file.prepared.kind, folder, is_careful=True)
        return landing.land(work.connection, [landing.Ready(arrival, prepared)], is_careful=True)[0]
    except (landing.UnreadableRecordsError, EvidenceError):
        return arrivals.record_refusal(work.connection, file.arrival, f"could not be read: {first.message}")


def land_collected(work: Work, files: Sequence[landing.Ready], close: Callable[[dict[int, Landed]], None]) -> None:
    """Land what the collector wrote, the same way as files of that kind.

    Args:
        work: the run.
        files: segments of one family, in the order in which they were written.
        close: called in the transaction that makes some of them durable, with what became of those, by source;
            each segment is told of once, those that brought something before those that were known.
    """
    logs = [file.arrival for file in files if file.prepared.records and file.prepared.kind not in STATE_FEEDS]
    known = arrivals.find_known(work.connection, logs)
    fresh = [file for file in files if file.arrival.source_id not in known]
    if fresh:
        _land_fresh(work, fresh, close)
    if known:
        with transaction(work.connection):
            close(known)


def _land_fresh(
    work: Work, files: Sequence[landing.Ready], close: Callable[[dict[int, Landed]], None], *, is_roomy: bool = False
) -> None:
    def also(landed: Sequence[Landed]) -> None:
        close({file.arrival.source_id: result for file, result in zip(files, landed, strict=True)})

    try:
        landing.land(work.connection, files, is_careful=False, also=also)
    except landing.UnreadableRecordsError as error:
        is_full = isinstance(error, landing.NoRoomError) and not is_roomy
        if is_full or len(files) > 1:
            with roomy(work.connection) if is_full else nullcontext():
                for file in files:
                    _land_fresh(work, [file], close, is_roomy=is_roomy or is_full)
        else:
            _land_fresh_carefully(work, files[0], also, error.message)


def _land_fresh_carefully(work: Work, file: landing.Ready, also: Callable[[Sequence[Landed]], None], what: str) -> None:
    """Look at each record by itself: what DuckDB stumbled over is set aside, everything else is landed."""
    with work.folder() as folder:
        try:
            prepared = _prepare(work, file.arrival, file.prepared.kind, folder, is_careful=True)
            ready = landing.Ready(file.arrival, replace(prepared, has_next_page=file.prepared.has_next_page))
            landing.land(work.connection, [ready], is_careful=True, also=also)
        except (landing.UnreadableRecordsError, EvidenceError):
            with transaction(work.connection):
                also([arrivals.record_refusal(work.connection, file.arrival, f"could not be read: {what}")])


def _prepare(work: Work, arrival: Arrival, kind: str | None, folder: Path, *, is_careful: bool) -> PreparedFile:
    """Prepare a file from its bytes in the spool, or from where they came from, under the name that the user knows.

    Raises:
        EvidenceError: it cannot be evidence.
    """
    if arrival.unreadable:
        raise EvidenceError(arrival.unreadable)
    tell = partial(work.reporter.working, arrival.path)
    bytes_at = Path(arrival.spool)
    if arrival.origin and arrival.origin.is_unchanged():
        bytes_at = arrival.origin.path
    prepared = exports.prepare(bytes_at, workdir=folder, kind=kind, careful=is_careful, tell=tell)
    return replace(prepared, path=arrival.path, covered_hour=exports.covered_hour(Path(arrival.path)))


def _arrivals(work: Work, batch: Sequence[Offer]) -> list[Arrival]:
    """Number the files whose bytes were taken, and note the circumstances of each."""
    numbers = arrivals.next_source_ids(work.connection, len(batch))
    return [
        Arrival(
            number,
            offer.path,
            offer.item.tenant,
            offer.kept.sha256,
            offer.kept.size,
            str(offer.kept.path) if offer.kept.sha256 else "",
            imported_at=now(),
            observed_at=offer.item.observed_at or min(offer.kept.modified_at, now()),
            has_said_time=offer.item.observed_at is not None,
            settle_after=work.policy.policy.settle_after,
            hour=datetime.fromisoformat(hour) if (hour := exports.covered_hour(Path(offer.path))) else None,
            window=offer.item.window,
            unreadable=offer.unreadable,
            archive=str(offer.archive or ""),
            origin=offer.kept.origin,
        )
        for number, offer in zip(numbers, batch, strict=True)
    ]
