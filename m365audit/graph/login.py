"""Signs a person in: with a browser or a device code, once; later runs get their tokens from what is kept.

Speaks to the cloud's login endpoint and to nobody else, whatever an answer names.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

import httpx
import msal  # type: ignore[import-untyped]
from azure.core.credentials import AccessTokenInfo, TokenRequestOptions

from m365audit.config.credentials import LoginCredential
from m365audit.graph.aadsts import Place
from m365audit.graph.failures import SignInError
from m365audit.graph.login_answers import CLIENT_ERRORS, BusyError, failure_in, failure_of, quieten, read_answer
from m365audit.graph.token_cache import Kept
from m365audit.graph.wire import proxy_for, tls_context

BROWSER_SECONDS: Final = 300
"""How long a person may take in the browser."""
_CONNECT_SECONDS: Final = 15.0
_READ_SECONDS: Final = 30.0
_POLLS_MISSED: Final = 5
_DONE: Final = "You are signed in. Close this page and return to the terminal."
_FAILED: Final = "That did not work. Close this page and return to the terminal."


@dataclass(frozen=True, slots=True)
class Person:
    """Who signed in.

    Attributes:
        name: the account's name, as Microsoft writes it.
        place: where the login is kept, for people.
    """

    name: str
    place: str


def log_in(
    credential: LoginCredential,
    tenant: str,
    login: str,
    scope: str,
    *,
    ca_file: Path | None,
    state: Path,
    device_code: bool,
    tell: Callable[[str], None],
) -> Person:
    """Let a person sign in, and keep the login for later runs.

    Args:
        credential: names the application; a public client that may ask for the permissions as delegated ones.
        tenant: tenant id.
        login: https origin of the login endpoint.
        scope: what to ask for, e.g. ``https://graph.microsoft.com/.default``.
        ca_file: certificate authorities to trust instead of the system's.
        state: the auditor's private folder.
        device_code: use a code that is entered in any browser; else a browser on this machine.
        tell: shows a line to the person.

    Raises:
        SignInError: refused, not done in time, or the endpoint could not be asked.
    """
    quieten()
    place = Place(tenant, credential.client_id, login)
    memory = msal.SerializableTokenCache()
    try:
        with LoginEndpoint(place, ca_file) as endpoint, in_words(place):
            app = _application(place, endpoint, memory)
            result = _by_code(app, scope, tell) if device_code else _by_browser(app, scope, tell)
            if "access_token" not in result:
                raise failure_in(result, place)
            accounts = app.get_accounts()
    except BusyError as busy:
        raise busy.failure from None
    # Only now does it take the place of the login before: a login that fails leaves that one as it is.
    kept = Kept(state, tenant)
    kept.keep(memory.serialize())
    name = str(accounts[0].get("username", "")) if accounts else ""
    return Person(name, str(kept.file) if kept.file.exists() else "the keyring of this account")


def forget(tenant: str, *, state: Path) -> bool:
    """Delete a tenant's login; return whether there was one.

    Microsoft is not told: revoke the sessions of the account to end what was already handed out.
    """
    return Kept(state, tenant).forget()


class PersonCredential:
    """Hands out tokens of a person who logged in before; behaves like one of azure-identity's credentials.

    Args:
        is_again: the tokens at hand were no good: the first one of each scope is asked for anew.
    """

    def __init__(
        self, credential: LoginCredential, tenant: str, login: str, *, ca_file: Path | None, state: Path, is_again: bool
    ) -> None:
        self._place = Place(tenant, credential.client_id, login)
        self._ca_file = ca_file
        self._kept = Kept(state, tenant)
        self._is_again = is_again
        self._asked: set[str] = set()
        self._app: Any = None
        self._endpoint: LoginEndpoint | None = None
        if not self._kept.exists:
            raise self._nobody()

    async def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """Return a token without asking anybody, or by asking Microsoft.

        Raises:
            SignInError: nobody is logged in any more.
            BusyError: Microsoft cannot be asked now.
        """
        return await asyncio.to_thread(self._token, scopes[0], (options or {}).get("claims"))

    async def close(self) -> None:
        """Close the connections."""
        if self._endpoint is not None:
            await asyncio.to_thread(self._endpoint.close)
        self._app = self._endpoint = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _token(self, scope: str, claims: str | None) -> AccessTokenInfo:
        now = int(time.time())
        with in_words(self._place):
            app = self._application()
            accounts = app.get_accounts()
            result = app.acquire_token_silent_with_error(
                [scope],
                account=accounts[0] if accounts else None,
                claims_challenge=claims,
                force_refresh=self._is_again and scope not in self._asked,
            )
            if result is None:
                raise self._nobody()
            if "access_token" not in result:
                raise failure_in(result, self._place)
            self._asked.add(scope)
            return AccessTokenInfo(result["access_token"], now + int(result["expires_in"]))

    def _application(self) -> Any:
        if self._app is None:
            self._endpoint = self._endpoint or LoginEndpoint(self._place, self._ca_file)
            self._app = _application(self._place, self._endpoint, self._kept.found())
        return self._app

    def _nobody(self) -> SignInError:
        todo = f"run: m365audit login --tenant {self._place.tenant}"
        return SignInError("nobody is logged in for this tenant", hint=todo, is_refused=False)


def _application(place: Place, endpoint: LoginEndpoint, cache: msal.SerializableTokenCache) -> Any:
    return msal.PublicClientApplication(
        place.client_id,
        authority=f"{place.login}/{place.tenant}",
        # The authority comes from the configuration; asking another host whether it exists would tell that host of us.
        instance_discovery=False,
        client_capabilities=["CP1"],
        token_cache=cache,
        http_client=endpoint,
    )


def _by_browser(app: Any, scope: str, tell: Callable[[str], None]) -> Mapping[str, Any]:
    tell("opening a browser to sign in …")
    try:
        answer: Mapping[str, Any] = app.acquire_token_interactive(
            [scope],
            prompt="select_account",
            timeout=BROWSER_SECONDS,
            success_template=_DONE,
            error_template=_FAILED,
            auth_uri_callback=lambda address: tell(f"there is no browser here; open this address in one: {address}"),
        )
    except RuntimeError:
        todo = "run the same command again; where there is no browser, with --device-code"
        minutes = BROWSER_SECONDS // 60
        raise SignInError(f"nobody signed in within {minutes} minutes", hint=todo, is_refused=False) from None
    return answer


def _by_code(app: Any, scope: str, tell: Callable[[str], None]) -> Mapping[str, Any]:
    flow: dict[str, Any] = app.initiate_device_flow([scope])
    if "user_code" not in flow:
        return flow
    tell(f"open {flow['verification_uri']} in any browser and enter the code {flow['user_code']}")
    for missed in range(_POLLS_MISSED):
        try:
            answer: Mapping[str, Any] = app.acquire_token_by_device_flow(flow)
        except BusyError:
            if missed == _POLLS_MISSED - 1:
                raise
            time.sleep(1)
        else:
            return answer
    return {}


class LoginEndpoint:
    """The HTTP client that msal speaks through: only to the login endpoint, and with nothing but verified TLS.

    msal's own would let ``REQUESTS_CA_BUNDLE`` replace the configured authorities, follow redirects, and send a refresh
    token to whatever address the endpoint's description names.
    """

    def __init__(self, place: Place, ca_file: Path | None) -> None:
        self._place = place
        self._client = httpx.Client(
            verify=tls_context(ca_file),
            proxy=proxy_for(urlsplit(place.login).hostname or ""),
            timeout=httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS),
            follow_redirects=False,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, url: str, **options: Any) -> httpx.Response:
        """Read the endpoint's description, in which an error is final."""
        response = self._send("GET", url, **options)
        answer = read_answer(response.status_code, response.headers, response.content, self._place)
        if "error" in answer:
            raise failure_in(answer, self._place)
        return response

    def post(self, url: str, **options: Any) -> httpx.Response:
        """Ask for a token; an error is for msal to read: some of them only mean that a person is still typing."""
        response = self._send("POST", url, **options)
        read_answer(response.status_code, response.headers, response.content, self._place)
        return response

    def _send(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> httpx.Response:
        if not url.startswith(f"{self._place.login}/"):
            what = f"{self._place.login} names another host for its answers"
            raise SignInError(what, hint="nothing was sent there; check `cloud:`", is_refused=False)
        try:
            return self._client.request(method, url, params=params, data=data, headers=headers)
        except CLIENT_ERRORS as error:
            raise failure_of(error, self._place) from None


@contextmanager
def in_words(place: Place) -> Iterator[None]:
    """Turn what msal raises into words; its own messages name addresses and quote answers."""
    try:
        yield
    except (*CLIENT_ERRORS, LookupError, TypeError, AttributeError) as error:
        raise failure_of(error, place) from None
