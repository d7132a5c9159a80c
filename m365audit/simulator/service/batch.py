"""Owns ``$batch``: at most twenty requests, each answered by itself, out of order. Must never let a write through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from m365audit.simulator.service.calls import GRAPH_JSON, Answer, Call, RefusedError, graph_error, json_answer

_MOST: Final = 20


def serve(call: Call, answer_one: Callable[[Call], Answer]) -> Answer:
    """Answer a batch; the replies come in another order than the requests.

    Raises:
        RefusedError: it is malformed or too long.
    """
    body = call.json()
    requests = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(requests, list) or not requests or not all(isinstance(r, dict) for r in requests):
        raise RefusedError(graph_error(400, "BadRequest", "Invalid batch payload format."))
    if len(requests) > _MOST:
        said = f"Number of batch request steps exceeds the maximum value of {_MOST}."
        raise RefusedError(graph_error(400, "BadRequest", said))
    ids = [str(request.get("id", "")) for request in requests]
    if "" in ids or len(set(ids)) != len(ids):
        raise RefusedError(graph_error(400, "BadRequest", "Every request in a batch needs an id of its own."))
    replies = [_reply(call, request, answer_one) for request in requests]
    return json_answer({"responses": replies[1::2] + replies[::2]}, content_type=GRAPH_JSON)


def _reply(call: Call, request: dict[str, Any], answer_one: Callable[[Call], Answer]) -> dict[str, Any]:
    answer = answer_one(_inner(call, request))
    payload = answer.payload()
    try:
        body = msgspec.json.decode(payload) if payload else None
    except msgspec.DecodeError:
        body = payload.decode("utf-8", "replace")
    return {"id": str(request["id"]), "status": answer.status, "headers": answer.headers, "body": body}


def _inner(call: Call, request: dict[str, Any]) -> Call:
    version = call.path.split("/")[1]
    path, _, query = str(request.get("url", "")).partition("?")
    named = request.get("headers")
    headers = {str(name).lower(): str(value) for name, value in named.items()} if isinstance(named, dict) else {}
    token = {"authorization": call.headers["authorization"]} if "authorization" in call.headers else {}
    return Call(
        service="graph",
        method=str(request.get("method", "GET")).upper(),
        path=f"/{version}/{path.lstrip('/')}",
        raw_query=query,
        headers=headers | token,
        body=b"",
        origin=call.origin,
        at=call.at,
        is_inner=True,
    )
