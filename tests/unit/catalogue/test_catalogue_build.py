"""The committed compilation is what the tool derives; it recognises its own templates."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from m365audit import catalogue

REPOSITORY = Path(__file__).resolve().parents[3]


def test_committed_files_are_up_to_date(samples: Path) -> None:
    tool = [sys.executable, str(REPOSITORY / "tools" / "build_catalogue.py"), str(samples / "graph"), "--check"]
    done = subprocess.run(tool, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_closed_template_matches_itself() -> None:
    rows = [row for row in catalogue.endpoint_rows() if "/**" not in row["template"]]
    found = catalogue.match_shapes((row["method"], row["template"].replace("{}", "~")) for row in rows)
    assert [a["template"] for a, row in zip(found, rows, strict=True) if a["template"] != row["template"]] == []


def test_unmasked_ids_match_like_masked_ones() -> None:
    rows = [row for row in catalogue.endpoint_rows() if "/**" not in row["template"]]
    masked = catalogue.match_shapes((row["method"], row["template"].replace("{}", "~")) for row in rows)
    plain = catalogue.match_shapes((row["method"], row["template"].replace("{}", "x7")) for row in rows)
    for one, other in zip(masked, plain, strict=True):
        assert {**one, "shape": ""} == {**other, "shape": ""}


@pytest.mark.parametrize("scheme", ["application", "delegated"])
def test_almost_all_of_microsofts_own_paths_are_known(samples: Path, scheme: str) -> None:
    with gzip.open(samples / "graph" / "permissions_map.csv.gz", "rt", encoding="utf-8") as file:
        lines = [line.split(",") for line in file.readlines()[1:]]
    calls = {
        (line[1], line[0].replace("{}", "~")) for line in lines if line[2].startswith(scheme) and "(" not in line[0]
    }
    answers = list(catalogue.match_shapes(sorted(calls)))
    unknown = [answer["shape"] for answer in answers if answer["template"] is None]
    assert len(unknown) < 0.005 * len(answers), unknown[:50]
