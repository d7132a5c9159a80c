"""A token endpoint over TLS on loopback: verifies secrets and signed assertions, can be told to misbehave."""

from __future__ import annotations

import base64
import json
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import jwt
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

TENANT = "11111111-1111-4111-8111-111111111111"
CLIENT = "22222222-2222-4222-8222-222222222222"
SECRET = "canary~Secret~8Q.hunter2-as-long-as-real"  # noqa: S105 - the canary
GRAPH = "https://graph.example/.default"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def certificate(
    name: str,
    key: Key,
    *,
    signed_by: tuple[x509.Certificate, Key] | None = None,
    days: int = 90,
    is_ca: bool = False,
    hosts: tuple[str, ...] = ("localhost",),
) -> x509.Certificate:
    """Return a certificate, signed by itself when nobody else is named; ``days`` may be negative: it has expired."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    issuer, issuer_key = (signed_by[0].subject, signed_by[1]) if signed_by else (subject, key)
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=200)).not_valid_after(now + timedelta(days=days))
    builder = builder.add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    names = [x509.DNSName(host) for host in hosts]
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key, SHA256())


def pem_of(key: Key) -> bytes:
    """Return a private key as unprotected PKCS #8."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass
class Told:
    """An answer that the endpoint is told to give instead of its own."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def refusal(code: int, text: str, *, status: int = 400, error: str = "invalid_client") -> Told:
    """Return a refusal as Microsoft writes it."""
    trace = "Trace ID: 3f1a0000-0000-4000-8000-000000000000 Correlation ID: 3f1b0000 Timestamp: 2026-09-01 08:00:00Z"
    body = {"error": error, "error_description": f"AADSTS{code}: {text} {trace}", "error_codes": [code]}
    return Told(status, json.dumps(body).encode(), {"Content-Type": "application/json; charset=utf-8"})


def wrong_secret() -> Told:
    """Return the best-known refusal of all."""
    return refusal(7000215, f"Invalid client secret provided. Ensure it is the value for app '{CLIENT}'.", status=401)


class LoginEndpoint:
    """The server; ``async with`` it. ``told`` answers come first, one per request, then its own."""

    def __init__(self, folder: Path, *, host: str = "localhost") -> None:
        self.told: list[Told] = []
        self.requests: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.certificates: list[x509.Certificate] = []
        self.tenant = TENANT
        self.issued = 0
        self.pending = 0
        self.person_told: Told | None = None
        self.nonce = ""
        self.description: dict[str, str] = {}
        self.refresh_token = ""
        self.origin = ""
        self.ca_file = folder / "ca.pem"
        ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        ca = certificate("test authority", ca_key, is_ca=True)
        self.ca_file.write_bytes(ca.public_bytes(Encoding.PEM))
        own = folder / "server.pem"
        served = certificate("the endpoint", key, signed_by=(ca, ca_key), hosts=(host,))
        own.write_bytes(pem_of(key) + served.public_bytes(Encoding.PEM))
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(own)
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls)
        await site.start()
        self.origin = f"https://localhost:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def login(self) -> str:
        """Return what a cloud calls this endpoint."""
        return self.origin

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.headers.append(dict(request.headers))
        self.requests.append({"path": request.path, "method": request.method, **form})
        if self.told:
            told = self.told.pop(0)
            return web.Response(status=told.status, body=told.body, headers=told.headers)
        if request.path == f"/{TENANT}/v2.0/.well-known/openid-configuration":
            return web.json_response(self._described())
        if request.path == f"/{TENANT}/oauth2/v2.0/devicecode":
            code = {"user_code": "ABCD1234", "device_code": "canary-device-code", "interval": 0, "expires_in": 900}
            return web.json_response({**code, "verification_uri": "https://login.example/device"})
        fault = self._fault(request.path, form)
        if fault is not None:
            return web.Response(status=fault.status, body=fault.body, headers=fault.headers)
        self.issued += 1
        answer = {"token_type": "Bearer", "expires_in": 3599, "access_token": self.access_token()}
        return web.json_response(
            answer if form["grant_type"] == "client_credentials" else answer | self._person(form.get("scope", GRAPH))
        )

    def _described(self) -> dict[str, str]:
        base = f"{self.origin}/{TENANT}"
        return {
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            **self.description,
        }

    def _person(self, scope: str) -> dict[str, str]:
        """Return what comes with a person's token; each refresh token is good until the next one."""
        self.refresh_token = f"canary-refresh-token-{self.issued}"
        now = int(time.time())
        claims = {"aud": CLIENT, "iss": f"{self.origin}/{TENANT}/v2.0", "iat": now, "exp": now + 3600, "tid": TENANT}
        claims |= {"sub": "s", "oid": "o", "preferred_username": "ada@contoso.example", "nonce": self.nonce}
        info = base64.urlsafe_b64encode(json.dumps({"uid": "o", "utid": TENANT}).encode()).decode()
        token = jwt.encode(claims, "canary-token-key-that-is-long-enough", "HS256")
        return {"scope": scope, "refresh_token": self.refresh_token, "id_token": token, "client_info": info}

    def access_token(self) -> str:
        """Return a token that says who it is for; each one is another."""
        claims = {"tid": self.tenant, "appid": CLIENT, "roles": ["AuditLog.Read.All"], "n": self.issued}
        return jwt.encode(claims, "canary-token-key-that-is-long-enough", "HS256")

    def _fault(self, path: str, form: dict[str, str]) -> Told | None:
        if path != f"/{TENANT}/oauth2/v2.0/token":
            return refusal(90002, "Tenant not found.")
        if form.get("client_id") != CLIENT:
            return refusal(700016, "Application not found in the directory.")
        if form["grant_type"] != "client_credentials":
            return self._person_fault(form)
        if "client_secret" in form:
            return None if form["client_secret"] == SECRET else wrong_secret()
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            return refusal(7000216, "client_assertion is required.")
        return self._assertion_fault(form["client_assertion"])

    def _person_fault(self, form: dict[str, str]) -> Told | None:
        if self.person_told is not None:
            return self.person_told
        if form["grant_type"] == "refresh_token":
            is_known = form["refresh_token"] == self.refresh_token
            return None if is_known else refusal(50173, "The grant was revoked.", error="invalid_grant")
        if form["grant_type"] == "authorization_code":
            is_known = form["code"] == "canary-code" and len(form["code_verifier"]) >= 43
            return None if is_known else refusal(70008, "The code is wrong.", error="invalid_grant")
        assert form["device_code"] == "canary-device-code"
        self.pending -= 1
        return refusal(70016, "Pending.", error="authorization_pending") if self.pending >= 0 else None

    def _assertion_fault(self, assertion: str) -> Told | None:
        header = jwt.get_unverified_header(assertion)
        for known in self.certificates:
            mark = base64.urlsafe_b64encode(known.fingerprint(SHA256())).rstrip(b"=").decode()
            if header.get("x5t#S256", "").rstrip("=") != mark:
                continue
            key: Any = known.public_key()
            claims = jwt.decode(
                assertion, key, ["PS256"], audience=f"{self.origin}/{TENANT}/oauth2/v2.0/token",
                options={"require": ["exp", "nbf", "jti", "iss", "sub", "aud"]},
            )  # fmt: skip
            assert claims["iss"] == claims["sub"] == CLIENT
            return None
        return refusal(700027, "The certificate with identifier used to sign the client assertion is not registered.")


def chain_in(assertion: str) -> Iterator[x509.Certificate]:
    """Yield the certificates that an assertion carries."""
    for entry in jwt.get_unverified_header(assertion).get("x5c", []):
        yield x509.load_der_x509_certificate(base64.b64decode(entry))
