"""The register's timeline and the oracle's reading of the page agree of every record at every moment that matters."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from verdicts import oracle
from verdicts.world import Entry, Process, Record

from m365audit.config import iso
from m365audit.register import ConsentRecord, timeline
from m365audit.register.document import RecordDocument

from .worlds import MICROSECOND, build_record

_ALWAYS_BEFORE = datetime(1, 1, 1, tzinfo=UTC)
_PLAIN = str.maketrans({"Z": "z", "é": "e"})


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**48).map(Random))
def test_timeline_and_oracle_agree(rnd: Random) -> None:
    record = build_record(rnd, "r")
    product = _product_record(record)
    edges = {e.effective_from for e in record.history}
    edges |= {e.effective_from + record.stop_within for e in record.history}
    edges |= {e.effective_until for e in record.history if e.effective_until}
    moments = {_ALWAYS_BEFORE, *edges, *(e - MICROSECOND for e in edges), *(e + MICROSECOND for e in edges)}
    for process in {p.id for e in record.history for p in e.processes}:
        segments = timeline(product, process.translate(_PLAIN))
        for t in moments:
            (found,) = (
                (s.version, s.period_reason)
                for s in segments
                if (s.valid_from is None or s.valid_from <= t) and (s.valid_to is None or t < s.valid_to)
            )
            assert found == oracle.period(record, process, t), (process, t)


def _product_record(record: Record) -> ConsentRecord:
    document = RecordDocument.model_validate(
        {
            "schema": "m365audit.consent/1",
            "record": "r",
            "tenant": record.tenant,
            "integration": {"kind": "crm", "name": "x", "app_ids": [a.lower() for a in record.app_ids]},
            "stop_within": f"PT{record.stop_within.total_seconds():.6f}S",
            "history": [_entry(e) for e in record.history],
        }
    )
    return ConsentRecord.model_construct(**dict(document), file="r.yaml", entry_hashes=())


def _entry(entry: Entry) -> dict[str, Any]:
    written: dict[str, Any] = {
        "event": entry.event,
        "recorded_at": "2026-01-01T00:00:00Z",
        "effective_from": iso(entry.effective_from),
        "evidence": [{"kind": "document", "ref": "x"}],
    }
    if entry.effective_until is not None:
        written |= {"effective_until": iso(entry.effective_until), "processes": [_process(p) for p in entry.processes]}
    elif entry.named:
        written["processes"] = [name.translate(_PLAIN) for name in entry.named]
    return written


def _process(process: Process) -> dict[str, Any]:
    return {
        "id": process.id.translate(_PLAIN),
        "purpose": "x",
        "legal_basis": "contract",
        "workload": "mail",
        "permissions": [{"name": "Mail.Read", "kind": "application"}],
        "operations": ["read"],
        "resources": "all",
    }
