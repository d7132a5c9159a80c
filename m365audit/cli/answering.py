"""What the query command does once the question's process is on its way: finds the question, prints the answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from m365audit.cli.output import in_pieces, lay_out
from m365audit.cli.session import load
from m365audit.cli.streams import say, show, show_lines, show_pieces
from m365audit.cli.whole_file import replaced
from m365audit.config.spelling import suggestion
from m365audit.errors import QueryError
from m365audit.rules.hunt import Hunt
from m365audit.rules.loader import hunt_names, read_hunts
from m365audit.store.confinement import Limits
from m365audit.store.dictionary import TableEntry, read_dictionary
from m365audit.store.inquiry import Inquiry


class Question(NamedTuple):
    """A SELECT and the values of its parameters."""

    sql: str
    values: Mapping[str, object]


def question(name: str | None, sql: str | None, given: Mapping[str, str]) -> Question:
    """Return what a user asks: a named query with its parameters, or SQL as it is.

    Raises:
        QueryError: there is no such query, or a parameter is wrong.
    """
    if sql is not None:
        # What DuckDB takes at the end of a statement must not end the statement that it is wrapped in.
        return Question(sql.strip().rstrip("; \n\t") + "\n", given)
    if name not in hunt_names():
        raise QueryError(f"there is no query {name!r}", hint=suggestion(str(name), hunt_names()))
    (hunt,) = read_hunts([name])
    return Question(hunt.sql, hunt.bind(given))


def answer(
    inquiry: Inquiry, asked: Question, limits: Limits, *, form: str, output: Path | None, config_path: Path | None
) -> None:
    """Ask, and print or write the answer while it comes in.

    Raises:
        QueryError: the question is refused, fails, or takes too much.
    """
    folder = load(config_path)[0].settings.publish
    if form == "parquet":
        if output is None:
            raise QueryError("Parquet needs a file", hint="name it with -o result.parquet")
        with replaced(output) as target:
            inquiry.open(folder, limits, output=target)
            inquiry.write_parquet(asked.sql, asked.values)
    else:
        inquiry.open(folder, limits)
        answered = inquiry.ask(asked.sql, asked.values)
        _write(in_pieces(answered.names, answered.batches, form), output)
    if output is not None:
        say(f"written: {output}")


def _write(pieces: Iterable[str], output: Path | None) -> None:
    if output is None:
        show_pieces(pieces)
        return
    with replaced(output) as target, target.open("w", encoding="utf-8", newline="") as file:
        file.writelines(pieces)


def show_confinement(inquiry: Inquiry) -> None:
    """Say what confined the query, and what this system lacks."""
    for words in inquiry.enforced:
        say(f"confined: {words}")


_HUNT_COLUMNS: Final = ("name", "answers", "question", "parameters", "columns")


def show_hunts(form: str) -> None:
    """Print the named queries."""
    hunts = read_hunts()
    if form not in {"csv", "json"}:
        show_lines(line for hunt in hunts for line in _hunt_lines(hunt))
        return
    rows = [
        (
            hunt.id, hunt.title, hunt.question,
            ", ".join(f"{p.name} ({p.type}): {p.description}" for p in hunt.parameters), list(hunt.columns),
        )
        for hunt in hunts
    ]  # fmt: skip
    show(lay_out(_HUNT_COLUMNS, rows, form))


def _hunt_lines(hunt: Hunt) -> Iterator[str]:
    yield f"{hunt.id:<20} {hunt.title}"
    for parameter in hunt.parameters:
        yield f"    --param {parameter.name}={parameter.type}  {parameter.description}"


def show_tables(name: str | None, form: str) -> None:
    """Print the published tables, or the columns of one with their meaning.

    Raises:
        QueryError: there is no such table.
    """
    entries = {entry.name: entry for entry in read_dictionary()}
    if name is not None and name.lower() not in entries:
        raise QueryError(f"there is no table {name!r}", hint=suggestion(name, list(entries)))
    wanted = list(entries.values()) if name is None else [entries[name.lower()]]
    if form in {"csv", "json"}:
        rows = [
            (entry.name, entry.grain, column, entry.types.get(column), meaning)
            for entry in wanted
            for column, meaning in entry.columns.items()
        ]
        show(lay_out(("table", "row", "column", "type", "meaning"), rows, form))
    elif name is None:
        width = max(map(len, entries))
        show_lines([f"{entry.name:<{width}}  {entry.grain}" for entry in wanted])
    else:
        show_lines(_table_lines(wanted[0]))


def _table_lines(entry: TableEntry) -> Iterator[str]:
    yield f"{entry.name}: one row is {entry.grain}"
    types = {column: _short(entry.types.get(column, "")) for column in entry.columns}
    width, room = max(map(len, types)), max(map(len, types.values()))
    yield from (f"  {column:<{width}}  {types[column]:<{room}}  {entry.columns[column]}" for column in types)


def _short(kind: str) -> str:
    return "TIMESTAMPTZ" if kind == "TIMESTAMP WITH TIME ZONE" else kind
