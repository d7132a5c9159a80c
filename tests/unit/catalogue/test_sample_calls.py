"""What Microsoft documents is known: workload, operation and permissions of its own sample calls, v1.0 and beta."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import duckdb
import pytest
from graph_samples import AUDITED, Sample, samples

from m365audit import catalogue


@cache
def answers() -> tuple[tuple[Sample, dict[str, Any]], ...]:
    connection = duckdb.connect()
    shape = catalogue.shape_sql("path")
    sql = f"SELECT {shape} FROM (SELECT {catalogue.path_sql('uri')} AS path FROM (SELECT unnest(?) AS uri))"  # noqa: S608
    shapes = [row[0] for row in connection.execute(sql, [[sample.uri for sample in samples()]]).fetchall()]
    found = catalogue.match_shapes((s.method, shape) for s, shape in zip(samples(), shapes, strict=True))
    return tuple(zip(samples(), found, strict=True))


def told(sample: Sample) -> str:
    return f"{sample.version} {sample.method} {sample.uri} ({sample.document})"


def test_there_are_enough_samples_of_every_workload_and_version() -> None:
    count = Counter((sample.workload, sample.version) for sample in samples())
    assert sum(count.values()) > 1000
    assert all(count[workload, version] >= 10 for workload in AUDITED for version in ("v1.0", "beta")), count


@pytest.mark.parametrize("version", ["v1.0", "beta"])
@pytest.mark.parametrize("workload", AUDITED)
def test_at_most_two_percent_are_unmapped(workload: str, version: str) -> None:
    of_it = [(s, a) for s, a in answers() if s.workload == workload and s.version == version]
    unmapped = [told(sample) for sample, answer in of_it if answer["template"] is None]
    assert len(unmapped) <= 0.02 * len(of_it), unmapped


def test_every_sample_has_its_workload() -> None:
    wrong = [f"{told(s)}: {a['workload']}, not {s.workload}" for s, a in answers() if a["workload"] != s.workload]
    assert wrong == []


def test_every_sample_has_its_operation() -> None:
    wrong = [f"{told(s)}: {a['operation']}, not {s.operation}" for s, a in answers() if a["operation"] != s.operation]
    assert wrong == []


def test_every_sample_of_an_audited_workload_is_allowed_by_some_permission() -> None:
    bare = [
        told(sample)
        for sample, answer in answers()
        if sample.workload in AUDITED and not (answer["permissions_application"] or answer["permissions_delegated"])
    ]
    assert bare == []


DOCUMENTED_ELSEWHERE = {
    # Names that reach another workload and are nonetheless documented for the call: the reference's own tables.
    ("teams_channel", "Directory.Read.All"),  # channel-list and its kin, kept for old apps
    ("teams_channel", "Directory.ReadWrite.All"),
    ("teams_channel", "Chat.ReadWrite"),  # chatmessage-forwardtochat: into a chat
    ("teams_channel", "Chat.ReadWrite.All"),
    ("teams_channel", "ChatMessage.Send"),
    ("teams_chat", "Group.ReadWrite.All"),  # chat-post-messages
}


def test_permissions_belong_to_the_workload() -> None:
    """Each alternative of a call reaches the call's workload, as permissions.csv says."""
    names = catalogue.permission_names()
    strange: Counter[tuple[str, str]] = Counter()
    for sample, answer in answers():
        for kind in ("application", "delegated"):
            for name in answer[f"permissions_{kind}"] or () if sample.workload in AUDITED else ():
                reached = {w for api in names.apis() for w in names.workloads(api, name, kind)}
                strange[sample.workload, name] += sample.workload not in reached
    assert {key for key, count in strange.items() if count} == DOCUMENTED_ELSEWHERE
