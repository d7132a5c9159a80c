"""Random plans of faults: what is stored is exactly what was there without what is told as unseen.

Each round is one run over many tenants, each with a plan of its own of three to ten faults; then nothing goes wrong
any more, a day passes, and everything is there. ``M365AUDIT_SEED`` adds rounds that begin with another seed, and
``M365AUDIT_PLANS`` says how many plans there are (CI tries 300); a failure prints the seed of its round.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from m365audit.simulator.service import Fault, random_plan

from .living import Living, living, small_world

EACH: Final = 25
"""Plans in a round."""
PLANS: Final = int(os.environ.get("M365AUDIT_PLANS", "75"))
SILENT: Final = {"records_missing", "ends_early"}
SETS: Final[tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]] = (
    (("sign_ins_interactive", "directory_audits"), ("*/auditlogs/signins", "*/auditlogs/directoryaudits")),
    (("audit_exchange", "users"), ("*/subscriptions/content", "*/activity/feed/audit/*", "*/users")),
    (("call_records", "applications"), ("*/communications/callrecords*", "*/applications", "*/oauth2/v2.0/token")),
)
"""Feeds of a round, and the paths that are asked for them."""


def seeds() -> list[int]:
    """Return the seed of each round: fixed ones, or those after the seed that is asked for."""
    first = int(os.environ.get("M365AUDIT_SEED", "0")) * 1_000
    return [first + number for number in range(-(-PLANS // EACH))]


def planned(living: Living, seed: int, paths: tuple[str, ...]) -> None:
    """Give each tenant a plan."""
    for number, tenant in enumerate(living.world.clients):
        faults = list(random_plan(seed * 1_000 + number, [tenant], paths=paths))
        living.simulator.faults.add(*faults)
    silent = {f.tenant for f in living.simulator.faults if f.kind in SILENT and f.tenant}
    living.silent = frozenset(silent)


@pytest.mark.parametrize("seed", seeds())
def test_stored_is_truth_without_what_is_told_as_unseen(seed: int, tmp_path: Path) -> None:
    feeds, paths = SETS[seed % len(SETS)]
    world = small_world(seed, tenants=EACH)
    with living(tmp_path, world, feeds=feeds) as one:
        planned(one, seed, paths)
        one.require_exact(one.run(within=timedelta(hours=6)))
        met = [fault for fault in one.simulator.faults.met if fault.tenant]
        assert len({fault.tenant for fault in met}) > EACH * 0.8, "plans whose faults nobody meets show nothing"
        one.simulator.faults.clear()
        one.simulator.advance(timedelta(hours=26))
        one.require_exact(one.run(end=world.now))
        assert one.missing() == set() or all(_is_lost_for_good(one, met, key) for key in one.missing())
        assert one.simulator.elsewhere.contacts == []


def _is_lost_for_good(one: Living, met: list[Fault], key: tuple[str, str, str]) -> bool:
    """Say whether Microsoft told that what is missing is not to be had any more."""
    tenant, feed, _ = key
    told = {row.reason for row in one.windows(tenant, feed) if row.state == "gap"}
    return told == {"expired"} and any(f.kind == "content_expired" for f in met if f.tenant == tenant)
