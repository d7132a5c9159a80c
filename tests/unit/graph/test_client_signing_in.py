"""What the client learns of the auditor from its tokens."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from m365audit.graph.claims import TokenClaims, token_claims
from m365audit.graph.clouds import CLOUDS
from m365audit.graph.failures import SignInError

from .wired import TENANT, Tokens, wired

CLIENT = "22222222-2222-4222-8222-222222222222"


def jwt(payload: object) -> str:
    """Return a token with this in its middle; nobody looks at the rest."""
    middle = base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
    return f"e30.{middle}.c2ln"


class TwoTokens(Tokens):
    """Gives another token for each service, or none."""

    def __init__(self, graph: str, manage: str | None) -> None:
        super().__init__()
        self.expires_at = datetime(2026, 12, 1, tzinfo=UTC)
        self.given = {"https://graph.microsoft.com/.default": graph, "https://manage.office.com/.default": manage}

    async def token(self, scope: str, *, claims: str | None = None, is_fresh: bool = False) -> str:
        """Return the service's token."""
        await super().token(scope, claims=claims, is_fresh=is_fresh)
        found = self.given[scope]
        if found is None:
            raise SignInError("no", hint="", is_refused=True, code="AADSTS650052")
        return found


GRAPH = jwt({"appid": CLIENT.upper(), "roles": ["Directory.Read.All", "AuditLog.Read.All"]})


def test_both_services_are_told_apart() -> None:
    setting = wired()
    setting.tokens = TwoTokens(GRAPH, jwt({"azp": CLIENT, "roles": ["ActivityFeed.Read"]}))
    signed_in = setting.run(lambda client: client.sign_in())
    assert (signed_in.tenant, signed_in.client_id, signed_in.scopes) == (TENANT, CLIENT, ())
    assert signed_in.roles == ("graph/AuditLog.Read.All", "graph/Directory.Read.All", "manage/ActivityFeed.Read")
    assert signed_in.credential_expires_at == datetime(2026, 12, 1, tzinfo=UTC)
    assert setting.server.asked == []


def test_a_person_has_scopes() -> None:
    setting = wired()
    setting.tokens = TwoTokens(jwt({"appid": CLIENT, "scp": "User.Read  AuditLog.Read.All"}), jwt({}))
    assert setting.run(lambda client: client.sign_in()).scopes == ("graph/AuditLog.Read.All", "graph/User.Read")


def test_graph_alone_is_enough_to_be_signed_in_and_the_other_says_why_not() -> None:
    setting = wired()
    setting.tokens = TwoTokens(GRAPH, None)
    assert setting.run(lambda client: client.sign_in()).client_id == CLIENT
    with pytest.raises(SignInError) as caught:
        setting.run(lambda client: client.token_claims("manage"))
    assert caught.value.code == "AADSTS650052"


def test_where_there_is_no_management_api_no_token_is_asked_for() -> None:
    setting = wired()
    setting.cloud = CLOUDS["china"]
    setting.run(lambda client: client.sign_in())
    assert [scope for scope, _, _ in setting.tokens.asked] == ["https://microsoftgraph.chinacloudapi.cn/.default"]


@pytest.mark.parametrize(
    "token", ["", "opaque", "a.b.c", "e30.!!!.x", jwt([]), jwt({"roles": "x"}), jwt({"appid": 3}), "e30.W1tb.x", "."]
)
def test_a_token_in_another_form_says_nothing(token: str) -> None:
    assert token_claims(token) == TokenClaims("", (), ())


@settings(deadline=None)
@given(st.text())
def test_no_token_breaks_the_reading(token: str) -> None:
    token_claims(token)
    token_claims(f"a.{token}.b")
