"""The query command: named hunts and any SELECT, in several formats."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click

from m365audit.cli.options import config_option, format_option, output_option
from m365audit.cli.output import lay_out
from m365audit.cli.session import load
from m365audit.cli.streams import say, show, show_lines
from m365audit.config.spelling import suggestion
from m365audit.errors import QueryError
from m365audit.rules import Hunt, load_hunts
from m365audit.store.published import check_reading, open_published, write_parquet

_MOST_ROWS: Final = 1_000_000
"""Rows that are laid out as text; every one of them is held in memory."""


@click.command()
@click.argument("name", required=False)
@click.option("--sql", default=None, help="Any SELECT, on the published database.")
@click.option("--list", "is_list", is_flag=True, help="Show the named queries and their parameters.")
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="A parameter ($NAME in SQL); repeatable.")
@format_option("table", "csv", "json", "parquet", what="How to print the answer; parquet needs -o.")
@output_option
@config_option()
def query(
    name: str | None, *, sql: str | None, is_list: bool, params: tuple[str, ...], form: str, output: Path | None,
    config_path: Path | None,
) -> None:  # fmt: skip
    """Ask the published database: a named query, or any SELECT.

    \b
      m365audit query --list
      m365audit query app-timeline --param app_id=c0ffee00-0000-4000-8000-000000000001
      m365audit query --sql "SELECT verdict, count(*) FROM verdicts GROUP BY ALL" --format csv
    """  # noqa: D301 - click reads the character
    folder = load(config_path)[0].settings.publish
    if is_list:
        _list(folder, form)
        return
    text, values = _asked(folder, name, sql, params)
    if form == "parquet":
        _write_parquet(folder, text, values, output)
        return
    _write(_answer(folder, text, values, form), output)


def _hunts(folder: Path) -> dict[str, Hunt]:
    with open_published(folder) as database:
        return {hunt.id: hunt for hunt in load_hunts(database)}


def _list(folder: Path, form: str) -> None:
    hunts = list(_hunts(folder).values())
    if form not in {"csv", "json"}:
        show_lines(line for hunt in hunts for line in _hunt_lines(hunt))
        return
    rows = [
        (hunt.id, hunt.title, ", ".join(f"{p.name} ({p.type}): {p.description}" for p in hunt.parameters))
        for hunt in hunts
    ]
    show(lay_out(("name", "answers", "parameters"), rows, form))


def _hunt_lines(hunt: Hunt) -> Iterator[str]:
    yield f"{hunt.id:<20} {hunt.title}"
    for parameter in hunt.parameters:
        yield f"    --param {parameter.name}={parameter.type}  {parameter.description}"


def _asked(folder: Path, name: str | None, sql: str | None, params: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    """Return the SQL and parameter values that a user asks for."""
    if (name is None) == (sql is None):
        raise QueryError("name a query, or give --sql", hint="`m365audit query --list` shows the named ones")
    given = dict(_name_and_value(param) for param in params)
    if sql is not None:
        # What DuckDB takes at the end of a statement must not end the statement that it is wrapped in.
        return sql.strip().rstrip("; \n\t") + "\n", given
    hunts = _hunts(folder)
    if name not in hunts:
        raise QueryError(f"there is no query {name!r}", hint=suggestion(str(name), list(hunts)))
    return hunts[name].sql, dict(hunts[name].bind(given))


def _name_and_value(param: str) -> tuple[str, str]:
    name, equals, value = param.partition("=")
    if not equals or not name:
        raise QueryError(f"--param {param!r} has no value", hint="write --param NAME=VALUE")
    return name, value


def _answer(folder: Path, sql: str, values: dict[str, Any], form: str) -> str:
    with open_published(folder) as database:
        check_reading(database, sql)
        names, rows = database.run(sql, values, limit=_MOST_ROWS + 1)
    if len(rows) > _MOST_ROWS:
        hint = "add a LIMIT, or write them with --format parquet -o FILE: that needs no memory"
        raise QueryError(f"more than {_MOST_ROWS:,} rows", hint=hint)
    return lay_out(names, rows, form)


def _write_parquet(folder: Path, sql: str, values: dict[str, Any], output: Path | None) -> None:
    if output is None:
        raise QueryError("Parquet needs a file", hint="name it with -o result.parquet")
    write_parquet(folder, sql, values, output.absolute())
    say(f"written: {output}")


def _write(text: str, output: Path | None) -> None:
    if output is None:
        show(text)
        return
    output.write_text(text + "\n", encoding="utf-8", newline="")
    say(f"written: {output}")
