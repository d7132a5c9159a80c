"""Signs a person in to the review page: authorization code with PKCE at Entra, and says who it is. Keeps no token.

The page's own server receives the answer; nothing but the person's object id, name and time of sign-in leaves here.
msal checks state and, by the code's verifier, that the answer belongs to the one who asked; it no longer checks the id
token, so that is done here: signature, issuer, audience, tenant, times, nonce and the time of the sign-in.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import jwt
import msal  # type: ignore[import-untyped]

from m365audit.graph.aadsts import Place
from m365audit.graph.failures import SignInError
from m365audit.graph.login import LoginEndpoint, in_words
from m365audit.graph.login_answers import BusyError, failure_in, quieten

LONGEST_AGO: Final = 8 * 3_600
"""Seconds since the person gave a password or another proof; older, and Entra asks again."""
_SKEW: Final = 120
_MOST_KEYS: Final = 64
_FLOW_NAMES: Final = ("code", "state", "client_info", "session_state", "error", "error_description")


@dataclass(frozen=True, slots=True)
class SignedInPerson:
    """Who signed in.

    Attributes:
        object_id: the directory's id of the person, lower case.
        name: as the directory shows it; chosen by people, so never to be trusted as anything but a text.
        at: when the person proved who they are (``auth_time``).
    """

    object_id: str
    name: str
    at: datetime


class PersonLogin:
    """One app registration with which people sign in.

    Args:
        tenant: tenant id; people of any other are refused.
        client_id: the application: a public client with ``redirect`` among its addresses.
        login: https origin of the login endpoint.
        redirect: where the browser is sent back to.
        ca_file: certificate authorities to trust instead of the system's.
    """

    def __init__(self, tenant: str, client_id: str, login: str, redirect: str, *, ca_file: Path | None = None) -> None:
        quieten()
        self._place = Place(tenant, client_id, login)
        self._redirect = redirect
        self._ca_file = ca_file

    @property
    def origin(self) -> str:
        """Where the browser is sent to."""
        return self._place.login

    def begin(self) -> tuple[str, dict[str, Any]]:
        """Return the address of the sign-in page, and what ``finish`` needs; the latter is a secret of one browser.

        Raises:
            SignInError: the endpoint cannot be asked.
        """
        with self._asking() as endpoint, warnings.catch_warnings():
            # msal would have the answer posted from Entra's page; but forms of other places change nothing here. The
            # code in the address is worth nothing without the verifier, and is exchanged at once.
            warnings.simplefilter("ignore", UserWarning)
            flow: dict[str, Any] = self._application(endpoint).initiate_auth_code_flow(
                [], redirect_uri=self._redirect, prompt="select_account", max_age=LONGEST_AGO, response_mode="query"
            )
        address = str(flow.get("auth_uri", ""))
        if not address.startswith(f"{self._place.login}/"):
            raise self._refused("its sign-in page lies at another host")
        return address, flow

    def finish(self, flow: Mapping[str, Any], answer: Mapping[str, str]) -> SignedInPerson:
        """Exchange the code that came back for the person.

        Args:
            flow: what ``begin`` gave.
            answer: the fields that came back, of which only the protocol's own are looked at.

        Raises:
            SignInError: refused, of another tenant, of another sign-in, or the endpoint cannot be asked.
        """
        given = {name: answer[name] for name in _FLOW_NAMES if name in answer}
        with self._asking() as endpoint:
            try:
                result = self._application(endpoint).acquire_token_by_auth_code_flow(dict(flow), given)
            except (ValueError, RuntimeError):  # its words quote what was sent
                raise self._refused("the answer does not belong to a sign-in that was begun here") from None
            if "id_token" not in result:
                raise failure_in(result, self._place)
            keys = endpoint.get(f"{self._place.login}/{self._place.tenant}/discovery/v2.0/keys").json()
        return self._person(str(result["id_token"]), str(flow["nonce"]), keys)

    def _person(self, token: str, nonce: str, keys: Mapping[str, Any]) -> SignedInPerson:
        """Return who an id token is about, once everything in it holds."""
        place = self._place
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            key = next(entry for entry in list(keys["keys"])[:_MOST_KEYS] if entry.get("kid") == kid)
            claims = jwt.decode(
                token, jwt.PyJWK(key, algorithm="RS256"), algorithms=["RS256"], audience=place.client_id, leeway=_SKEW,
                issuer=f"{place.login}/{place.tenant}/v2.0",
                options={"require": ["exp", "iat", "iss", "aud", "oid", "tid", "nonce", "auth_time"]},
            )  # fmt: skip
            at = datetime.fromtimestamp(int(claims["auth_time"]), UTC)
        except (
            jwt.PyJWTError,
            StopIteration,
            LookupError,
            TypeError,
            ValueError,
            AttributeError,
            OverflowError,
        ) as error:
            raise self._refused(f"its proof of who signed in does not hold ({type(error).__name__})") from None
        if claims["tid"] != place.tenant or claims["nonce"] != hashlib.sha256(nonce.encode()).hexdigest():
            raise self._refused("its proof of who signed in is about another tenant or another sign-in")
        if (datetime.now(UTC) - at).total_seconds() > LONGEST_AGO + _SKEW:
            raise self._refused("the sign-in lies too long ago")
        return SignedInPerson(str(claims["oid"]).lower(), str(claims.get("name") or "")[:200], at)

    def _refused(self, why: str) -> SignInError:
        return SignInError(f"{self._place.login}: {why}", hint="sign in again", is_refused=True)

    @contextmanager
    def _asking(self) -> Iterator[LoginEndpoint]:
        try:
            with LoginEndpoint(self._place, self._ca_file) as endpoint, in_words(self._place):
                yield endpoint
        except BusyError as busy:
            raise busy.failure from None

    def _application(self, endpoint: LoginEndpoint) -> Any:
        return msal.PublicClientApplication(
            self._place.client_id,
            authority=f"{self._place.login}/{self._place.tenant}",
            instance_discovery=False,
            http_client=endpoint,
            exclude_scopes=["offline_access"],
        )
