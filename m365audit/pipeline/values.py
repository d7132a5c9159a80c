"""What goes into a run and what comes out of it; holds values only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Protocol

from m365audit.config import LoadedPolicy, Settings
from m365audit.store.arrivals import Landed
from m365audit.store.database import make_private

if TYPE_CHECKING:
    import duckdb


class Reporter(Protocol):
    """Told how the work goes on; the command line shows it."""

    def file(self, landed: Landed, number: int, total: int) -> None:
        """One file has been dealt with."""

    def skipped(self, path: Path, reason: str) -> None:
        """A file in a named folder was not looked at."""

    def working(self, path: str, doing: str, done: int, total: int) -> None:
        """So many bytes of one file are kept, decompressed, checked or read; told often, so to be cheap."""

    def stage(self, name: str) -> None:
        """A stage of the evaluation begins."""


@dataclass(frozen=True, slots=True)
class Import:
    """One thing to import: a file or folder, for a tenant.

    Attributes:
        path: the file or folder.
        tenant: tenant id.
        kind: None means recognised by content.
        observed_at: when listings were taken; None means each file's own time.
        window: the files hold everything between these times, says the user.
    """

    path: Path
    tenant: str
    kind: str | None = None
    observed_at: datetime | None = None
    window: tuple[datetime, datetime] | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an evaluation came to.

    Attributes:
        published: the published database.
        report: the report beside it.
        verdicts: verdict → number of access events.
        findings: open findings by severity.
        not_evaluated: rule checks (one per rule and tenant) that could not speak.
        not_judged: why nothing was judged; empty when it was.
    """

    published: Path
    report: Path
    verdicts: dict[str, int]
    findings: dict[str, int]
    not_evaluated: int
    not_judged: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to: the files that it read, and the evaluation when there was one."""

    landed: tuple[Landed, ...]
    evaluation: Evaluation | None

    @property
    def is_partial(self) -> bool:
        """Something offered was not, or not wholly, taken in."""
        return any(file.outcome in {"partial", "refused"} for file in self.landed)


@dataclass(frozen=True, slots=True)
class Work:
    """What every arrow of one run needs.

    Attributes:
        connection: the working database.
        settings: the configuration.
        policy: the policy and its problems.
        reporter: told how it goes on.
    """

    connection: duckdb.DuckDBPyConnection
    settings: Settings
    policy: LoadedPolicy
    reporter: Reporter

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Give a private folder for files that live as long as a step; what a killed run left in it goes first."""
        folder = self.settings.state / "work"
        rmtree(folder, ignore_errors=True)
        try:
            yield make_private(folder)
        finally:
            rmtree(folder, ignore_errors=True)


def now() -> datetime:
    """Return the present time in UTC: for the record of runs and arrivals, never for a verdict."""
    return datetime.now(UTC)
