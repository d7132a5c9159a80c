"""Derives config/catalogue/*.csv from Microsoft's published facts and the project's corrections.

Owns the compilation: which call means what, which permissions allow it, what a permission reaches. Never reads the
network, never copies a source file: every output is a selection, corrected and regrouped. Same input, same bytes.

Usage: ``python tools/build_catalogue.py SOURCE_DIR [--check] [--coverage]``. ``--check`` writes nothing and fails when
the files in the repository differ from what the sources give; ``--coverage`` prints how many of Microsoft's own sample
calls the catalogue in the repository knows. ``SOURCES.md`` beside the output names sources, dates and licences.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from catalogue_build.audit import audit_operations, audit_workloads, record_types
from catalogue_build.calls import Calls
from catalogue_build.coverage import coverage_lines
from catalogue_build.names import Names
from catalogue_build.sources import Sources
from graph_samples import samples

from m365audit.catalogue import match_shapes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CATALOGUE = Path(__file__).resolve().parent.parent / "config" / "catalogue"
MICROSOFT_TENANTS = (
    ("72f988bf-86f1-41af-91ab-2d7cd011db47", "Microsoft (corporate)"),
    ("cdc5aeea-15c5-4db6-b079-fcadd2505dc2", "Microsoft (services)"),
    ("f8cdef31-a31e-4b4a-93e4-5f571e91255a", "Microsoft Services"),
)


def to_csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return sorted, duplicate-free CSV text with LF line ends."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(sorted({tuple(row) for row in rows}))
    return out.getvalue()


def first_party(sources: Sources) -> list[tuple[str, str, str]]:
    """Return Microsoft's own apps: only rows whose owner tenant is known to be Microsoft's."""
    owners = {tenant for tenant, _ in MICROSOFT_TENANTS}
    return [
        (row["app_id"].lower(), " ".join(row["name"].split()), row["owner_tenant_id"].lower())
        for row in sources.first_party_apps
        if row["trust"] in {"high", "medium"} and row["owner_tenant_id"].lower() in owners
    ]


def compile_all(source_dir: Path) -> tuple[dict[str, str], list[str]]:
    """Return the text of every output file, and the lines of the report."""
    sources = Sources.read(source_dir)
    rules: dict[str, Any] = {
        name: yaml.safe_load((CATALOGUE / f"{name}.yml").read_text(encoding="utf-8"))
        for name in ("areas", "corrections", "audit")
    }
    names = Names(sources, rules["corrections"])
    calls = Calls(sources, names, rules["areas"], rules["corrections"])
    permissions = names.rows(calls.reach())
    operations = audit_operations(sources, names, rules["audit"], calls.allowed)
    apps = first_party(sources)
    files = {
        "endpoints.csv": to_csv(
            ("template", "method", "workload", "operation", "resource_kind", "resource_segment",
             "permissions_application", "permissions_delegated"),
            calls.endpoint_rows(),
        ),
        "coarse.csv": to_csv(("template", "workload"), calls.coarse_rows()),
        "permissions.csv": to_csv(
            ("api", "resource_app_id", "name", "kind", "id", "workloads", "operations"), permissions
        ),
        "audit_operations.csv": to_csv(
            ("audit_workload", "audit_operation", "record_type", "protocol", "workload", "operation", "resource_kind",
             "decided_by", "permissions_application", "permissions_delegated", "note"),
            operations,
        ),
        "audit_workloads.csv": to_csv(("audit_workload", "workload"), audit_workloads(rules["audit"])),
        "audit_record_types.csv": to_csv(("value", "name", "feed"), record_types(sources, rules["audit"])),
        "first_party_apps.csv": to_csv(("app_id", "name", "owner_tenant_id"), apps),
        "microsoft_tenants.csv": to_csv(("tenant_id", "name"), MICROSOFT_TENANTS),
    }  # fmt: skip
    report = [f"{name}: {text.count(chr(10)) - 1} rows, {len(text.encode()):,} bytes" for name, text in files.items()]
    return files, [*report, *calls.report(), *names.report()]


def self_match(endpoints: str) -> str:
    """Return how many closed templates, ids masked, are recognised as themselves by the shipped files."""
    rows = [row for row in csv.DictReader(io.StringIO(endpoints)) if "/**" not in row["template"]]
    found = match_shapes((row["method"], row["template"].replace("{}", "~")) for row in rows)
    own = sum(answer["template"] == row["template"] for row, answer in zip(rows, found, strict=True))
    return f"closed templates that match themselves: {own} of {len(rows)}"


def main() -> int:
    """Build or check; return 0, or 1 when a checked file differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("source_dir", type=Path, help="folder with the source files (see SOURCES.md)")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("--coverage", action="store_true", help="print how many of Microsoft's own calls are known")
    arguments = parser.parse_args()
    files, report = compile_all(arguments.source_dir)
    stale = []
    for name, text in files.items():
        path = CATALOGUE / name
        if not path.is_file() or path.read_bytes() != text.encode():
            stale.append(name)
            if not arguments.check:
                path.write_bytes(text.encode())
    report.append(self_match(files["endpoints.csv"]))
    if arguments.coverage:
        report += coverage_lines([sample._asdict() for sample in samples()])
    print("\n".join(report))
    print(("differ: " if arguments.check else "written: ") + (", ".join(stale) or "none"))
    return 1 if arguments.check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
