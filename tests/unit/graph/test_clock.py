"""What time it is: Microsoft's, and the host's only where nobody there says anything."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from m365audit.graph.clock import MicrosoftClock, microsoft_time
from m365audit.graph.clouds import Cloud

from .loopback import RESET, identity, listening, page
from .wired import DATE

HOST = datetime(2030, 1, 1, tzinfo=UTC)
THEN = datetime(2026, 9, 1, 10, tzinfo=UTC)


def test_the_latest_answer_counts_and_time_goes_on_from_there() -> None:
    seconds = [100.0]
    clock = MicrosoftClock(lambda: seconds[0], lambda: HOST)
    assert clock.now() == HOST
    clock.hear(DATE)
    seconds[0] += 30
    assert clock.now() == THEN + timedelta(seconds=30)
    for unreadable in (None, "", "yesterday", "\u0661"):
        clock.hear(unreadable)
    assert clock.now() == THEN + timedelta(seconds=30)
    clock.hear("Tue, 01 Sep 2026 10:00:10 GMT")  # was written before it travelled for twenty seconds
    assert clock.now() == THEN + timedelta(seconds=30)
    clock.hear("Tue, 01 Sep 2026 10:00:50 GMT")
    assert clock.now() == THEN + timedelta(seconds=50)


FAR = "Thu, 31 Dec 2099 23:59:59 GMT"
LONG_AGO = "Thu, 01 Jan 1970 00:00:00 GMT"
FIRST = "Mon, 01 Jan 0001 00:00:00 GMT"


@pytest.mark.parametrize("host", [HOST, THEN])
@pytest.mark.parametrize("lie", [FAR, LONG_AGO, FIRST])
def test_one_answer_alone_moves_the_clock_nowhere(host: datetime, lie: str) -> None:
    seconds = [86_400.0]
    clock = MicrosoftClock(lambda: seconds[0], lambda: host)
    for told in (DATE, lie, DATE, lie, lie, DATE):
        clock.hear(told)
    assert (clock.now(), clock.is_sure) == (THEN, True)
    assert clock.ahead_of_host() == THEN - host


def test_the_first_answer_is_believed_when_somebody_agrees() -> None:
    for host, others, is_sure in (
        (THEN, (), True), (HOST, (), False), (HOST, (DATE,), True), (HOST, (FAR, DATE), True), (HOST, (FAR,), False),
    ):  # fmt: skip
        clock = MicrosoftClock(lambda: 0.0, lambda host=host: host)  # type: ignore[misc]
        for told in (DATE, *others):
            clock.hear(told)
        assert (clock.now(), clock.is_sure) == (THEN, is_sure)


@pytest.mark.parametrize("host", [HOST, THEN])
def test_a_first_answer_that_lies_is_outvoted(host: datetime) -> None:
    clock = MicrosoftClock(lambda: 0.0, lambda: host)
    for told in (FAR, DATE, DATE):
        clock.hear(told)
    assert (clock.now(), clock.is_sure) == (THEN, True)


def test_a_clock_that_was_set_is_believed_when_several_answers_say_so() -> None:
    clock = MicrosoftClock(lambda: 0.0, lambda: THEN)
    for number, told in enumerate((DATE, FAR, FAR, FAR)):
        assert clock.now() == THEN, number
        clock.hear(told)
    assert clock.now() == datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """A server's identity, and the authority to trust."""
    return identity(tmp_path_factory.mktemp("tls"))


REFUSAL = f"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\nDate: {DATE}\r\n\r\n{{}}".encode()


@pytest.mark.parametrize(
    ("told", "is_told"),
    [
        (REFUSAL, True),
        (page(b"{}", f"Date: {DATE}"), True),
        (page(), False),
        (RESET, False),
        (page(b"{}", "Content-Encoding: gzip", f"Date: {DATE}"), False),
    ],
)
def test_the_time_is_asked_for_without_a_token(
    told: bytes,
    *,
    is_told: bool,
    own: tuple[ssl.SSLContext, Path],
) -> None:
    async def main() -> tuple[tuple[datetime, bool], list[str]]:
        async with listening(own[0], told) as server:
            cloud = Cloud("custom", server.origin, server.origin, server.origin, ca_file=own[1])
            return await microsoft_time(cloud), server.heads

    (found, is_microsofts), heads = asyncio.run(main())
    assert (THEN <= found < THEN + timedelta(seconds=9)) is is_microsofts is is_told
    assert is_told or abs(found - datetime.now(UTC)) < timedelta(minutes=1)
    assert not any("authorization" in head.lower() for head in heads)


def test_where_nothing_can_be_asked_it_is_the_hosts(tmp_path: Path) -> None:
    nowhere = "https://127.0.0.1:1"
    for ca_file in (None, tmp_path / "missing.pem"):
        found, is_sure = asyncio.run(microsoft_time(Cloud("custom", nowhere, nowhere, nowhere, ca_file=ca_file)))
        assert not is_sure
        assert abs(found - datetime.now(UTC)) < timedelta(minutes=1)
