"""Owns synthetic worlds for tests of collection: small tenants, every collection filled, every record known.

Deterministic in their seed. Must never tell a story: what is in them deserves no verdict.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from m365audit.simulator.auditor import READS_EVERYTHING
from m365audit.simulator.consent_records import record_of_groups
from m365audit.simulator.documents_written import write_private, write_settings, write_yaml
from m365audit.simulator.people import fixed_id
from m365audit.simulator.served import COLLECTIONS, CONTENT_TYPES, Record, ServedClient, ServedTenant, ServedWorld
from m365audit.simulator.served_truth import Known, known_records, moment
from m365audit.simulator.synthetic_directory import app_ids, directory, group_ids, members, team_grants, user_ids
from m365audit.simulator.synthetic_logs import Span, audit_log, background, calls, directory_audits, sign_ins

NOW: Final = datetime(2026, 9, 15, 8, tzinfo=UTC)
_USERS = 12


@dataclass(frozen=True, slots=True)
class SyntheticWorld:
    """A world of made-up records.

    Attributes:
        served: what the simulator serves.
        clients: client id and secret of the auditor, by tenant id.
        known: every record, also those that show only later; of state and of the time from ``begin`` on.
        background: audit records from before ``begin``: there so that subscriptions are seen to be long on. Collecting
            from ``begin`` on may bring some of them or none.
        begin: first moment of the logs.
        now: first moment of the simulated clock.
    """

    served: ServedWorld
    clients: Mapping[str, tuple[str, str]]
    known: frozenset[Known]
    background: frozenset[Known]
    begin: datetime
    now: datetime

    def truth(self, now: datetime | None = None) -> frozenset[tuple[str, str, str]]:
        """Return (tenant, feed, id) of every record that shows at ``now``; None: at the end of all."""
        return frozenset((k.tenant, k.feed, k.id) for k in self.known if now is None or k.shows_at(now))


def synthetic_world(
    seed: int, *, tenants: int = 2, days: float = 2, records: int = 100, now: datetime = NOW
) -> SyntheticWorld:
    """Return a world of small tenants.

    Args:
        seed: decides everything.
        tenants: how many.
        days: how far back the logs go from ``now``; the Management API keeps seven.
        records: in each log feed of each tenant (four kinds of sign-ins, five audit feeds, …).
        now: first moment of the simulated clock; nothing happens in the hour before it, but some records that
            happened earlier show only in the eleven hours after it.
    """
    begin = now - timedelta(days=days)
    ids = [fixed_id("synthetic", str(seed), str(number)) for number in range(tenants)]
    clients = {tenant: (fixed_id(tenant, "client"), fixed_id(tenant, "secret")) for tenant in ids}
    served = ServedWorld.of(
        *(_tenant(str(seed), tenant, clients[tenant], begin=begin, now=now, count=records) for tenant in ids), now=now
    )
    known = known_records(served)
    background = frozenset(k for k in known if k.at and k.at < begin - timedelta(seconds=1))
    return SyntheticWorld(served, clients, known - background, background, begin, now)


def _tenant(
    seed: str, tenant: str, client: tuple[str, str], *, begin: datetime, now: datetime, count: int
) -> ServedTenant:
    client_id, secret = client
    users, apps = user_ids(seed, tenant, _USERS), app_ids(seed, tenant)
    span = Span(seed, tenant, begin, now, count, users, apps, random.Random(f"{seed}/{tenant}"))  # noqa: S311  # no key
    logs = {"signIns": sign_ins(span), "directoryAudits": directory_audits(span), **calls(span)}
    served = ServedTenant(
        id=tenant,
        name=f"Synthetic {tenant[:8]}",
        clients={client_id: ServedClient(secret=secret, roles=READS_EVERYTHING, manage_roles=("ActivityFeed.Read",))},
        collections={name: [] for name in COLLECTIONS} | directory(tenant, users, apps, client_id) | logs,
        members=members(tenant, users),
        arrivals=_arrivals(span, logs),
        audit=[*background(span), *audit_log(span)],
        subscriptions=dict.fromkeys(CONTENT_TYPES.values(), now - timedelta(days=30)),
    )
    served.grants_below.update(team_grants(tenant, apps))
    return served


def _arrivals(span: Span, logs: Mapping[str, list[Record]]) -> dict[str, datetime]:
    return {
        record["id"]: span.arrival(number, moment(record[time]))
        for name, time in (("signIns", "createdDateTime"), ("directoryAudits", "activityDateTime"))
        for number, record in enumerate(logs[name])
    }


def write_synthetic(folder: Path, world: SyntheticWorld, *, cloud: Mapping[str, str]) -> Path:
    """Write configuration, secrets, policy and a register that names the groups; return the configuration's file.

    Args:
        folder: created when it does not exist.
        world: the world.
        cloud: addresses of the running simulator and its CA file, as the configuration's ``cloud`` names them.
    """
    entries = []
    for tenant, (client, secret) in world.clients.items():
        write_private(folder / f"credentials/{tenant}.txt", secret.encode() + b"\n")
        credential = {"kind": "secret_file", "client_id": client, "file": f"./credentials/{tenant}.txt"}
        entries.append({"id": tenant, "name": world.served.tenants[tenant].name, "credential": credential})
        # The second group is nested in the first.
        first, _, third, last = group_ids(tenant)
        write_yaml(folder / f"consent/{tenant}.yaml", record_of_groups(tenant, (first, third, last)))
    return write_settings(folder, {"cloud": dict(cloud), "tenants": entries})
