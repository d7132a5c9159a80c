"""Canaries: a secret, a key's password, an assertion, a token appear in no log, no message, no repr, no traceback."""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from m365audit.config import TenantSettings
from m365audit.graph.auth import OpenCredential
from m365audit.graph.failures import SignInError

from .login_endpoint import GRAPH, SECRET, LoginEndpoint, Told, refusal, wrong_secret
from .signing_in import KEY, PASSWORD, Patience, at_endpoint, own_certificate, pfx_file, private, settings, with_secret

NUMBER = KEY.private_numbers().d
DER = KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _secret(folder: Path) -> TenantSettings:
    return with_secret(folder)


def _certificate(folder: Path, *, has_chain: bool = False) -> TenantSettings:
    password = private(folder / "password.txt", PASSWORD)
    file = pfx_file(folder, own_certificate(), PASSWORD)
    return settings(kind="certificate", file=file, password_file=password, send_certificate_chain=has_chain)


def _chain(folder: Path) -> TenantSettings:
    return _certificate(folder, has_chain=True)


def _federated(folder: Path) -> TenantSettings:
    return settings(kind="workload_identity", token_file=private(folder / "token", "canary.federated.token"))


def _forbidden(endpoint: LoginEndpoint) -> set[str]:
    plain = {SECRET, PASSWORD, "canary", str(NUMBER), f"{NUMBER:x}", base64.b64encode(DER).decode()[40:120]}
    sent = {entry.get(name, "") for entry in endpoint.requests for name in ("client_secret", "client_assertion")}
    tokens = {endpoint.access_token()[:30], *(text[:60] for text in sent if text)}
    wrapped = {quote(SECRET, safe=""), base64.b64encode(SECRET.encode()).decode()[:-3]}
    return plain | tokens | wrapped


def _shown(error: SignInError) -> Iterator[str]:
    """Yield what may be shown of an error, and what a careless traceback would show: the frames' variables."""
    assert error.__cause__ is None
    assert error.__context__ is None
    assert error.__traceback__ is not None
    of_product = error.__traceback__.tb_next  # the first frame is the test's own
    yield from traceback.TracebackException(SignInError, error, of_product, capture_locals=True).format()
    yield from (str(error), repr(error), str(error.__dict__))


FAULTS = [
    [],
    [wrong_secret()],
    [refusal(1, f"The secret {SECRET} of eyJcanary" + "x" * 80 + " is wrong.")],
    [Told(500, b"canary", {}), Told(200, b"<html>canary</html>", {"Content-Type": "text/html"})],
    [Told(200, b'{"access_token": "canary"}', {"Content-Type": "application/json"})],
    [Told(503, b"", {"Retry-After": "1000000"})],
]


@pytest.mark.parametrize("told", FAULTS, ids=["well", "refused", "echoed", "strange", "senseless", "busy"])
@pytest.mark.parametrize("kind", [_secret, _certificate, _chain, _federated])
def test_no_secret_in_logs_messages_and_tracebacks(
    tmp_path: Path,
    kind: Callable[[Path], TenantSettings],
    told: list[Told],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    seen: list[str] = []
    errors: list[SignInError] = []

    async def ask(credential: OpenCredential, endpoint: LoginEndpoint) -> None:
        endpoint.certificates.append(own_certificate())
        endpoint.told = list(told)
        for claims in (None, '{"access_token":{"nbf":{"value":"1"}}}'):
            try:
                await credential.token(GRAPH, claims=claims)
            except SignInError as error:
                errors.append(error)
        seen.extend(text for error in errors for text in _shown(error))
        seen.extend([repr(credential), str(vars(credential)), str(credential)])
        seen.extend(caplog.messages)
        seen.extend(capfd.readouterr())
        everything = "\n".join(seen)
        for text in _forbidden(endpoint):
            assert text not in everything, text[:10]

    with caplog.at_level(logging.DEBUG):
        at_endpoint(tmp_path, kind(tmp_path), ask, sleep=Patience())
