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


def test_the_newest_answer_counts_and_time_goes_on_from_there() -> None:
    seconds = [100.0]
    clock = MicrosoftClock(lambda: seconds[0], lambda: HOST)
    assert clock.now() == HOST
    clock.hear(DATE)
    seconds[0] += 30
    assert clock.now() == THEN + timedelta(seconds=30)
    for unreadable in (None, "", "yesterday", "\u0661"):
        clock.hear(unreadable)
    assert clock.now() == THEN + timedelta(seconds=30)
    clock.hear("Tue, 01 Sep 2026 10:00:10 GMT")
    assert clock.now() == THEN + timedelta(seconds=10)


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
    async def main() -> tuple[datetime, list[str]]:
        async with listening(own[0], told) as server:
            cloud = Cloud("custom", server.origin, server.origin, server.origin, ca_file=own[1])
            return await microsoft_time(cloud), server.heads

    found, heads = asyncio.run(main())
    assert (found == THEN) is is_told
    assert is_told or abs(found - datetime.now(UTC)) < timedelta(minutes=1)
    assert not any("authorization" in head.lower() for head in heads)


def test_where_nothing_can_be_asked_it_is_the_hosts(tmp_path: Path) -> None:
    nowhere = "https://127.0.0.1:1"
    for ca_file in (None, tmp_path / "missing.pem"):
        found = asyncio.run(microsoft_time(Cloud("custom", nowhere, nowhere, nowhere, ca_file=ca_file)))
        assert abs(found - datetime.now(UTC)) < timedelta(minutes=1)
