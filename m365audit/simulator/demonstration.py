"""Owns the course of a live demo: a world, served, and collected several times as its days go by.

Must never collect anything itself: who shows the demo does, with the configuration that is written here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from m365audit.simulator.live_world import WATCHED, LiveWorld, live_world, write_live_world
from m365audit.simulator.service import Fault, FaultPlan, Simulator, running
from m365audit.simulator.world import SEED, World


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A live demo under way.

    Attributes:
        live: what is served.
        world: what was written for the auditor; ``world.truth`` holds after two collections.
        simulator: the running services.
    """

    live: LiveWorld
    world: World
    simulator: Simulator

    @property
    def watched(self) -> tuple[datetime, datetime]:
        """What ``--from`` and ``--to`` of each collection must be."""
        return WATCHED

    def collections(self, times: int = 2) -> Iterator[datetime]:
        """Yield the moment of each collection, having moved the simulated clock to it; at most three.

        Whoever iterates collects whenever it gets one: first everything, then, a day later, what settles it.
        """
        for moment in self.live.collected_at[:times]:
            self.simulator.advance(max(moment - self.simulator.now(), timedelta(0)))
            yield moment


@contextmanager
def demonstration(
    folder: Path, *, seed: int = SEED, faults: FaultPlan | Iterable[Fault] = ()
) -> Iterator[Demonstration]:
    """Serve the demo's world on loopback until the block ends, and write the auditor's files for it.

    ::

        with demonstration(folder) as demo:
            for moment in demo.collections():
                ...  # run with demo.world.config, from demo.watched[0] to demo.watched[1]

    Args:
        folder: where configuration, credentials, register, policy and Graph activity logs go.
        seed: another seed moves times and ids, never the story.
        faults: what goes wrong on the way.

    Raises:
        OSError: the folder cannot be written.
    """
    live = live_world(seed=seed)
    with running(live.served, faults) as simulator:
        yield Demonstration(live, write_live_world(folder, live, cloud=simulator.cloud()), simulator)
