"""What the tests of signing in share: files as they should be, settings of each kind, one way to run a coroutine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from m365audit.config import TenantSettings
from m365audit.graph.auth import OpenCredential, open_credential
from m365audit.graph.failures import SignInError

from .login_endpoint import CLIENT, SECRET, TENANT, LoginEndpoint, certificate, pem_of

KEY = rsa.generate_private_key(65537, 2048)
PASSWORD = "canary pass phrase"  # noqa: S105 - the canary
_Result = TypeVar("_Result")


@dataclass
class Cloud:
    """What signing in has to know of a cloud."""

    login: str
    ca_file: Path | None


@dataclass
class Patience:
    """Waits no time at all and remembers how long it was told to."""

    waited: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        """Wait."""
        self.waited.append(seconds)
        await asyncio.sleep(0)


def private(path: Path, content: bytes | str, *, mode: int = 0o600) -> Path:
    """Return a file with this content and mode."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return path


def settings(**credential: Any) -> TenantSettings:
    """Return a tenant with this credential."""
    named = {} if credential["kind"] in {"azure_cli", "managed_identity"} else {"client_id": CLIENT}
    return TenantSettings.model_validate({"id": TENANT, "credential": {**named, **credential}})


def with_secret(folder: Path, secret: str = SECRET) -> TenantSettings:
    """Return a tenant with a secret in a file."""
    return settings(kind="secret_file", file=private(folder / "secret.txt", secret))


def own_certificate(*, days: int = 90) -> x509.Certificate:
    """Return a certificate of the auditor's key."""
    return certificate("the auditor", KEY, days=days)


def pem_file(folder: Path, *certificates: x509.Certificate) -> Path:
    """Return a PEM file with the key and these certificates."""
    chain = b"".join(entry.public_bytes(Encoding.PEM) for entry in certificates)
    return private(folder / "key-and-cert.pem", pem_of(KEY) + chain)


def pfx_file(folder: Path, own: x509.Certificate, password: str) -> Path:
    """Return a PFX file with the key and the certificate."""
    how = BestAvailableEncryption(password.encode())
    return private(folder / "cert.pfx", serialize_key_and_certificates(b"auditor", KEY, own, None, how))


def run(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine to its end, within ten seconds."""

    async def bounded() -> _Result:
        async with asyncio.timeout(10):
            return await work

    return asyncio.run(bounded())


def at_endpoint(
    folder: Path,
    tenant: TenantSettings | Callable[[LoginEndpoint], TenantSettings],
    ask: Callable[[OpenCredential, LoginEndpoint], Awaitable[_Result]],
    *,
    sleep: Patience | None = None,
    prepare: Callable[[LoginEndpoint], None] = lambda _: None,
) -> _Result:
    """Start an endpoint, open the tenant's credential there, and ask."""

    async def work() -> _Result:
        async with LoginEndpoint(folder) as endpoint:
            prepare(endpoint)
            chosen = tenant(endpoint) if callable(tenant) else tenant
            cloud = Cloud(endpoint.origin, endpoint.ca_file)
            credential = open_credential(chosen, cloud, state=folder, sleep=sleep or Patience())
            try:
                return await ask(credential, endpoint)
            finally:
                await credential.close()

    return run(work())


def refused_opening(tenant: TenantSettings, folder: Path, login: str = "https://login.example") -> SignInError:
    """Return the error that opening a credential ends with."""
    with pytest.raises(SignInError) as caught:
        open_credential(tenant, Cloud(login, None), state=folder)
    return caught.value
