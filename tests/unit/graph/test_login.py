"""A person's login: by code and by browser, kept encrypted, used by later runs, forgotten."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msal.oauth2cli.authcode  # type: ignore[import-untyped]
import msal_extensions  # type: ignore[import-untyped]
import pytest

from m365audit.config import LoginCredential
from m365audit.graph import login as login_module
from m365audit.graph.auth import OpenCredential, open_credential
from m365audit.graph.failures import SignInError
from m365audit.graph.login import Person, forget, log_in
from m365audit.graph.token_cache import Kept

from .login_endpoint import CLIENT, GRAPH, TENANT, LoginEndpoint, Told, refusal
from .signing_in import Cloud, Patience, refused_opening, run, settings

MANAGE = "https://manage.example/.default"
CHALLENGE = '{"access_token":{"nbf":{"essential":true,"value":"1693555200"}}}'


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the tests out of the keyring of whoever runs them."""

    def unavailable(_: str) -> None:
        raise ImportError("no libsecret here")

    monkeypatch.setattr(msal_extensions, "build_encrypted_persistence", unavailable)


async def _log_in(endpoint: LoginEndpoint, state: Path, *, device_code: bool = True) -> tuple[Person, list[str]]:
    said: list[str] = []
    credential = LoginCredential(kind="login", client_id=CLIENT)

    def work() -> Person:
        return log_in(
            credential, TENANT, endpoint.origin, GRAPH,
            ca_file=endpoint.ca_file, state=state, device_code=device_code, tell=said.append,
        )  # fmt: skip

    return await asyncio.to_thread(work), said


def _open(endpoint: LoginEndpoint, state: Path) -> OpenCredential:
    cloud = Cloud(endpoint.origin, endpoint.ca_file)
    return open_credential(settings(kind="login"), cloud, state=state, sleep=Patience())


def _at(folder: Path, work: Callable[[LoginEndpoint], Any]) -> Any:
    async def bounded() -> Any:
        async with LoginEndpoint(folder) as endpoint:
            return await work(endpoint)

    return run(bounded())


def test_a_code_lets_a_person_in_and_later_runs_need_nobody(tmp_path: Path) -> None:
    async def work(endpoint: LoginEndpoint) -> None:
        endpoint.pending = 2
        person, said = await _log_in(endpoint, tmp_path)
        assert person.name == "ada@contoso.example"
        assert "ABCD1234" in said[0]
        assert "https://login.example/device" in said[0]
        credential = _open(endpoint, tmp_path)
        before = len(endpoint.requests)
        first = await credential.token(GRAPH)
        assert [entry["method"] for entry in endpoint.requests[before:]] == ["GET"], "the token was kept"
        assert await credential.token(MANAGE) != first
        assert endpoint.requests[-1]["grant_type"] == "refresh_token"
        assert "CP1" in endpoint.requests[-1]["claims"]
        await credential.close()

    _at(tmp_path, work)


def test_a_fresh_token_and_a_challenge_ask_microsoft(tmp_path: Path) -> None:
    async def work(endpoint: LoginEndpoint) -> None:
        await _log_in(endpoint, tmp_path)
        credential = _open(endpoint, tmp_path)
        first = await credential.token(GRAPH)
        fresh = await credential.token(GRAPH, is_fresh=True)
        assert fresh != first
        assert await credential.token(GRAPH) == fresh
        assert await credential.token(GRAPH, claims=CHALLENGE) != fresh
        assert "1693555200" in endpoint.requests[-1]["claims"]
        await credential.close()

    _at(tmp_path, work)


def test_a_browser_lets_a_person_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    async def work(endpoint: LoginEndpoint) -> None:
        def browse(address: str, **_: object) -> bool:
            opened.append(address)
            asked = parse_qs(urlsplit(address).query)
            endpoint.nonce = asked["nonce"][0]
            form = {"code": "canary-code", "state": asked["state"][0]}
            back = asked["redirect_uri"][0].replace("localhost", "127.0.0.1")
            threading.Timer(0.2, lambda: httpx.post(back, data=form, trust_env=False)).start()
            return True

        monkeypatch.setattr(msal.oauth2cli.authcode, "_browse", browse)
        person, _ = await _log_in(endpoint, tmp_path, device_code=False)
        assert person.name == "ada@contoso.example"
        assert opened[0].startswith(f"{endpoint.origin}/{TENANT}/oauth2/v2.0/authorize?")
        assert "code_challenge" in opened[0]

    _at(tmp_path, work)


def test_a_browser_in_which_nothing_happens_ends_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(endpoint: LoginEndpoint) -> None:
        monkeypatch.setattr(login_module, "BROWSER_SECONDS", 0.3)
        monkeypatch.setattr(msal.oauth2cli.authcode, "_browse", lambda *_, **__: True)
        with pytest.raises(SignInError, match="nobody signed in") as caught:
            await _log_in(endpoint, tmp_path, device_code=False)
        assert "--device-code" in caught.value.hint

    _at(tmp_path, work)


def test_what_is_kept_is_encrypted_and_private(tmp_path: Path) -> None:
    async def work(endpoint: LoginEndpoint) -> None:
        state = tmp_path / "state"
        await _log_in(endpoint, state)
        credential = _open(endpoint, state)
        await credential.token(MANAGE)
        await credential.close()
        kept = [state, *state.rglob("*")]
        assert len([path for path in kept if path.is_file()]) >= 2
        for path in kept:
            assert path.stat().st_mode & 0o077 == 0 or path.suffix == ".lockfile", path
            if path.is_file():
                assert b"canary" not in path.read_bytes()
                assert b"ada@" not in path.read_bytes()

    _at(tmp_path, work)


def test_no_token_in_logs_and_words(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    async def work(endpoint: LoginEndpoint) -> str:
        _, said = await _log_in(endpoint, tmp_path)
        credential = _open(endpoint, tmp_path)
        await credential.token(MANAGE)
        endpoint.refresh_token = "another"  # noqa: S105 - the one that is kept is revoked
        with pytest.raises(SignInError) as caught:
            await credential.token(GRAPH, is_fresh=True)
        await credential.close()
        return f"{said}{caught.value!r}{caught.value}{credential!r}{vars(credential)}"

    with caplog.at_level("DEBUG"):
        everything = _at(tmp_path, work) + caplog.text + "".join(capfd.readouterr())
    assert "canary" not in everything
    assert "eyJ" not in everything


def test_a_revoked_login_asks_for_a_new_one(tmp_path: Path) -> None:
    async def work(endpoint: LoginEndpoint) -> SignInError:
        await _log_in(endpoint, tmp_path)
        endpoint.refresh_token = "another"  # noqa: S105 - the one that is kept is revoked
        credential = _open(endpoint, tmp_path)
        with pytest.raises(SignInError) as caught:
            await credential.token(MANAGE)
        await credential.close()
        return caught.value

    error = _at(tmp_path, work)
    assert (error.code, error.is_refused) == ("AADSTS50173", True)
    assert error.hint == f"run: m365audit login --tenant {TENANT}"


def test_nobody_logged_in(tmp_path: Path) -> None:
    error = refused_opening(settings(kind="login"), tmp_path)
    assert not error.is_refused
    assert error.hint == f"run: m365audit login --tenant {TENANT}"
    assert not forget(TENANT, state=tmp_path)


def test_a_forgotten_login_is_gone(tmp_path: Path) -> None:
    async def work(endpoint: LoginEndpoint) -> None:
        await _log_in(endpoint, tmp_path)

    _at(tmp_path, work)
    assert forget(TENANT, state=tmp_path)
    assert list((tmp_path / "login").iterdir()) == []
    refused_opening(settings(kind="login"), tmp_path)


@pytest.mark.parametrize("damage", ["other key", "cut", "readable", "no key at all"])
def test_a_damaged_login_is_said_and_not_a_crash(tmp_path: Path, damage: str) -> None:
    async def work(endpoint: LoginEndpoint) -> None:
        await _log_in(endpoint, tmp_path)
        key, file = tmp_path / "keys" / "login.key", Kept(tmp_path, TENANT).file
        if damage == "other key":
            key.unlink()
        elif damage == "no key at all":
            key.write_bytes(b"canary")
        elif damage == "cut":
            file.write_bytes(file.read_bytes()[:-40])
        else:
            file.chmod(0o644)
        credential = _open(endpoint, tmp_path)
        with pytest.raises(SignInError) as caught:
            await credential.token(GRAPH)
        await credential.close()
        assert not caught.value.is_refused
        assert "canary" not in str(caught.value)
        assert ("log in again" in caught.value.hint) or ("chmod 600" in caught.value.hint)

    _at(tmp_path, work)


def test_a_login_that_fails_leaves_the_one_before(tmp_path: Path) -> None:
    async def work(endpoint: LoginEndpoint) -> None:
        await _log_in(endpoint, tmp_path)
        before = sha256(Kept(tmp_path, TENANT).file.read_bytes()).digest()
        await _refused(endpoint, tmp_path, refusal(53003, "Blocked.", error="invalid_grant"))
        assert sha256(Kept(tmp_path, TENANT).file.read_bytes()).digest() == before

    _at(tmp_path, work)


async def _refused(endpoint: LoginEndpoint, state: Path, told: Told) -> SignInError:
    """Return the error of a login whose first question of a token is answered so."""
    endpoint.person_told = told
    with pytest.raises(SignInError) as caught:
        await _log_in(endpoint, state)
    return caught.value


@pytest.mark.parametrize(
    ("code", "error", "words"),
    [
        (70019, "expired_token", "code has expired"),
        (65004, "authorization_declined", "declined"),
        (7000218, "invalid_client", "without"),
        (50105, "invalid_grant", "assigned"),
    ],
)
def test_a_login_that_is_refused_says_why(tmp_path: Path, code: int, error: str, words: str) -> None:
    async def work(endpoint: LoginEndpoint) -> SignInError:
        return await _refused(endpoint, tmp_path, refusal(code, "No.", error=error))

    caught = _at(tmp_path, work)
    assert words in caught.message
    assert caught.code == f"AADSTS{code}"
    assert not Kept(tmp_path, TENANT).exists


@pytest.mark.parametrize(
    "told",
    [
        refusal(90002, "Tenant not found.", error="invalid_tenant"),
        Told(200, b"<html>canary</html>", {"Content-Type": "text/html"}),
        Told(200, b'{"issuer": "canary"}', {"Content-Type": "application/json"}),
        Told(302, b"", {"Location": "https://attacker.example"}),
        Told(503, b"", {}),
    ],
)
def test_a_strange_description_of_the_endpoint_is_said_and_not_a_crash(tmp_path: Path, told: Told) -> None:
    async def work(endpoint: LoginEndpoint) -> SignInError:
        endpoint.told = [told] * 5
        with pytest.raises(SignInError) as caught:
            await _log_in(endpoint, tmp_path)
        return caught.value

    error = _at(tmp_path, work)
    assert error.is_refused == (error.code == "AADSTS90002")
    assert "canary" not in str(error)


def test_a_token_is_sent_nowhere_else_whatever_the_description_names(tmp_path: Path) -> None:
    async def work(endpoint: LoginEndpoint) -> None:
        await _log_in(endpoint, tmp_path)
        async with LoginEndpoint(tmp_path) as attacker:
            endpoint.description = {"token_endpoint": f"{attacker.origin}/{TENANT}/oauth2/v2.0/token"}
            credential = open_credential(
                settings(kind="login"), Cloud(endpoint.origin, attacker.ca_file), state=tmp_path, sleep=Patience()
            )
            with pytest.raises(SignInError):
                await credential.token(MANAGE)
            await credential.close()
            assert attacker.requests == []

    _at(tmp_path, work)


def test_the_environment_does_not_choose_whom_to_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(endpoint: LoginEndpoint) -> None:
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            monkeypatch.setenv(name, str(tmp_path / "no-such.pem"))
        person, _ = await _log_in(endpoint, tmp_path)
        assert person.name

    _at(tmp_path, work)
