"""Collects the calls that Microsoft documents for the audited workloads, as facts: method, path, page.

Usage: ``python tools/collect_sample_calls.py V1_WHEEL BETA_WHEEL`` with the wheels of Microsoft's Python libraries
(``pip download --no-deps msgraph-sdk msgraph-beta-sdk``). Writes ``tests/unit/catalogue/sample_calls.csv`` and prints
how much of everything that the libraries can call, documented or not, the catalogue knows.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from catalogue_build.coverage import coverage_lines, real_uri
from catalogue_build.samples import Call, documented_calls, library_calls, workload_by_words

TARGET = Path(__file__).resolve().parent.parent / "tests" / "unit" / "catalogue" / "sample_calls.csv"


def main() -> int:
    """Collect, write, report; return 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("v1_wheel", type=Path, help="wheel of msgraph-sdk")
    parser.add_argument("beta_wheel", type=Path, help="wheel of msgraph-beta-sdk")
    arguments = parser.parse_args()
    wheels = {"v1.0": arguments.v1_wheel, "beta": arguments.beta_wheel}
    found = sorted({call for version, wheel in wheels.items() for call in documented_calls(wheel, version)})
    with TARGET.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Call._fields)
        writer.writerows(found)
    everything = [
        {
            "version": version,
            "method": method,
            "uri": real_uri(version, path),
            "workload": workload_by_words(path) or "-",
        }
        for version, wheel in wheels.items()
        for method, path, _ in library_calls(wheel)
    ]
    print(f"documented calls of the audited workloads: {len(found)}")
    print("everything the libraries can call (`-`: not audited):", *coverage_lines(everything), sep="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
