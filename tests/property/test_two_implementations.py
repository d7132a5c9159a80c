"""The product's queries and the naive oracle give the same verdict for every event of every world."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from verdicts import oracle
from verdicts.database import judge_all
from verdicts.world import World

from .worlds import worlds


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(worlds())
def test_queries_and_oracle_agree_on_every_event(world: World) -> None:
    found = judge_all(world)
    expected = {(e.tenant, e.event_id): oracle.judge(world, e) for e in world.events}
    assert found == expected
