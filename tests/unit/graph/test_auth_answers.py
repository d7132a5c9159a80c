"""What the login endpoint, or what stands in its place, may do: a no is told from a place that cannot be asked."""

from __future__ import annotations

import asyncio
import json
import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from m365audit.graph import auth
from m365audit.graph.auth import OpenCredential, open_credential
from m365audit.graph.failures import SignInError

from .login_endpoint import CLIENT, GRAPH, TENANT, LoginEndpoint, Told, refusal, wrong_secret
from .signing_in import Cloud, Patience, at_endpoint, private, run, with_secret

HTML = {"Content-Type": "text/html"}
JSON = {"Content-Type": "application/json"}
PAGE = b"<html><body>canary~Secret error access_token</body></html>"


def _after(folder: Path, *told: Told) -> tuple[SignInError | None, int, list[float]]:
    """Return how asking ends when the endpoint is told to answer so, the requests made, and the waits."""
    patience = Patience()

    async def ask(credential: OpenCredential, endpoint: LoginEndpoint) -> tuple[SignInError | None, int]:
        endpoint.told = list(told)
        try:
            await credential.token(GRAPH)
        except SignInError as error:
            return error, len(endpoint.requests)
        return None, len(endpoint.requests)

    return *at_endpoint(folder, with_secret(folder), ask, sleep=patience), patience.waited


@pytest.mark.parametrize(
    ("code", "words", "hint"),
    [
        (7000215, "client secret is wrong", "not its id"),
        (7000222, "client secret has expired", CLIENT),
        (700016, "not known in this tenant", f"/{TENANT}/adminconsent?client_id={CLIENT}"),
        (90002, "no such tenant", TENANT),
        (7000229, "no service principal", "adminconsent"),
        (7000112, "disabled", CLIENT),
        (53003, "Conditional Access", "workload identities"),
        (700024, "clock", "timedatectl"),
        (999999999, "Something new happened", "https://login.microsoftonline.com/error?code=999999999"),
    ],
)
def test_a_refusal_is_told_once_in_words_with_the_next_step(tmp_path: Path, code: int, words: str, hint: str) -> None:
    error, requests, waits = _after(tmp_path, refusal(code, "Something new happened. And more."))
    assert error is not None
    assert error.is_refused
    assert (error.reason, error.code, requests, waits) == ("permission", f"AADSTS{code}", 1, [])
    assert words in error.message
    assert hint in error.hint
    assert "Trace" not in str(error)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_endpoint_is_asked_again(tmp_path: Path, status: int) -> None:
    error, requests, waits = _after(tmp_path, Told(status, PAGE, HTML), Told(status, b"", {"Retry-After": "7"}))
    assert (error, requests) == (None, 3)
    assert waits[0] <= 3
    assert waits[1] == 7


@pytest.mark.parametrize("code", [90033, 50033, 90090])
def test_a_passing_fault_is_asked_again_within_bounds_and_is_no_refusal(tmp_path: Path, code: int) -> None:
    error, requests, waits = _after(tmp_path, *[refusal(code, "Not now.")] * 9)
    assert error is not None
    assert (error.is_refused, error.reason, error.code) == (False, "error", f"AADSTS{code}")
    assert (requests, len(waits)) == (auth.TRIES, auth.TRIES - 1)


@pytest.mark.parametrize("code", [50196, 90055])
def test_a_loop_that_microsoft_sees_is_not_made_worse(tmp_path: Path, code: int) -> None:
    error, requests, _ = _after(tmp_path, *[refusal(code, "Too often.")] * 9)
    assert error is not None
    assert (error.is_refused, requests) == (False, 1)


@pytest.mark.parametrize("seconds", ["100000000000", "900", "Wed, 01 Sep 2100 00:00:00 GMT"])
def test_who_is_told_to_wait_too_long_gives_up_at_once(tmp_path: Path, seconds: str) -> None:
    error, requests, waits = _after(tmp_path, Told(429, b"{}", {"Retry-After": seconds, **JSON}))
    assert error is not None
    assert (error.is_refused, requests, waits) == (False, 1, [])
    assert "429" in error.message


@pytest.mark.parametrize("seconds", ["-5", "", "²", "soon", "0", "1e999999"])
def test_a_strange_retry_after_neither_crashes_nor_hurries(tmp_path: Path, seconds: str) -> None:
    told = Told(503, b"", {"Retry-After": seconds} if seconds.isascii() else {})
    error, requests, waits = _after(tmp_path, told)
    assert error is None or not error.is_refused
    assert requests in {1, 2}
    assert all(0 <= wait <= 120 for wait in waits)


@pytest.mark.parametrize(
    "told",
    [
        Told(200, PAGE, HTML),
        Told(200, b"", JSON),
        Told(200, b'{"access_token"', JSON),
        Told(200, b"[" * 100_000, JSON),
        Told(200, b'{"access_token": 5}', JSON),
        Told(200, b"\xff\xfe\x00", {"Content-Type": "application/octet-stream"}),
        Told(302, b"", {"Location": "https://attacker.example/"}),
        Told(307, b"", {"Location": "https://attacker.example/"}),
        Told(403, PAGE, HTML),
        Told(407, b"", {}),
        Told(404, b"{}", JSON),
        Told(200, b"\x1f\x8b broken", {"Content-Encoding": "gzip", **JSON}),
    ],
)
def test_what_no_login_endpoint_answers_is_not_a_refusal_and_not_a_token(tmp_path: Path, told: Told) -> None:
    error, _, _ = _after(tmp_path, *[told] * 9)
    assert error is not None
    assert not error.is_refused
    assert "cannot be asked" in error.message
    assert "canary" not in str(error)
    assert "attacker" not in str(error)


def test_a_token_that_makes_no_sense_to_the_library_is_not_a_crash(tmp_path: Path) -> None:
    for body in ({"access_token": "x"}, {"access_token": "x", "expires_in": "soon"}):
        error, _, _ = _after(tmp_path, *[Told(200, json.dumps(body).encode(), JSON)] * 9)
        assert error is not None
        assert not error.is_refused


@pytest.mark.parametrize(
    "more",
    [
        {"expires_in": None}, {"expires_in": []}, {"expires_on": {}}, {"refresh_in": []}, {"ext_expires_in": None},
        {"client_info": 7}, {"client_info": "!!"}, {"id_token": "x"}, {"refresh_in": "soon"},
    ],
)  # fmt: skip
def test_what_comes_with_a_token_may_be_nonsense(tmp_path: Path, more: dict[str, object]) -> None:
    body = {"token_type": "Bearer", "expires_in": 3599, "access_token": "canary-token"} | more
    error, _, _ = _after(tmp_path, *[Told(200, json.dumps(body).encode(), JSON)] * 9)
    assert error is not None
    assert not error.is_refused
    assert "makes no sense" in error.message


@pytest.mark.parametrize("hours", [-5, 0, 5])
def test_a_moment_to_wait_for_is_one_of_the_endpoint_s_clock(tmp_path: Path, hours: int) -> None:
    there = datetime.now(UTC) + timedelta(hours=hours)
    until = format_datetime(there + timedelta(seconds=20), usegmt=True)
    headers = {**JSON, "Date": format_datetime(there, usegmt=True), "Retry-After": until}
    error, requests, waits = _after(tmp_path, Told(429, b"{}", headers))
    assert (error, requests) == (None, 2)
    assert waits == [20]


def _unreachable(folder: Path, login: str, ca_file: Path | None = None) -> SignInError:
    async def work() -> None:
        credential = open_credential(with_secret(folder), Cloud(login, ca_file), state=folder, sleep=Patience())
        try:
            await credential.token(GRAPH)
        finally:
            await credential.close()

    with pytest.raises(SignInError) as caught:
        run(work())
    assert (caught.value.is_refused, caught.value.reason) == (False, "error")
    return caught.value


def test_nobody_listening(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert "nobody answers" in _unreachable(tmp_path, f"https://127.0.0.1:{unused.getsockname()[1]}").message


def test_a_name_that_the_dns_does_not_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert "DNS" in _unreachable(tmp_path, "https://login.invalid").message


@pytest.mark.parametrize(("host", "is_trusted"), [("localhost", False), ("elsewhere.example", True)])
def test_a_certificate_that_nobody_trusts_or_of_another_host(tmp_path: Path, host: str, *, is_trusted: bool) -> None:
    async def work() -> SignInError:
        async with LoginEndpoint(tmp_path, host=host) as endpoint:
            cloud = Cloud(endpoint.origin, endpoint.ca_file if is_trusted else None)
            credential = open_credential(with_secret(tmp_path), cloud, state=tmp_path, sleep=Patience())
            with pytest.raises(SignInError, match="certificate is not to be trusted") as caught:
                await credential.token(GRAPH)
            await credential.close()
            assert endpoint.requests == []
            return caught.value

    error = run(work())
    assert "ca_file" in error.hint
    assert ("Hostname mismatch" in error.message) == is_trusted


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_ca_file_that_is_none(tmp_path: Path, content: bytes | None) -> None:
    place = tmp_path / "ca.pem"
    if content is not None:
        private(place, content)
    assert "certificate authority" in _unreachable(tmp_path, "https://login.invalid", place).message


def _at_raw_server(folder: Path, answer: bytes, monkeypatch: pytest.MonkeyPatch, *, proxy: str = "") -> SignInError:
    """Return the error when a plain TCP server answers so (b"": it never does), as endpoint or as proxy."""
    writers = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await reader.read(100)
        writer.write(answer)
        if answer:
            writer.close()

    async def work() -> SignInError:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        place = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        login = f"https://{place}"
        if proxy:
            login = "https://login.example"
            monkeypatch.setenv(proxy, f"http://user:canary~proxy@{place}")
            monkeypatch.delenv("NO_PROXY", raising=False)
            monkeypatch.delenv("no_proxy", raising=False)
        credential = open_credential(with_secret(folder), Cloud(login, None), state=folder, sleep=Patience())
        with pytest.raises(SignInError) as caught:
            await credential.token(GRAPH)
        await credential.close()
        for writer in writers:
            writer.close()
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.05)
        return caught.value

    return run(work())


def test_one_who_accepts_and_never_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "ONE_TRY", 0.2)
    assert "in time" in _at_raw_server(tmp_path, b"", monkeypatch).message


def test_one_who_does_not_speak_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not _at_raw_server(tmp_path, b"HTTP/1.1 400 Bad Request\r\n\r\n", monkeypatch).is_refused


@pytest.mark.parametrize("proxy", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(("status", "hint"), [(407, "password into HTTPS_PROXY"), (403, "NO_PROXY")])
def test_a_proxy_that_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, hint: str, proxy: str
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    answer = f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode()
    error = _at_raw_server(tmp_path, answer, monkeypatch, proxy=proxy)
    assert str(status) in error.message
    assert hint in error.hint
    assert "canary" not in str(error)
    assert not error.is_refused


def test_a_host_that_needs_no_proxy_and_a_netrc_that_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "localhost")
    netrc = private(tmp_path / "netrc", "machine localhost login canary password canary")
    monkeypatch.setenv("NETRC", str(netrc))

    async def ask(credential: OpenCredential, endpoint: LoginEndpoint) -> None:
        await credential.token(GRAPH)
        assert "Authorization" not in endpoint.headers[0]

    at_endpoint(tmp_path, with_secret(tmp_path), ask)


def test_many_who_wait_for_an_endpoint_that_is_away_fail_together(tmp_path: Path) -> None:
    async def ask(credential: OpenCredential, endpoint: LoginEndpoint) -> None:
        endpoint.told = [wrong_secret()] * 50
        results = await asyncio.gather(*(credential.token(GRAPH) for _ in range(10)), return_exceptions=True)
        assert all(isinstance(entry, SignInError) and entry.is_refused for entry in results)
        assert len(endpoint.requests) == 1

    at_endpoint(tmp_path, with_secret(tmp_path), ask)
