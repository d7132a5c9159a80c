"""The client over real sockets: TLS that is always verified, answers cut at every byte, connections that end."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from m365audit.graph.answers import Answer
from m365audit.graph.client import TenantClient
from m365audit.graph.clouds import Cloud
from m365audit.graph.failures import CollectionError
from m365audit.graph.wire import Wire, connections, proxy_for, tls_context

from .loopback import RESET, SILENCE, Loopback, identity, listening, page
from .wired import TENANT, OpenThrottle, Tokens

Asking = Callable[[TenantClient, Loopback], Awaitable[Answer]]
Identity = tuple[ssl.SSLContext, Path]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """A server's identity, and the authority to trust."""
    return identity(tmp_path_factory.mktemp("tls"))


async def no_sleep(_: float) -> None:
    """Wait for nothing."""


async def root(client: TenantClient, server: Loopback) -> Answer:
    """Ask for something."""
    return await client.get(f"{server.origin}/v1.0/x?$skiptoken=a%2Bb", limits=["directory"])


def over_tls(
    own: Identity, *told: bytes, asking: Asking = root, host: str = "127.0.0.1", **options: float
) -> tuple[Answer, Loopback]:
    """Return the answer that a client gets from a server that writes this."""

    async def main() -> tuple[Answer, Loopback]:
        async with listening(own[0], *told) as server:
            server.host = host
            cloud = Cloud("custom", server.origin, server.origin, server.origin, ca_file=own[1])
            client = TenantClient(TENANT, cloud, Tokens(), OpenThrottle(), sleep=no_sleep, **options)  # type: ignore[arg-type]
            async with client:
                answer = await asking(client, server)
                assert client.requests == len(server.heads)
            return answer, server

    return asyncio.run(main())


def test_one_connection_serves_many_requests(own: Identity) -> None:
    async def thrice(client: TenantClient, server: Loopback) -> Answer:
        for _ in range(2):
            await root(client, server)
        return await root(client, server)

    answer, server = over_tls(own, page(), asking=thrice)
    assert answer.body == b'{"value": []}'
    assert len(set(server.ports)) == 1
    head = server.heads[0].lower()
    assert head.startswith("get /v1.0/x?$skiptoken=a%2bb http/1.1\r\n")
    assert "authorization: bearer canary-" in head
    assert f"host: 127.0.0.1:{server.port}\r\n" in head
    for name in ("accept", "accept-encoding", "user-agent", "host", "authorization"):
        assert head.count(f"\r\n{name}: ") == 1
    assert "aiohttp" not in head
    assert "httpx" not in head


def test_a_post_without_a_body_says_that_it_has_none(own: Identity) -> None:
    async def posting(client: TenantClient, server: Loopback) -> Answer:
        async def look() -> None:
            raise AssertionError("nothing went wrong")

        for body in (b"", b'{"a": 1}'):
            answer = await client.post(f"{server.origin}/start", body=body, limits=["management"], look_first=look)
        return answer

    _, server = over_tls(own, page(), asking=posting)
    assert "content-length: 0\r\n" in server.heads[0].lower()
    assert server.bodies == [b"", b'{"a": 1}']


WHOLE = page()


@pytest.mark.parametrize("cut", [0, 1, 9, 16, 40, WHOLE.index(b"\r\n\r\n") + 4, len(WHOLE) - 5, len(WHOLE) - 1])
@pytest.mark.parametrize("mark", [RESET, b"Connection: close"])
def test_an_answer_that_is_cut_is_asked_for_again_over_a_new_connection(own: Identity, cut: int, mark: bytes) -> None:
    told = WHOLE[:cut] + RESET if mark == RESET else page(b'{"value": []}', "Connection: close")[: -1 - cut % 12]
    answer, server = over_tls(own, told, page())
    assert answer.body == b'{"value": []}'
    assert len(server.ports) == len(set(server.ports)) == 2


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    "told",
    [
        HEAD + b"Content-Length: 14\r\n\r\n" + b'{"value": []}' + RESET,
        HEAD + b"Content-Length: 12\r\n\r\n" + b'{"value": []}',
        HEAD + b"Content-Length: 13\r\nContent-Length: 14\r\n\r\n" + b'{"value": []}',
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nd\r\n" + b'{"value": []}' + b"\r\n" + RESET,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nff\r\n" + b'{"value": []}' + RESET,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + b'{"value": []}' + RESET,
        HEAD + b"Connection: close\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b'{"value": []}')[:-3],
        HEAD + b"Connection: close\r\n\r\n" + b'{"value": [',
        b"SSH-2.0-OpenSSH_9.2\r\n" + RESET,
        b"HTTP/1.1 200 OK\r\nbroken header\r\n\r\n" + RESET,
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n{}" + RESET,
        RESET,
        SILENCE,
        HEAD + b"Content-Length: 13\r\n\r\n" + b'{"val' + SILENCE,
    ],
)
def test_what_is_not_whole_http_is_a_fault(own: Identity, told: bytes) -> None:
    answer, server = over_tls(own, told, page(), request_seconds=0.3)
    assert answer.body == b'{"value": []}'
    assert len(set(server.ports)) == 2


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_long_answers_and_long_headers_come_through(own: Identity, encoding: str) -> None:
    body = b'{"value": [' + b",".join(b'{"id": "%d"}' % number for number in range(200_000)) + b"]}"
    sent = gzip.compress(body, 1) if encoding else body
    headers = [f"NextPageUri: https://manage.office.com/{'a' * 30_000}"]
    answer, _ = over_tls(own, page(sent, *headers, *(["Content-Encoding: gzip"] if encoding else [])))
    assert answer.body == body
    assert len(answer.headers["nextpageuri"]) > 30_000


def test_chunks_come_through(own: Identity) -> None:
    told = (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n" + b'{"val' + b"\r\n8;x=y\r\n" + b'ue": []}' + b"\r\n0\r\n\r\n"
    )
    assert over_tls(own, told)[0].body == b'{"value": []}'


def test_bytes_behind_an_answer_are_never_taken_for_the_next_one(own: Identity) -> None:
    async def twice(client: TenantClient, server: Loopback) -> Answer:
        await root(client, server)
        return await root(client, server)

    answer, _ = over_tls(own, page() + page(b'{"value": ["smuggled"]}'), page(b'{"value": [1]}'), asking=twice)
    assert answer.body == b'{"value": [1]}'


def test_a_large_answer_is_not_read_to_its_end(own: Identity) -> None:
    told = HEAD + b"Connection: close\r\n\r\n" + b" " * 3_000_000 + SILENCE
    with pytest.raises(CollectionError, match="more than 1000000 bytes"):
        over_tls(own, told, max_bytes=1_000_000)


@pytest.mark.parametrize("kind", ["unknown authority", "expired", "wrong name"])
def test_tls_is_always_verified(own: Identity, kind: str, tmp_path: Path) -> None:
    server, ca_file = own
    if kind == "unknown authority":
        ca_file = identity(tmp_path)[1]
    elif kind == "expired":
        server, ca_file = identity(tmp_path, days=-1)

    async def asking(client: TenantClient, loopback: Loopback) -> Answer:
        try:
            return await root(client, loopback)
        finally:
            assert loopback.heads == []

    with pytest.raises(CollectionError, match="certificate"):
        over_tls((server, ca_file), page(), asking=asking, host="localhost" if kind == "wrong name" else "127.0.0.1")


def test_the_environment_does_not_say_whom_to_trust(
    own: Identity, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keys = tmp_path / "keys.log"
    monkeypatch.setenv("SSL_CERT_FILE", str(own[1]))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(own[1]))
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    subjects = {str(entry["subject"]) for entry in tls_context(None).get_ca_certs()}
    assert not any("authority" in subject for subject in subjects)
    assert over_tls(own, page())[0].status == 200
    assert not keys.exists()


def test_the_systems_certificates_are_trusted_without_a_file() -> None:
    context = tls_context(None)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert len(tls_context(None).get_ca_certs()) > 0


def test_who_trusts_the_same_file_shares_a_context_until_the_file_changes(
    own: tuple[ssl.SSLContext, Path], tmp_path: Path
) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(own[1].read_bytes())
    before = tls_context(file)
    assert tls_context(file) is before
    assert tls_context(None) is not before
    file.write_bytes(own[1].read_bytes() * 2)
    assert tls_context(file) is not before
    file.write_bytes(b"nothing")
    with pytest.raises(OSError):  # noqa: PT011 - ssl's own error is one
        tls_context(file)
    file.unlink()
    with pytest.raises(FileNotFoundError):
        tls_context(file)


def test_a_file_of_authorities_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    for name in ("empty.pem", "missing.pem"):
        with pytest.raises(CollectionError, match="ca_file"):
            connections(tmp_path / name)


@pytest.mark.parametrize(
    ("environment", "host", "proxy"),
    [
        ({}, "graph.microsoft.com", None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "graph.microsoft.com", "http://proxy:3128"),
        ({"https_proxy": "http://proxy:3128"}, "graph.microsoft.com", "http://proxy:3128"),
        ({"ALL_PROXY": "http://proxy:3128"}, "graph.microsoft.com", "http://proxy:3128"),
        ({"HTTP_PROXY": "http://proxy:3128"}, "graph.microsoft.com", None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": ".microsoft.com"}, "graph.microsoft.com", None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "*"}, "graph.microsoft.com", None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "example.com"}, "graph.microsoft.com", "http://proxy:3128"),
    ],
)
def test_the_environment_says_which_proxy(
    environment: dict[str, str], host: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "NO_PROXY",
        "no_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(host) == proxy


def test_a_proxy_that_refuses_is_a_fault_and_is_never_passed_by(own: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.split(b"\r\n")[0])
        assert b"canary" not in head
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async def asking(client: TenantClient, server: Loopback) -> Answer:
        proxy = await asyncio.start_server(refuse, "127.0.0.1", 0)
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("no_proxy", "")
        try:
            with pytest.raises(CollectionError, match="proxy refused"):
                await root(client, server)
            assert server.heads == []
            assert all(line == f"CONNECT 127.0.0.1:{server.port} HTTP/1.1".encode() for line in asked)
        finally:
            monkeypatch.setenv("NO_PROXY", "*")
            monkeypatch.setenv("no_proxy", "*")
            proxy.close()
        client._conversation.requests = 0
        return await root(client, server)

    asked: list[bytes] = []
    over_tls(own, page(), asking=asking)
    assert asked


def test_nothing_is_left_open(own: Identity) -> None:
    """Unclosed connections warn, and warnings are errors."""

    async def main() -> None:
        async with listening(own[0], page()) as server:
            wire = Wire(tls_context(own[1]))
            answer = await wire.handle_async_request(httpx.Request("GET", f"{server.origin}/"))
            await answer.aclose()
            await wire.aclose()
            await wire.aclose()

    asyncio.run(main())
