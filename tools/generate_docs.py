"""Writes the pages that come from the product's own files; ``--check`` says which of them are stale.

Run it from the repository: ``python tools/generate_docs.py [--check]``.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parent.parent
TYPES: Final = REPOSITORY / "config" / "column_types.yml"
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests"), str(REPOSITORY / "tools")]

import duckdb  # noqa: E402
import yaml  # noqa: E402
from collections_page import collections_page  # noqa: E402
from rule_database import MemoryDatabase  # noqa: E402  (the repository has to be found first)

from m365audit import pipeline  # noqa: E402
from m365audit.cli.progress import Progress  # noqa: E402
from m365audit.config import load_policy, load_settings  # noqa: E402
from m365audit.controls import controls_page  # noqa: E402
from m365audit.pipeline.controlling import control_catalogue  # noqa: E402
from m365audit.rules.catalogue_page import catalogue_page  # noqa: E402
from m365audit.rules.loader import load_hunts, load_rules  # noqa: E402
from m365audit.store.dictionary import dictionary_page  # noqa: E402


def _queries_page() -> str:
    schema = MemoryDatabase()
    return catalogue_page(load_rules(schema), load_hunts(schema))


def _controls_page() -> str:
    policy = load_policy(REPOSITORY / "config" / "policy.yaml").policy
    catalogue = control_catalogue(load_rules(MemoryDatabase()))
    return controls_page(catalogue, {clause.number: clause.title for clause in policy.clauses})


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "queries/README.md": _queries_page,
    "docs/tables.md": dictionary_page,
    "docs/collections.md": collections_page,
    "docs/controls.md": _controls_page,
}
"""Every generated page, by its path in the repository, and what makes its text."""


def stale_pages() -> list[str]:
    """Return the pages whose text is not what the product's files say now."""
    return [name for name, make in PAGES.items() if _text(REPOSITORY / name) != make()]


def write_types() -> None:
    """Write down the type of every published column, as an audit of nothing publishes them."""
    with TemporaryDirectory() as folder:
        config = Path(folder) / "m365audit.yaml"
        shutil.copy(REPOSITORY / "config" / "m365audit.example.yaml", config)
        loaded = load_settings(config)
        (Path(folder) / "consent").mkdir()
        policy = load_policy(loaded.settings.policy)
        pipeline.run(loaded.settings, policy, [], Progress(), command="evaluate", evaluate=True)
        with duckdb.connect(str(loaded.settings.publish / "m365audit.duckdb"), read_only=True) as connection:
            rows = connection.execute(
                "SELECT table_name, column_name, data_type FROM duckdb_columns() "
                "WHERE database_name = current_database() ORDER BY table_name, column_index"
            ).fetchall()
    types: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        types.setdefault(table, {})[column] = kind
    text = yaml.safe_dump(types, sort_keys=False, width=200)
    TYPES.write_text("# Written by tools/generate_docs.py from a published database.\n" + text, encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    """Write every page, or with ``--check`` only name the stale ones; 1 when there is one."""
    if "--check" in arguments:
        stale = stale_pages()
        for name in stale:
            print(f"{name} is stale: run python tools/generate_docs.py")
        return 1 if stale else 0
    write_types()
    for name, make in PAGES.items():
        (REPOSITORY / name).write_text(make(), encoding="utf-8")
    return 0


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
