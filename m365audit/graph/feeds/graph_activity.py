"""Microsoft Graph activity logs, from the storage account that a diagnostic setting writes them to.

* Permission: the Azure role Storage Blob Data Reader on the container; owners list files, but may not read them.
* Licence: Entra ID P1 or P2, for the diagnostic setting; without one there is no log at all, and never was.
* Files: ``tenantId=<guid>/y=…/m=…/d=…/h=…/m=00/PT1H.json`` (Microsoft's pages say ``resourceId=…``: both are read), one
  JSON object a line. They are append blobs, and grow after their hour, by one line or by half: what was read is
  remembered in bytes, and every file of the window is looked at again.
* Key: ``requestId``; lines come at least once. Limits: those of the storage account, far away.
* An hour without a file cannot be told from an hour without a setting: it stays a gap.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from m365audit.graph.blobs import LARGEST_RANGE, Blob, Container
from m365audit.graph.failures import CollectionError, SignInError
from m365audit.graph.feeds.collection import PREMIUM, Client, Collection, Permission
from m365audit.graph.values import Ended, Page, Task, Window

LONGEST_LINE: Final = 64 << 20
"""Bytes; a longer line is no record."""

_HOUR: Final = timedelta(hours=1)
_STILL: Final = timedelta(hours=48)
"""So long after an hour's begin nothing is added any more: a last line without an end is taken as it is."""

_PATH: Final = re.compile(r"y=(\d{4})/m=(\d{2})/d=(\d{2})/h=(\d{2})/m=\d{2}/[^/]+\.json$", re.IGNORECASE)
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_NO_FILE: Final = (
    "the storage account has no file of this time: no call was made, the diagnostic setting was off, or the file is "
    "still to come"
)


async def pull(client: Client, task: Task) -> AsyncIterator[Page | Ended]:
    """Read what is new in the files of a window, hour by hour."""
    settings, window = client.storage, task.window
    if settings is None or window is None:
        todo = "name it under `storage:` of the tenant"
        raise CollectionError("disabled", "no storage account with Graph activity logs is configured", hint=todo)
    began_at = client.now()
    async with Container(settings, lambda: _token(client), ca_file=client.cloud.ca_file) as container:
        hours = await files_of(container, client.tenant, window)
        cursors = dict(task.cursors)
        for hour in sorted(hours):
            reading = _Hour(container, task, hour, cursors, began_at)
            part = Window(max(hour, window.begin), min(hour + _HOUR, window.end))
            try:
                for blob in hours[hour]:
                    async for page in reading.pages(blob):
                        yield page
            except CollectionError as error:
                if error.reason == "permission":
                    raise
                yield Ended(task, part, error.reason, str(error), began_at, reading.requests, reading.restarts)
            else:
                yield Ended(task, part, None, "", began_at, reading.requests, reading.restarts)
        for part in _without(window, hours):
            yield Ended(task, part, "disabled", _NO_FILE, began_at)


async def _token(client: Client) -> str:
    """Return a token for storage; where there is none the rest of the tenant may be read all the same."""
    try:
        return await client.storage_token()
    except SignInError as error:
        raise CollectionError(error.reason, error.message, hint=error.hint, code=error.code) from None


class _Hour:
    """The reading of one hour's files."""

    def __init__(
        self, container: Container, task: Task, hour: datetime, cursors: Mapping[str, int], now: datetime
    ) -> None:
        self._container = container
        self._task = task
        self._hour = hour
        self._cursors = cursors
        self._is_over = now - hour > _STILL
        self._requests_before = container.requests
        self.restarts = 0

    @property
    def requests(self) -> int:
        """Requests made for this hour."""
        return self._container.requests - self._requests_before

    async def pages(self, blob: Blob) -> AsyncIterator[Page]:
        """Yield the whole lines after what was read before; what comes after the last line feed waits for its end."""
        # Made anew under the same name it is another file, with another beginning.
        key = f"{self._container.name}/{blob.name}@{blob.created_at:%Y%m%dT%H%M%SZ}"
        position = at = await self._begin(blob, self._cursors.get(key, 0))
        rest = b""
        while at < blob.size:
            data = await self._container.read(blob.name, at, min(LARGEST_RANGE, blob.size - at))
            if not data:
                raise CollectionError("error", f"{blob.name} shrank while it was read; the next run reads it again")
            at += len(data)
            block = rest + data
            end = block.rfind(b"\n") + 1
            rest = block[end:]
            if len(rest) > LONGEST_LINE:
                raise CollectionError("error", f"a line of {blob.name} is longer than {LONGEST_LINE >> 20} MiB")
            records = tuple(_lines(block[:end], is_first=position == 0))
            position += end
            if records:
                yield self._page(blob, records, (key, position))
        if rest.strip() and self._is_over:
            yield self._page(blob, (rest.strip(),), (key, blob.size))

    def _page(self, blob: Blob, records: Sequence[bytes], cursor: tuple[str, int]) -> Page:
        return Page(
            self._task,
            records,
            enveloped=True,
            source=f"{self._container.name}/{blob.name}",
            covered_hour=self._hour,
            next_cursor=cursor,
        )

    async def _begin(self, blob: Blob, cursor: int) -> int:
        """Return where to go on: at the cursor, or at the beginning if the file is no longer the one that was read."""
        if cursor in {0, blob.size}:
            return cursor
        if cursor < blob.size and await self._container.read(blob.name, cursor - 1, 1) == b"\n":
            return cursor
        self.restarts += 1
        return 0


def _lines(block: bytes, *, is_first: bool) -> Iterator[bytes]:
    """Yield the lines of a block that ends with a line feed, without their ends and without empty ones."""
    for line in block.removeprefix(_BYTE_ORDER_MARK if is_first else b"").split(b"\n"):
        record = line.strip()
        if record:
            yield record


async def files_of(container: Container, tenant: str, window: Window) -> dict[datetime, list[Blob]]:
    """Return the files of a window by the hour that their path names.

    Raises:
        CollectionError: the container cannot be listed, or has nothing of this tenant.
    """
    roots = [root async for root in _roots(container, tenant, "", _LEVELS)]
    if not roots:
        what = f"the container {container.name} has no folder of this tenant: its diagnostic setting writes elsewhere"
        raise CollectionError("disabled", what, hint="name the account that the setting sends to")
    found: dict[datetime, list[Blob]] = {}
    for root in roots:
        for day in _days(window):
            async for blob in container.blobs(f"{root}y={day:%Y}/m={day:%m}/d={day:%d}/"):
                hour = _hour_of(blob.name)
                if hour is not None and hour < window.end and hour + _HOUR > window.begin:
                    found.setdefault(hour, []).append(blob)
    return found


_LEVELS: Final = 6
"""Folders above the year, at most: ``resourceId=/tenants/<guid>/providers/Microsoft.aadiam/``."""


async def _roots(container: Container, tenant: str, prefix: str, levels: int) -> AsyncIterator[str]:
    """Yield the folders that hold a tenant's years; other tenants may write to the same account."""
    ours = {f"tenantid={tenant}", "resourceid=", "", "tenants", tenant, "providers", "microsoft.aadiam"}
    folders = await container.folders(prefix)
    if tenant in prefix.lower() and any(folder.lower().startswith("y=", len(prefix)) for folder in folders):
        yield prefix
    for folder in folders if levels else ():
        if folder[len(prefix) : -1].lower() in ours:
            async for root in _roots(container, tenant, folder, levels - 1):
                yield root


def _days(window: Window) -> Iterator[datetime]:
    day = window.begin.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    while day < window.end:
        yield day
        day += timedelta(days=1)


def _hour_of(name: str) -> datetime | None:
    found = _PATH.search(name)
    try:
        return datetime(*(int(part) for part in found.groups()), tzinfo=UTC) if found else None  # type: ignore[misc, arg-type]
    except ValueError:
        return None


def _without(window: Window, hours: Iterable[datetime]) -> Iterator[Window]:
    """Yield the parts of a window that none of the hours touches."""
    begin = window.begin
    for hour in sorted(hours):
        if hour > begin:
            yield Window(begin, hour)
        begin = hour + _HOUR
    if begin < window.end:
        yield Window(begin, window.end)


COLLECTION: Final = Collection(
    name="graph_activity",
    feeds=("graph_activity",),
    kind="graph_activity",
    permissions=(Permission("storage", "Storage Blob Data Reader", "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"),),
    licence=PREMIUM,
    window=timedelta(days=1),
    reach=timedelta(days=730),
    first_reach=timedelta(days=30),
    key="properties.requestId",
    limits="those of the storage account: 20,000 requests a second "
    "(learn.microsoft.com/azure/storage/common/scalability-targets-standard-account)",
    unassessable="every single read through Microsoft Graph: calendars and chats show in no other log",
    pull=pull,
)
