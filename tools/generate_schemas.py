"""Writes config/schemas/*.schema.json from the models that read and write the files; ``--check`` only compares.

Editors use the schemas while a person types; the product itself always reads with the models.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from m365audit.config import json_schemas
from m365audit.controls import controls_schema
from m365audit.register import record_schema
from m365audit.report.json import json_schema

FOLDER = Path(__file__).resolve().parent.parent / "config" / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, str]:
    """Return the text of every schema file by its name."""
    models = {**json_schemas(), "consent": record_schema(), "controls": controls_schema(), "report": json_schema()}
    return {
        f"{name}.schema.json": json.dumps({"$schema": DIALECT, **schema}, indent=2, sort_keys=True) + "\n"
        for name, schema in models.items()
    }


def main() -> int:
    """Write the schemas, or say which differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file differs")
    is_check = parser.parse_args().check
    FOLDER.mkdir(exist_ok=True)
    stale = []
    for name, text in schemas().items():
        path = FOLDER / name
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not is_check:
            path.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"{'differs' if is_check else 'written'}: config/schemas/{name}")
    return 1 if is_check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
