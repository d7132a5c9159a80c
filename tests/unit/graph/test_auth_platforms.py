"""Credentials that the platform has: managed identity, a federated token, the Azure command line; and their absence."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import jwt
import pytest
from aiohttp import web

from m365audit.config import TenantSettings
from m365audit.graph.auth import OpenCredential, open_credential
from m365audit.graph.failures import SignInError

from .login_endpoint import CLIENT, GRAPH, TENANT, LoginEndpoint, Told, refusal
from .signing_in import Cloud, Patience, private, refused_opening, run, settings

TOKEN = jwt.encode({"tid": TENANT, "appid": CLIENT}, "canary-token-key-that-is-long-enough", "HS256")
OTHER = jwt.encode({"tid": "9" * 8 + TENANT[8:]}, "canary-token-key-that-is-long-enough", "HS256")
NOWHERE = Cloud("https://login.example", None)


async def _with(tenant: TenantSettings, folder: Path, ask: Callable[[OpenCredential], Awaitable[None]]) -> None:
    credential = open_credential(tenant, NOWHERE, state=folder, sleep=Patience())
    try:
        await ask(credential)
    finally:
        await credential.close()


async def _gets(credential: OpenCredential) -> None:
    assert await credential.token(GRAPH) == TOKEN


def _fails(tenant: TenantSettings, folder: Path) -> SignInError:
    with pytest.raises(SignInError) as caught:
        run(_with(tenant, folder, _gets))
    return caught.value


def _az(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    private(folder / "az", f'#!/bin/sh\necho "$@" >> {folder / "asked"}\n{body}\n', mode=0o700)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def _answer(token: str) -> str:
    return "echo '" + json.dumps({"accessToken": token, "expires_on": int(time.time()) + 3600}) + "'"


def test_the_azure_command_line_is_asked_once_for_the_right_tenant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(credential: OpenCredential) -> None:
        await asyncio.gather(*(_gets(credential) for _ in range(5)))

    _az(tmp_path, monkeypatch, _answer(TOKEN))
    run(_with(settings(kind="azure_cli"), tmp_path, ask))
    asked = (tmp_path / "asked").read_text().splitlines()
    assert len(asked) == 1
    assert f"--tenant {TENANT}" in asked[0]
    assert "--resource https://graph.example" in asked[0]


@pytest.mark.parametrize(
    ("body", "is_refused", "words"),
    [
        ("echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1", False, "nobody is signed in"),
        ("echo 'ERROR: AADSTS50076: Due to a change, use MFA. Trace ID: 1' >&2; exit 1", True, "multi-factor"),
        ("exit 127", False, "not installed"),
        ("echo nonsense", False, ""),
        (_answer(OTHER), False, "another tenant"),
    ],
)
def test_an_azure_command_line_that_gives_no_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, words: str, *, is_refused: bool
) -> None:
    _az(tmp_path, monkeypatch, body)
    error = _fails(settings(kind="azure_cli"), tmp_path)
    assert error.is_refused == is_refused
    assert words in error.message
    assert error.hint
    assert "canary" not in str(error)


def test_no_azure_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    error = _fails(settings(kind="azure_cli"), tmp_path)
    assert not error.is_refused
    assert "not installed" in error.message


def _identity(
    folder: Path, monkeypatch: pytest.MonkeyPatch, told: Told, ask: Callable[[OpenCredential], Awaitable[None]]
) -> list[web.Request]:
    """Ask where Azure's instance metadata service answers so; return the requests that it got."""
    asked = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request)
        return web.Response(status=told.status, body=told.body, headers=told.headers)

    async def work() -> None:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", f"http://127.0.0.1:{runner.addresses[0][1]}")
        try:
            await _with(settings(kind="managed_identity", client_id=CLIENT), folder, ask)
        finally:
            await runner.cleanup()

    run(work())
    return asked


JSON = {"Content-Type": "application/json"}


def test_a_managed_identity_is_asked_for_by_its_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"access_token": TOKEN, "expires_on": str(int(time.time()) + 3600), "expires_in": "3600", "resource": "g"}
    told = Told(200, json.dumps({**body, "token_type": "Bearer"}).encode(), JSON)
    asked = _identity(tmp_path, monkeypatch, told, _gets)
    assert [dict(request.query).get("client_id") for request in asked] == [CLIENT]
    assert asked[0].headers["Metadata"] == "true"


def test_a_machine_without_that_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(400, b'{"error": "invalid_request", "error_description": "Identity not found"}', JSON)
    with pytest.raises(SignInError, match="does not have that managed identity") as caught:
        _identity(tmp_path, monkeypatch, told, _gets)
    assert not caught.value.is_refused


def test_a_machine_that_is_not_azure_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:9")
    monkeypatch.setattr("azure.core.pipeline.policies.AsyncRetryPolicy.sleep", lambda *_, **__: asyncio.sleep(0))
    error = _fails(settings(kind="managed_identity"), tmp_path)
    assert not error.is_refused
    assert "no managed identity here" in error.message


def test_a_federated_token_is_read_anew_each_time(tmp_path: Path) -> None:
    # Mounted tokens are readable by a group, or belong to root: their protection is the platform's.
    file = private(tmp_path / "token", "canary.first.token", mode=0o644)

    async def work() -> None:
        async with LoginEndpoint(tmp_path) as endpoint:
            endpoint.told = [refusal(700213, "No record found for the subject 'a'."), refusal(70021, "None found.")]
            credential = open_credential(
                settings(kind="workload_identity", token_file=str(file)),
                Cloud(endpoint.origin, endpoint.ca_file), state=tmp_path, sleep=Patience(),
            )  # fmt: skip
            with pytest.raises(SignInError, match="subject") as caught:
                await credential.token(GRAPH)
            assert caught.value.is_refused
            private(file, "canary.second.token\n")
            with pytest.raises(SignInError, match="federated"):
                await credential.token(GRAPH)
            file.unlink()
            with pytest.raises(SignInError, match="no such file") as gone:
                await credential.token(GRAPH)
            assert not gone.value.is_refused
            await credential.close()
            sent = [entry["client_assertion"] for entry in endpoint.requests]
            assert sent == ["canary.first.token", "canary.second.token"]

    run(work())


def test_no_federated_token(tmp_path: Path) -> None:
    error = refused_opening(settings(kind="workload_identity", token_file=str(tmp_path / "none")), tmp_path)
    assert "no such file" in error.message
