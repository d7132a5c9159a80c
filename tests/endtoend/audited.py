"""A world together with what an audit of it came to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from m365audit import pipeline
from m365audit.config import LoadedPolicy, Settings
from m365audit.pipeline import Import, Outcome, Step
from m365audit.simulator import World
from m365audit.store.arrivals import Landed


class Quiet:
    """A reporter that says nothing."""

    def file(self, landed: Landed, number: int, total: int) -> None:
        """Nothing."""

    def working(self, path: str, doing: str, done: int, total: int) -> None:
        """Hear of the progress in a file."""

    def skipped(self, path: Path, reason: str) -> None:
        """Nothing."""

    def stage(self, name: str) -> None:
        """Nothing."""

    def gathering(self, step: Step) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Audited:
    """A world and what an audit of it came to."""

    world: World
    settings: Settings
    policy: LoadedPolicy
    outcome: Outcome

    @property
    def imports(self) -> list[Import]:
        """Every standing import of the world's configuration."""
        return [
            Import(item.path, tenant.id, item.kind, window=item.window)
            for tenant in self.settings.tenants
            for item in tenant.imports
        ]

    def again(self) -> Outcome:
        """Run once more."""
        return pipeline.run(self.settings, self.policy, self.imports, Quiet(), command="test")
