"""A request for access: everything of one person, with what it means; and nothing of anybody else."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from m365audit.config import LoadedPolicy, Settings
from m365audit.pipeline.erasure import check_person, person_masks, resolve, token_of
from m365audit.pipeline.retention import keeping
from m365audit.resources import data_dir
from m365audit.store.database import open_store
from m365audit.store.dictionary import read_dictionary
from m365audit.store.erasing import holding_files
from m365audit.store.journal import Actor, Draft, Entry, open_journal
from m365audit.store.ledger import read_only
from m365audit.store.other_people import OtherPeople
from m365audit.store.persons import Person, identify
from m365audit.store.published_file import PUBLISHED_NAME
from m365audit.store.subject_rows import known_users, subject_rows

if TYPE_CHECKING:
    import duckdb

_LANGUAGES: Final = ("en", "nl")
SEARCHED: Final = (
    "every column that can hold a person of the working and the published database, records as they came included",
    "the kept files of evidence", "the journal of decisions", "the consent register",
)  # fmt: skip
NOT_SEARCHED: Final = (
    "reports beside the published database, which show tokens", "back-ups of these folders",
    "exports that somebody saved elsewhere", "the logs that Microsoft itself keeps",
    "the login of an auditor who signed in by hand",
    "files that nobody can look into (PDF; damaged or locked archives)",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """What was exported.

    Attributes:
        token: how reports speak of the person.
        files: name → content, in order.
        counts: table → rows.
        is_nothing: nothing of the person was found, in no place that was searched.
    """

    token: str
    files: dict[str, str]
    counts: dict[str, int]
    is_nothing: bool


def export(
    settings: Settings, policy: LoadedPolicy, tenant: str, wanted: str, *, form: str, actor: Actor, at: datetime
) -> Answer:
    """Return everything of one person as files, and note in the journal that it was looked at.

    Args:
        settings: the configuration.
        policy: the policy, for retention.
        tenant: tenant id.
        wanted: object id, user principal name, or a report's token.
        form: json or csv.
        actor: who asks.
        at: now.

    Raises:
        ReviewError: nobody knows for sure who is meant.
        StoreError: the store cannot be used.
    """
    meant = resolve(settings, tenant, wanted)
    token = token_of(settings, tenant, meant)
    with open_store(settings.state) as connection:
        held = _search(settings, connection, tenant, identify(connection, tenant, meant), token)
        with open_journal(settings.state) as journal:
            journal.append(_view(tenant, token, held, actor), expected_version=None, at=at)
    text = _explanation(settings, policy, tenant, token, held, at=at)
    about = {
        "made_at": at.isoformat(), "tenant": tenant, "token": token, "counts": held.counts,
        "known_as": sorted(({"kind": i.kind, "value": i.value} for i in held.person.identifiers), key=str),
        "not_taken_because_shared": sorted(held.person.shared), "searched": SEARCHED, "not_searched": NOT_SEARCHED,
        "journal": held.entries, "kept_files": held.files, "register_files": held.register,
    }  # fmt: skip
    made = _as_json(about, held.tables, text) if form == "json" else _as_csv(about, held.tables, text)
    return Answer(token, made, held.counts, held.is_nothing)


@dataclass(frozen=True, slots=True)
class _Held:
    """What there is of one person.

    Attributes:
        person: who is meant.
        tables: database and table → its columns with what they mean, and its rows.
        entries: entries of the journal.
        files: kept files of evidence.
        register: files of the consent register.
    """

    person: Person
    tables: dict[str, dict[str, Any]]
    entries: list[dict[str, Any]]
    files: list[str]
    register: list[str]

    @property
    def counts(self) -> dict[str, int]:
        """Table → rows."""
        return {name: len(table["rows"]) for name, table in self.tables.items()}

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing but that somebody looked before."""
        is_told_of = any(entry["kind"] != "view" for entry in self.entries)
        return not (any(self.counts.values()) or is_told_of or self.files or self.register)


def _search(
    settings: Settings, connection: duckdb.DuckDBPyConnection, tenant: str, person: Person, token: str
) -> _Held:
    """Look into both databases, the journal, the kept files and the register; of others nothing is taken."""
    check_person(person)
    masks = person_masks(person)
    others = OtherPeople(masks, known_users(connection, tenant))
    tables: dict[str, dict[str, Any]] = {}
    working = str((connection.execute("SELECT current_database()").fetchone() or ("",))[0])
    _collect(tables, "working", subject_rows(connection, working, tenant, masks, others))
    published = settings.publish / PUBLISHED_NAME
    if published.is_file():
        with read_only(connection, published, "published"):
            _collect(tables, "published", subject_rows(connection, "published", tenant, masks, others))
    with open_journal(settings.state) as journal:
        entries = [_entry(e, others) for e in journal.entries() if masks.value(dict(e.body)) != dict(e.body)
                   or token in {e.subject, str(e.body.get("what"))}]  # fmt: skip
    files = [str(p) for p in holding_files(settings.state / "spool" / tenant, masks)]
    register = [str(p) for p in holding_files(settings.register_folder, masks)]
    return _Held(person, tables, entries, files, register)


def _view(tenant: str, token: str, held: _Held, actor: Actor) -> Draft:
    """Return the entry of the journal by which somebody looked at a person."""
    return Draft("view", tenant, token, "exported", actor, {
        "purpose": "data subject's request for access", "what": token, "rows": sum(held.counts.values()),
    })  # fmt: skip


def write(answer: Answer, output: Path) -> list[Path]:
    """Write an answer into a folder, or into a ZIP where the name says so; nothing is written over.

    Raises:
        OSError: it cannot be written, or is there already.
    """
    if output.suffix.lower() == ".zip":
        with output.open("xb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, content in answer.files.items():
                packed.writestr(name, content)
        output.chmod(0o600)
        return [output]
    output.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, content in answer.files.items():
        with (output / name).open("x", encoding="utf-8", newline="") as text:
            text.write(content)
        (output / name).chmod(0o600)
    return [output / name for name in answer.files]


def _collect(tables: dict[str, dict[str, Any]], name: str, found: Iterator[tuple[str, list[str], Any]]) -> None:
    meanings = {entry.name: entry.columns for entry in read_dictionary()}
    for table, columns, rows in found:
        meant = meanings.get(table, {}) if name == "published" else {}
        tables[f"{name}.{table}"] = {
            "columns": {column: meant.get(column, "") for column in columns}, "rows": list(rows),
        }  # fmt: skip


def _entry(entry: Entry, others: OtherPeople) -> dict[str, Any]:
    return {
        "at": entry.at.isoformat(), "kind": entry.kind, "event": entry.event, "subject": entry.subject,
        "by": ", ".join(entry.actor.roles) or "a user of the auditor", "body": others.value(dict(entry.body)),
    }  # fmt: skip


def _explanation(
    settings: Settings, policy: LoadedPolicy, tenant: str, token: str, held: _Held, *, at: datetime
) -> str:
    language = settings.report.language if settings.report.language in _LANGUAGES else "en"
    kept = keeping(settings, policy.policy)
    known = settings.tenant(tenant)
    name = f"{language}.nothing.txt" if held.is_nothing else f"{language}.txt"
    text = (data_dir("config") / "subject" / name).read_text(encoding="utf-8")
    return text.format(
        tenant=known.display_name if known else tenant, made_at=f"{at:%Y-%m-%d %H:%M} UTC", token=token,
        rows=sum(held.counts.values()), keep_logs=kept.logs, keep_addresses=kept.addresses,
        keep_aggregates=kept.aggregates, searched="; ".join(SEARCHED), not_searched="; ".join(NOT_SEARCHED),
    )  # fmt: skip


def _as_json(about: dict[str, Any], tables: dict[str, dict[str, Any]], text: str) -> dict[str, str]:
    content = {"explanation": text.split("\n"), **about, "tables": tables}
    return {"subject.json": json.dumps(content, indent=1, ensure_ascii=False, default=str) + "\n", "READ-ME.txt": text}


def _as_csv(about: dict[str, Any], tables: dict[str, dict[str, Any]], text: str) -> dict[str, str]:
    files = {"READ-ME.txt": text, "about.json": json.dumps(about, indent=1, ensure_ascii=False, default=str) + "\n"}
    for name, table in tables.items():
        out = io.StringIO()
        writer = csv.writer(out, quoting=csv.QUOTE_ALL)
        writer.writerow(table["columns"])
        writer.writerows([_cell(row[column]) for column in table["columns"]] for row in table["rows"])
        files[f"{name}.csv"] = out.getvalue()
        if any(table["columns"].values()):
            files[f"{name}.columns.txt"] = "".join(f"{k}: {v}\n" for k, v in table["columns"].items())
    return files


def _cell(value: Any) -> str:
    text = "" if value is None else json.dumps(value, default=str) if isinstance(value, list | dict) else str(value)
    is_formula = not isinstance(value, int | float) and text.lstrip(" \"'")[:1] in {"=", "+", "-", "@", "\t", "\r"}
    return f"'{text}" if is_formula else text
