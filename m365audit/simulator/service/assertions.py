"""Owns the checks of signed client assertions: certificates and trusted workloads. Must never answer a request."""

from __future__ import annotations

import time
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from m365audit.simulator.served import ServedClient
from m365audit.simulator.service.tokens import unpadded

_ALGORITHMS = ["RS256", "PS256", "RS384", "PS384", "RS512", "PS512"]
_LONGEST_LIFE = 24 * 3600


class BadAssertionError(Exception):
    """An assertion is refused.

    Attributes:
        code: AADSTS code.
        detail: what Microsoft adds.
    """

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Assertions:
    """Checks client assertions and remembers those that were used."""

    def __init__(self) -> None:
        self._used: dict[str, float] = {}

    def check(self, assertion: str, client_id: str, client: ServedClient, audiences: set[str]) -> None:
        """Accept an assertion.

        Raises:
            BadAssertionError: signature, certificate, audience, times or subject are wrong, or it was used before.
        """
        try:
            claims = jwt.decode(assertion, options={"verify_signature": False})
        except jwt.PyJWTError as error:
            raise BadAssertionError(50027) from error
        if claims.get("iss") == client_id:
            self._check_certificate(assertion, client_id, client, audiences)
        else:
            _check_federated(assertion, claims, client)

    def _check_certificate(self, assertion: str, client_id: str, client: ServedClient, audiences: set[str]) -> None:
        if client.certificate is None:
            raise BadAssertionError(700027, "The certificate used to sign the token is not registered on application.")
        certificate = x509.load_pem_x509_certificate(client.certificate.encode())
        _check_thumbprint(assertion, certificate)
        if certificate.not_valid_after_utc.timestamp() < time.time():
            raise BadAssertionError(700027, "The certificate used to sign the token is expired.")
        claims = _decoded(assertion, certificate.public_key(), audiences)
        if claims.get("sub") != client_id:
            raise BadAssertionError(50027, "The subject is not the client.")
        if claims["exp"] - time.time() > _LONGEST_LIFE:
            raise BadAssertionError(700024)
        self._use_once(str(claims.get("jti", "")), claims["exp"])

    def _use_once(self, number: str, ends: float) -> None:
        if not number or number in self._used:
            raise BadAssertionError(700027, "The assertion was used before, or has no jti.")
        self._used[number] = ends


def _check_thumbprint(assertion: str, certificate: x509.Certificate) -> None:
    header = jwt.get_unverified_header(assertion)
    der = certificate.fingerprint(hashes.SHA256())
    # Clients still send the SHA-1 thumbprint that RFC 7515 calls x5t; it names a certificate, it proves nothing.
    older = certificate.fingerprint(hashes.SHA1())  # noqa: S303
    named = {str(header.get(name, "")).rstrip("=") for name in ("x5t#S256", "x5t")}
    if not named & {unpadded(der), unpadded(older), der.hex(), older.hex()}:
        raise BadAssertionError(700027, "The certificate with identifier used to sign the assertion is not registered.")


def _decoded(assertion: str, key: PublicKeyTypes, audiences: set[str]) -> dict[str, Any]:
    options: Any = {"require": ["exp", "aud"]}
    try:
        # PyJWT's type for a key leaves out the kinds that it refuses at run time.
        return jwt.decode(
            assertion,
            key,  # type: ignore[arg-type]
            algorithms=_ALGORITHMS,
            audience=sorted(audiences),
            options=options,
            leeway=300,
        )
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as error:
        raise BadAssertionError(700024) from error
    except jwt.InvalidSignatureError as error:
        raise BadAssertionError(700027, "[Reason - The key was not found.]") from error
    except jwt.PyJWTError as error:
        raise BadAssertionError(50027, str(error)) from error


def _check_federated(assertion: str, claims: dict[str, Any], client: ServedClient) -> None:
    trusted = (client.federated_issuer, client.federated_subject)
    if client.federated_key is None or (claims.get("iss"), claims.get("sub")) != trusted:
        raise BadAssertionError(70021)
    _decoded(assertion, load_pem_public_key(client.federated_key.encode()), {"api://AzureADTokenExchange"})
