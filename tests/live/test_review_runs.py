"""What an adversary found in runs against living tenants: each test failed before it was mended."""

from __future__ import annotations

import errno
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from m365audit.cli.evidence import run
from m365audit.errors import StoreError
from m365audit.graph import COLLECTIONS, Ended, Page, Task, collecting
from m365audit.graph.feeds.collection import Client
from m365audit.simulator.service import FOR_EVER, Fault
from m365audit.store.spool import Segment, Spooled

from .living import living, small_world


def test_a_tenant_whose_time_is_over_was_let_in_all_the_same(tmp_path: Path) -> None:
    slow = Fault("hangs", "*/auditlogs/signins", count=FOR_EVER)
    with living(tmp_path, small_world(1), [slow], feeds=("sign_ins_interactive", "directory_audits")) as world:
        outcome = world.run(within=timedelta(seconds=4))
        (tenant,) = outcome.collected
        assert (tenant.refusal, tenant.is_signed_in) == ("", True)
        assert outcome.is_partial
        assert not outcome.is_locked_out
        assert world.incidents("sign_in_failed") + world.incidents("sign_in_impossible") == []
        assert {row.reason for row in world.windows(feed="sign_ins_interactive")} == {"throttled"}
        assert len(tenant.collections["sign_ins_interactive"].unseen) == 1
        world.require_exact(outcome)


def test_what_breaks_one_collection_leaves_the_others_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_client: Client, _task: Task) -> AsyncIterator[Page | Ended]:
        raise KeyError("nobody thought of this")
        yield

    one = replace(COLLECTIONS["directory_audits"], pull=broken)
    monkeypatch.setattr(collecting, "COLLECTIONS", {**COLLECTIONS, one.name: one})
    with living(tmp_path, small_world(2), feeds=("sign_ins_interactive", "directory_audits", "users")) as world:
        outcome = world.run()
        assert {(row.state, row.reason) for row in world.windows(feed="directory_audits")} == {("gap", "error")}
        assert {row.state for row in world.windows(feed="sign_ins_interactive")} == {"drained"}
        assert [each.is_whole for each in world.listings()] == [True]
        world.require_exact(outcome)


def test_half_a_list_of_licences_takes_no_log_for_lost(tmp_path: Path) -> None:
    """Without the premium plan Microsoft keeps a week of what it keeps a month of otherwise."""
    skus = Fault("empty_pages", "*/subscribedskus", count=1, detail={"pages": 1})
    with living(tmp_path, small_world(3), [skus], feeds=("directory_audits",)) as world:
        outcome = world.run(begin=world.world.now - timedelta(days=20))
        assert skus in world.simulator.faults.met
        assert {row.state for row in world.windows()} == {"drained"}
        world.require_exact(outcome)


@pytest.mark.parametrize("date", ["Thu, 31 Dec 2099 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "", "soon"])
@pytest.mark.parametrize("where", ["*/subscribedskus", "*/auditlogs/directoryaudits", "*/users"])
def test_one_answer_that_lies_about_the_time_changes_nothing(tmp_path: Path, date: str, where: str) -> None:
    jump = Fault("clock_jumps", where, count=1, detail={"date": date})
    with living(tmp_path, small_world(4), [jump], feeds=("directory_audits", "users")) as world:
        outcome = world.run()
        assert jump in world.simulator.faults.met
        world.require_exact(outcome)
        assert not outcome.is_partial
        assert {row.state for row in world.windows()} == {"drained"}
        world.again()
        outcome = world.again()
        assert "settled" in {row.state for row in world.windows()}
        assert max(row.end for row in world.windows()) <= world.simulator.now()
        world.require_exact(outcome)
        assert world.missing() == set()


def test_a_service_that_goes_back_in_time_is_not_believed(tmp_path: Path) -> None:
    """Else nothing would be planned, and nothing would be told."""
    with living(tmp_path, small_world(5), feeds=("directory_audits",)) as world:
        assert not world.run().is_partial
        world.simulator.faults.add(
            Fault("clock_jumps", "*", service="graph", count=FOR_EVER, detail={"date": "Thu, 01 Jan 1970 00:00:00 GMT"})
        )
        assert world.again().is_partial


def test_a_clock_that_goes_wrong_is_told(tmp_path: Path) -> None:
    with living(tmp_path, small_world(6), feeds=("users",)) as world:
        world.run(pace=1)
        assert [tenant for tenant, *_ in world.incidents("clock_differs")] == [world.tenant]


def test_a_feed_that_was_asked_for_and_is_not_collected_is_no_success(tmp_path: Path) -> None:
    with living(tmp_path, small_world(7)):
        config = next(tmp_path.glob("*.y*ml"))
        ran = CliRunner().invoke(run, ["--feed", "graph_activity", "--config", str(config), "--within", "PT1M"])
        assert ran.exit_code == 4
        assert "graph_activity is not collected from" in ran.output


@pytest.mark.parametrize("room", [0, 1, 4])
def test_a_disk_that_is_full_ends_the_run_and_the_next_one_has_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    """Whichever segment it is that finds no room."""
    closed = Segment.close
    left = [room]

    def close(segment: Segment) -> Spooled:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return closed(segment)

    with living(
        tmp_path, small_world(8, tenants=2), feeds=("sign_ins_interactive", "directory_audits", "users")
    ) as world:
        with monkeypatch.context() as full:
            full.setattr(Segment, "close", close)
            with pytest.raises(StoreError, match="No space"):
                world.run()
        assert [thread.name for thread in threading.enumerate() if thread.name == "collection"] == []
        assert {row.state for row in world.windows()} <= {"open", "drained"}
        before = world.simulator.now()
        outcome = world.run()
        world.require_exact(outcome)
        assert world.missing(now=before) == set()
        assert list((tmp_path / "state").glob("spool/*/arriving-*")) == []


def test_a_permission_that_comes_back_heals_what_was_not_asked_for(tmp_path: Path) -> None:
    """One refusal spares Microsoft the other questions of a run, and no more than that."""
    refused = Fault("permission_removed", "*/auditlogs/directoryaudits", count=1)
    with living(tmp_path, small_world(10, hours=60), [refused], feeds=("directory_audits",)) as world:
        outcome = world.run()
        assert {(row.state, row.reason) for row in world.windows()} == {("gap", "permission")}
        assert len(world.windows()) > 1
        assert outcome.is_partial
        world.require_exact(outcome)
        before = world.simulator.now()
        outcome = world.run()
        assert {row.state for row in world.windows()} == {"drained"}
        world.require_exact(outcome)
        assert world.missing(now=before) == set()


def test_a_run_whose_time_is_over_at_once_says_so(tmp_path: Path) -> None:
    with living(tmp_path, small_world(11), feeds=("directory_audits", "users")) as world:
        outcome = world.run(within=timedelta(milliseconds=1))
        assert outcome.is_partial
        assert {row.state for row in world.windows()} == {"gap"}
        world.require_exact(outcome)
        world.require_exact(world.run())
