"""A small fleet in virtual time, held to what the large one is held to (``benchmarks/fleet.py``)."""

from __future__ import annotations

import pytest

from benchmarks.fleet import ASKED, fleet, simulate


@pytest.mark.parametrize("shape", ["daily", "even", "giant"])
def test_fifty_tenants_are_done_within_the_ratio_and_no_limit_is_broken(shape: str) -> None:
    outcome = simulate(fleet(50, shape=shape))
    assert outcome.fullest <= 1
    assert outcome.ratio <= ASKED


def test_a_fleet_that_nothing_is_known_of_breaks_no_limit_either() -> None:
    assert simulate(fleet(50), is_first=True).fullest <= 1


def test_who_has_much_to_do_does_not_keep_the_small_ones_waiting() -> None:
    outcome = simulate(fleet(50, shape="giant"))
    assert outcome.half_done_s <= outcome.took_s / 2
