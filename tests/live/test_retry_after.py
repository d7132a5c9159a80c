"""A Retry-After of whatever form costs a wait, never a record and never the run (A1)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from simulator.small_world import AUDITOR, NOW, ONE, SECRET, small_world

from m365audit.graph.values import Window
from m365audit.simulator.service import Fault, Simulator, running
from m365audit.simulator.service.fault_answers import RETRY_AFTERS

from .listed import settings
from .pulled import pulled

ODD = ("Tue, 99 Foo", " 2 ", "1e9", "-", "2,3", "\u0662\u0663", "9" * 5_000)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with running(small_world()) as started:
        yield started


@pytest.mark.parametrize("form", [*RETRY_AFTERS, *ODD], ids=lambda form: ascii(form)[:20])
def test_any_form_is_waited_for_and_nothing_is_lost(simulator: Simulator, form: str, tmp_path: Path) -> None:
    simulator.faults.clear()
    simulator.faults.add(Fault("throttled", where="*/directoryaudits", detail={"retry_after": form}))
    found = pulled(
        simulator,
        settings(tmp_path, ONE, AUDITOR, SECRET),
        "directory_audits",
        Window(NOW - timedelta(hours=2), NOW),
        state=tmp_path,
    )
    assert {record["id"] for record in found.records} == {f"audit-{n}" for n in range(40)}
    assert [fault.kind for fault in simulator.faults.met][-1] == "throttled"
