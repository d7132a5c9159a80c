"""A synthetic world that is collected the whole way, and what its store must hold for that to be honest.

Nothing here knows how collection works: it compares what was there with what is stored and with what the ledger says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb

from m365audit import pipeline
from m365audit.config import LoadedPolicy, Settings, load_policy, load_settings
from m365audit.pipeline import Outcome, Step
from m365audit.pipeline.collecting import Wanted
from m365audit.simulator.served import ServedAudit
from m365audit.simulator.served_truth import Known, known_records
from m365audit.simulator.service import Fault, FaultPlan, Simulator, running
from m365audit.simulator.synthetic import SyntheticWorld, synthetic_world, write_synthetic
from m365audit.store.arrivals import Landed

PACE: Final = 1_000.0
DAY: Final = timedelta(days=1)
LATER: Final = timedelta(hours=26)
"""Long enough for a window to be settled."""

_KEPT: Final = timedelta(days=7)
_STEP: Final = timedelta(hours=3)
_SHORTLY: Final = timedelta(minutes=10)


class Heard:
    """A reporter that keeps the steps of collection."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def file(self, landed: Landed, number: int, total: int) -> None:
        """Nothing."""

    def working(self, path: str, doing: str, done: int, total: int) -> None:
        """Nothing."""

    def skipped(self, path: Path, reason: str) -> None:
        """Nothing."""

    def stage(self, name: str) -> None:
        """Nothing."""

    def gathering(self, step: Step) -> None:
        """Keep it."""
        self.steps.append(step)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the ledger of windows."""

    tenant: str
    feed: str
    collection: str
    begin: datetime
    end: datetime
    state: str
    reason: str | None
    detail: str
    pulls: int
    last_pulled_at: datetime | None
    run_id: str

    def holds(self, moment: datetime) -> bool:
        """Say whether a moment belongs to it."""
        return self.begin <= moment < self.end


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of the ledger of listings."""

    tenant: str
    feed: str
    is_whole: bool
    reason: str | None
    detail: str
    run_id: str


def small_world(seed: int, *, tenants: int = 1, hours: float = 6, records: int = 30) -> SyntheticWorld:
    """Return a synthetic world with little audit content, so that many tenants are quickly read."""
    world = synthetic_world(seed, tenants=tenants, days=hours / 24, records=records)
    for served in world.served.tenants.values():
        oldest = world.now - _KEPT + timedelta(minutes=30)
        first: dict[str, ServedAudit] = {}
        kept = []
        for audit in served.audit:
            if audit.arrived_at < world.begin and "again" not in audit.blob:
                if audit.arrived_at >= oldest:
                    first.setdefault(audit.content_type, audit)
            else:
                kept.append(replace(audit, arrived_at=_together(audit.arrived_at, world.now)))
        served.audit = [*first.values(), *kept]
    known = known_records(world.served)
    background = frozenset(k for k in known if k.at and k.at < world.begin - timedelta(seconds=1))
    return replace(world, known=known - background, background=background)


def _together(arrival: datetime, now: datetime) -> datetime:
    """Let content of some hours arrive at once, and nothing later than ``now`` that came before it."""
    later = arrival + (datetime.min.replace(tzinfo=arrival.tzinfo) - arrival) % _STEP
    return later if arrival > now else min(later, now - _SHORTLY)


@dataclass
class Living:
    """A running world, and the store that it is collected into.

    Attributes:
        feeds: names of the feeds that are wanted, by tenant; of a tenant that is not in it all are.
        silent: tenants of which answers left records out without a sign of it: what was read once may lack some.
    """

    world: SyntheticWorld
    simulator: Simulator
    settings: Settings
    policy: LoadedPolicy
    feeds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()
    heard: Heard = field(default_factory=Heard)
    _answers: dict[tuple[object, ...], list[tuple[Any, ...]]] = field(default_factory=dict, repr=False)

    @property
    def tenant(self) -> str:
        """The only tenant, or the first."""
        return next(iter(self.world.served.tenants))

    def run(
        self, *, tenants: Sequence[str] = (), within: timedelta = timedelta(minutes=2), begin: datetime | None = None,
        end: datetime | None = None, pace: float = PACE,
    ) -> Outcome:  # fmt: skip
        """Collect, and land; nothing is judged."""
        chosen = tuple(
            tenant.model_copy(update={"feeds": self.feeds.get(tenant.id, tenant.feeds)})
            for tenant in self.settings.tenants
            if not tenants or tenant.id in tenants
        )
        wanted = Wanted(chosen, (), begin or self.world.begin, end, within, pace)
        return pipeline.run(self.settings, self.policy, [], self.heard, command="test", wanted=wanted, evaluate=False)

    def again(self, after: timedelta = LATER) -> Outcome:
        """Let time pass, and collect again."""
        self.simulator.advance(after)
        return self.run()

    def asked(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what the working database answers; the same question of the same files is asked of it once."""
        path = self.settings.state / "m365audit.duckdb"
        files = [path, *path.parent.glob(f"{path.name}.wal")]
        key = (sql, *((file.stat().st_ino, file.stat().st_mtime_ns, file.stat().st_size) for file in files))
        if key not in self._answers:
            with duckdb.connect(str(path), read_only=True) as connection:
                connection.execute("SET TimeZone = 'UTC'")
                self._answers[key] = connection.execute(sql).fetchall()
        return self._answers[key]

    def stored(self, tenant: str | None = None) -> Counter[tuple[str, str, str]]:
        """Return tenant, feed and id of what is stored, with how many rows there are of it."""
        rows = self.asked(
            "SELECT tenant_id, feed, record_id, count(*) FROM landed_records WHERE is_newest GROUP BY ALL"
        )
        return Counter({(t, feed, key): number for t, feed, key, number in rows if tenant in {None, t}})

    def windows(self, tenant: str | None = None, feed: str | None = None) -> list[Row]:
        """Return the ledger of windows in order of time."""
        rows = self.asked(
            "SELECT tenant_id, feed, collection, covered_from, covered_to, state, reason, detail, pulls, "
            "last_pulled_at, run_id FROM collection_windows ORDER BY ALL"
        )
        return [
            row for row in (Row(*each) for each in rows) if tenant in {None, row.tenant} and feed in {None, row.feed}
        ]

    def listings(self, tenant: str | None = None) -> list[Listed]:
        """Return the ledger of listings."""
        rows = self.asked(
            "SELECT tenant_id, feed, is_whole, reason, detail, run_id FROM collection_listings ORDER BY ALL"
        )
        return [row for row in (Listed(*each) for each in rows) if tenant in {None, row.tenant}]

    def incidents(self, kind: str) -> list[tuple[str, str | None, str | None]]:
        """Return tenant, collection and target of what happened to the auditor."""
        return [
            (tenant, collection, target)
            for tenant, found, collection, target in self.asked(
                "SELECT tenant_id, kind, collection, target FROM collection_events ORDER BY occurred_at"
            )
            if found == kind
        ]

    def let_in(self) -> set[str]:
        """Return the tenants that let the auditor in."""
        return {tenant for (tenant,) in self.asked("SELECT tenant_id FROM sign_in_states WHERE is_signed_in")}

    def due(self, tenant: str | None = None) -> frozenset[Known]:
        """Return every record of the feeds that are wanted."""
        return frozenset(
            k for k in self.world.known if tenant in {None, k.tenant} and k.feed in self.feeds.get(k.tenant, (k.feed,))
        )

    def missing(self, tenant: str | None = None, *, now: datetime | None = None) -> set[tuple[str, str, str]]:
        """Return what shows by now, or at all, and is not stored."""
        due = {(k.tenant, k.feed, k.id) for k in self.due(tenant) if now is None or k.shows_at(now)}
        return due - set(self.stored(tenant))

    def require_exact(self, outcome: Outcome) -> None:
        """Compare everything that is stored and told with what there was.

        Raises:
            AssertionError: it differs; every line says in what.
        """
        wrong = [
            *self._wrongly_stored(),
            *self._wrongly_told(),
            *_wrongly_counted(outcome),
            *self._wrongly_ended(outcome),
        ]
        assert not wrong, "\n".join([f"{len(wrong)} lies:", *wrong[:20], "the plan:", str(self.simulator.faults)])

    def _wrongly_stored(self) -> Iterator[str]:
        stored = self.stored()
        there = {(k.tenant, k.feed, k.id) for k in self.world.known | self.world.background}
        yield from (f"stored, but was never there: {key}" for key in sorted(stored.keys() - there))
        yield from (f"stored {number} times: {key}" for key, number in stored.items() if number != 1)

    def _wrongly_told(self) -> Iterator[str]:
        """Yield what is not stored though the ledger says that it was seen, or says nothing."""
        stored, rows, whole, let_in = set(self.stored()), _by_feed(self.windows()), {}, self.let_in()
        for listing in self.listings():
            whole[listing.tenant, listing.feed] = listing.is_whole
            if not listing.is_whole and not listing.reason:
                yield f"no reason for a listing: {listing}"
        yield from _untidy(rows)
        for known in sorted(self.due(), key=lambda k: (k.tenant, k.feed, k.id)):
            key = (known.tenant, known.feed, known.id)
            if key in stored:
                continue
            if known.at is None:
                # What nobody ever listed has no row, and only a tenant that was not let in has none of it.
                if whole.get(key[:2], known.tenant not in let_in):
                    yield f"not stored, but the listing is called whole: {key}"
                continue
            about = [row for row in rows.get(key[:2], []) if row.holds(known.at)]
            if not about:
                yield f"not stored, and the ledger is silent about its time: {known}"
            yield from (f"not stored: {known}; but {row}" for row in about if self._denies(row, known))

    def _denies(self, row: Row, known: Known) -> bool:
        """Say whether a row means that a record that is not stored does not exist."""
        if row.state == "drained" and known.tenant in self.silent:
            return False
        is_seen = row.state in {"drained", "settled"}
        return is_seen and (row.last_pulled_at is None or known.shows_at(row.last_pulled_at))

    def _wrongly_ended(self, outcome: Outcome) -> Iterator[str]:
        """Yield where the outcome says other than the ledger of this run."""
        run_id = max((run for (run,) in self.asked("SELECT run_id FROM runs")), default="")
        rows = [row for row in self.windows() if row.run_id == run_id]
        unseen = any(row.state in {"gap", "open"} or (row.state == "drained" and row.detail) for row in rows)
        unseen |= any(not each.is_whole for each in self.listings() if each.run_id == run_id)
        asked_of = {each.tenant for each in outcome.collected}
        shut = asked_of - self.let_in()
        refused = any(each.refused_links for each in outcome.collected)
        if outcome.is_partial != bool(unseen or shut or refused):
            yield f"partial is {outcome.is_partial}, but unseen: {unseen}, shut: {len(shut)}, links refused: {refused}"
        if outcome.is_locked_out != (bool(asked_of) and shut == asked_of):
            yield f"locked out is {outcome.is_locked_out}, but {len(shut)} of {len(asked_of)} let nobody in"
        yield from (
            f"{each.name} is called signed in"
            for each in outcome.collected
            if each.is_signed_in == (each.tenant in shut)
        )


def _by_feed(rows: Iterable[Row]) -> dict[tuple[str, str], list[Row]]:
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row.tenant, row.feed), []).append(row)
    return found


def _untidy(by_feed: dict[tuple[str, str], list[Row]]) -> Iterator[str]:
    """Yield windows that overlap, are empty, have no reason or were never read though they say so."""
    for rows in by_feed.values():
        ends: dict[str, datetime] = {}
        for row in rows:
            if row.begin >= row.end or row.begin < ends.get(row.collection, row.begin):
                yield f"overlaps or is empty: {row}"
            ends[row.collection] = row.end
            if (row.state == "gap") != bool(row.reason):
                yield f"a gap has a reason, nothing else has: {row}"
            if row.state in {"drained", "settled"} and (row.pulls < 1 or row.last_pulled_at is None):
                yield f"never read: {row}"
            if row.state == "settled" and row.pulls < 2:
                yield f"settled by one pull: {row}"


def _wrongly_counted(outcome: Outcome) -> Iterator[str]:
    for tenant in outcome.collected:
        for each in tenant.collections.values():
            if each.records != each.stored + each.duplicate + each.quarantined:
                yield f"{tenant.name}: {each}"


@contextmanager
def living(
    folder: Path,
    world: SyntheticWorld,
    faults: FaultPlan | Iterable[Fault] = (),
    *,
    feeds: Sequence[str] | Mapping[str, tuple[str, ...]] = (),
    page: int | None = 12,
    **how: Any,
) -> Iterator[Living]:
    """Serve a world, and give what collects it.

    Args:
        folder: for configuration, secrets and state.
        world: what is served.
        faults: what goes wrong.
        feeds: that are wanted, of every tenant or by tenant; empty for all.
        page: records that a page has at the most.
        how: as for ``running``.
    """
    with running(world.served, faults, **how) as simulator:
        config = write_synthetic(folder, world, cloud=simulator.cloud())
        settings = load_settings(config).settings
        simulator.simulation.snapshots.most = page
        if not isinstance(feeds, Mapping):
            feeds = dict.fromkeys(world.clients, tuple(feeds)) if feeds else {}
        yield Living(world, simulator, settings, load_policy(settings.policy), feeds)
