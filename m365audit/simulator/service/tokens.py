"""Owns access tokens: minting, verifying, revoking. Must never decide who gets one."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from m365audit.simulator.service.calls import Bearer, Service

LIFETIME: Final = 3599
_KEY_ID: Final = "simulated-signing-key"


@cache
def _signing_key() -> rsa.RSAPrivateKey:
    """Return the key of this process; making one is slow."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class InvalidTokenError(Exception):
    """A token is not one of ours, is over, or was revoked."""


class Tokens:
    """Makes tokens and knows them again; lifetimes are the host's time, as the caller's are."""

    def __init__(self, origins: Mapping[Service, str]) -> None:
        self._origins = origins
        self._made = 0
        self._known: dict[str, tuple[Bearer, str, float]] = {}
        self.revoked_up_to: dict[str, int] = {}
        """Tenant → number of its last token that is not taken any more."""

    @property
    def made(self) -> int:
        """Return how many tokens were made so far."""
        return self._made

    def access(
        self,
        tenant: str,
        client: str,
        audience: str,
        *,
        roles: tuple[str, ...] = (),
        scopes: tuple[str, ...] = (),
        person: str = "",
        lifetime: int = LIFETIME,
        had_claims: bool = False,
    ) -> str:
        """Return a new signed access token."""
        self._made += 1
        claims: dict[str, Any] = {"appid": client, "azp": client, "idtyp": "user" if person else "app"}
        claims |= {"roles": list(roles)} if roles else {}
        claims |= {"scp": " ".join(scopes), "oid": person} if person else {"oid": f"{client}@{tenant}"}
        token = self.signed(tenant, audience, claims, lifetime=lifetime)
        bearer = Bearer(self._made, tenant, client, frozenset(roles), frozenset(scopes), had_claims)
        self._known[token] = bearer, audience, time.time() + lifetime
        return token

    def signed(self, tenant: str, audience: str, claims: dict[str, Any], *, lifetime: int = LIFETIME) -> str:
        """Return claims as a token signed with the key of `key_set`."""
        now = int(time.time())
        common = {
            "iss": f"{self._origins['login']}/{tenant}/v2.0",
            "aud": audience,
            "tid": tenant,
            "iat": now,
            "nbf": now - 5,
            "exp": now + lifetime,
            "ver": "2.0",
            "uti": f"{self._made}",
        }
        return jwt.encode(common | claims, _signing_key(), algorithm="RS256", headers={"kid": _KEY_ID})

    def verified(self, token: str, audiences: frozenset[str]) -> Bearer:
        """Return what the token says.

        Raises:
            InvalidTokenError: with Microsoft's words.
        """
        known = self._known.get(token)
        if known is None:
            raise InvalidTokenError(_why_unknown(token))
        bearer, audience, ends = known
        if audience not in audiences:
            raise InvalidTokenError("Access token validation failure. Invalid audience.")
        if time.time() >= ends or bearer.number <= self.revoked_up_to.get(bearer.tenant, 0):
            raise InvalidTokenError("Lifetime validation failed, the token is expired.")
        return bearer

    def tenant_of(self, token: str) -> str:
        """Return the tenant of a token, taken or not; empty when it is not ours."""
        known = self._known.get(token.strip())
        return known[0].tenant if known else ""

    def revoke(self, tenant: str) -> None:
        """Take none of the tenant's tokens that were made so far."""
        numbers = [bearer.number for bearer, _, _ in self._known.values() if bearer.tenant == tenant]
        self.revoked_up_to[tenant] = max(numbers, default=0)

    def newest(self) -> int:
        """Return the number of the newest token."""
        return self._made


def _why_unknown(token: str) -> str:
    """Return why a token that was not made here is refused; its signature is looked at first."""
    try:
        jwt.decode(token, _signing_key().public_key(), algorithms=["RS256"], options={"verify_aud": False})
    except jwt.ExpiredSignatureError:
        return "Lifetime validation failed, the token is expired."
    except jwt.InvalidSignatureError:
        return "Access token validation failure. Invalid signature."
    except jwt.PyJWTError:
        return "CompactToken parsing failed with error code: 80049217"
    return "Access token validation failure."


def key_set() -> dict[str, Any]:
    """Return the public key as login publishes it."""
    numbers = _signing_key().public_key().public_numbers()
    return {
        "keys": [
            {
                "kty": "RSA",
                "use": "sig",
                "alg": "RS256",
                "kid": _KEY_ID,
                "n": _number(numbers.n),
                "e": _number(numbers.e),
            }
        ]
    }


def _number(value: int) -> str:
    return unpadded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def unpadded(content: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a PKCE verifier."""
    return unpadded(hashlib.sha256(verifier.encode()).digest())
