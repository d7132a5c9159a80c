"""Killed at any moment of a live collection, the next run comes to the exact set, without anybody's help."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from .living import living, small_world
from .test_two_runs import FEEDS, started, until

SEED = int(os.environ.get("M365AUDIT_SEED", "0"))
KILLS = 3


@pytest.mark.parametrize("seed", [SEED, SEED + 1])
def test_killed_again_and_again_the_last_run_comes_to_the_exact_set(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)  # noqa: S311
    world = small_world(seed, tenants=3)
    with living(tmp_path, world) as one:
        moments = []
        for _ in range(KILLS):
            process = started(one)
            moments.append(len(one.simulator.log) + chance.randint(1, 45))
            until(one, moments[-1], process)
            process.kill()
            process.communicate()
        one.feeds = dict.fromkeys(world.clients, FEEDS)
        outcome = one.run(begin=None)
        one.require_exact(outcome)
        assert not outcome.is_partial, f"seed {seed}, killed at requests {moments}"
        assert one.missing(now=world.now) == set(), f"seed {seed}, killed at requests {moments}"
        assert all(row.state == "drained" for row in one.windows() if row.end > world.begin)
