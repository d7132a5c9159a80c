"""Tokens: got with each kind of key, remembered, thrown away, asked for once by many."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from m365audit.graph.auth import OpenCredential
from m365audit.graph.claims import claims_of
from m365audit.graph.failures import SignInError

from .login_endpoint import CLIENT, GRAPH, SECRET, TENANT, LoginEndpoint, certificate, chain_in
from .signing_in import PASSWORD, at_endpoint, own_certificate, pem_file, pfx_file, private, settings, with_secret

MANAGE = "https://manage.example/.default"
CHALLENGE = '{"access_token":{"nbf":{"essential":true,"value":"1693555200"}}}'


async def _one(credential: OpenCredential, _: LoginEndpoint) -> str:
    return await credential.token(GRAPH)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_lets_in_with_or_without_a_line_break_at_its_end(tmp_path: Path, end: str) -> None:
    async def ask(credential: OpenCredential, endpoint: LoginEndpoint) -> None:
        assert claims_of(await credential.token(GRAPH))["appid"] == CLIENT
        assert [entry["client_secret"] for entry in endpoint.requests] == [SECRET]
        assert json.loads(endpoint.requests[0]["claims"]) == {"access_token": {"xms_cc": {"values": ["CP1"]}}}
        assert [entry["path"] for entry in endpoint.requests] == [f"/{TENANT}/oauth2/v2.0/token"]
        assert credential.expires_at is None

    at_endpoint(tmp_path, with_secret(tmp_path, SECRET + end), ask)


def test_a_certificate_signs_an_assertion_that_the_endpoint_verifies(tmp_path: Path) -> None:
    own = own_certificate()

    async def ask(credential: OpenCredential, endpoint: LoginEndpoint) -> None:
        assert await credential.token(GRAPH)
        assert credential.expires_at == own.not_valid_after_utc
        assert not list(chain_in(endpoint.requests[0]["client_assertion"]))

    tenant = settings(kind="certificate", file=pem_file(tmp_path, own))
    at_endpoint(tmp_path, tenant, ask, prepare=lambda endpoint: endpoint.certificates.append(own))


def test_a_chain_written_upside_down_signs_with_the_key_s_own_certificate(tmp_path: Path) -> None:
    issuer_key = rsa.generate_private_key(65537, 2048)
    issuer = certificate("an issuer", issuer_key, is_ca=True)
    own = own_certificate()

    async def ask(credential: OpenCredential, endpoint: LoginEndpoint) -> None:
        assert await credential.token(GRAPH)
        assert list(chain_in(endpoint.requests[0]["client_assertion"])) == [own, issuer]

    tenant = settings(kind="certificate", file=pem_file(tmp_path, issuer, own), send_certificate_chain=True)
    at_endpoint(tmp_path, tenant, ask, prepare=lambda endpoint: endpoint.certificates.append(own))


@pytest.mark.parametrize("place", ["password_file", "password_env"])
def test_a_pfx_file_opens_with_a_password_by_reference(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = own_certificate()
    monkeypatch.setenv("PFX_PASSWORD", PASSWORD)
    where = private(tmp_path / "password.txt", PASSWORD + "\n") if place == "password_file" else "PFX_PASSWORD"
    tenant = settings(kind="certificate", file=pfx_file(tmp_path, own, PASSWORD), **{place: where})
    assert at_endpoint(tmp_path, tenant, _one, prepare=lambda endpoint: endpoint.certificates.append(own))


def test_a_certificate_that_nobody_registered_is_refused(tmp_path: Path) -> None:
    tenant = settings(kind="certificate", file=pem_file(tmp_path, own_certificate()))
    with pytest.raises(SignInError, match="not one that is registered") as caught:
        at_endpoint(tmp_path, tenant, _one)
    assert (caught.value.code, caught.value.is_refused, caught.value.reason) == ("AADSTS700027", True, "permission")
    assert CLIENT in caught.value.hint


def test_a_token_is_remembered_per_scope_until_a_fresh_one_is_wanted(tmp_path: Path) -> None:
    async def ask(credential: OpenCredential, endpoint: LoginEndpoint) -> None:
        first = await credential.token(GRAPH)
        assert await credential.token(GRAPH) == first
        assert await credential.token(MANAGE) != first
        assert endpoint.issued == 2
        fresh = await credential.token(GRAPH, is_fresh=True)
        assert fresh != first
        assert await credential.token(GRAPH) == fresh
        assert endpoint.issued == 3

    at_endpoint(tmp_path, with_secret(tmp_path), ask)


def test_many_who_want_a_fresh_token_at_once_get_one(tmp_path: Path) -> None:
    async def ask(credential: OpenCredential, endpoint: LoginEndpoint) -> None:
        await credential.token(GRAPH)
        tokens = await asyncio.gather(*(credential.token(GRAPH, is_fresh=True) for _ in range(20)))
        assert len(set(tokens)) == 1
        assert endpoint.issued == 2

    at_endpoint(tmp_path, with_secret(tmp_path), ask)


def test_a_challenge_is_passed_to_microsoft_once(tmp_path: Path) -> None:
    async def ask(credential: OpenCredential, endpoint: LoginEndpoint) -> None:
        await credential.token(GRAPH)
        tokens = await asyncio.gather(*(credential.token(GRAPH, claims=CHALLENGE) for _ in range(5)))
        assert len(set(tokens)) == 1
        assert await credential.token(GRAPH) == tokens[0]
        assert endpoint.issued == 2
        sent = json.loads(endpoint.requests[-1]["claims"])["access_token"]
        assert sent == {"nbf": {"essential": True, "value": "1693555200"}, "xms_cc": {"values": ["CP1"]}}

    at_endpoint(tmp_path, with_secret(tmp_path), ask)


def test_a_fresh_token_reads_the_file_again(tmp_path: Path) -> None:
    async def ask(credential: OpenCredential, _: LoginEndpoint) -> None:
        with pytest.raises(SignInError, match="secret is wrong"):
            await credential.token(GRAPH)
        private(tmp_path / "secret.txt", SECRET)
        assert await credential.token(GRAPH, is_fresh=True)

    at_endpoint(tmp_path, with_secret(tmp_path, "an old one"), ask)


def test_a_token_of_another_tenant_is_never_used(tmp_path: Path) -> None:
    def prepare(endpoint: LoginEndpoint) -> None:
        endpoint.tenant = "99999999-9999-4999-8999-999999999999"

    with pytest.raises(SignInError, match="lets into another tenant") as caught:
        at_endpoint(tmp_path, with_secret(tmp_path), _one, prepare=prepare)
    assert not caught.value.is_refused


@pytest.mark.parametrize("token", ["", "opaque", "a.b.c", "a.bm8.c", "a.W10.c", "é.é.é"])
def test_a_token_that_is_no_jwt_says_nothing(token: str) -> None:
    assert claims_of(token) == {}
