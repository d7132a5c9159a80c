"""Owns the demo's world as one to be collected live: served tenants, the auditor's files, and the truth about both.

Must never start a server or collect anything itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from m365audit.simulator.consent_records import REGISTERED_GROUPS, live_configuration
from m365audit.simulator.diary import BEGIN, END, Diary
from m365audit.simulator.documents_written import write_documents, write_private
from m365audit.simulator.expected_coverage import COLLECTED_AT, NEVER_SEEN, coverage
from m365audit.simulator.expected_findings import live_findings
from m365audit.simulator.exports_written import ExportFolder
from m365audit.simulator.people import Group, Tenant
from m365audit.simulator.served import ServedWorld
from m365audit.simulator.served_truth import known_ids
from m365audit.simulator.served_world import Keyring, new_keys, served_world
from m365audit.simulator.truth import Truth
from m365audit.simulator.world import SEED, World, tell_stories, truth_of

WATCHED: Final = (BEGIN, END)
"""The fortnight of the stories: what ``--from`` and ``--to`` must be, for before and after it nobody logged calls."""

_CA_FILE = "simulator-ca.pem"


@dataclass(frozen=True, slots=True)
class LiveWorld:
    """A world that is ready to be served.

    Attributes:
        served: what the simulator serves; its clock starts at the first of ``collected_at``.
        collected_at: when to collect. Between two collections the simulated clock is moved on by `steps`; the first
            reads everything, the second settles it and finds a few late records, the third settles those too.
    """

    diaries: Sequence[Diary]
    keys: Keyring
    served: ServedWorld
    collected_at: tuple[datetime, ...] = COLLECTED_AT

    @property
    def steps(self) -> tuple[timedelta, ...]:
        """By how much the clock moves on before the second collection, and before the third."""
        return tuple(later - earlier for earlier, later in zip(self.collected_at, self.collected_at[1:], strict=False))

    def truth(self, *, collections: int = 2) -> Truth:
        """Return what an audit must come to after the first, second or third collection.

        ``ids`` and ``coverage`` are told of each; verdicts and findings of the second on. At first an opened file in
        each tenant is still to come, and no log is settled: rules that need the whole of it are not evaluated.
        """
        now = self.collected_at[collections - 1]
        exported = truth_of(self.diaries)
        return replace(
            exported,
            findings=(*exported.findings, *live_findings()),
            coverage=coverage(collections=collections),
            ids={key: ids for key, ids in self._seen(now).items() if key not in NEVER_SEEN},
        )

    def _seen(self, now: datetime) -> dict[tuple[str, str], frozenset[str]]:
        """Return the ids of what shows; of groups only those that the register names, and what is nested in them."""
        found = dict(known_ids(self.served, now=now))
        for diary in self.diaries:
            named = {group.id for key in REGISTERED_GROUPS[diary.tenant.key] for group in _nested(diary.tenant, key)}
            found[diary.tenant.id, "groups"] = frozenset(named)
        return found


def _nested(tenant: Tenant, key: str) -> Iterator[Group]:
    yield tenant.groups[key]
    for member in tenant.groups[key].members:
        if member in tenant.groups:
            yield from _nested(tenant, member)


def live_world(*, seed: int = SEED, today: datetime | None = None) -> LiveWorld:
    """Return the demo's world to be served; nothing is written.

    The order of a live demo::

        live = live_world()
        with running(live.served) as simulator:
            world = write_live_world(folder, live, cloud=simulator.cloud())
            ...  # run(from=WATCHED[0], to=WATCHED[1]) with world.config
            simulator.advance(live.steps[0])
            ...  # run again; world.truth holds

    Args:
        seed: another seed moves times and ids, never the story.
        today: the host's time, by which the auditor's certificate must be good; now by default.
    """
    diaries = tell_stories(seed)
    keys = new_keys([diary.tenant for diary in diaries], today or datetime.now(UTC))
    return LiveWorld(diaries, keys, served_world(diaries, keys))


def write_live_world(folder: Path, live: LiveWorld, *, cloud: Mapping[str, str]) -> World:
    """Write what the auditor of a live world has: configuration, credentials, register, policy, Graph activity logs.

    Args:
        folder: created when it does not exist; files of the same name are overwritten.
        live: the world.
        cloud: addresses of the running simulator and its CA file (``login``, ``graph``, ``manage``, ``ca_file``); the
            CA file is copied, so that the configuration stays good to read when the simulator is gone.

    Returns:
        The world, with the truth after two collections.

    Raises:
        OSError: the folder cannot be written, or the CA file cannot be read.
    """
    exports = [ExportFolder(folder, diary.tenant) for diary in live.diaries]
    for export, diary in zip(exports, live.diaries, strict=True):
        export.write_graph_activity(diary)
    for name, content in live.keys.files.items():
        write_private(folder / name, content)
    (folder / _CA_FILE).write_bytes(Path(cloud["ca_file"]).read_bytes())
    imports = {d.tenant.key: (d.tenant, e.imports) for d, e in zip(live.diaries, exports, strict=True)}
    tenants = tuple(diary.tenant for diary in live.diaries)
    settings = live_configuration({**cloud, "ca_file": f"./{_CA_FILE}"}, imports)
    return World(
        folder=folder,
        config=write_documents(folder, tenants, settings),
        tenants=tenants,
        truth=live.truth(),
        files=sum(export.files for export in exports),
        bytes=sum(export.bytes for export in exports),
    )
