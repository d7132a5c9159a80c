"""The query command: named hunts and any SELECT, in several formats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from m365audit.cli.output import lay_out
from m365audit.cli.session import config_option, errors_to_exit_codes, load, say, show
from m365audit.config.spelling import suggestion
from m365audit.errors import QueryError
from m365audit.rules import Hunt, load_hunts
from m365audit.store.published import check_reading, open_published, write_parquet


@click.command()
@click.argument("name", required=False)
@click.option("--sql", default=None, help="Any SELECT, on the published database.")
@click.option("--list", "is_list", is_flag=True, help="Show the named queries and their parameters.")
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="Parameter of a named query; repeatable.")
@click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json", "parquet"]), default="table", show_default=True
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), default=None, help="File; default: stdout."
)
@config_option
@errors_to_exit_codes
def query(
    name: str | None, *, sql: str | None, is_list: bool, params: tuple[str, ...], form: str, output: Path | None,
    config_path: Path | None,
) -> None:  # fmt: skip
    """Ask the published database: a named query, or any SELECT.

    \b
      m365audit query --list
      m365audit query app-timeline --param app_id=c0ffee00-0000-4000-8000-000000000001
      m365audit query --sql "SELECT verdict, count(*) FROM verdicts GROUP BY ALL" --format csv
    """
    folder = load(config_path)[0].settings.publish
    if is_list:
        show(_hunt_list(folder, form))
        return
    text, values = _asked(folder, name, sql, params)
    if form == "parquet":
        _write_parquet(folder, text, values, output)
        return
    _write(_answer(folder, text, values, form), output)


def _hunts(folder: Path) -> dict[str, Hunt]:

    with open_published(folder) as database:
        return {hunt.id: hunt for hunt in load_hunts(database)}


def _hunt_list(folder: Path, form: str) -> str:

    rows = [
        (hunt.id, hunt.title, ", ".join(f"{p.name} ({p.type}): {p.description}" for p in hunt.parameters))
        for hunt in _hunts(folder).values()
    ]
    return lay_out(("name", "answers", "parameters"), rows, "table" if form == "parquet" else form)


def _asked(folder: Path, name: str | None, sql: str | None, params: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    """Return the SQL and parameter values that a user asks for."""
    if (name is None) == (sql is None):
        raise QueryError("name a query, or give --sql", hint="`m365audit query --list` shows the named ones")
    given = dict(param.partition("=")[::2] for param in params)
    if sql is not None:
        return sql, given
    hunts = _hunts(folder)
    if name not in hunts:
        raise QueryError(f"there is no query {name!r}", hint=suggestion(str(name), list(hunts)))
    return hunts[name].sql, dict(hunts[name].bind(given))


def _answer(folder: Path, sql: str, values: dict[str, Any], form: str) -> str:

    with open_published(folder) as database:
        check_reading(database, sql)
        names, rows = database.run(sql, values)
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
    output.write_text(text + "\n", encoding="utf-8")
    say(f"written: {output}")
