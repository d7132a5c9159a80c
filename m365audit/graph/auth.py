"""Gets tokens for one tenant: one credential, one login endpoint, every failure in words.

Keeps tokens in memory only, and must never let a secret, an assertion or a token into a message, a repr or a log.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from azure.core.credentials import AccessTokenInfo, TokenRequestOptions

from m365audit.config import TenantSettings
from m365audit.graph.aadsts import Place
from m365audit.graph.claims import claims_of
from m365audit.graph.credential_kinds import LoginCloud, Opened, open_kind
from m365audit.graph.failures import SignInError
from m365audit.graph.login_answers import CLIENT_ERRORS, BusyError, check_answer, failure_of, quieten
from m365audit.graph.retry import Patience, policy
from m365audit.graph.secret_files import refused
from m365audit.graph.wire import tls_context

TRIES: Final = 4
ALL_TRIES: Final = 120.0
"""Seconds for them together; who is told by ``Retry-After`` to wait longer gives up at once and says so."""
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

    def reopen(is_again: bool) -> Opened:  # noqa: FBT001 - a callback
        return open_kind(settings, tenant.id, cloud, state=state, on_answer=on_answer, is_again=is_again)

    return OpenCredential(reopen, place, sleep=sleep)


@dataclass(slots=True)
class _Scope:
    """What is known of one scope: the newest token or failure, and how many of each there were."""

    token: str = field(default="", repr=False)
    claims: str | None = None
    tokens: int = 0
    failure: SignInError | None = None
    failures: int = 0


class OpenCredential:
    """A tenant's credential: hands out tokens, all callers through one door.

    Attributes:
        expires_at: end of the certificate's life; None for credentials whose end nobody can know from here.
    """

    def __init__(self, reopen: Callable[[bool], Opened], place: Place, *, sleep: Sleep = asyncio.sleep) -> None:
        quieten()
        self._reopen = reopen
        self._opened = reopen(False)  # noqa: FBT003
        self._place = place
        self._sleep = sleep
        self._lock = asyncio.Lock()
        self._scopes: defaultdict[str, _Scope] = defaultdict(_Scope)
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
        known = self._scopes[scope]
        tokens, failures = known.tokens, known.failures
        async with self._lock:
            if known.failures == failures:
                if is_fresh and known.tokens == tokens:
                    await self._begin_again()
                await self._ask(scope, known, claims if claims != known.claims else None)
            failure, token = known.failure, known.token
        # Raised anew and out here, where no exception is being handled: the frames of the libraries, on which requests
        # with secrets hang, stay behind.
        if failure is not None:
            raise SignInError(failure.message, hint=failure.hint, is_refused=failure.is_refused, code=failure.code)
        return token

    async def close(self) -> None:
        """Close the connections; tokens are forgotten."""
        self._scopes.clear()
        await self._opened.credential.close()

    async def _begin_again(self) -> None:
        opened = self._reopen(True)  # noqa: FBT003
        await self._opened.credential.close()
        self._opened, self.expires_at = opened, opened.expires_at

    async def _ask(self, scope: str, known: _Scope, claims: str | None) -> None:
        """Get a token, or the reason why there is none, into ``known``."""
        try:
            token = (await self._persist(scope, claims)).token
            self._check_tenant(token)
        except (SignInError, BusyError) as error:
            known.failure = error.failure if isinstance(error, BusyError) else error
            known.failures += 1
            return
        known.tokens += token != known.token
        known.token, known.failure = token, None
        known.claims = claims or known.claims

    async def _persist(self, scope: str, claims: str | None) -> AccessTokenInfo:
        """Ask until there is an answer that will stay: a token or a no."""
        end = time.monotonic() + ALL_TRIES
        patience = Patience(lambda: end - time.monotonic(), faults=TRIES)
        attempts = policy(patience, on_wait=lambda *_: None, sleep=self._sleep)
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

    def _check_tenant(self, token: str) -> None:
        theirs = str(claims_of(token).get("tid", self._place.tenant)).lower()
        if theirs != self._place.tenant:
            what = f"the credential lets into another tenant ({theirs[:40]})"
            raise SignInError(what, hint="use a credential of the tenant that is to be audited", is_refused=False)


def _check_ca_file(path: Path | None) -> None:
    if path is None:
        return
    try:
        tls_context(path)
    except OSError:
        raise refused(path, "holds no certificate authority", "name a PEM file in `cloud:`, `ca_file`") from None
