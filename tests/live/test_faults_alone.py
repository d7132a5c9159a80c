"""Faults that need a world of their own: pages that lack records, silence, false certificates, floods."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from m365audit.graph import auth, collecting
from m365audit.graph.auth import OpenCredential
from m365audit.simulator.service import Fault

from .living import LATER, living, small_world

FEED = "directory_audits"


def test_a10_a_pull_that_lacked_records_settles_nothing_and_the_next_finds_them(tmp_path: Path) -> None:
    world = small_world(10)
    fault = Fault("records_missing", where="*/auditlogs/directoryaudits", detail={"percent": 50, "seed": 3})
    with living(tmp_path, world, [fault], feeds=(FEED,), page=None) as one:
        one.silent = frozenset({one.tenant})
        one.run(end=world.now)
        assert one.simulator.faults.met
        assert one.missing()
        assert {row.state for row in one.windows(feed=FEED)} == {"drained"}
        one.simulator.advance(LATER)
        one.run(end=world.now)
        assert one.missing() == set()
        assert {row.state for row in one.windows(feed=FEED)} == {"drained"}  # it added something: not at rest yet
        one.simulator.advance(LATER)
        one.run(end=world.now)
        assert {row.state for row in one.windows(feed=FEED)} == {"settled"}


def test_a15_a_second_challenge_in_the_same_run_wants_its_own_claims(tmp_path: Path) -> None:
    fault = Fault("claims_challenge", where="*/auditlogs/directoryaudits", every=3, count=2)
    with living(tmp_path, small_world(15), [fault], feeds=(FEED,)) as one:
        outcome = one.run()
        one.require_exact(outcome)
        assert len(one.simulator.faults.met) == 2
        assert not outcome.is_partial
        claims = {parse_qs(r.body.decode()).get("claims", [""])[0] for r in one.simulator.log.to("/oauth2/v2.0/token")}
        assert len({text for text in claims if "nbf" in text}) == 2
        assert all('"CP1"' in text for text in claims), "who does not say that it understands challenges gets none"


def test_nobody_looks_up_which_hosts_are_microsofts(tmp_path: Path) -> None:
    """Libraries ask login.microsoftonline.com about login hosts that they do not know, unless they are told not to."""
    with living(tmp_path, small_world(8), feeds=("organization",)) as one:
        one.run()
        asked = {request.path for request in one.simulator.log if request.service == "login"}
        assert asked == {f"/{one.tenant}/oauth2/v2.0/token"}


def test_a19_a_tenant_that_never_answers_ends_by_itself_and_harms_nobody(tmp_path: Path) -> None:
    world = small_world(19, tenants=3)
    hanging, *others = world.served.tenants
    fault = Fault("hangs", where="*/auditlogs/*", tenant=hanging, count=None)
    with living(tmp_path, world, [fault], feeds=(FEED, "organization")) as one:
        began = time.monotonic()
        outcome = one.run(within=timedelta(seconds=6))
        assert time.monotonic() - began < 25
        one.require_exact(outcome)
        for tenant in others:
            assert one.missing(tenant, now=world.now) == set()
        gaps = [row for row in one.windows(hanging) if row.state == "gap"]
        assert gaps
        assert {row.reason for row in gaps} <= {"throttled", "error"}
        assert outcome.is_partial
        assert not outcome.is_locked_out


def test_waiting_for_a_token_goes_by_the_time_of_the_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[Callable[[float], Coroutine[Any, Any, None]]] = []
    real = auth.open_credential

    def watched(*settings: Any, **how: Any) -> OpenCredential:
        waits.append(how["sleep"])
        return real(*settings, **how)

    monkeypatch.setattr(collecting, auth.open_credential.__name__, watched)
    with living(tmp_path, small_world(2), feeds=("organization",)) as one:
        one.run()
    began = time.monotonic()
    asyncio.run(waits[0](100))
    assert 0.1 <= time.monotonic() - began < 20, "a hundred seconds at the pace of a thousand"


@pytest.mark.parametrize("flaw", ["expired", "wrong_name", "self_signed"])
def test_a20_a_certificate_that_is_not_microsofts_gets_no_secret(tmp_path: Path, flaw: str) -> None:
    world = small_world(20)
    with living(tmp_path, world, feeds=(FEED,), certificate=flaw) as one:
        outcome = one.run(within=timedelta(seconds=20))
        assert len(one.simulator.log) == 0
        assert outcome.is_locked_out
        (told,) = outcome.collected
        assert told.refusal
        rows = one.asked("SELECT is_signed_in, is_refused FROM sign_in_states")
        assert rows == [(False, False)]  # nobody refused: nobody could be asked
        assert one.windows(feed=FEED)
        assert all(row.state == "gap" for row in one.windows(feed=FEED))


@pytest.mark.parametrize(
    ("kind", "detail"), [("huge_page", {"bytes": 200_000_000}), ("deep_nesting", {"depth": 100_000})]
)
def test_a21_a_flood_is_a_gap_and_the_rest_is_read(tmp_path: Path, kind: str, detail: dict[str, int]) -> None:
    world = small_world(21)
    fault = Fault(kind, where="*/auditlogs/directoryaudits", count=None, detail=detail)
    with living(tmp_path, world, [fault], feeds=(FEED, "users")) as one:
        outcome = one.run()
        one.require_exact(outcome)
        assert {row.state for row in one.windows(feed=FEED)} == {"gap"}
        assert {row.reason for row in one.windows(feed=FEED)} == {"error"}
        assert all(listing.is_whole for listing in one.listings())
