"""Microsoft's own clients sign in to the simulator: secrets, certificates, workloads, machines, people."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import azure.identity
import httpx
import jwt
import msal  # type: ignore[import-untyped]
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline.transport import RequestsTransport
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from m365audit.simulator.served import ServedClient, ServedPerson
from m365audit.simulator.service import Fault, Simulator, running
from m365audit.simulator.service.sign_in import approve

from .asking import ask_token, client
from .small_world import AUDITOR, ONE, ROLES, SECRET, TWO, small_world

CERTIFIED = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
WORKLOAD = "cccccccc-cccc-4ccc-8ccc-cccccccccccc"
PUBLIC = "dddddddd-dddd-4ddd-8ddd-dddddddddddd"
EXPIRED = "eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ANNA = ServedPerson("anna-object-id", "Anna", "anna@small.example", ("Reviewer",))


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key and its certificate, as PEM."""

    key: str
    certificate: str

    @property
    def both(self) -> bytes:
        """Both in one, as a credential file holds them."""
        return (self.key + self.certificate).encode()


def key_pair(*, days: int = 30) -> KeyPair:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "auditor")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()
    return KeyPair(pem, certificate.public_bytes(serialization.Encoding.PEM).decode())


@pytest.fixture(scope="module")
def keys() -> KeyPair:
    return key_pair()


@pytest.fixture(scope="module")
def simulator(keys: KeyPair) -> Iterator[Simulator]:
    world = small_world(records=1)
    tenant = world.tenants[ONE]
    tenant.people[ANNA.upn] = ANNA
    tenant.clients[CERTIFIED] = ServedClient(certificate=keys.certificate, roles=ROLES)
    tenant.clients[WORKLOAD] = ServedClient(
        federated_issuer="https://issuer.example",
        federated_subject="system:serviceaccount:audit",
        federated_key=public_key(keys),
        roles=ROLES,
    )
    tenant.clients[PUBLIC] = ServedClient(scopes=("AuditLog.Read.All", "User.Read"))
    tenant.clients[EXPIRED] = ServedClient(secret=SECRET, is_secret_expired=True)
    with running(world, separate_ports=True) as started:
        yield started


@pytest.fixture(scope="module")
def http(simulator: Simulator) -> Iterator[httpx.Client]:
    with client(simulator) as started:
        yield started


def public_key(keys: KeyPair) -> str:
    key = x509.load_pem_x509_certificate(keys.certificate.encode()).public_key()
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def options(simulator: Simulator) -> dict[str, Any]:
    return {
        "authority": simulator.login,
        "disable_instance_discovery": True,
        "transport": RequestsTransport(connection_verify=str(simulator.ca_file), use_env_settings=False),
    }


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def test_azure_identity_with_a_secret(simulator: Simulator) -> None:
    with azure.identity.ClientSecretCredential(ONE, AUDITOR, SECRET, **options(simulator)) as credential:
        claims = claims_of(credential.get_token(f"{simulator.graph}/.default").token)
    assert (claims["tid"], claims["appid"], claims["aud"]) == (ONE, AUDITOR, simulator.graph)
    assert set(claims["roles"]) == set(ROLES)


def test_azure_identity_with_a_certificate(simulator: Simulator, keys: KeyPair) -> None:
    with azure.identity.CertificateCredential(
        ONE, CERTIFIED, certificate_data=keys.both, **options(simulator)
    ) as credential:
        token = credential.get_token(f"{simulator.graph}/.default").token
    assert claims_of(token)["appid"] == CERTIFIED


def test_another_certificate_is_refused(simulator: Simulator) -> None:
    with (
        azure.identity.CertificateCredential(
            ONE, CERTIFIED, certificate_data=key_pair().both, **options(simulator)
        ) as credential,
        pytest.raises(ClientAuthenticationError, match="AADSTS700027"),
    ):
        credential.get_token(f"{simulator.graph}/.default")


def test_azure_identity_for_a_workload(simulator: Simulator, keys: KeyPair, tmp_path: Path) -> None:
    now = int(time.time())
    told = {"iss": "https://issuer.example", "sub": "system:serviceaccount:audit", "aud": "api://AzureADTokenExchange"}
    file = tmp_path / "token"
    file.write_text(jwt.encode(told | {"iat": now, "exp": now + 600}, keys.key, algorithm="RS256"))
    with azure.identity.WorkloadIdentityCredential(
        tenant_id=ONE, client_id=WORKLOAD, token_file_path=str(file), **options(simulator)
    ) as credential:
        assert claims_of(credential.get_token(f"{simulator.graph}/.default").token)["appid"] == WORKLOAD
    file.write_text(jwt.encode(told | {"sub": "another", "exp": now + 600}, keys.key, algorithm="RS256"))
    with (
        azure.identity.WorkloadIdentityCredential(
            tenant_id=ONE, client_id=WORKLOAD, token_file_path=str(file), **options(simulator)
        ) as credential,
        pytest.raises(ClientAuthenticationError, match="AADSTS70021"),
    ):
        credential.get_token(f"{simulator.graph}/.default")


def test_a_machine_asks_for_its_own_token(
    simulator: Simulator, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator.simulation.machine = (ONE, AUDITOR)
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", simulator.machine_origin)
    with azure.identity.ManagedIdentityCredential() as credential:
        claims = claims_of(credential.get_token(f"{simulator.graph}/.default").token)
    assert set(claims["roles"]) == set(ROLES)
    assert http.get(f"{simulator.machine_origin}/metadata/identity/oauth2/token").status_code == 400


def assertion(simulator: Simulator, keys: KeyPair, **changed: Any) -> str:
    now = int(time.time())
    fingerprint = x509.load_pem_x509_certificate(keys.certificate.encode()).fingerprint(hashes.SHA256())
    claims = {
        "iss": CERTIFIED,
        "sub": CERTIFIED,
        "aud": f"{simulator.login}/{ONE}/oauth2/v2.0/token",
        "jti": str(uuid.uuid4()),
        "nbf": now,
        "exp": now + 600,
    }
    header = {"x5t#S256": changed.pop("x5t", None) or jwt.utils.base64url_encode(fingerprint).decode()}
    return jwt.encode(claims | changed, keys.key, algorithm=changed.pop("algorithm", "RS256"), headers=header)


def ask_with(simulator: Simulator, http: httpx.Client, signed: str) -> list[int]:
    fields = {"client_id": CERTIFIED, "client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}
    return list(ask_token(http, simulator, **fields).json().get("error_codes", []))


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"exp": 1_000_000_000, "nbf": 1}, 700024),
        ({"aud": "https://elsewhere.example"}, 50027),
        ({"sub": AUDITOR}, 50027),
        ({"exp": int(time.time()) + 90_000}, 700024),
        ({"jti": ""}, 700027),
        ({"x5t": "AAAA"}, 700027),
        ({"iss": "somebody"}, 70021),
    ],
)
def test_assertions_that_are_refused(
    simulator: Simulator, http: httpx.Client, keys: KeyPair, changed: dict[str, Any], code: int
) -> None:
    assert ask_with(simulator, http, assertion(simulator, keys, **changed)) == [code]


def test_an_assertion_works_once(simulator: Simulator, http: httpx.Client, keys: KeyPair) -> None:
    signed = assertion(simulator, keys)
    assert ask_with(simulator, http, signed) == []
    assert ask_with(simulator, http, signed) == [700027]
    assert ask_with(simulator, http, "no token") == [50027]
    assert ask_with(simulator, http, signed[:-8] + "AAAAAAAA") == [700027]


def test_an_expired_secret_is_told_from_a_wrong_one(simulator: Simulator, http: httpx.Client) -> None:
    assert ask_token(http, simulator, client_id=EXPIRED).json()["error_codes"] == [7000222]


def test_a_token_is_for_one_service(simulator: Simulator, http: httpx.Client) -> None:
    for_manage = ask_token(http, simulator, resource=simulator.manage).json()["access_token"]
    assert claims_of(for_manage)["roles"] == ["ActivityFeed.Read"]
    answer = http.get(f"{simulator.graph}/v1.0/users", headers={"Authorization": f"Bearer {for_manage}"})
    assert answer.status_code == 401
    assert "Invalid audience" in answer.text
    official = ask_token(http, simulator, resource="https://graph.microsoft.com").json()["access_token"]
    assert http.get(f"{simulator.graph}/v1.0/users", headers={"Authorization": f"Bearer {official}"}).status_code == 200


@pytest.mark.parametrize("forge", [lambda t: t[:-6] + "AAAAAA", lambda _t: "nonsense", lambda _t: "x.y.z"])
def test_forged_tokens_are_refused(simulator: Simulator, http: httpx.Client, forge: Callable[[str], str]) -> None:
    token = ask_token(http, simulator).json()["access_token"]
    answer = http.get(f"{simulator.graph}/v1.0/users", headers={"Authorization": f"Bearer {forge(token)}"})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "InvalidAuthenticationToken"


@pytest.fixture
def own_authority(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let MSAL look at its own ``verify`` alone."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


def public_app(simulator: Simulator) -> msal.PublicClientApplication:
    return msal.PublicClientApplication(
        PUBLIC,
        authority=f"{simulator.login}/{ONE}",
        instance_discovery=False,
        verify=str(simulator.ca_file),
    )


@pytest.mark.usefixtures("own_authority")
def test_msal_with_a_device_code_and_again_without_asking(simulator: Simulator) -> None:
    app, scopes = public_app(simulator), [f"{simulator.graph}/AuditLog.Read.All"]
    flow = app.initiate_device_flow(scopes)
    got = app.acquire_token_by_device_flow(flow)
    assert claims_of(got["access_token"])["scp"] == "AuditLog.Read.All User.Read"
    assert got["id_token_claims"]["preferred_username"] == ANNA.upn
    account = app.get_accounts()[0]
    assert account["username"] == ANNA.upn
    again = app.acquire_token_silent(scopes, account, force_refresh=True)
    assert again is not None
    assert again["access_token"] != got["access_token"]


def test_a_device_code_waits_for_its_person(simulator: Simulator, http: httpx.Client) -> None:
    simulator.simulation.sign_ins.waits = True
    base, asked = f"{simulator.login}/{ONE}/oauth2/v2.0", {"client_id": PUBLIC, "scope": "User.Read"}
    flow = http.post(f"{base}/devicecode", data=asked).json()
    form = asked | {"grant_type": "device_code", "device_code": flow["device_code"]}
    assert http.post(f"{base}/token", data=form).json()["error"] == "authorization_pending"
    approve(simulator.simulation, flow["user_code"], ANNA.upn)
    assert "access_token" in http.post(f"{base}/token", data=form).json()
    assert http.post(f"{base}/token", data=form).json()["error"] == "bad_verification_code"
    declined = http.post(f"{base}/devicecode", data=asked).json()
    approve(simulator.simulation, declined["user_code"])
    form["device_code"] = declined["device_code"]
    assert http.post(f"{base}/token", data=form).json()["error"] == "authorization_declined"
    simulator.simulation.sign_ins.waits = False


@pytest.mark.usefixtures("own_authority")
def test_msal_with_an_authorization_code_and_pkce(simulator: Simulator, http: httpx.Client) -> None:
    app, scopes = public_app(simulator), [f"{simulator.graph}/User.Read"]
    flow = app.initiate_auth_code_flow(scopes, redirect_uri="http://localhost:8400", response_mode="form_post")
    sent = http.get(flow["auth_uri"])
    assert 'action="http://localhost:8400"' in sent.text
    back = dict(re.findall(r'name="(\w+)" value="([^"]+)"', sent.text))
    got = app.acquire_token_by_auth_code_flow(flow, back)
    assert got["id_token_claims"]["roles"] == ["Reviewer"]
    again = app.acquire_token_by_auth_code_flow(flow, back)
    assert again["error"] == "invalid_grant"


def test_a_code_needs_its_verifier_and_a_known_place(simulator: Simulator, http: httpx.Client) -> None:
    base = f"{simulator.login}/{ONE}/oauth2/v2.0"
    asked = {"client_id": PUBLIC, "scope": "openid", "redirect_uri": "http://localhost:1", "code_challenge": "x" * 43}
    sent = http.get(f"{base}/authorize", params=asked | {"response_type": "code"})
    code = parse_qs(urlsplit(sent.headers["Location"]).query)["code"][0]
    form = {**asked, "grant_type": "authorization_code", "code": code, "code_verifier": "another"}
    assert http.post(f"{base}/token", data=form).json()["error_codes"] == [501481]
    stranger = asked | {"redirect_uri": "https://evil.example"}
    assert http.get(f"{base}/authorize", params=stranger).status_code == 400


def test_an_id_token_is_signed_with_the_published_key(simulator: Simulator, http: httpx.Client) -> None:
    published = http.get(f"{simulator.login}/{ONE}/discovery/v2.0/keys").json()["keys"][0]
    token = ask_token(http, simulator).json()["access_token"]
    key = jwt.PyJWK(published).key
    assert jwt.decode(token, key, algorithms=["RS256"], audience=simulator.graph)["tid"] == ONE


def test_what_a_person_did_not_grant_is_refused(simulator: Simulator, http: httpx.Client) -> None:
    base = f"{simulator.login}/{ONE}/oauth2/v2.0"
    asked = {"client_id": PUBLIC, "scope": "Mail.Read"}
    flow = http.post(f"{base}/devicecode", data=asked).json()
    form = asked | {"grant_type": "device_code", "device_code": flow["device_code"]}
    assert http.post(f"{base}/token", data=form).json()["error_codes"] == [65001]


def test_a_fault_at_login_reaches_azure_identity(simulator: Simulator) -> None:
    simulator.faults.add(Fault("login_refused", tenant=TWO, detail={"code": 7000222}))
    with (
        azure.identity.ClientSecretCredential(TWO, AUDITOR, SECRET, **options(simulator)) as credential,
        pytest.raises(ClientAuthenticationError, match="AADSTS7000222"),
    ):
        credential.get_token(f"{simulator.graph}/.default")
