"""Owns a fast tenant on loopback: login, licences, and sign-ins as ready pages over TLS. In a process of its own.

Knows nothing of the product and checks nothing: it must never be what is measured. Pages lie in one mapped file.
"""

from __future__ import annotations

import base64
import json
import mmap
import multiprocessing
import re
import ssl
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

TENANT = "11111111-1111-4111-8111-111111111111"
CLIENT = "22222222-2222-4222-8222-222222222222"
PAGE = 1_000
_HOLE = b"<<%d>>"


@dataclass(frozen=True, slots=True)
class Served:
    """A running server.

    Attributes:
        origin: https address of all services.
        ca_file: whom to trust.
        pages: how many there are.
        bytes: of all pages together.
        begin: first moment of the day that the sign-ins are of.
    """

    origin: str
    ca_file: Path
    pages: int
    bytes: int
    begin: datetime

    def page(self, number: int | str) -> str:
        """Return the address of a page."""
        return f"{self.origin}/beta/auditLogs/signIns?$skiptoken={number}"


@contextmanager
def serving(folder: Path, records: int) -> Iterator[Served]:
    """Write pages for so many sign-ins and serve them until the block ends."""
    receiver, sender = multiprocessing.get_context("spawn").Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(folder, records, sender), daemon=True)
    process.start()
    try:
        yield receiver.recv()
    finally:
        process.terminate()
        process.join()


def sign_in(moment: str = "", number: int = 0) -> dict[str, Any]:
    """Return a sign-in as Graph's beta writes one: 2.7 KB, most of it about conditional access and the device."""
    policies = [
        {
            "id": f"5b9d{n}c1e-7a0e-4c0a-9d3c-1f2e3d4c5b6a", "displayName": name, "enforcedGrantControls": ["Mfa"],
            "enforcedSessionControls": [], "result": "notApplied", "conditionsSatisfied": "application,users",
            "conditionsNotSatisfied": "devicePlatform",
        }
        for n, name in enumerate(("Require MFA for admins",))
    ]  # fmt: skip
    return {
        "id": "", "createdDateTime": moment, "userDisplayName": "Anna Muster", "userId": str(uuid.UUID(int=number)),
        "userPrincipalName": "anna.muster@contoso.example", "appId": "c0ffee00-0000-4000-8000-000000000001",
        "appDisplayName": "Mail Archive", "ipAddress": "198.51.100.7", "ipAddressFromResourceProvider": None,
        "clientAppUsed": "Browser", "userAgent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36",
        "correlationId": "3f1e6c8a-8c55-4d0e-9c0b-2a6f0d1b7e11", "conditionalAccessStatus": "notApplied",
        "originalRequestId": "", "isInteractive": True, "tokenIssuerName": "", "tokenIssuerType": "AzureAD",
        "authenticationProcessingDetails": [{"key": "Root Key Type", "value": "Unknown"}], "networkLocationDetails": [],
        "clientCredentialType": "none", "processingTimeInMilliseconds": 142, "riskDetail": "none",
        "riskLevelAggregated": "none", "riskLevelDuringSignIn": "none", "riskState": "none", "riskEventTypes_v2": [],
        "resourceDisplayName": "Microsoft Graph", "resourceId": "00000003-0000-0000-c000-000000000000",
        "resourceTenantId": TENANT, "homeTenantId": TENANT, "homeTenantName": "", "authenticationMethodsUsed": [],
        "authenticationRequirement": "singleFactorAuthentication", "signInIdentifier": "anna.muster@contoso.example",
        "signInEventTypes": ["interactiveUser"], "servicePrincipalId": "", "userType": "member",
        "flaggedForReview": False, "isTenantRestricted": False, "autonomousSystemNumber": 64_500,
        "crossTenantAccessType": "none", "uniqueTokenIdentifier": "x6vQ2vY0cE2bXf0JtQYAAA", "incomingTokenType": "none",
        "authenticationProtocol": "none", "resourceServicePrincipalId": "7a1f6b44-1c5c-4a7f-9b0d-5d7d2b1f0c33",
        "status": {"errorCode": 0, "failureReason": "Other.", "additionalDetails": None},
        "deviceDetail": {
            "deviceId": "", "displayName": "", "operatingSystem": "Windows10", "browser": "Chrome 139.0.0",
            "isCompliant": False, "isManaged": False, "trustType": "",
        },
        "location": {
            "city": "Zürich", "state": "Zürich", "countryOrRegion": "CH",
            "geoCoordinates": {"altitude": None, "latitude": 47.37, "longitude": 8.54},
        },
        "appliedConditionalAccessPolicies": policies,
        "authenticationDetails": [{
            "authenticationStepDateTime": moment, "authenticationMethod": "Previously satisfied",
            "authenticationMethodDetail": None, "succeeded": True, "authenticationStepRequirement": "Primary",
            "authenticationStepResultDetail": "First factor requirement satisfied by claim in the token",
        }],
        "sessionLifetimePolicies": [], "authenticationContextClassReferences": [], "appliedEventListeners": [],
    }  # fmt: skip


def page_of(first: int, count: int, begin: datetime, *, next_link: str = "") -> bytes:
    """Return a page; ids and times differ, the rest does not, because a generator must be quick."""
    template = json.dumps(sign_in("<<moment>>"), ensure_ascii=False, separators=(",", ":")).encode()
    template = template.replace(b"%", b"%%").replace(b'"id":""', b'"id":"%b"', 1).replace(b"<<moment>>", b"%b")
    moments = template.count(b"%b") - 1
    records = []
    for n in range(first, first + count):
        moment = f"{begin + timedelta(milliseconds=n * 400 % 86_400_000):%Y-%m-%dT%H:%M:%S}Z".encode()
        records.append(template % (str(uuid.UUID(int=n * 0x9E3779B97F4A7C15 % 2**128)).encode(), *[moment] * moments))
    head = b'{"@odata.context":"https://graph.example/beta/$metadata#auditLogs/signIns",'
    link = f'"@odata.nextLink":{json.dumps(next_link)},'.encode() if next_link else b""
    return head + link + b'"value":[' + b",".join(records) + b"]}"


def _serve(folder: Path, records: int, sender: Connection) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    origin = f"https://127.0.0.1:{server.server_address[1]}"
    begin = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2)
    served = Served(origin, folder / "ca.pem", -(-records // PAGE), 0, begin)
    offsets = [0]
    with (folder / "pages").open("wb") as file:
        for number in range(served.pages):
            link = served.page(number + 1) if number + 1 < served.pages else ""
            page = page_of(number * PAGE, min(PAGE, records - number * PAGE), begin, next_link=link)
            offsets.append(offsets[-1] + file.write(page))
    with (folder / "pages").open("rb") as file:
        _Handler.pages = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    _Handler.offsets, _Handler.origin = offsets, origin
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _certify(folder)
    context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    sender.send(Served(origin, served.ca_file, served.pages, offsets[-1], begin))
    server.serve_forever()


class _Handler(BaseHTTPRequestHandler):
    """Answers from what is ready."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    pages: memoryview
    offsets: list[int]
    origin: str

    def do_GET(self) -> None:
        """Answer pages, licences and what login asks about itself."""
        if "/signIns" in self.path:
            token = re.search(r"skiptoken=(\d+)", self.path)
            number = int(token[1]) if token else 0
            self._answer(self.pages[self.offsets[number] : self.offsets[number + 1]])
        elif "/subscribedSkus" in self.path:
            plan = {"servicePlanName": "AAD_PREMIUM", "provisioningStatus": "Success"}
            self._answer_json({"value": [{"capabilityStatus": "Enabled", "servicePlans": [plan]}]})
        elif "/openid-configuration" in self.path:
            base = f"{self.origin}/{TENANT}"
            endpoints = {name: f"{base}/oauth2/v2.0/{name.split('_')[0]}" for name in _ENDPOINTS}
            self._answer_json({"issuer": f"{base}/v2.0", **endpoints})
        else:
            host = self.origin.removeprefix("https://")
            metadata = [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}]
            endpoint = f"{self.origin}/{TENANT}/v2.0/.well-known/openid-configuration"
            self._answer_json({"tenant_discovery_endpoint": endpoint, "metadata": metadata})

    def do_POST(self) -> None:
        """Let everybody in."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        claims = {"tid": TENANT, "appid": CLIENT, "roles": ["AuditLog.Read.All"], "exp": int(time.time()) + 3_600}
        parts = [json.dumps(part).encode() for part in ({"alg": "none"}, claims)]
        token = ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), "x"])
        self._answer_json({"token_type": "Bearer", "expires_in": 3_599, "access_token": token})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""

    def _answer_json(self, value: object) -> None:
        self._answer(memoryview(json.dumps(value).encode()))

    def _answer(self, body: memoryview) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "devicecode_endpoint")


def _certify(folder: Path) -> None:
    """Write a certificate for 127.0.0.1 that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "benchmark")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    plain = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    (folder / "ca.pem").write_bytes(certificate.public_bytes(pem))
