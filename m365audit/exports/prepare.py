"""Makes an exported file ready for the store: recognised, and one JSON object per line.

A healthy file of lines is handed on as it is; everything else is rewritten record by record. Must never interpret a
record, and never lose one: records = lines written + quarantined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import NoReturn

from m365audit.errors import EvidenceError
from m365audit.exports import limits
from m365audit.exports.aside import Aside
from m365audit.exports.containers import Container, count_clean_lines, head_objects, recognise_container
from m365audit.exports.documents import read_documents
from m365audit.exports.foreign import Foreign, foreign_context, foreign_leftover, foreign_record
from m365audit.exports.kinds import (
    KINDS,
    Recognised,
    is_directory_object,
    kind_of_context,
    kind_of_name,
    recognise,
)
from m365audit.exports.lines import read_lines
from m365audit.exports.long_answers import read_long_answer
from m365audit.exports.pieces import JsonObject, Piece, Reading, Record, set_aside
from m365audit.exports.plaintext import PlainText, open_plain
from m365audit.exports.records import audit_data_key
from m365audit.exports.retelling import is_told_otherwise, retold
from m365audit.exports.salvage import PAGE_LISTS
from m365audit.exports.spelling import is_canonical, spelled
from m365audit.exports.storage_path import covered_hour
from m365audit.exports.tables import AUDIT_DATA, header_of, read_table
from m365audit.exports.workspace import Workspace
from m365audit.model import PreparedFile, Quarantined

_READERS: dict[Container, Callable[[PlainText, Reading], Iterator[Piece]]] = {
    Container.LINES: read_lines,
    Container.DOCUMENTS: read_documents,
    Container.TABLE: read_table,
    Container.LONG_ANSWER: read_long_answer,
}
_GRANTS = {"delegated_permission_grants", "app_role_assignments"}
_MISFIT = "a row of another table than the others, or of one that is not read: export each to a file of its own"
_TELL_AFTER = 2000
_NAME_THE_KIND = "name it with --kind: " + ", ".join(KINDS)


def prepare(
    path: Path,
    *,
    workdir: Path,
    kind: str | None = None,
    careful: bool = False,
    tell: Callable[[str, int, int], None] | None = None,
) -> PreparedFile:
    """Return the exported file ``path`` as the store takes it.

    Args:
        path: the file, as the user named it.
        workdir: folder for temporary files, made when it is missing.
        kind: one of ``KINDS`` when the user named it; else it is recognised by content.
        careful: look at every record even of a healthy file of lines. The store asks for it when its own reader
            met an error; other containers are always read so.
        tell: told now and then what is being done, how many bytes are done, and how many there are.

    Raises:
        EvidenceError: the file cannot be evidence; says what it is instead and the next step.
    """
    if kind is not None and kind not in KINDS:
        raise EvidenceError(f"there is no kind {kind!r}", file=str(path), hint=_NAME_THE_KIND)
    try:
        with Workspace(workdir, tell) as work:
            text = open_plain(path, work)
            container = recognise_container(text)
            passed = None if careful else _pass_through(text, container, kind, work)
            prepared = passed or _rewrite(text, container, kind, work)
            work.hand_on(*(Path(file) for file in (prepared.ndjson, prepared.quarantine) if file))
            return prepared
    except OSError as error:
        raise EvidenceError(
            f"the file cannot be prepared: {error.strerror or error}",
            file=str(path),
            hint="check that it exists, may be read, and that the disk has room",
        ) from error


def _pass_through(text: PlainText, container: Container, kind: str | None, work: Workspace) -> PreparedFile | None:
    """Return the file as it is when its beginning and its bytes give no reason to look closer."""
    if container is not Container.LINES or text.start or text.is_cut or text.remarks:
        return None
    objects = list(head_objects(text))
    found = next((hit for value in objects if value and (hit := recognise(value))), None)
    if found is None or any(value is None or not _is_plain(value, found) for value in objects):
        return None
    records = None
    if not _is_checked_by_store(found):
        records = count_clean_lines(text.path, work.tell)
        if records is None:
            return None
    _refuse_contradiction(text, kind, found)
    return _prepared(text, found, text.path, records=records)


def _is_checked_by_store(found: Recognised) -> bool:
    """Say whether the store reads such lines field by field, so that it finds itself what is no record.

    Graph activity comes by the gigabyte: checking every line here as well would take as long as landing it. The store's
    reader lets a comma at an end and NaN pass, in fields that are not kept; nothing is misread for that.
    """
    return found.kind == "graph_activity" and found.enveloped


def _is_plain(value: JsonObject, found: Recognised) -> bool:
    if foreign_record(value) or is_told_otherwise(value) or audit_data_key(value) or not PAGE_LISTS.isdisjoint(value):
        return False
    return is_canonical(value, found.kind)


def _rewrite(text: PlainText, container: Container, kind: str | None, work: Workspace) -> PreparedFile:
    """Read every record of ``text`` and write the readable ones to a temporary file."""
    reading = Reading()
    pieces = retold(_READERS[container](text, reading), reading, text.source.name, _columns(text, container))
    first = _peek(pieces)
    found = _recognise_file(text, first, reading, kind)
    path, out = work.create()
    written, is_retold = 0, _is_retold(first)
    with out, Aside(work, str(text.source)) as aside:
        for piece in _watched(chain(first, pieces), text, work):
            if isinstance(piece, Quarantined):
                aside.add(piece)
            elif (piece.is_retold or is_retold) and not _fits(piece, found):
                aside.add(set_aside(piece.raw, piece.place, _MISFIT))
            else:
                out.write(spelled(piece, found.kind) + b"\n")
                is_retold |= piece.is_retold
                written += 1
        for remark in text.remarks:
            aside.add(replace(remark, record=written + aside.count + 1))
    prepared = _prepared(text, found, path, records=written + aside.count)
    return replace(
        prepared,
        is_temporary=True,
        quarantine=aside.file,
        quarantined=aside.count,
        has_broken_end=text.is_cut or reading.has_broken_end,
        has_next_page=reading.has_next_page,
        is_retold=is_retold,
    )


def _watched(pieces: Iterator[Piece], text: PlainText, work: Workspace) -> Iterator[Piece]:
    """Pass ``pieces`` on, and tell now and then where they stand in the file."""
    total = text.path.stat().st_size
    for number, piece in enumerate(pieces):
        if number % _TELL_AFTER == 0:
            offset = piece.offset if isinstance(piece, Quarantined) else piece.place.offset
            work.tell("reading", offset or 0, total)
        yield piece


def _columns(text: PlainText, container: Container) -> tuple[str, ...] | None:
    """Return the columns of a table of rows, None for anything else: audit records in a table are records already."""
    header = header_of(text.head) if container is Container.TABLE else None
    return header.columns if header and AUDIT_DATA not in header.columns else None


def _is_retold(first: list[Piece]) -> bool:
    return any(isinstance(piece, Record) and piece.is_retold for piece in first)


def _fits(piece: Record, found: Recognised) -> bool:
    """Say whether a record of a retold file goes with the others: envelopes with envelopes, else one kind only."""
    hit = recognise(piece.value)
    if hit is None or hit.enveloped != found.enveloped:
        return False
    return found.enveloped or hit.kind == found.kind or {hit.kind, found.kind} == _GRANTS


def _peek(pieces: Iterator[Piece]) -> list[Piece]:
    """Return the first pieces: up to the one that tells the kind, or as many as fit."""
    first: list[Piece] = []
    size = 0
    for piece in islice(pieces, limits.PEEK_RECORDS):
        first.append(piece)
        if isinstance(piece, Record):
            size += len(piece.raw)
            if size > limits.PEEK_BYTES or (not foreign_record(piece.value) and recognise(piece.value)):
                break
    return first


def _prepared(text: PlainText, found: Recognised, path: Path, *, records: int | None) -> PreparedFile:
    return PreparedFile(
        path=str(text.source),
        kind=found.kind,
        enveloped=found.enveloped,
        ndjson=str(path),
        is_temporary=path != text.source,
        records=records,
        covered_hour=covered_hour(text.source),
    )


def _recognise_file(text: PlainText, first: list[Piece], reading: Reading, kind: str | None) -> Recognised:
    """Return the kind of the file by its first recognisable record.

    Raises:
        EvidenceError: nothing is recognised, or ``kind`` says otherwise.
    """
    values = [piece.value for piece in first if isinstance(piece, Record)]
    for value in values:
        foreign = foreign_record(value)
        found = None if foreign else recognise(value)
        if found:
            _refuse_contradiction(text, kind, found)
            return found
    foreign = _foreign_file(values, reading)
    if foreign:
        raise EvidenceError(f"this is {foreign.what}", file=str(text.source), hint=foreign.hint)
    named = kind or kind_of_context(reading.context) or _kind_by_name(text, values)
    return Recognised(named) if named else _refuse_unknown(text, first, values)


def _foreign_file(values: list[JsonObject], reading: Reading) -> Foreign | None:
    for value in values:
        if foreign := foreign_record(value) or foreign_leftover(value):
            return foreign
    return foreign_context(reading.context)


def _kind_by_name(text: PlainText, values: list[JsonObject]) -> str | None:
    is_tie = values and all(is_directory_object(value) for value in values)
    return kind_of_name(text.source.name) if is_tie else None


def _refuse_contradiction(text: PlainText, kind: str | None, found: Recognised) -> None:
    if kind is not None and kind != found.kind:
        raise EvidenceError(
            f"named as {kind}, but its content is {found.kind} ({KINDS[found.kind]})",
            file=str(text.source),
            hint=f"leave the kind out, or name {found.kind}",
        )


def _refuse_unknown(text: PlainText, first: list[Piece], values: list[JsonObject]) -> NoReturn:
    broken = next((piece for piece in first if isinstance(piece, Quarantined)), None)
    if values:
        keys = ", ".join(sorted(values[0])[:12])[:200]
        message = f"JSON of an unknown kind (its keys: {keys})"
    elif broken:
        message = f"no record of it can be read; the first, at byte {broken.offset}: {broken.reason}"
    else:
        message = "it holds no record, and does not say of what kind they would be"
    hint = "export it again" if broken and not values else _NAME_THE_KIND
    raise EvidenceError(message, file=str(text.source), hint=hint)
