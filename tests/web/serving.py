"""The review page, served in a thread of its own, for tests that ask it as a browser would."""

from __future__ import annotations

import asyncio
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import duckdb
import httpx
from aiohttp import web
from report.world import build_world

from m365audit.config import Settings
from m365audit.store.journal import Actor
from m365audit.web import desk_of, guards
from m365audit.web.application import application
from m365audit.web.desk import Desk
from m365audit.web.place import Place

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ANNA = Actor("os:anna", "anna", "Anna", ("analyst",), "os")
DPO = Actor("os:dirk", "dirk", "Dirk", ("dpo",), "os")
OWNER = Actor("os:olga", "olga", "Olga", ("risk_owner",), "os")
STRANGER = Actor("os:someone", "os:someone", "someone", (), "os")
PEOPLE = [
    {"person": each.person, "name": each.name, "roles": list(each.roles), "ids": [each.id, *more]}
    for each, more in ((ANNA, ["os:anna2"]), (DPO, []), (OWNER, []))
]
REASON = "Looked at together with the integration's owner."


def settings_in(folder: Path, **more: Any) -> Settings:
    """Return a configuration whose folders are in ``folder``."""
    given = {"state": "state", "publish": "publish", "policy": "policy.yaml", "review": {"people": PEOPLE}} | more
    return Settings.model_validate(given, context={"base": folder})


@cache
def _world() -> Path:
    """Return the small world as a file; nobody has decided on anything in it."""
    path = Path(mkdtemp(prefix="m365audit-world-")) / "world.duckdb"
    world = build_world()
    for table in ("finding_reviews", "review_events", "breach_cases", "subject_requests", "attestations"):
        world.execute(f"DROP TABLE IF EXISTS {table}")
    ((name,),) = world.execute("SELECT current_database()").fetchall()
    world.execute(f"ATTACH '{path}' AS fresh")
    world.execute(f"COPY FROM DATABASE {name} TO fresh")
    world.close()
    return path


def publish(settings: Settings, change: str = "") -> None:
    """Publish the small world, changed by statements, as a run does: a whole file takes the place of another."""
    settings.publish.mkdir(parents=True, exist_ok=True)
    settings.state.mkdir(parents=True, exist_ok=True)
    fresh = settings.publish / "fresh.duckdb"
    shutil.copyfile(_world(), fresh)
    if change:
        with duckdb.connect(str(fresh)) as connection:
            connection.execute(change)
    fresh.replace(settings.publish / "m365audit.duckdb")


@dataclass(slots=True)
class Clock:
    """The time that the page believes it is."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        """Return it."""
        return self.at


@dataclass(slots=True)
class Served:
    """A page that is served."""

    desk: Desk
    clock: Clock
    port: int
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def origin(self) -> str:
        """Where it is."""
        return self.desk.place.origin

    def link(self) -> str:
        """Return a new one-time link."""
        return f"{self.origin}/enter?t={self.desk.sessions.new_link()}"

    def cookie(self, actor: Actor | None) -> str:
        """Return the cookie of a new session of somebody."""
        return self.desk.sessions.open(actor)

    def browser(self, actor: Actor | None = None) -> Browser:
        """Return somebody's browser that has come in; without an actor one that has not."""
        client = httpx.Client(base_url=self.origin, trust_env=False, timeout=60)
        self.clients.append(client)
        if actor is not None:
            client.cookies.set(self.desk.place.cookie, self.cookie(actor))
        return Browser(self, client)


@dataclass(slots=True)
class Browser:
    """What a person does with the page, without script."""

    served: Served
    client: httpx.Client

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Read a page."""
        return self.client.get(path, headers=headers)

    def post(self, action: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        """Send fields as they are, with the headers that a browser sends from our own page."""
        sent = {"Origin": "null", "Sec-Fetch-Site": "same-origin"} | {
            k.replace("_", "-"): v for k, v in headers.items()
        }
        return self.client.post(action, data=fields, headers={k: v for k, v in sent.items() if v})

    def send(self, path: str, action: str, **fields: str) -> httpx.Response:
        """Fill in the form of a page that leads to ``action``, and send it."""
        return self.post(action, {**hidden_fields(self.get(path).text, action), **fields})


def hidden_fields(page: str, action: str) -> dict[str, str]:
    """Return the hidden fields of a page's form."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', page, re.DOTALL)
    assert form is not None, f"no form leads to {action}"
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form.group())
    return dict(found)


@contextmanager
def serving(settings: Settings, *, here: Actor = ANNA, place: Callable[[int], Place] | None = None) -> Iterator[Served]:
    """Serve a configuration's page on a free port of loopback until the block ends."""
    clock, started, box = Clock(), threading.Event(), {}
    stop: list[Callable[[], object]] = []

    async def main() -> None:
        done = asyncio.Event()
        loop = asyncio.get_running_loop()
        stop.append(lambda: loop.call_soon_threadsafe(done.set))
        try:
            listening = await _listening()
            port = listening.sockets[0].getsockname()[1]
            listening.close()
            at = place(port) if place else Place(f"http://127.0.0.1:{port}", is_secure=False, is_loopback=True)
            desk = desk_of(settings, at, here=here, now=clock)
            runner = web.AppRunner(
                application(desk), access_log=None, shutdown_timeout=0.2, max_line_size=guards.LONGEST_LINE,
                max_field_size=guards.LONGEST_FIELD, max_headers=guards.MOST_HEADERS,
            )  # fmt: skip
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", port).start()
            box["served"] = Served(desk, clock, port)
            started.set()
            await done.wait()
            await runner.cleanup()
            desk.pool.shutdown()
        finally:
            started.set()

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    started.wait(20)
    served: Served = box["served"]
    try:
        yield served
    finally:
        for client in served.clients:
            client.close()
        stop[0]()
        thread.join(20)


async def _listening() -> asyncio.Server:
    return await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
