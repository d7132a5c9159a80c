"""The synthetic load: lines of the documented shape, ids that never repeat, a register that the product accepts."""

from __future__ import annotations

import importlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
LINES = 20_000


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The benchmarks' modules; they are no part of the installed package."""
    monkeypatch.syspath_prepend(str(REPOSITORY))

    def load(name: str) -> Any:
        return importlib.import_module(f"benchmarks.{name}")

    return load


def test_lines_are_valid_unique_ordered_and_of_the_usual_size(benchmarks: Any, tmp_path: Path) -> None:
    generate = benchmarks("generate")
    (path,) = generate.generate_graph_activity(tmp_path / "load.json", LINES)
    content = path.read_bytes()
    lines = [json.loads(line) for line in content.split(b"\r\n")[:-1]]
    assert len(lines) == LINES
    assert 1_500 <= len(content) / LINES <= 1_750
    ids = [line["properties"]["requestId"] for line in lines]
    assert len(set(ids)) == LINES
    assert all(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}", i) for i in ids)
    times = [line["time"] for line in lines]
    assert times == sorted(times)
    assert {t[:7] for t in times} == {"2026-08", "2026-09"}
    assert len({t[:10] for t in times}) == generate.DAYS


def test_the_mixture_is_uneven_and_holds_refusals(benchmarks: Any, tmp_path: Path) -> None:
    generate = benchmarks("generate")
    (path,) = generate.generate_graph_activity(tmp_path / "load.json", LINES)
    calls = [json.loads(line)["properties"] for line in path.read_bytes().split(b"\r\n")[:-1]]
    apps = Counter(c["appId"] for c in calls).most_common()
    assert len(apps) == len(generate.APPS)
    assert apps[0][1] > 5 * apps[-1][1]
    statuses = Counter(c["responseStatusCode"] for c in calls)
    assert 0 < statuses[403] + statuses[404] < LINES * 0.05
    assert {c["apiVersion"] for c in calls} == {"v1.0", "beta"}
    assert all(bool(c.get("userId")) != bool(c.get("servicePrincipalId")) for c in calls)
    assert all(c["requestUri"].startswith(f"https://graph.microsoft.com/{c['apiVersion']}/") for c in calls)
    mailboxes = {m.group(1) for c in calls if (m := re.search(r"/users/([0-9a-f-]{36})/", c["requestUri"]))}
    assert len(mailboxes) == generate.MAILBOXES


def test_tenants_have_files_of_their_own_and_the_same_seed_the_same_bytes(benchmarks: Any, tmp_path: Path) -> None:
    generate = benchmarks("generate")
    first = generate.generate_graph_activity(tmp_path / "a" / "load.json", 101, tenants=2)
    again = generate.generate_graph_activity(tmp_path / "b" / "load.json", 101, tenants=2)
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in again]
    counts = []
    for number, path in enumerate(first, start=1):
        lines = [json.loads(line) for line in path.read_bytes().split(b"\r\n")[:-1]]
        assert {line["tenantId"] for line in lines} == {generate.tenant_id(number)}
        counts.append(len(lines))
    assert counts == [51, 50]


def test_the_loads_configuration_and_register_are_valid(benchmarks: Any, tmp_path: Path) -> None:
    config = pytest.importorskip("m365audit.config", reason="the configuration room is not built yet")
    register = pytest.importorskip("m365audit.register", reason="the register room is not built yet")
    catalogue = pytest.importorskip("m365audit.catalogue", reason="the catalogue is not built yet")
    load = benchmarks("load").write_load(tmp_path, 10, tenants=2)
    assert config.load_settings(load.config).problems == ()
    policy = config.load_policy(tmp_path / "policy.yaml")
    assert policy.problems == ()
    if not hasattr(register, "load_register") or not hasattr(catalogue, "permission_names"):
        pytest.skip("the register room is not built yet")
    loaded = register.load_register(
        tmp_path / "consent", policy=policy.policy, permissions=catalogue.permission_names()
    )
    assert [str(p) for p in loaded.problems] == []


def test_a_stage_is_measured_in_a_process_of_its_own(benchmarks: Any, tmp_path: Path) -> None:
    generate, bare, measure = benchmarks("generate"), benchmarks("bare"), benchmarks("measure")
    files = generate.generate_graph_activity(tmp_path / "load.json", 500)
    assert bare.bare_parse(files, tmp_path / "bare.duckdb") == 500
    (taken,) = measure.measure("sleep", importlib.import_module("functools").partial(sum, range(3_000_000)))
    assert taken.stage == "sleep"
    assert taken.wall_s > 0
    assert taken.peak_rss_mib > 1
    with pytest.raises(measure.StageError, match="exit code 1"):
        measure.measure("broken", importlib.import_module("functools").partial(divmod, 1, 0))


def test_history_rows_are_ratios_to_the_first_stage(benchmarks: Any, tmp_path: Path) -> None:
    run, measure, load = benchmarks("run"), benchmarks("measure"), benchmarks("load")
    written = load.Load(tmp_path / "m365audit.yaml", (tmp_path / "x",), ("t",), 1_000, 1_600_000)
    stages = [measure.Measurement("bare", 2.0, 3.0, 100.0), measure.Measurement("import", 5.0, 6.0, 200.0)]
    found = run.rows(written, stages)
    assert [row["ratio_to_bare"] for row in found] == ["1.00", "2.50"]
    history = tmp_path / "history.csv"
    run.append_history(history, found)
    run.append_history(history, found)
    lines = history.read_text(encoding="utf-8").splitlines()
    assert lines[0] == ",".join(run.COLUMNS)
    assert len(lines) == 5
    assert "ratio_to_bare" in run.table(found)
