"""What an adversary found in runs against living tenants: each test failed before it was mended."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from m365audit.simulator.service import FOR_EVER, Fault

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
