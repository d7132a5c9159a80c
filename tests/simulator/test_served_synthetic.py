"""Synthetic worlds: the same for a seed, every record known once, time of every awkward shape."""

from __future__ import annotations

import stat
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from m365audit.catalogue import permission_names
from m365audit.config import load_policy, load_settings
from m365audit.model import LOG_FEEDS
from m365audit.register import load_register
from m365audit.simulator.served import CONTENT_TYPES
from m365audit.simulator.served_truth import known_ids, moment
from m365audit.simulator.synthetic import SyntheticWorld, synthetic_world, write_synthetic

FEEDS = set(LOG_FEEDS) - {"graph_activity"}


@pytest.fixture(scope="module")
def world() -> SyntheticWorld:
    return synthetic_world(7)


def test_a_seed_decides_everything(world: SyntheticWorld) -> None:
    assert synthetic_world(7) == world
    assert synthetic_world(8).truth().isdisjoint(world.truth())


def test_every_log_of_every_tenant_has_as_many_records_as_asked_for(world: SyntheticWorld) -> None:
    counts = Counter((tenant, feed) for tenant, feed, _ in world.truth())
    for tenant in world.served.tenants:
        assert {feed: counts[tenant, feed] for feed in FEEDS} == dict.fromkeys(FEEDS, 100)
        assert all(counts[tenant, feed] for feed in ("users", "groups", "rsc_grants", "app_role_assignments"))


@settings(deadline=None, max_examples=25)
@given(st.integers(), st.integers(1, 3), st.floats(0.2, 7), st.integers(1, 60))
def test_every_record_is_known_once_and_lies_in_the_span(seed: int, tenants: int, days: float, records: int) -> None:
    world = synthetic_world(seed, tenants=tenants, days=days, records=records)
    assert len(world.known) == len(world.truth())
    assert len(world.served.tenants) == tenants
    for known in world.known:
        if known.at:
            assert world.begin - timedelta(seconds=1) < known.at < world.now - timedelta(minutes=59)
            assert known.arrived_at is None or known.arrived_at >= known.at or known.arrived_at < world.now


def test_times_lie_on_edges_a_tick_before_them_and_together(world: SyntheticWorld) -> None:
    texts = [r["createdDateTime"] for t in world.served.tenants.values() for r in t.collections["signIns"]]
    assert any(text.endswith(":00:00.0000000Z") for text in texts)
    assert any(text.endswith(":59:59.9999999Z") for text in texts)
    assert max(Counter(texts).values()) > 1
    busiest = Counter(text[:16] for text in texts).most_common(1)[0][1]
    assert busiest > 5


def test_some_records_show_only_later(world: SyntheticWorld) -> None:
    first = world.truth(world.now)
    assert first < world.truth()
    assert world.truth(world.now + timedelta(minutes=50)) == first
    assert world.truth(world.now + timedelta(hours=12)) == world.truth()
    late = {feed for _, feed, _ in world.truth() - first}
    assert late >= {"audit_exchange", "directory_audits", "sign_ins_interactive"}
    by_feed = known_ids(world.served, now=world.now)
    older = {(k.tenant, k.feed, k.id) for k in world.background}
    assert {(t, f, i) for (t, f), ids in by_feed.items() for i in ids} == first | older


def test_subscriptions_brought_content_all_week(world: SyntheticWorld) -> None:
    """So that a collector can know that they were on; nothing of it lies within the logs' own time."""
    assert all(k.at and k.at < world.begin and k.feed.startswith("audit_") for k in world.background)
    for tenant in world.served.tenants.values():
        for content_type in CONTENT_TYPES.values():
            arrivals = sorted(a.arrived_at for a in tenant.audit if a.content_type == content_type)
            week = [a for a in arrivals if a > world.now - timedelta(days=7)]
            assert week[0] - (world.now - timedelta(days=7)) <= timedelta(hours=2)


def test_audit_records_arrive_twice_and_out_of_order(world: SyntheticWorld) -> None:
    for tenant in world.served.tenants.values():
        assert len({a.record["Id"] for a in tenant.audit}) < len(tenant.audit)
        times = [moment(a.record["CreationTime"]) for a in tenant.audit if a.content_type == "Audit.Exchange"]
        assert times != sorted(times)


def test_its_configuration_is_valid_and_its_secrets_private(world: SyntheticWorld, tmp_path: Path) -> None:
    address = "https://127.0.0.1:1"
    cloud = {"login": address, "graph": address, "manage": address, "ca_file": str(tmp_path / "ca.pem")}
    loaded = load_settings(write_synthetic(tmp_path, world, cloud=cloud))
    assert loaded.problems == ()
    assert {tenant.id for tenant in loaded.settings.tenants} == set(world.served.tenants)
    policy = load_policy(tmp_path / "policy.yaml").policy
    register = load_register(tmp_path / "consent", policy=policy, permissions=permission_names())
    assert [str(problem) for problem in register.problems] == []
    for file in (tmp_path / "credentials").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
