"""Owns a simulator's life: thread, event loop, addresses, certificates. Must never outlive its block."""

from __future__ import annotations

import asyncio
import ssl
import tempfile
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from aiohttp import web

from m365audit.simulator.served import ServedWorld
from m365audit.simulator.service.calls import Service
from m365audit.simulator.service.clock import SimulatedClock
from m365audit.simulator.service.delivery import Delivery
from m365audit.simulator.service.elsewhere import Elsewhere
from m365audit.simulator.service.faults import Fault, FaultPlan
from m365audit.simulator.service.request_log import UNANSWERED, RequestLog
from m365audit.simulator.service.simulation import Simulation
from m365audit.simulator.service.tls import Authority, Flaw, server_context

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
SERVICES: Final[tuple[Service, ...]] = ("login", "graph", "manage")
_PATIENCE: Final = 10.0


class BrokenError(Exception):
    """The simulator could not answer: a mistake of its own, never a planned fault."""

    def __init__(self, requests: list[str]) -> None:
        super().__init__(f"the simulator broke over {len(requests)} requests: {'; '.join(requests[:3])}")


@dataclass(slots=True)
class Simulator:
    """A running simulator, as its user sees it. Everything may be used from any thread.

    Attributes:
        simulation: its state.
        ca_file: PEM file of the authority that vouches for it.
        elsewhere: another server, which should never be asked.
    """

    simulation: Simulation
    ca_file: Path
    elsewhere: Elsewhere

    @property
    def world(self) -> ServedWorld:
        """What it serves; put records in, or take them out, while it runs."""
        return self.simulation.world

    @property
    def origin(self) -> str:
        """Address of Graph, and of everything where one address serves all."""
        return self.simulation.origins["graph"]

    @property
    def login(self) -> str:
        """Address of login."""
        return self.simulation.origins["login"]

    @property
    def graph(self) -> str:
        """Address of Graph."""
        return self.simulation.origins["graph"]

    @property
    def manage(self) -> str:
        """Address of the Management Activity API."""
        return self.simulation.origins["manage"]

    @property
    def machine_origin(self) -> str:
        """Plain http address of the machine's metadata service (``AZURE_POD_IDENTITY_AUTHORITY_HOST``)."""
        return self.simulation.machine_origin

    @property
    def faults(self) -> FaultPlan:
        """What goes wrong; add to it while it runs."""
        return self.simulation.faults

    @property
    def log(self) -> RequestLog:
        """Every request so far."""
        return self.simulation.log

    def cloud(self) -> dict[str, str]:
        """Return the addresses as a configuration's ``cloud`` names them."""
        return {"login": self.login, "graph": self.graph, "manage": self.manage, "ca_file": str(self.ca_file)}

    def now(self) -> datetime:
        """Return simulated time."""
        return self.simulation.now()

    def counts(self) -> Counter[tuple[str, str, int]]:
        """Return how many requests there were, by method, path and status."""
        return Counter((request.method, request.path, request.status) for request in self.log)

    def advance(self, by: timedelta) -> None:
        """Move simulated time forward."""
        self.simulation.clock.advance(by)


@contextmanager
def running(
    world: ServedWorld,
    faults: FaultPlan | Iterable[Fault] = (),
    *,
    clock: SimulatedClock | None = None,
    separate_ports: bool = False,
    certificate: Flaw | None = None,
    with_limits: bool = False,
    is_compressing: bool = False,
    folder: Path | None = None,
) -> Iterator[Simulator]:
    """Serve a world on loopback over TLS until the block ends.

    Args:
        world: what is served.
        faults: what goes wrong.
        clock: simulated time; None: it starts at ``world.now`` and runs with the host's.
        separate_ports: an address each for login, Graph and the Management Activity API, as in life.
        certificate: a flaw of the server's certificate.
        with_limits: Microsoft's limits refuse what is too much, in simulated time.
        is_compressing: answers are compressed, as Microsoft's are, for whoever takes gzip.
        folder: where ``ca.pem`` is put; None: a temporary folder.

    Yields:
        The simulator.

    Raises:
        BrokenError: at the end of the block, when a request broke the simulator itself: no fault was planned there.
    """
    with tempfile.TemporaryDirectory(prefix="m365audit-simulator-") as temporary:
        place = folder or Path(temporary)
        authority = Authority()
        (place / "ca.pem").write_bytes(authority.pem)
        context = server_context(authority.server(certificate), Path(temporary))
        plan = faults if isinstance(faults, FaultPlan) else FaultPlan(faults)
        simulation = Simulation(world, clock or SimulatedClock(world.now), {}, faults=plan)
        simulation.limits.is_enforced = with_limits
        simulation.is_compressing = is_compressing
        elsewhere = Elsewhere()
        with _Thread(simulation, elsewhere, context, separate_ports=separate_ports):
            yield Simulator(simulation, place / "ca.pem", elsewhere)
        broken = [str(request) for request in simulation.log if request.status == UNANSWERED]
        if broken:
            raise BrokenError(broken)


class _Thread:
    """The thread that an event loop runs in, with the listening addresses."""

    def __init__(
        self, simulation: Simulation, elsewhere: Elsewhere, context: ssl.SSLContext, *, separate_ports: bool
    ) -> None:
        self._simulation = simulation
        self._elsewhere = elsewhere
        self._context = context
        self._separate = separate_ports
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="m365audit-simulator", daemon=True)
        self._runners: list[web.ServerRunner] = []

    def __enter__(self) -> None:
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(_PATIENCE)
        except BaseException:
            self._end()
            raise

    def __exit__(self, *_: object) -> None:
        self._end()

    async def _listen(self) -> None:
        if not self._separate:
            origin = await self._service(None)
            self._simulation.origins.update(dict.fromkeys(SERVICES, origin))
        else:
            for service in SERVICES:
                self._simulation.origins[service] = await self._service(service)

        self._elsewhere.origin = f"https://{await self._site(self._elsewhere.secure, self._context)}"
        self._elsewhere.plain_origin = f"http://{await self._site(self._elsewhere.plain, None)}"
        self._simulation.elsewhere = self._elsewhere.origin
        machine = Delivery(self._simulation, "login").handle
        self._simulation.machine_origin = f"http://{await self._site(machine, None)}"

    async def _service(self, service: Service | None) -> str:
        return f"https://{await self._site(Delivery(self._simulation, service).handle, self._context)}"

    async def _site(self, handler: Handler, context: ssl.SSLContext | None) -> str:
        """Listen on a free port of loopback and return host and port."""
        runner = web.ServerRunner(web.Server(handler, access_log=None), shutdown_timeout=0.1)
        self._runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        return f"127.0.0.1:{runner.addresses[0][1]}"

    async def _close(self) -> None:
        for runner in self._runners:
            _tear_down(runner)
            await runner.cleanup()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.01)  # sockets close in callbacks of their own

    def _end(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(_PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)
        self._loop.close()


def _tear_down(runner: web.ServerRunner) -> None:
    """Abort every open connection: an orderly end of TLS would wait for the other side."""
    for connection in runner.server.connections if runner.server else []:
        if connection.transport is not None:
            connection.transport.abort()
