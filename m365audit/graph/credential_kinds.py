"""Makes Microsoft's own credential objects from the configuration; each kind of credential once. Asks nobody yet."""

from __future__ import annotations

import base64
import os
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol, Self
from urllib.parse import urlsplit

import aiohttp
import jwt
from azure.core.credentials import AccessTokenInfo, TokenRequestOptions
from azure.core.credentials_async import AsyncSupportsTokenInfo
from azure.core.pipeline.transport import AioHttpTransport
from azure.identity import aio
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from m365audit.config.credentials import (
    AzureCliCredential,
    CertificateCredential,
    Credential,
    LoginCredential,
    ManagedIdentityCredential,
    SecretFileCredential,
    WorkloadIdentityCredential,
)
from m365audit.graph.certificates import Certificate, read_certificate
from m365audit.graph.secret_files import read_private, read_public, refused
from m365audit.graph.wire import proxy_for, tls_context

CONNECT_SECONDS: Final = 15
READ_SECONDS: Final = 30
_ASSERTION_SECONDS: Final = 600
_CLI_SECONDS: Final = 30
"""``az`` is a Python program that starts slowly."""
_SOON: Final = 300
"""A remembered token is not used in its last five minutes."""


class LoginCloud(Protocol):
    """What signing in has to know of a cloud."""

    @property
    def login(self) -> str:
        """Origin of the login endpoint, with its scheme."""

    @property
    def ca_file(self) -> Path | None:
        """The only certificate authorities to trust; None for the system's."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A credential that can be asked for tokens.

    Attributes:
        credential: Microsoft's object, or one that behaves like it.
        expires_at: end of the certificate's life, None when nobody can know.
    """

    credential: AsyncSupportsTokenInfo
    expires_at: datetime | None = None


def open_kind(
    credential: Credential,
    tenant: str,
    cloud: LoginCloud,
    *,
    state: Path,
    on_answer: Callable[[Any], None],
    is_again: bool = False,
) -> Opened:
    """Return the credential that the configuration describes.

    Args:
        credential: what the configuration says.
        tenant: tenant id.
        cloud: where to sign in, and whom to trust there.
        state: the auditor's private folder; a person's login is kept in it.
        on_answer: shown every answer of the login endpoint before Microsoft's library reads it.
        is_again: the tokens that it gave before were no good; what is kept on disk is not to be given again.

    Raises:
        SignInError: a file is missing, somebody else's, or not what it should be.
    """
    options = _options(cloud, on_answer)
    expires_at = None
    opened: AsyncSupportsTokenInfo
    match credential:
        case CertificateCredential():
            certificate = read_certificate(credential.file, _password(credential))
            opened, expires_at = _with_certificate(credential, certificate, tenant, options), certificate.expires_at
        case SecretFileCredential():
            secret = _line(credential.file, read_private(credential.file))
            opened = aio.ClientSecretCredential(tenant, credential.client_id, secret, **options)
        case WorkloadIdentityCredential():
            opened = _federated(credential, tenant, options)
        case ManagedIdentityCredential():
            opened = aio.ManagedIdentityCredential(client_id=credential.client_id)
        case AzureCliCredential():
            opened = _Remembering(aio.AzureCliCredential(tenant_id=tenant, process_timeout=_CLI_SECONDS))
        case LoginCredential():
            # Imported here: msal's interactive side is needed by those who use it only.
            from m365audit.graph.login import PersonCredential  # noqa: PLC0415

            opened = _Remembering(
                PersonCredential(credential, tenant, cloud.login, ca_file=cloud.ca_file, state=state, is_again=is_again)
            )
    return Opened(opened, expires_at)


class _Transport(AioHttpTransport):  # type: ignore[misc]
    """Connections that trust whom the other connections of the product trust, and read no password file."""

    def __init__(self, cloud: LoginCloud) -> None:
        super().__init__(connection_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS)
        self._context = tls_context(cloud.ca_file)
        self._is_new = True

    async def open(self) -> None:
        """Make the session, the first time."""
        if self._is_new:
            self._is_new = False
            self.session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._context),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        await super().open()


def _options(cloud: LoginCloud, on_answer: Callable[[Any], None]) -> dict[str, Any]:
    """Return what every credential that speaks to the login endpoint is given; trying again is the caller's."""
    proxy = proxy_for(urlsplit(cloud.login).hostname or "")
    return {
        "authority": cloud.login,
        "transport": _Transport(cloud),
        "proxies": {"https": proxy} if proxy else {},
        "retry_total": 0,
        "raw_response_hook": on_answer,
    }


def _with_certificate(
    credential: CertificateCredential, certificate: Certificate, tenant: str, options: Mapping[str, Any]
) -> AsyncSupportsTokenInfo:
    client_id = credential.client_id
    if not credential.send_certificate_chain:
        return aio.CertificateCredential(tenant, client_id, certificate_data=certificate.pem, **options)
    # Microsoft's asynchronous credential cannot send the chain; an assertion of our own with x5c can.
    audience = f"{options['authority']}/{tenant}/oauth2/v2.0/token"

    def assertion() -> str:
        return _assertion(certificate, client_id, audience)

    return aio.ClientAssertionCredential(tenant, client_id, assertion, **options)


def _assertion(certificate: Certificate, client_id: str, audience: str) -> str:
    """Return a client assertion with the certificate chain (learn.microsoft.com, certificate-credentials)."""
    now = int(time.time())
    claims = {
        "aud": audience,
        "iss": client_id,
        "sub": client_id,
        "jti": str(uuid.uuid4()),
        "nbf": now,
        "exp": now + _ASSERTION_SECONDS,
    }
    print_ = base64.urlsafe_b64encode(certificate.chain[0].fingerprint(SHA256())).rstrip(b"=").decode()
    chain = [base64.b64encode(entry.public_bytes(Encoding.DER)).decode() for entry in certificate.chain]
    return jwt.encode(claims, certificate.key, "PS256", headers={"x5t#S256": print_, "x5c": chain})


def _password(credential: CertificateCredential) -> bytes | None:
    if credential.password_file is not None:
        return _line(credential.password_file, read_private(credential.password_file)).encode()
    if credential.password_env is None:
        return None
    value = os.environ.get(credential.password_env)
    if not value:
        what = f"its password is to be in the environment variable {credential.password_env}, which is not set"
        raise refused(credential.file, what, "set the variable, or name a password_file")
    return value.encode()


def _line(path: Path, content: bytes) -> str:
    """Return the one line of a secret's file, without the line break that editors put at its end."""
    try:
        text = content.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise refused(path, "is not text", "write the secret into it as plain text") from None
    if "\n" in text or not text.isprintable():
        raise refused(path, "has more than one line", "write the secret, and nothing else, into it") from None
    return text


def _federated(
    credential: WorkloadIdentityCredential, tenant: str, options: Mapping[str, Any]
) -> aio.ClientAssertionCredential:
    path = credential.token_file

    def assertion() -> str:
        # Read anew each time: the platform replaces the file every hour or so.
        return _line(path, read_public(path))

    assertion()
    return aio.ClientAssertionCredential(tenant, credential.client_id, assertion, **options)


class _Remembering:
    """Keeps the tokens of a credential that keeps none, or not reliably.

    Asking the Azure command line takes a second each time; msal finds a token again only when Microsoft repeated the
    scope that was asked for in its answer.
    """

    def __init__(self, inner: AsyncSupportsTokenInfo) -> None:
        self._inner = inner
        self._tokens: dict[tuple[str, ...], AccessTokenInfo] = {}

    async def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """Return a token, the last one while it lasts."""
        kept = self._tokens.get(scopes)
        has_claims = bool(options and options.get("claims"))
        if kept is None or has_claims or kept.expires_on < time.time() + _SOON:
            kept = await self._inner.get_token_info(*scopes, options=options)
            self._tokens[scopes] = kept
        return kept

    async def close(self) -> None:
        """Forget the tokens."""
        self._tokens.clear()
        await self._inner.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
