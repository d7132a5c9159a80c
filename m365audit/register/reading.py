"""Reading a folder of consent records: every file, every problem. Never judges an event, never keeps an old state."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from m365audit.config.complaints import check
from m365audit.config.policy import Policy
from m365audit.config.spelling import shown
from m365audit.config.yamlnodes import Document, read_document
from m365audit.model import Problem
from m365audit.register.checks import check_record
from m365audit.register.document import ConsentRecord, RecordDocument
from m365audit.register.permissions import PermissionNames
from m365audit.register.state import active_periods

SUFFIXES: Final = (".yaml", ".yml")
_NAMED: Final = 3
_Periods = list[tuple[datetime, datetime]]


@dataclass(frozen=True, slots=True)
class Register:
    """All consent records of a folder.

    Attributes:
        records: the records that are valid by themselves, by name; judge with them only when ``is_valid``.
        problems: everything that makes the register unusable.
        warnings: everything a person should look at although the register can be used.
        hash: canonical SHA-256 of all records; layout, comments and order of keys do not change it.
        files: every file read, as the user knows it.
        is_absent: True when there is no such folder.
    """

    records: tuple[ConsentRecord, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    hash: str
    files: tuple[str, ...]
    is_absent: bool = False

    @property
    def is_valid(self) -> bool:
        """True when events may be judged with it."""
        return not self.problems

    @property
    def state(self) -> str:
        """``valid``, ``invalid`` or ``absent``: how a run names it."""
        return "absent" if self.is_absent else "valid" if self.is_valid else "invalid"


@dataclass(slots=True)
class _Reading:
    """The register under construction."""

    documents: list[tuple[Document, ConsentRecord | None]] = field(default_factory=list)
    strays: list[Problem] = field(default_factory=list)


def load_register(folder: Path, *, policy: Policy, permissions: PermissionNames) -> Register:
    """Read and check every consent record under a folder; nothing is raised for what is wrong in them.

    Args:
        folder: the register; names beginning with a dot are passed over, links that lead out of it are refused.
        policy: knows which versions of the privacy policy exist.
        permissions: knows which permissions exist and what they reach.
    """
    if not folder.is_dir():
        problem = Problem(
            str(folder), 0, "", "there is no register folder", "create it, or correct `register:`", "no_register"
        )
        return Register((), (problem,), (), _digest([]), (), is_absent=not folder.exists())
    reading = _Reading()
    for path in _files(folder, reading):
        document = read_document(path)
        reading.documents.append((document, _record(document, policy, permissions)))
    _check_unique(reading)
    _check_overlaps(reading)
    return _finished(folder, reading)


def canonical_hash(value: object) -> str:
    """Return the SHA-256 of a plain value in canonical JSON: sorted keys, no blanks, UTF-8."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _files(folder: Path, reading: _Reading) -> Iterator[Path]:
    """Yield the register's files in order of their paths; links out of the folder become problems."""
    inside = folder.resolve()
    found: list[Path] = []
    for place, folders, names in os.walk(folder, onerror=lambda error: _note_unreadable(error, reading)):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in folders:
            _leads_out(Path(place, name), inside, reading)
        for name in names:
            path = Path(place, name)
            is_record = path.suffix.lower() in SUFFIXES and not name.startswith(".")
            if is_record and not _leads_out(path, inside, reading):
                found.append(path)
    yield from sorted(found)


def _leads_out(path: Path, inside: Path, reading: _Reading) -> bool:
    """Return whether a path is a link to something outside of the register, noting it."""
    if not path.is_symlink() or path.resolve().is_relative_to(inside):
        return False
    what, todo = "this link leads out of the register", "put the file itself here"
    reading.strays.append(Problem(str(path), 0, "", what, todo, "link_out_of_register"))
    return True


def _note_unreadable(error: OSError, reading: _Reading) -> None:
    what = f"the folder cannot be read: {error.strerror}"
    reading.strays.append(Problem(str(error.filename), 0, "", what, "check its rights", "unreadable"))


def _record(document: Document, policy: Policy, permissions: PermissionNames) -> ConsentRecord | None:
    """Return a document as a record; None when anything is wrong with it."""
    if not document.is_readable or not isinstance(document.value, dict):
        return None
    parsed = check(RecordDocument, document)
    check_record(document, policy, permissions)
    if parsed is None or document.broken:
        return None
    hashes = tuple(canonical_hash(entry) for entry in document.value["history"])
    return ConsentRecord.model_construct(**dict(parsed), file=document.file, entry_hashes=hashes)


def _check_unique(reading: _Reading) -> None:
    """Complain about two files with the same record."""
    first: dict[str, Document] = {}
    for document, _ in reading.documents:
        name = document.value.get("record") if isinstance(document.value, dict) else None
        if not isinstance(name, str) or document.is_broken(("record",)):
            continue
        known = first.setdefault(name, document)
        if known is not document:
            what = f"the record {shown(name)} already stands in {known.file}:{known.line(('record',))}"
            document.problem("duplicate_record", ("record",), what, "keep one, or give this one another name")


def _check_overlaps(reading: _Reading) -> None:
    """Warn about records that are active for the same tenant and app at the same time, once per record and app."""
    earlier: dict[tuple[str, str], list[tuple[str, _Periods]]] = {}
    for document, record in reading.documents:
        if record is None or document.broken:
            continue
        periods = active_periods(record)
        for index, app_id in enumerate(record.integration.app_ids):
            others = earlier.setdefault((record.tenant, app_id), [])
            names = [name for name, theirs in others if _overlap(periods, theirs)]
            if names:
                more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
                what = f"{', '.join(names[:_NAMED])}{more} also cover the app {app_id} at the same time"
                todo = "all count; end those that are not meant"
                document.problem("overlapping_records", ("integration", "app_ids", index), what, todo, is_warning=True)
            others.append((record.record, periods))


def _overlap(mine: _Periods, theirs: _Periods) -> bool:
    return any(begin < other_end and other_begin < end for begin, end in mine for other_begin, other_end in theirs)


def _finished(folder: Path, reading: _Reading) -> Register:
    """Return the register with its problems in order of file and line."""
    found = [*reading.strays, *(problem for document, _ in reading.documents for problem in document.problems)]
    if not reading.documents and not found:
        what, todo = "the register holds no record", "add one, e.g. with `m365audit register propose`"
        found.append(Problem(str(folder), 0, "", what, todo, "empty_register", is_warning=True))
    found.sort(key=lambda problem: (problem.file, problem.line, problem.path, problem.code))
    records = [record for document, record in reading.documents if record is not None and not document.broken]
    return Register(
        records=tuple(sorted(records, key=lambda record: record.record)),
        problems=tuple(problem for problem in found if not problem.is_warning),
        warnings=tuple(problem for problem in found if problem.is_warning),
        hash=_digest([document for document, _ in reading.documents]),
        files=tuple(document.file for document, _ in reading.documents),
    )


def _digest(documents: list[Document]) -> str:
    """Return the canonical hash of all documents; their names and order do not count."""
    parts = []
    for document in documents:
        problems = [problem.code for problem in document.problems if not document.is_readable]
        parts.append(canonical_hash([document.value, problems]))
    return canonical_hash(sorted(parts))
