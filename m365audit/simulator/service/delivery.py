"""Owns the wire: reads requests with aiohttp, hands them on, sends what comes back. Must never decide an answer."""

from __future__ import annotations

import gzip
from email.utils import format_datetime
from urllib.parse import unquote

from aiohttp import web

from m365audit.simulator.service.answering import answered, tenant_named
from m365audit.simulator.service.calls import Answer, Call, Service
from m365audit.simulator.service.request_log import Logged, without_secrets
from m365audit.simulator.service.simulation import Simulation
from m365audit.simulator.service.wire_faults import MAKERS, Whole, huge_pieces, send


def service_of(path: str) -> Service:
    """Return whose path it is, where one address serves all."""
    if path.startswith(("/v1.0/", "/beta/")):
        return "graph"
    return "manage" if path.startswith("/api/v1.0/") else "login"


class Delivery:
    """Answers every request of one listening address.

    Args:
        simulation: what answers.
        service: the one service at this address; None: all of them.
    """

    def __init__(self, simulation: Simulation, service: Service | None) -> None:
        self._simulation = simulation
        self._service = service

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Read a request, have it answered, send the answer."""
        call = await self._read(request)
        logged = _logged(call, request)
        self._simulation.log.note(logged)
        answer, met = answered(self._simulation, call)
        _complete(logged, call, answer)
        logged.tenant = logged.tenant or tenant_named(self._simulation, call)
        whole = Whole(answer.status, self._headers(call, answer), answer.payload())
        if self._simulation.is_compressing and not met and "gzip" in call.headers.get("accept-encoding", ""):
            whole = _compressed(whole)
        logged.sent = len(whole.body)
        for fault in met:
            if fault.kind == "huge_page":
                return await _send_huge(request, whole, int(fault.detail.get("bytes", 1 << 30)))
            if fault.kind in MAKERS:
                raw = MAKERS[fault.kind](whole, fault)
                logged.status = 0 if not any(raw.pieces) else logged.status
                if request.transport is not None:
                    await send(request.transport, raw)
                break
        return web.Response(status=whole.status, body=whole.body, headers=whole.headers)

    async def _read(self, request: web.BaseRequest) -> Call:
        raw_path, _, raw_query = request.raw_path.partition("?")
        service = self._service or service_of(raw_path)
        return Call(
            service=service,
            method=request.method.upper(),
            path=unquote(raw_path),
            raw_query=raw_query,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.read(),
            origin=self._simulation.origins[service],
            at=self._simulation.now(),
        )

    def _headers(self, call: Call, answer: Answer) -> dict[str, str]:
        named = {"Date": format_datetime(self._simulation.now(), usegmt=True), "Server": "simulated"}
        if "client-request-id" in call.headers:
            named["client-request-id"] = call.headers["client-request-id"]
        return named | answer.headers


def _compressed(whole: Whole) -> Whole:
    return Whole(whole.status, whole.headers | {"Content-Encoding": "gzip"}, gzip.compress(whole.body, 1))


async def _send_huge(request: web.BaseRequest, whole: Whole, size: int) -> web.StreamResponse:
    """Send a page that holds ``size`` bytes of text, without ever having them all."""
    length, pieces = huge_pieces(whole.body, size)
    response = web.StreamResponse(status=whole.status, headers=whole.headers | {"Content-Length": str(length)})
    try:
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
        await response.write_eof()
    except ConnectionError:  # the other side has read enough
        response.force_close()
    return response


def _logged(call: Call, request: web.BaseRequest) -> Logged:
    peer = request.transport.get_extra_info("peername") if request.transport else None
    return Logged(
        at=call.at,
        service=call.service,
        method=call.method,
        path=call.path,
        query=call.raw_query,
        had_token="authorization" in call.headers,
        body=without_secrets(call.body, call.headers.get("content-type", "")),
        peer=peer[1] if peer else 0,
    )


def _complete(logged: Logged, call: Call, answer: Answer) -> None:
    logged.status = answer.status
    logged.tenant = call.tenant.id if call.tenant else ""
    logged.client = call.bearer.client if call.bearer else call.form().get("client_id", "")
    logged.faults = tuple(call.faults)
