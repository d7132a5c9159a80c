"""The product's queries and the naive oracle give the same verdict for every event of every world."""

from __future__ import annotations

from hypothesis import given, settings
from verdicts import oracle
from verdicts.database import judge_all
from verdicts.world import World

from .worlds import group_worlds, worlds


@settings(deadline=None, max_examples=40)
@given(worlds())
def test_queries_and_oracle_agree_on_every_event(world: World) -> None:
    _agree(world)


@settings(deadline=None, max_examples=40)
@given(group_worlds())
def test_queries_and_oracle_agree_on_groups_over_time(world: World) -> None:
    _agree(world)


def _agree(world: World) -> None:
    found = judge_all(world)
    expected = {(e.tenant, e.event_id): oracle.judge(world, e) for e in world.events}
    assert found == expected
