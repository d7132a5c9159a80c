"""Says what an answer of the login endpoint, or the lack of one, means; asks nobody.

Must never let anything of a request into its words: requests carry the secret.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import ssl
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp
import httpx
from azure.core.exceptions import AzureError, ClientAuthenticationError

from m365audit.graph.aadsts import Place, Refusal, explain, harmless_sentence
from m365audit.graph.failures import SignInError
from m365audit.graph.retry import TransientError, http_date, retry_after

_OK: Final = 200
_REDIRECTS: Final = range(300, 400)
_PROXY_WANTS_LOGIN: Final = 407
_TOO_MANY: Final = 429
_SERVER_ERRORS: Final = range(500, 600)
_UNREACHABLE_HINT: Final = "check the network, the proxy (HTTPS_PROXY, NO_PROXY) and `cloud:` of the configuration"
_PORTAL_HINT: Final = "a proxy or a captive portal answers in its place; " + _UNREACHABLE_HINT
_PROXY_HINT: Final = "put its user and password into HTTPS_PROXY"


class BusyError(TransientError):
    """The endpoint cannot be asked now, but perhaps in a moment.

    Attributes:
        failure: what to say when it does not get better.
    """

    def __init__(self, failure: SignInError, seconds: float | None = None) -> None:
        super().__init__(failure.message, retry_after=seconds, code=failure.code)
        self.failure = failure


def check_answer(status: int, headers: Mapping[str, str], body: bytes, place: Place) -> None:
    """Pass an answer that holds a token.

    Raises:
        SignInError: a no; or something that no login endpoint answers (a captive portal, a proxy).
        BusyError: worth asking again.
    """
    answer = read_answer(status, headers, body, place)
    if "error" in answer:
        raise failure_in(answer, place)
    if not isinstance(answer.get("access_token"), str):
        raise _unreachable(place, f"it answered {status} without a token or a reason", _PORTAL_HINT)


def read_answer(status: int, headers: Mapping[str, str], body: bytes, place: Place) -> Mapping[str, Any]:
    """Return the endpoint's JSON, which may hold an ``error``.

    Raises:
        SignInError: it is something that no login endpoint answers.
        BusyError: worth asking again.
    """
    answer = _object(body)
    if status == _TOO_MANY or status in _SERVER_ERRORS:
        # A moment in Retry-After is one of the endpoint's clock: the host's may be hours away from it.
        theirs = http_date(headers.get("Date")) or datetime.now(UTC)
        raise BusyError(_busy(status, answer, place), retry_after(headers.get("Retry-After"), theirs))
    if "error" in answer or (status == _OK and answer):
        return answer
    if status == _PROXY_WANTS_LOGIN:
        raise _unreachable(place, "the proxy wants a login (407)", _PROXY_HINT)
    sent = "it sent the request elsewhere" if status in _REDIRECTS else f"it answered {status} with nothing of use"
    raise _unreachable(place, sent, _PORTAL_HINT)


def failure_in(answer: Mapping[str, Any], place: Place) -> SignInError | BusyError:
    """Return what to raise for the token endpoint's JSON that holds an ``error``."""
    codes = answer.get("error_codes")
    refusal = explain(
        str(answer.get("error", "")),
        str(answer.get("error_description", "")),
        codes if isinstance(codes, list) else [],
        place,
    )
    return _failure(refusal)


def failure_of(error: BaseException, place: Place) -> SignInError | BusyError:
    """Return what to raise for whatever the client libraries raised."""
    if isinstance(error, SignInError | BusyError):
        return error
    if isinstance(error, ClientAuthenticationError):  # of the platform's credentials; the endpoint's are read before
        message = str(error.message)
        at = message.find("AADSTS")
        return _unavailable(message, place) if at < 0 else _failure(explain("", message[at:], [], place))
    return _network_failure(error, place)


def _failure(refusal: Refusal) -> SignInError | BusyError:
    failure = SignInError(refusal.what, hint=refusal.todo, is_refused=not refusal.again, code=refusal.code)
    return BusyError(failure) if refusal.again == "soon" else failure


def _busy(status: int, answer: Mapping[str, Any], place: Place) -> SignInError:
    if "error" in answer:
        failure = failure_in(answer, place)
        told = failure.failure if isinstance(failure, BusyError) else failure
        return SignInError(told.message, hint=told.hint, is_refused=False, code=told.code)
    return _unreachable(place, f"answers {status} again and again", "it passes by itself; run the same command later")


def _network_failure(error: BaseException, place: Place) -> SignInError | BusyError:
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            # aiohttp's own error is one too, and has no such message; the one that it comes from follows.
            said = next((str(inner.verify_message) for inner in causes if hasattr(inner, "verify_message")), "")
            why = f"its certificate is not to be trusted: {harmless_sentence(said)}"
            return _unreachable(place, why, "where a company's proxy opens TLS, name its CA in `cloud:`, `ca_file`")
        if isinstance(cause, aiohttp.ClientHttpProxyError):
            todo = _PROXY_HINT if cause.status == _PROXY_WANTS_LOGIN else _UNREACHABLE_HINT
            return _unreachable(place, f"the proxy answers {cause.status}", todo)
        if isinstance(cause, httpx.ProxyError):
            return _unreachable(place, f"the proxy answers: {harmless_sentence(str(cause))}", _PROXY_HINT)
    return BusyError(_unreachable(place, _network_words(causes), _UNREACHABLE_HINT))


_WORDS: Final[tuple[tuple[tuple[type[BaseException], ...], str], ...]] = (
    ((aiohttp.ClientConnectorDNSError, socket.gaierror), "its name is not known to the DNS"),
    ((ssl.SSLError, aiohttp.ClientConnectorSSLError), "no TLS connection came about"),
    ((aiohttp.ClientProxyConnectionError,), "the proxy does not answer"),
    ((aiohttp.ClientConnectorError, ConnectionRefusedError), "nobody answers there"),
    ((TimeoutError, asyncio.TimeoutError, httpx.TimeoutException), "it does not answer in time"),
    ((ValueError, LookupError, TypeError, AttributeError, zlib.error), "its answer makes no sense"),
)
"""Kinds of errors, the narrower before the wider, and what they mean."""


def _network_words(causes: list[BaseException]) -> str:
    found = (words for cause in causes for kinds, words in _WORDS if isinstance(cause, kinds))
    return next(found, "the connection broke")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it came from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        inner = getattr(error, "certificate_error", None) or getattr(error, "os_error", None)
        error = error.__cause__ or error.__context__ or (inner if isinstance(inner, BaseException) else None)


def _unreachable(place: Place, what: str, todo: str) -> SignInError:
    return SignInError(f"{place.login} cannot be asked: {what}", hint=todo, is_refused=False)


_UNAVAILABLE: Final = (
    ("cli not found", "the Azure command line (az) is not installed here", "install it, or use another credential"),
    ("timed out waiting", "the Azure command line does not answer", "see whether `az account show` does"),
    ("claims-challenge", "Microsoft asks for a new sign-in", "run: az login --tenant {tenant}"),
    ("az login", "nobody is signed in to the Azure command line", "run: az login --tenant {tenant}"),
    ("not been assigned", "this machine does not have that managed identity", "assign it, or correct client_id"),
    ("no identity has been", "this machine has no managed identity", "assign one, or use another credential"),
    ("imds", "there is no managed identity here", "it exists on Azure's machines only; elsewhere use a certificate"),
)
"""What azure-identity says when the platform has nothing to offer, what that means, and the next step."""


def _unavailable(message: str, place: Place) -> SignInError:
    lowered = message.lower()
    for mark, what, todo in _UNAVAILABLE:
        if mark in lowered:
            return SignInError(what, hint=todo.format(tenant=place.tenant), is_refused=False)
    hint = "check the tenant's credential in the configuration"
    return SignInError(harmless_sentence(message) or "the platform gave no token", hint=hint, is_refused=False)


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


CLIENT_ERRORS: Final = (
    AzureError, aiohttp.ClientError, httpx.HTTPError, OSError, TimeoutError, zlib.error,
    ValueError, LookupError, TypeError, AttributeError,
)  # fmt: skip
"""What the client libraries raise when no token comes; the last four: of answers that make no sense to them."""


def quieten() -> None:
    """Keep the libraries from logging what goes wrong: they quote addresses and answers, and we say the same better."""
    for name in ("azure.identity", "azure.core", "msal", "msal_extensions", "httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
