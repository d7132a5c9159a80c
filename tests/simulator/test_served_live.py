"""The demo's tenants over the wire: each auditor is let in, and sees what its tenant lets it see."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import httpx
import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from m365audit.simulator.auditor import registration
from m365audit.simulator.live_world import LiveWorld, live_world
from m365audit.simulator.people import CONTOSO_ID, FABRIKAM_ID, TAILSPIN_ID, Tenant
from m365audit.simulator.served import CONTENT_TYPES
from m365audit.simulator.served_truth import STATE_COLLECTIONS, known_ids
from m365audit.simulator.service import Simulator, running

from .asking import all_records, client

PATHS = {
    "exchangeRoleAssignments": "/beta/roleManagement/exchange/roleAssignments",
    "appRoleAssignments": "",
}


@dataclass
class Asked:
    """A running simulator and somebody to ask it."""

    live: LiveWorld
    simulator: Simulator
    http: httpx.Client

    def headers(self, tenant: Tenant, resource: str = "") -> dict[str, str]:
        """Sign in as the tenant's auditor."""
        registered = registration(tenant)
        address = f"{self.simulator.login}/{tenant.id}/oauth2/v2.0/token"
        form = {
            "grant_type": "client_credentials",
            "client_id": registered.app.id,
            "scope": f"{resource or self.simulator.graph}/.default",
        }
        answer = self.http.post(address, data=form | self._proof(tenant, address))
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def _proof(self, tenant: Tenant, audience: str) -> dict[str, str]:
        registered = registration(tenant)
        content = self.live.keys.files[registered.file]
        if registered.credential == "secret_file":
            return {"client_secret": content.decode().strip()}
        thumbprint = x509.load_pem_x509_certificate(content).fingerprint(hashes.SHA256())
        now = datetime.now(UTC)
        claims = {"aud": audience, "iss": registered.app.id, "sub": registered.app.id, "jti": str(uuid.uuid4()),
                  "nbf": now, "exp": now + timedelta(minutes=5)}  # fmt: skip
        key = content[: content.index(b"-----BEGIN CERTIFICATE")].decode()
        header = {"x5t#S256": jwt.utils.base64url_encode(thumbprint).decode()}
        assertion = jwt.encode(claims, key, algorithm="RS256", headers=header)
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        return {"client_assertion": assertion, "client_assertion_type": kind}


@pytest.fixture(scope="module")
def asked() -> Iterator[Asked]:
    live = live_world()
    with running(live.served) as simulator, client(simulator) as http:
        yield Asked(live, simulator, http)


def _tenants(live: LiveWorld) -> dict[str, Tenant]:
    return {diary.tenant.id: diary.tenant for diary in live.diaries}


@pytest.mark.parametrize("tenant_id", [CONTOSO_ID, FABRIKAM_ID, TAILSPIN_ID])
def test_listings_show_the_whole_directory(asked: Asked, tenant_id: str) -> None:
    headers = asked.headers(_tenants(asked.live)[tenant_id])
    known = known_ids(asked.live.served)
    for collection, feed in STATE_COLLECTIONS.items():
        path = PATHS.get(collection, f"/v1.0/{collection}")
        if path and (tenant_id, feed) != (TAILSPIN_ID, "groups"):
            found = {r["id"] for r in all_records(asked.http, asked.simulator.graph + path, headers)}
            assert found == known.get((tenant_id, feed), frozenset()), feed


@pytest.mark.parametrize("tenant_id", [CONTOSO_ID, FABRIKAM_ID, TAILSPIN_ID])
def test_assignments_are_the_same_from_both_ends(asked: Asked, tenant_id: str) -> None:
    headers = asked.headers(_tenants(asked.live)[tenant_id])
    base = f"{asked.simulator.graph}/v1.0/servicePrincipals"
    principals = [r["id"] for r in all_records(asked.http, base, headers)]
    ends = [
        {r["id"] for sp in principals for r in all_records(asked.http, f"{base}/{sp}/{end}", headers)}
        for end in ("appRoleAssignedTo", "appRoleAssignments")
    ]
    assert ends[0] == ends[1] == known_ids(asked.live.served)[tenant_id, "app_role_assignments"]


def test_logs_show_where_licence_and_permission_allow(asked: Asked) -> None:
    known = known_ids(asked.live.served)
    for tenant_id, tenant in _tenants(asked.live).items():
        headers = asked.headers(tenant)
        url = f"{asked.simulator.graph}/beta/auditLogs/signIns?$filter=signInEventTypes/any(t:t eq 'servicePrincipal')"
        first = asked.http.get(url, headers=headers)
        if tenant_id == FABRIKAM_ID:
            assert first.json()["error"]["code"] == "Authentication_RequestFromNonPremiumTenantOrB2CTenant"
            continue
        found = {r["id"] for r in all_records(asked.http, url, headers)}
        assert found == known[tenant_id, "sign_ins_service_principal"]


def test_what_is_missing_is_refused(asked: Asked) -> None:
    tenants = _tenants(asked.live)
    refused = {
        (TAILSPIN_ID, "/v1.0/groups"),
        (TAILSPIN_ID, "/v1.0/communications/callRecords"),
        (FABRIKAM_ID, "/v1.0/communications/callRecords"),
    }
    for tenant_id, path in refused:
        answer = asked.http.get(asked.simulator.graph + path, headers=asked.headers(tenants[tenant_id]))
        assert answer.status_code == 403, answer.text
    contoso = asked.headers(tenants[CONTOSO_ID])
    answer = asked.http.get(f"{asked.simulator.graph}/v1.0/communications/callRecords", headers=contoso)
    assert answer.status_code == 200


def test_the_audit_log_is_there_for_seven_days(asked: Asked) -> None:
    known = known_ids(asked.live.served, now=asked.live.collected_at[0])
    tenant = _tenants(asked.live)[CONTOSO_ID]
    headers = asked.headers(tenant, asked.simulator.manage)
    base = f"{asked.simulator.manage}/api/v1.0/{tenant.id}/activity/feed/subscriptions/content"
    now = asked.live.collected_at[0]
    days = [now - timedelta(days=n) for n in range(6, -1, -1)]
    found = set()
    for content_type in set(CONTENT_TYPES.values()):
        for begin, end in pairwise(days):
            query = {"contentType": content_type, "startTime": f"{begin:%FT%T}", "endTime": f"{end:%FT%T}"}
            listing = asked.http.get(base, params=query, headers=headers)
            assert listing.status_code == 200, listing.text
            for blob in listing.json():
                found |= {r["Id"] for r in asked.http.get(blob["contentUri"], headers=headers).json()}
    everything = {i for (t, feed), ids in known.items() if t == CONTOSO_ID and feed.startswith("audit_") for i in ids}
    assert found
    assert found < everything
