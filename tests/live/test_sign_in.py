"""The product's own signing in against the simulated login endpoint: every kind of credential, and what goes wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import msal_extensions  # type: ignore[import-untyped]
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from simulator.small_world import AUDITOR, ONE, ROLES, SECRET, small_world
from simulator.test_server_sign_in import ANNA, CERTIFIED, EXPIRED, PUBLIC, WORKLOAD, KeyPair, key_pair

from m365audit.config import LoginCredential, TenantSettings
from m365audit.graph.auth import OpenCredential, open_credential
from m365audit.graph.claims import claims_of
from m365audit.graph.failures import SignInError
from m365audit.graph.login import log_in
from m365audit.simulator.served import ServedClient
from m365audit.simulator.service import Simulator, running

from .listed import cloud


@pytest.fixture(scope="module")
def keys() -> KeyPair:
    """Return the auditor's key and certificate."""
    return key_pair()


@pytest.fixture(scope="module")
def simulator(keys: KeyPair) -> Iterator[Simulator]:
    """Start a tenant that lets in one application of each kind."""
    world = small_world(records=1)
    tenant = world.tenants[ONE]
    public = x509.load_pem_x509_certificate(keys.certificate.encode()).public_key()
    tenant.people[ANNA.upn] = ANNA
    tenant.clients[CERTIFIED] = ServedClient(certificate=keys.certificate, roles=ROLES)
    tenant.clients[WORKLOAD] = ServedClient(
        federated_issuer="https://issuer.example", federated_subject="system:serviceaccount:audit",
        federated_key=public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(), roles=ROLES,
    )  # fmt: skip
    tenant.clients[PUBLIC] = ServedClient(scopes=("AuditLog.Read.All", "User.Read"))
    tenant.clients[EXPIRED] = ServedClient(secret=SECRET, is_secret_expired=True)
    with running(world, separate_ports=True) as started:
        yield started


def _tenant(**credential: Any) -> TenantSettings:
    return TenantSettings.model_validate({"id": ONE, "credential": credential})


def _file(folder: Path, content: str | bytes) -> Path:
    file = folder / "credential"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    file.chmod(0o600)
    return file


def _claims(simulator: Simulator, tenant: TenantSettings, state: Path) -> dict[str, Any]:
    """Return what the token for Graph says."""

    async def work() -> dict[str, Any]:
        place = cloud(simulator)
        credential: OpenCredential = open_credential(tenant, place, state=state)
        try:
            return dict(claims_of(await credential.token(place.scope("graph"))))
        finally:
            await credential.close()
            await asyncio.sleep(0)

    return asyncio.run(work())


def test_a_secret(simulator: Simulator, tmp_path: Path) -> None:
    tenant = _tenant(kind="secret_file", client_id=AUDITOR, file=_file(tmp_path, SECRET))
    assert set(_claims(simulator, tenant, tmp_path)["roles"]) == set(ROLES)


@pytest.mark.parametrize("has_chain", [False, True])
def test_a_certificate(simulator: Simulator, keys: KeyPair, tmp_path: Path, *, has_chain: bool) -> None:
    file = _file(tmp_path, keys.both)
    tenant = _tenant(kind="certificate", client_id=CERTIFIED, file=file, send_certificate_chain=has_chain)
    assert _claims(simulator, tenant, tmp_path)["appid"] == CERTIFIED


def test_a_workload(simulator: Simulator, keys: KeyPair, tmp_path: Path) -> None:
    told = {"iss": "https://issuer.example", "sub": "system:serviceaccount:audit", "aud": "api://AzureADTokenExchange"}
    token = jwt.encode(told | {"exp": int(time.time()) + 600}, keys.key, algorithm="RS256")
    tenant = _tenant(kind="workload_identity", client_id=WORKLOAD, token_file=_file(tmp_path, token))
    assert _claims(simulator, tenant, tmp_path)["appid"] == WORKLOAD


def test_a_machine(simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulator.simulation, "machine", (ONE, AUDITOR))
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", simulator.machine_origin)
    assert set(_claims(simulator, _tenant(kind="managed_identity"), tmp_path)["roles"]) == set(ROLES)


def test_a_person(simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_keyring(_: str) -> None:
        raise ImportError

    monkeypatch.setattr(msal_extensions, "build_encrypted_persistence", no_keyring)
    place, said = cloud(simulator), list[str]()
    person = log_in(
        LoginCredential(kind="login", client_id=PUBLIC), ONE, place.login, place.scope("graph"),
        ca_file=place.ca_file, state=tmp_path, device_code=True, tell=said.append,
    )  # fmt: skip
    assert person.name == ANNA.upn
    assert len(said) == 1
    claims = _claims(simulator, _tenant(kind="login", client_id=PUBLIC), tmp_path)
    assert claims["scp"] == "AuditLog.Read.All User.Read"


@pytest.mark.parametrize(
    ("client_id", "secret", "code"),
    [
        (AUDITOR, "another", "AADSTS7000215"),
        (EXPIRED, SECRET, "AADSTS7000222"),
        ("99999999-9999-4999-8999-999999999999", SECRET, "AADSTS700016"),
    ],
)
def test_a_refusal(simulator: Simulator, tmp_path: Path, client_id: str, secret: str, code: str) -> None:
    tenant = _tenant(kind="secret_file", client_id=client_id, file=_file(tmp_path, secret))
    with pytest.raises(SignInError) as caught:
        _claims(simulator, tenant, tmp_path)
    assert (caught.value.code, caught.value.is_refused) == (code, True)
    assert SECRET not in str(caught.value)


def test_another_certificate(simulator: Simulator, tmp_path: Path) -> None:
    tenant = _tenant(kind="certificate", client_id=CERTIFIED, file=_file(tmp_path, key_pair().both))
    with pytest.raises(SignInError, match="not one that is registered") as caught:
        _claims(simulator, tenant, tmp_path)
    assert caught.value.code == "AADSTS700027"
