"""Owns the open published database: two readers at once, opened anew when it was replaced. Never writes, never waits.

What was published is a file that is replaced as a whole. DuckDB keeps one instance per path, with one configuration; so
each reader opens the file by a name of its own, a hard link that is gone again as soon as the file is open. Nobody who
publishes is held up, a reader goes on with the file it has, and the next question is asked of the new one.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeVar, cast

from m365audit.config import Settings
from m365audit.pipeline import controlling
from m365audit.pipeline.controlling import ControlsWanted, Today, TodaysReader
from m365audit.report.hiding import hidden
from m365audit.report.people import People
from m365audit.report.rows import Reader
from m365audit.store.database import make_private
from m365audit.store.journal import open_journal
from m365audit.store.person_key import person_key
from m365audit.store.published import PublishedReader
from m365audit.store.published_file import PUBLISHED_NAME, file_stamp, published_path

READERS: Final = 2
LONGEST_SECONDS: Final = 20.0
"""How long the queries of one page may take."""
FRESH_SECONDS: Final = 30.0
"""How long today's clocks and expiries, laid over the published tables, count as today's."""
_LOOK_EVERY: Final = 2.0

_Value = TypeVar("_Value")
Stamp = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """One open reader.

    Attributes:
        reader: gives rows in which persons are tokens.
        bare: gives rows as they are; for what shows one identity with a reason.
        people: makes the tokens.
        today: makes today's controls, when a question reads them.
        stack: closes it all.
        stamp: file and head of the journal that it was opened on.
        opened_at: when, by the clock that only rises.
    """

    reader: Reader
    bare: PublishedReader
    people: People
    today: Today
    stack: ExitStack
    stamp: Stamp
    opened_at: float


class Published:
    """The published database, as of now.

    Args:
        settings: the configuration.
        now: the clock that expiries are held against.
        pool: threads for everything that touches a file.
    """

    def __init__(self, settings: Settings, now: Callable[[], datetime], pool: ThreadPoolExecutor) -> None:
        self._settings = settings
        self._now = now
        self._pool = pool
        self._idle: list[Reading] = []
        self._turns = asyncio.Semaphore(READERS)
        self._is_over = False
        self._kept: tuple[Stamp, datetime, object] | None = None
        self._keeping = asyncio.Lock()

    async def ask(self, question: Callable[[Reading], _Value]) -> _Value:
        """Run ``question`` with a reader in a thread and return its answer.

        Raises:
            StoreError: nothing is published, or it cannot be opened.
            QueryError: it failed, or took too long.
        """
        async with self._turns:
            return await self._in_thread(lambda: self._answer(question))

    async def ask_once(self, question: Callable[[Reading], _Value]) -> _Value:
        """Return the answer to the one question that is kept: the same one while file, journal and minute are.

        Raises:
            StoreError, QueryError: as in ``ask``.
        """
        async with self._keeping:
            minute = self._now().replace(second=0, microsecond=0)
            stamp = await self._in_thread(self._stamp)
            if self._kept is None or self._kept[:2] != (stamp, minute):
                self._kept = None
                found, answer = await self.ask(lambda reading: (reading.stamp, question(reading)))
                self._kept = found, minute, answer
            return cast("_Value", self._kept[2])

    async def watch(self) -> None:
        """Let go of a file as soon as it was replaced: what was erased from it must not live on in our hands."""
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            kept = self._kept
            if kept is not None and kept[0][0] != self._file():
                self._kept = None
            if self._has_old():
                await self._in_thread(lambda: self._close(self._is_old))

    async def close(self) -> None:
        """Close every reader; a busy one closes when it is done."""
        self._is_over = True
        await self._in_thread(lambda: self._close(lambda _: True))

    def _answer(self, question: Callable[[Reading], _Value]) -> _Value:
        reading = self._taken()
        try:
            return self._asked(reading, question)
        except ControlsWanted:
            reading.today.make_controls()  # outside of the page's own limit: a half of them would be kept
            return self._asked(reading, question)
        finally:
            self._idle.append(reading)
            if self._is_over:
                self._close(lambda _: True)

    @staticmethod
    def _asked(reading: Reading, question: Callable[[Reading], _Value]) -> _Value:
        with reading.bare.database.limited(LONGEST_SECONDS):
            return question(reading)

    def _taken(self) -> Reading:
        stamp = self._stamp()
        while self._idle:
            with suppress(IndexError):
                reading = self._idle.pop()
                if reading.stamp == stamp and time.monotonic() - reading.opened_at < FRESH_SECONDS:
                    return reading
                reading.stack.close()
        return self._opened(stamp)

    def _opened(self, stamp: Stamp) -> Reading:
        source = published_path(self._settings.publish)
        with ExitStack() as stack:
            parent = make_private(self._settings.state)
            folder = Path(stack.enter_context(TemporaryDirectory(dir=parent, prefix=".reading-")))
            own = folder / PUBLISHED_NAME
            try:
                os.link(source, own)
            except OSError:  # another file system, or one without links
                shutil.copyfile(source, own)
            settings = self._settings.model_copy(update={"publish": folder})
            today = stack.enter_context(controlling.open_today_lazily(settings, self._now()))
            with suppress(OSError):  # Windows: goes with the folder
                own.unlink()
            people = People(person_key(self._settings.state))
            bare = TodaysReader(today.database, today)
            return Reading(hidden(bare, people), bare, people, today, stack.pop_all(), stamp, time.monotonic())

    def _is_old(self, reading: Reading) -> bool:
        return reading.stamp[0] != self._file()

    def _has_old(self) -> bool:
        return any(map(self._is_old, list(self._idle)))

    def _close(self, is_over: Callable[[Reading], bool]) -> None:
        kept = []
        while self._idle:
            with suppress(IndexError):
                reading = self._idle.pop()
                if is_over(reading):
                    reading.stack.close()
                else:
                    kept.append(reading)
        self._idle.extend(kept)

    def _file(self) -> Stamp | None:
        return file_stamp(self._settings.publish)

    def _stamp(self) -> Stamp:
        return self._file(), self._head()

    def _head(self) -> object:
        with open_journal(self._settings.state) as journal:
            return journal.head()

    async def _in_thread(self, work: Callable[[], _Value]) -> _Value:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)
