"""The query command: named hunts, any SELECT, and what the tables mean."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from m365audit.cli.options import config_option, format_option, output_option
from m365audit.errors import QueryError
from m365audit.store.confinement import Limits
from m365audit.store.inquiry import Inquiry

_STDIN = "-"


@click.command()
@click.argument("name", required=False)
@click.option("--sql", default=None, help="Any SELECT, on the published database; - reads it from stdin.")
@click.option("--list", "is_list", is_flag=True, help="Show the named queries and their parameters.")
@click.option("--tables", "is_tables", is_flag=True, help="Show the tables; with a table's name, its columns.")
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="A parameter ($NAME in SQL); repeatable.")
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 86_400),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long the database may work on it; the time for printing is not counted.",
)
@click.option(
    "--memory",
    type=click.IntRange(64, 1_000_000),
    default=2000,
    show_default=True,
    metavar="MB",
    help="How much memory the query may use.",
)
@click.option("-v", "--verbose", is_flag=True, help="Say what confines the query on this system.")
@format_option("table", "csv", "json", "parquet", what="How to print the answer; parquet needs -o.")
@output_option
@config_option()
def query(
    name: str | None, *, sql: str | None, is_list: bool, is_tables: bool, params: tuple[str, ...], timeout: float,
    memory: int, verbose: bool, form: str, output: Path | None, config_path: Path | None,
) -> None:  # fmt: skip
    """Ask the published database: a named query, or any SELECT.

    \b
    What can be asked:
      m365audit query --list                        the named queries, with their parameters
      m365audit query --tables                      the tables
      m365audit query --tables access_events        what each of its columns means
    Asking:
      m365audit query app-timeline --param app_id=c0ffee00-0000-4000-8000-000000000001
      m365audit query --sql "SELECT verdict, count(*) FROM verdicts GROUP BY ALL" --format csv
      m365audit query --sql "FROM findings WHERE severity = $s" --param s=high --format json
      m365audit query --sql "FROM access_events" --format parquet -o accesses.parquet

    The answer is printed while it is read, so that it may be of any size. A query can read the published database
    and nothing else: it runs in a process of its own that can open no other file and no connection, and is stopped
    when it takes too much memory or time.
    """  # noqa: D301 - click reads the character
    is_question = not (is_list or is_tables)
    # Started before the configuration is read: the database's engine is loaded meanwhile.
    with Inquiry() if is_question and (name is None) != (sql is None) else nullcontext() as inquiry:
        from m365audit.cli import answering  # noqa: PLC0415 - see above

        if is_list:
            answering.show_hunts(form)
        elif is_tables:
            answering.show_tables(name, form)
        elif inquiry is None:
            raise QueryError("name a query, or give --sql", hint="`m365audit query --list` shows the named ones")
        else:
            given = dict(map(_name_and_value, params))
            question = answering.question(name, _text(sql), given)
            limits = Limits(memory * 1000**2, timeout)
            answering.answer(inquiry, question, limits, form=form, output=output, config_path=config_path)
            if verbose:
                answering.show_confinement(inquiry)


def _text(sql: str | None) -> str | None:
    return sys.stdin.read() if sql == _STDIN else sql


def _name_and_value(param: str) -> tuple[str, Any]:
    name, equals, value = param.partition("=")
    if not equals or not name:
        raise QueryError(f"--param {param!r} has no value", hint="write --param NAME=VALUE")
    return name, value
