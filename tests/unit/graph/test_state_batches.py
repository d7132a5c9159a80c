"""Batches of questions: answers in any order, some refused, some long; none of them lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from m365audit.graph.answers import Answer
from m365audit.graph.failures import CollectionError, NotFoundError, StaleLinkError
from m365audit.graph.feeds.batching import SIZE, listings
from m365audit.graph.feeds.listing import ANY_SIZE, pages, side_by_side, whole
from m365audit.graph.values import Task

from .scripted_client import NOW, TENANT, ScriptedClient, body

TASK = Task(1, TENANT, "things")
ROOT = "https://graph.microsoft.com/v1.0"


@dataclass
class Batching(ScriptedClient):
    """Answers batches too: ``inner`` says with which status and body, for each address in one."""

    inner: Callable[[str], tuple[int, Any]] = lambda _: (200, {"value": []})
    batches: list[int] = field(default_factory=list)
    is_deaf: bool = False

    async def post(self, url_or_info: Any, *, body: bytes = b"", **_: Any) -> Answer:
        """Answer a batch, last question first."""
        assert url_or_info == f"{ROOT}/$batch"
        asked = json.loads(body)["requests"]
        assert {each["method"] for each in asked} == {"GET"}
        self.batches.append(len(asked))
        answers = [{"id": each["id"], "status": s, "body": b} for each in asked for s, b in [self.inner(each["url"])]]
        told = b"not a batch" if self.is_deaf else json.dumps({"responses": answers[::-1]}).encode()
        return Answer(200, {}, told, NOW)


def taken(client: Batching, paths: Sequence[str]) -> dict[str, list[bytes] | None]:
    async def take() -> dict[str, list[bytes] | None]:
        return {path: found async for path, found in listings(client, TASK, paths)}

    return asyncio.run(take())


def named(path: str) -> bytes:
    return json.dumps({"id": path}).encode()


def test_each_question_gets_its_own_answer() -> None:
    client = Batching(lambda _: body([]), inner=lambda path: (200, {"value": [{"id": path}]}))
    paths = [f"/things/{number}" for number in range(45)]
    assert taken(client, paths) == {path: [named(path)] for path in paths}
    assert client.batches == [SIZE, SIZE, 5]
    assert not client.asked


@pytest.mark.parametrize("status", [429, 500, 503, 401])
def test_what_is_refused_in_a_batch_is_asked_alone(status: int) -> None:
    client = Batching(lambda url: body([{"id": url}]), inner=lambda _: (status, {"error": {"code": "x"}}))
    assert taken(client, ["/things/1"]) == {"/things/1": [named(f"{ROOT}/things/1")]}


@pytest.mark.parametrize("inner", ["bm8ganNvbg==", None, {"value": 1}, {"nothing": []}, []])
def test_what_is_no_page_is_asked_alone(inner: Any) -> None:
    client = Batching(lambda url: body([{"id": url}]), inner=lambda _: (200, inner))
    assert taken(client, ["/things/1"]) == {"/things/1": [named(f"{ROOT}/things/1")]}


def test_a_batch_that_is_no_batch_loses_nothing() -> None:
    client = Batching(lambda url: body([{"id": url}]), is_deaf=True)
    assert taken(client, ["/a", "/b"]) == {"/a": [named(f"{ROOT}/a")], "/b": [named(f"{ROOT}/b")]}


def test_a_long_answer_is_followed() -> None:
    client = Batching(
        lambda _: body([{"id": "second"}]),
        inner=lambda _: (200, {"value": [{"id": "first"}], "@odata.nextLink": f"{ROOT}/next"}),
    )
    found = taken(client, ["/things/1"])["/things/1"]
    assert [json.loads(record)["id"] for record in found or ()] == ["first", "second"]


def test_who_is_gone_is_one_item() -> None:
    def script(url: str) -> bytes:
        if url.endswith("/gone"):
            raise NotFoundError("error", "gone", status=404)
        return body([{"id": url}])

    client = Batching(script, inner=lambda path: (404, None) if path == "/gone" else (200, {"value": []}))
    assert taken(client, ["/gone", "/here"]) == {"/gone": None, "/here": []}


def test_a_dead_link_begins_again() -> None:
    deaths = iter([True, False])

    def script(url: str) -> bytes:
        if url == "next" and next(deaths):
            raise StaleLinkError("error", "dead")
        return body([{"id": url}], "next" if url == "first" else None)

    found = asyncio.run(whole(ScriptedClient(script), TASK, lambda _: "first", source="/x", sizes=ANY_SIZE))
    assert [json.loads(record)["id"] for record in found] == ["first", "next"], "each once"


def test_a_link_that_always_dies_is_an_error() -> None:
    def script(url: str) -> bytes:
        if url == "next":
            raise StaleLinkError("error", "dead")
        return body([{"id": url}], "next")

    async def take() -> None:
        async for _ in pages(ScriptedClient(script), TASK, lambda _: "first", source="/x", sizes=ANY_SIZE):
            pass

    with pytest.raises(StaleLinkError):
        asyncio.run(take())


def test_one_that_fails_side_by_side_ends_it() -> None:
    async def read(number: int) -> int:
        await asyncio.sleep(0)
        if number == 7:
            raise CollectionError("permission", "no")
        return number

    got: list[int] = []

    async def take() -> None:
        async for _, result in side_by_side(range(20), read, at_once=3):
            got.append(result)

    with pytest.raises(CollectionError):
        asyncio.run(take())
    assert got == [0, 1, 2, 3, 4, 5, 6]
