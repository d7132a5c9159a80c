"""Owns where the exports of the demo's world lie, their bytes and file times. Must never decide what is in them."""

from __future__ import annotations

import csv
import io
import json
import os
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from m365audit.simulator.audit_records import CSV_COLUMNS, csv_row
from m365audit.simulator.diary import OBSERVED, Diary
from m365audit.simulator.directory_lines import directory_line, sign_in_line
from m365audit.simulator.directory_state import listings
from m365audit.simulator.everyday import audit_records
from m365audit.simulator.graph_lines import graph_lines
from m365audit.simulator.people import Tenant
from m365audit.simulator.served import CONTENT_TYPES

_SETTLED = timedelta(days=2)
Import = tuple[str, str, bool]
"""Kind, path, and whether the export holds the whole fortnight."""
Line = tuple[datetime, dict[str, Any]]


class ExportFolder:
    """The export folder of one tenant: writes files with fixed times and remembers what to import."""

    def __init__(self, root: Path, tenant: Tenant) -> None:
        self._root = root
        self._tenant = tenant
        self._base = f"exports/{tenant.key}"
        self.imports: list[Import] = []
        self.files = 0
        self.bytes = 0

    def _write(self, path: str, content: bytes, when: datetime) -> None:
        target = self._root / self._base / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        os.utime(target, (when.timestamp(), when.timestamp()))
        self.files += 1
        self.bytes += len(content)

    def _import(self, kind: str, path: str, *, is_whole: bool = False) -> None:
        self.imports.append((kind, f"./{self._base}/{path}", is_whole))

    def write(self, diary: Diary) -> None:
        """Write every export of the tenant."""
        self.write_graph_activity(diary)
        self._write_sign_ins(diary)
        changes = sorted(diary.changes, key=lambda c: c.at)
        if changes:
            lines = [(c.at, directory_line(self._tenant, c)) for c in changes]
            self._write_whole("AuditLogs", "directory_audits", lines)
        self._write_audit_records(diary)
        self._write_state(diary)

    def write_graph_activity(self, diary: Diary) -> None:
        """Write the calls to Microsoft Graph: no API has them, whatever else is collected live."""
        lines: list[Line] = []
        for call in sorted(diary.calls, key=lambda c: (c.at, c.request_id)):
            blob = call.at + timedelta(hours=1) if call.late else call.at
            copies = graph_lines(self._tenant, call)
            lines.extend((blob, copy) for copy in copies[:-1])
            lines.append((blob + timedelta(hours=1) if len(copies) > 1 else blob, copies[-1]))
        self._write_hours("MicrosoftGraphActivityLogs", "graph_activity", lines)

    def _write_sign_ins(self, diary: Diary) -> None:
        by_kind: dict[str, list[Line]] = defaultdict(list)
        for sign_in in sorted(diary.sign_ins, key=lambda s: (s.at, s.id)):
            by_kind[sign_in.kind].append((sign_in.at, sign_in_line(self._tenant, sign_in)))
        for kind, lines in sorted(by_kind.items()):
            self._write_whole(kind, "sign_ins", lines)

    def _write_hours(self, category: str, kind: str, lines: Iterable[Line]) -> None:
        """Write one append blob an hour, as a diagnostic setting does."""
        hours: dict[datetime, list[dict[str, Any]]] = defaultdict(list)
        for when, line in lines:
            hours[when.replace(minute=0, second=0, microsecond=0)].append(line)
        folder = f"insights-logs-{category.lower()}"
        for hour, found in hours.items():
            path = f"{folder}/tenantId={self._tenant.id}/y={hour:%Y}/m={hour:%m}/d={hour:%d}/h={hour:%H}/m=00/PT1H.json"
            self._write(path, _json_lines(found), hour + _SETTLED)
        self._import(kind, folder)

    def _write_whole(self, category: str, kind: str, lines: list[Line]) -> None:
        """Write a category as one file of lines, as when somebody put a fortnight of blobs together by hand.

        The configuration vouches for the fortnight. Hourly blobs for every category would be a thousand files more.
        """
        folder = f"insights-logs-{category.lower()}"
        self._write(f"{folder}/{category}-2026-09.json", _json_lines(line for _, line in lines), OBSERVED)
        self._import(kind, folder, is_whole=True)

    def _write_audit_records(self, diary: Diary) -> None:
        records = audit_records(diary)
        if not records:
            return
        if self._tenant.key == "fabrikam":
            self._write("audit-search/AuditLog_2026-09.csv", _csv(records), OBSERVED)
            self._import("audit_records", "audit-search", is_whole=True)
            return
        by_type: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for record in records:
            by_type[CONTENT_TYPES[record["Workload"]]].append(record)
        for content_type, found in by_type.items():
            self._write(f"management-activity/{content_type}.json", _json(found), OBSERVED)
        self._import("audit_records", "management-activity", is_whole=True)

    def _write_state(self, diary: Diary) -> None:
        for feed, listing in listings(self._tenant, diary.held).items():
            self._write(f"directory/{feed}.json", _json(listing), OBSERVED)
            self._import(feed, f"directory/{feed}.json")


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=True).encode() + b"\n"


def _json_lines(lines: Iterable[dict[str, Any]]) -> bytes:
    """Return JSON Lines as an append blob holds them: CRLF after each."""
    return "".join(json.dumps(line, separators=(",", ":")) + "\r\n" for line in lines).encode()


def _csv(records: list[dict[str, Any]]) -> bytes:
    """Return a Purview export: UTF-8 with a byte order mark, every cell quoted."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(CSV_COLUMNS)
    writer.writerows(csv_row(n, len(records), record) for n, record in enumerate(records, start=1))
    return b"\xef\xbb\xbf" + text.getvalue().encode()
