"""Gets tokens for one tenant: one credential, one login endpoint, every failure in words.

Keeps tokens in memory only, and must never let a secret, an assertion or a token into a message, a repr or a log.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import math
import ssl
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import tenacity
from azure.core.credentials import AccessTokenInfo, TokenRequestOptions

from m365audit.config import TenantSettings
from m365audit.graph.aadsts import Place
from m365audit.graph.credential_kinds import LoginCloud, Opened, open_kind
from m365audit.graph.failures import SignInError
from m365audit.graph.login_answers import CLIENT_ERRORS, BusyError, check_answer, failure_of
from m365audit.graph.secret_files import refused

TRIES: Final = 4
LONGEST_WAIT: Final = 30.0
"""Seconds between two tries, whatever ``Retry-After`` says: who is told to wait longer gives up and says so."""
ONE_TRY: Final = 45.0
"""Seconds that one try may take: a login endpoint that sends a byte a second must not hold the tenant up."""

Sleep = Callable[[float], Awaitable[None]]


def open_credential(
    tenant: TenantSettings, cloud: LoginCloud, *, state: Path, sleep: Sleep = asyncio.sleep
) -> OpenCredential:
    """Return the tenant's credential, opened; nothing is asked of Microsoft yet.

    Args:
        tenant: its settings.
        cloud: where to sign in (``login``), and whom to trust there (``ca_file``).
        state: the auditor's private folder.
        sleep: waits between two tries.

    Raises:
        SignInError: there is no credential, or a file of it is missing, expired, somebody else's or readable by others.
    """
    if tenant.credential is None:
        todo = "give the tenant a `credential:` in the configuration"
        raise SignInError(f"{tenant.display_name} has no credential", hint=todo, is_refused=False)
    _check_ca_file(cloud.ca_file)
    settings = tenant.credential
    place = Place(tenant.id, getattr(settings, "client_id", None) or "", cloud.login)

    def on_answer(response: Any) -> None:
        answer = response.http_response
        check_answer(answer.status_code, answer.headers, answer.content, place)

    def reopen() -> Opened:
        return open_kind(settings, tenant.id, cloud, state=state, on_answer=on_answer)

    return OpenCredential(reopen, place, sleep=sleep)


class OpenCredential:
    """A tenant's credential: hands out tokens, all callers through one door.

    Attributes:
        expires_at: end of the certificate's life; None for credentials whose end nobody can know from here.
    """

    def __init__(self, reopen: Callable[[], Opened], place: Place, *, sleep: Sleep = asyncio.sleep) -> None:
        _quieten()
        self._reopen = reopen
        self._opened = reopen()
        self._place = place
        self._sleep = sleep
        self._lock = asyncio.Lock()
        self._tokens: dict[str, AccessTokenInfo] = {}
        self._rounds: dict[str, int] = {}
        self._claimed: dict[str, str] = {}
        self._failures = 0
        self._failure: SignInError | None = None
        self.expires_at: datetime | None = self._opened.expires_at

    def __repr__(self) -> str:
        return f"OpenCredential({type(self._opened.credential).__name__}, tenant={self._place.tenant})"

    async def token(self, scope: str, *, claims: str | None = None, is_fresh: bool = False) -> str:
        """Return an access token.

        Who asks while somebody else's question is under way takes part in its answer: many requests that are refused
        at the same moment make one question to Microsoft, not many.

        Args:
            scope: e.g. ``https://graph.microsoft.com/.default``.
            claims: the claims of a challenge (JSON); passed to Microsoft once, a second time the token stands.
            is_fresh: throw away what is remembered, and read the credential's file again.

        Raises:
            SignInError: Microsoft says no, or could not be asked.
        """
        seen, failed = self._rounds.get(scope, 0), self._failures
        async with self._lock:
            if self._failures != failed and self._failure is not None:
                raise _anew(self._failure)
            if is_fresh and self._rounds.get(scope, 0) == seen:
                await self._begin_again()
            failure = await self._ask(scope, claims if claims != self._claimed.get(scope) else None)
        # Raised out here, where no exception is being handled: none drags the library's frames along.
        if failure is not None:
            raise failure
        if claims:
            self._claimed[scope] = claims
        return self._tokens[scope].token

    async def close(self) -> None:
        """Close the connections; tokens are forgotten."""
        self._tokens.clear()
        await self._opened.credential.close()

    async def _begin_again(self) -> None:
        opened = self._reopen()
        await self._opened.credential.close()
        self._opened, self.expires_at = opened, opened.expires_at

    async def _ask(self, scope: str, claims: str | None) -> SignInError | None:
        """Get a token into ``_tokens``, or return why there is none."""
        failure: SignInError | BusyError
        try:
            token = await self._persist(scope, claims)
        except (SignInError, BusyError, *CLIENT_ERRORS) as error:
            failure = failure_of(error, self._place)
        else:
            return self._keep(scope, token)
        self._failures += 1
        self._failure = _anew(failure.failure if isinstance(failure, BusyError) else failure)
        return self._failure

    async def _persist(self, scope: str, claims: str | None) -> AccessTokenInfo:
        """Ask until there is an answer that will stay: a token or a no."""
        attempts = tenacity.AsyncRetrying(
            sleep=self._sleep,
            stop=tenacity.stop_after_attempt(TRIES),
            wait=_wait,
            retry=tenacity.retry_if_exception_type(BusyError),
            reraise=True,
        )
        options: TokenRequestOptions = {"enable_cae": True}
        if claims:
            options["claims"] = claims
        return await attempts(self._try, scope, options)

    async def _try(self, scope: str, options: TokenRequestOptions) -> AccessTokenInfo:
        try:
            async with asyncio.timeout(ONE_TRY):
                return await self._opened.credential.get_token_info(scope, options=options)
        except CLIENT_ERRORS as error:
            raise failure_of(error, self._place) from None

    def _keep(self, scope: str, token: AccessTokenInfo) -> SignInError | None:
        theirs = str(claims_of(token.token).get("tid", self._place.tenant)).lower()
        if theirs != self._place.tenant:
            what = f"the credential lets into another tenant ({theirs[:40]})"
            return SignInError(what, hint="use a credential of the tenant that is to be audited", is_refused=False)
        kept = self._tokens.get(scope)
        if kept is None or kept.token != token.token:
            self._rounds[scope] = self._rounds.get(scope, 0) + 1
        self._tokens[scope] = token
        return None


def claims_of(token: str) -> Mapping[str, Any]:
    """Return what a token says of itself, unverified: for display and for checks against ourselves only.

    Empty when it is no JWT: Microsoft may change the form of its tokens whenever it likes.
    """
    try:
        body = token.split(".")[1]
        value = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _anew(failure: SignInError) -> SignInError:
    """Return the failure without the frames that it came through: requests with secrets hang on them."""
    return SignInError(failure.message, hint=failure.hint, is_refused=failure.is_refused, code=failure.code)


def _wait(state: tenacity.RetryCallState) -> float:
    """Return the seconds until the next try: what the endpoint says, else longer and longer, with some chance."""
    error = state.outcome.exception() if state.outcome else None
    told = error.retry_after if isinstance(error, BusyError) else ""
    try:
        seconds = float(told)
    except ValueError:
        seconds = float(tenacity.wait_random_exponential(multiplier=1, max=LONGEST_WAIT)(state))
    return min(max(seconds, 0.0), LONGEST_WAIT) if math.isfinite(seconds) else LONGEST_WAIT


def _check_ca_file(path: Path | None) -> None:
    if path is None:
        return
    try:
        ssl.create_default_context(cafile=str(path))
    except OSError:
        raise refused(path, "holds no certificate authority", "name a PEM file in `cloud:`, `ca_file`") from None


def _quieten() -> None:
    """Keep the libraries from logging failures: they quote Microsoft at length, and we say the same better."""
    for name in ("azure.identity", "azure.core", "msal"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
