"""Laws 5 and 6 through the whole pipeline: order, split and repetition of imports change no verdict."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from random import Random
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st
from landed import GROUP, USER, Desk, Json, audit, call

OTHER: Final = "e0000000-0000-4000-8000-00000000000e"
VERDICTS: Final = "SELECT feed, event_id, verdict, reasons, record, process FROM verdicts ORDER BY ALL"
EVENTS: Final = (
    "SELECT feed, event_id, occurred_at, app_id, workload, operation, resource_id, succeeded FROM access_events "
    "ORDER BY ALL"
)


def evidence(rnd: Random) -> list[tuple[str, list[Json]]]:
    """Return records by family, some ids with several contents that their envelope or file tells apart."""
    calls = []
    for number in range(rnd.randint(1, 8)):
        for second in range(rnd.choice((1, 1, 1, 2, 3))):
            user = rnd.choice((USER, OTHER))
            when = rnd.choice(("2026-05-04T10:15:00Z", "2025-12-31T23:59:59.9999999Z", "nonsense", None))
            calls.append(
                call(
                    f"c{number}", when, envelope=f"2026-05-04T10:15:0{second}Z",
                    requestUri=f"https://graph.microsoft.com/v1.0/users/{user}/messages",
                    responseStatusCode=rnd.choice((200, 403)), requestMethod=rnd.choice(("GET", "DELETE")),
                )
            )  # fmt: skip
    audits = [audit(f"a{n}", Operation=rnd.choice(("MailItemsAccessed", "Send"))) for n in range(rnd.randint(0, 4))]
    return [("calls", calls), ("audits", audits)]


def split(rnd: Random, records: list[Json], parts: int) -> list[list[Json]]:
    """Deal records out to files, some to two; another order of keys is the same record."""
    files: list[list[Json]] = [[] for _ in range(parts)]
    for record in rnd.sample(records, len(records)):
        for file in rnd.sample(files, rnd.choice((1, 1, 2)) if parts > 1 else 1):
            file.append(dict(rnd.sample(list(record.items()), len(record))))
    return [file for file in files if file]


def listings(rnd: Random) -> list[tuple[str, str, str]]:
    """Return listings of a group at different days: (name, text, time)."""
    return [
        (f"groups-{day}.json", _page(rnd.choice(([], [USER], [USER, OTHER]))), f"2026-05-{day:02}T06:00:00Z")
        for day in sorted(rnd.sample(range(1, 20), rnd.randint(0, 3)))
    ]


def _page(members: list[str]) -> str:
    group = {"id": GROUP, "displayName": "Sales", "securityEnabled": True,
             "transitiveMembers": [{"@odata.type": "#microsoft.graph.user", "id": m} for m in members]}  # fmt: skip
    return json.dumps({"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#groups", "value": [group]})


def judged(
    desk: Desk, rnd: Random, world: list[tuple[str, list[Json]]], pages: list[tuple[str, str, str]], runs: int
) -> list[Any]:
    """Import a world in so many runs, in a random split and order; return events and verdicts."""
    paths = [desk.write(name, text, at=at) for name, text, at in pages]
    for family, records in world:
        for number, part in enumerate(split(rnd, records, rnd.randint(1, 1 + runs))):
            paths.append(desk.write(f"{family}-{number}.json", part, at="2026-05-30T00:00:00Z"))
    order = rnd.sample(paths, len(paths))
    if runs > 1:
        order += rnd.choices(paths, k=2)
    cuts = sorted(rnd.choices(range(len(order) + 1), k=runs - 1))
    for begin, end in zip([0, *cuts], [*cuts, len(order)], strict=True):
        desk.run(*order[begin:end])
    desk.judge()
    return [desk.published(EVENTS), desk.published(VERDICTS)]


@settings(deadline=None, max_examples=3, database=None)
@given(st.integers(0, 2**32))
def test_no_order_split_or_repetition_changes_a_verdict(seed: int) -> None:
    rnd = Random(seed)  # noqa: S311 - no secret
    world, pages = evidence(rnd), listings(rnd)
    with tempfile.TemporaryDirectory() as folder:
        first = judged(Desk(Path(folder) / "first"), rnd, world, pages, runs=1)
        second = judged(Desk(Path(folder) / "second"), rnd, world, pages, runs=3)
    assert first[1]
    assert second == first
