"""Owns what is read from tokens and from demands for new ones. Never checks a signature: the tokens are our own."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

_CHALLENGE: Final = re.compile(r'\bclaims="([A-Za-z0-9+/_=-]{1,8000})"', re.ASCII)
_MAX_CLAIMS: Final = 6_000


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """What a token says of the auditor.

    Attributes:
        client_id: its application id, empty when the token does not say.
        roles: application permissions.
        scopes: delegated permissions, when a person signed in.
    """

    client_id: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]


class _Payload(msgspec.Struct):
    appid: str = ""
    azp: str = ""
    roles: tuple[str, ...] = ()
    scp: str = ""


def token_claims(token: str) -> TokenClaims:
    """Return what a token's middle part says; all empty for a token that is not a JWT, as some services give."""
    try:
        payload = msgspec.json.decode(_decoded(token.split(".")[1]), type=_Payload)
    except (IndexError, ValueError, msgspec.MsgspecError, RecursionError):
        return TokenClaims("", (), ())
    return TokenClaims(
        (payload.appid or payload.azp).lower(), tuple(sorted(payload.roles)), tuple(sorted(payload.scp.split()))
    )


def claims_of(token: str) -> Mapping[str, Any]:
    """Return what a token says of itself, unverified: for display and for checks against ourselves only.

    Empty when it is no JWT: Microsoft may change the form of its tokens whenever it likes.
    """
    try:
        value = json.loads(_decoded(token.split(".")[1]))
    except (IndexError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def demanded_claims(header: str | None) -> str:
    """Return the claims that a ``WWW-Authenticate`` header demands, as JSON; empty when it demands none.

    Continuous access evaluation answers 401 with ``error="insufficient_claims", claims="<base64>"``
    (learn.microsoft.com/entra/identity-platform/claims-challenge).
    """
    match = _CHALLENGE.search((header or "")[: 4 * _MAX_CLAIMS])
    if match is None or "insufficient_claims" not in (header or ""):
        return ""
    try:
        text = _decoded(match[1]).decode()
        msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (ValueError, msgspec.MsgspecError, RecursionError):
        return ""
    return text


def _decoded(text: str) -> bytes:
    text = text.rstrip("=").replace("+", "-").replace("/", "_")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
