"""From the first page of a listing to its last, whatever Microsoft's pages are like."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import pairwise

import msgspec
import pytest

from m365audit.graph import paging
from m365audit.graph.failures import CollectionError
from m365audit.graph.paging import Progress, follow
from m365audit.graph.splitting import MOST_RESTARTS, NARROWEST, halves, read_listing
from m365audit.graph.values import Ended, Page, Window

from .scripted_client import DAY, LISTING, TASK, DyingLinks, ScriptedClient, body, taken


def followed(client: ScriptedClient, progress: Progress | None = None) -> list[bytes]:
    async def work() -> list[bytes]:
        pages = follow(client, TASK, LISTING, DAY, progress or Progress())
        return [record async for page in pages for record in page.records]

    return asyncio.run(work())


def read(client: ScriptedClient) -> tuple[list[bytes], list[Ended]]:
    events: AsyncIterator[Page | Ended] = read_listing(client, TASK, LISTING)

    async def work() -> tuple[list[bytes], list[Ended]]:
        return await taken(events)

    return asyncio.run(work())


def chain(*pages: bytes) -> Callable[[str], bytes]:
    """Serve pages in order; each names the next as ``link N``."""

    def script(url: str) -> bytes:
        return pages[int(url.split()[1]) if url.startswith("link") else 0]

    return script


# --- following links ---


def test_empty_pages_are_followed() -> None:
    pages = [body([{"id": "1"}], "link 1"), *(body([], f"link {n}") for n in range(2, 50)), body([{"id": "2"}])]
    assert len(followed(ScriptedClient(chain(*pages)))) == 2


def test_empty_pages_without_end_are_an_error() -> None:
    client = ScriptedClient(lambda url: body([], f"link {int(url.split()[1]) + 1 if 'link' in url else 1}"))
    with pytest.raises(CollectionError, match="empty pages"):
        followed(client)
    assert len(client.asked) == paging.EMPTY_IN_A_ROW


@pytest.mark.parametrize(
    "pages",
    [
        [body([{"id": "1"}], "link 0")],
        [body([{"id": "1"}], "link 1"), body([{"id": "2"}], "link 0")],
        [body([{"id": "1"}], "link 1"), body([{"id": "2"}], "link 2"), body([{"id": "3"}], "link 1")],
    ],
)
def test_links_that_lead_in_a_circle_are_an_error(pages: list[bytes]) -> None:
    with pytest.raises(CollectionError, match="circle"):
        followed(ScriptedClient(chain(*pages)))


def test_a_circle_whose_links_grow_is_an_error() -> None:
    records = [{"id": str(n)} for n in range(200)]
    client = ScriptedClient(lambda url: body(records[::-1] if len(url) % 2 else records, url + "x"))
    with pytest.raises(CollectionError, match="nothing new"):
        followed(client)
    assert len(client.asked) < 50


def test_a_record_that_comes_twice_comes_twice() -> None:
    pages = [body([{"id": "1"}, {"id": "1"}], "link 1"), body([{"id": "1"}])]
    assert len(followed(ScriptedClient(chain(*pages)))) == 3


def test_a_smaller_page_is_asked_for_where_a_large_one_is_refused() -> None:
    def script(url: str) -> bytes:
        if int(url.split()[2]) > 500:
            raise CollectionError("error", "Invalid page size specified", status=400)
        return body([{"id": "1"}])

    client = ScriptedClient(script)
    assert len(followed(client)) == 1
    assert [url.split()[2] for url in client.asked] == ["1000", "999", "500"]


def test_a_refusal_that_is_not_about_size_is_not_asked_again() -> None:
    def script(url: str) -> bytes:
        del url
        raise CollectionError("licence", "no P1", status=400)

    client = ScriptedClient(script)
    with pytest.raises(CollectionError, match="no P1"):
        followed(client)
    assert len(client.asked) == 1


def test_what_was_read_before_a_failure_was_passed_on() -> None:
    def script(url: str) -> bytes:
        if url.startswith("link"):
            raise CollectionError("permission", "removed", status=403)
        return body([{"id": "1"}], "link 1")

    progress = Progress()
    with pytest.raises(CollectionError, match="removed"):
        followed(ScriptedClient(script), progress)
    assert progress.records == 1


# --- links that die ---

MINUTES = {str(minute) for minute in range(int(DAY.begin.timestamp()) // 60, int(DAY.end.timestamp()) // 60)}


def ids(records: list[bytes]) -> set[str]:
    return {msgspec.json.decode(record)["id"] for record in records}


def test_a_window_whose_link_died_begins_again() -> None:
    bad = int(DAY.begin.timestamp()) // 60 + 300
    records, ends = read(ScriptedClient(DyingLinks(frozenset({bad}), deaths=1)))
    assert ids(records) == MINUTES
    assert [(end.window, end.reason, end.restarts) for end in ends] == [(DAY, None, 1)]


def test_after_two_restarts_a_window_falls_into_halves() -> None:
    bad = int(DAY.begin.timestamp()) // 60 + 300
    records, ends = read(ScriptedClient(DyingLinks(frozenset({bad}), deaths=3)))
    middle = DAY.begin + (DAY.end - DAY.begin) / 2
    assert ids(records) == MINUTES
    assert [(end.window, end.reason) for end in ends] == [
        (Window(DAY.begin, middle), None),
        (Window(middle, DAY.end), None),
    ]


@pytest.mark.parametrize("bad", [set(), {0}, {12}, {300}, {479}, {100, 400}, {15, 16}, {77, 89}, {238, 241}])
def test_exactly_what_could_not_be_read_is_a_gap(bad: set[int]) -> None:
    """Links die wherever a bad minute is not on a first page; parts of ten minutes have only a first page."""
    first = int(DAY.begin.timestamp()) // 60
    client = ScriptedClient(DyingLinks(frozenset(first + minute for minute in bad)))
    records, ends = read(client)
    windows = sorted(end.window for end in ends if end.window)
    assert (windows[0].begin, windows[-1].end) == (DAY.begin, DAY.end)
    assert all(a.end == b.begin for a, b in pairwise(windows))
    whole = [end.window for end in ends if end.reason is None and end.window]
    for minute in MINUTES:
        at = int(minute) * 60
        if any(window.begin.timestamp() <= at < window.end.timestamp() for window in whole):
            assert minute in ids(records)


def test_a_service_that_always_loses_its_links_is_given_up() -> None:
    everything = frozenset(int(minute) for minute in MINUTES)
    client = ScriptedClient(DyingLinks(everything))
    _, ends = read(client)
    assert sum(1 for end in ends if end.reason == "error") >= 1
    assert len(client.asked) < 4 * MOST_RESTARTS
    windows = sorted(end.window for end in ends if end.window)
    assert (windows[0].begin, windows[-1].end) == (DAY.begin, DAY.end)


def test_halves_are_cut_at_whole_seconds_and_not_too_small() -> None:
    parts = halves(Window(DAY.begin, DAY.begin + 3 * NARROWEST))
    assert parts is not None
    assert parts[0].end == parts[1].begin
    assert halves(Window(DAY.begin, DAY.begin + NARROWEST)) is None
