"""What goes into a run and what comes out of it; holds values only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
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

    def gathering(self, step: Step) -> None:
        """Collection from a tenant has come a step further."""


@dataclass(frozen=True, slots=True)
class Step:
    """How far the collection from one tenant is.

    Attributes:
        tenant: its name.
        collection: what is read; empty when the tenant as a whole is meant.
        state: ``signed_in``, ``refused``, ``reading``, ``waiting``, ``read`` or ``gap``.
        done: windows or listings that are over.
        total: how many there are to read in this run.
        records: records that were read so far.
        seconds: how long it has to wait, for ``waiting``.
        detail: a sentence, empty when there is nothing to say.
    """

    tenant: str
    collection: str
    state: str
    done: int = 0
    total: int = 0
    records: int = 0
    seconds: float = 0.0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Unseen:
    """An interval that was to be read and was not.

    Attributes:
        begin: first moment of it; None for a listing.
        end: first moment after it.
        reason: as in the table coverage.
        detail: what happened and what to do, in a sentence.
    """

    begin: datetime | None
    end: datetime | None
    reason: str
    detail: str


@dataclass(slots=True)
class Gathered:
    """What a run read of one collection of one tenant: read = stored + duplicate + quarantined.

    Attributes:
        collection: its name.
        windows: windows (or listings) that were read whole.
        unseen: what was to be read and was not.
    """

    collection: str
    windows: int = 0
    records: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0
    unseen: list[Unseen] = field(default_factory=list)


@dataclass(slots=True)
class Collected:
    """What a run saw of one tenant.

    Attributes:
        tenant: tenant id.
        name: its name.
        refusal: why the auditor was not let in, or could not ask; empty when it was.
        is_signed_in: it was let in.
        refused_links: places that answers pointed to and that the configuration does not name.
        collections: by name.
    """

    tenant: str
    name: str
    refusal: str = ""
    is_signed_in: bool = False
    refused_links: int = 0
    collections: dict[str, Gathered] = field(default_factory=dict)

    @property
    def is_partial(self) -> bool:
        """Something of it was not seen, or not wholly taken in."""
        return (
            not self.is_signed_in
            or self.refused_links > 0
            or any(each.unseen or each.quarantined for each in self.collections.values())
        )


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
    """What a run came to: the files and tenants that it read, and the evaluation when there was one."""

    landed: tuple[Landed, ...]
    evaluation: Evaluation | None
    collected: tuple[Collected, ...] = ()

    @property
    def is_partial(self) -> bool:
        """Something offered was not, or not wholly, taken in; or something asked for was not seen."""
        return any(file.outcome in {"partial", "refused"} for file in self.landed) or any(
            tenant.is_partial for tenant in self.collected
        )

    @property
    def is_locked_out(self) -> bool:
        """There are tenants to collect from, and not one of them let the auditor in."""
        return bool(self.collected) and not any(tenant.is_signed_in for tenant in self.collected)


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
