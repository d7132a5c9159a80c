"""No token leaves for an address that the configuration does not name; each hostile one is tried on a whole client."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from m365audit.graph.clouds import CLOUDS, Cloud
from m365audit.graph.failures import LinkRefusedError
from m365audit.graph.guard import MAX_LENGTH, Guard, origin
from m365audit.resources import yaml_values

from .wired import Wired, ok, raw, wired

HOSTILE: list[dict[str, Any]] = yaml_values(Path(__file__).with_name("hostile_urls.yml").read_text("utf-8"))
SENDABLE = [row for row in HOSTILE if row.get("is_sendable")]
IN_HEADERS = [row for row in HOSTILE if row["url"].isascii() and row["url"].isprintable() and row["url"].strip()]
HARMLESS = [
    ("https://graph.microsoft.com/v1.0/auditLogs/signIns?$skiptoken=a%2Bb&$top=1", "graph"),
    ("https://graph.microsoft.com:443/v1.0/", "graph"),
    ("HTTPS://Graph.Microsoft.COM/beta/", "graph"),
    ("https://graph.microsoft.com/v1.0/users?$filter=startswith(displayName, 'Jürgen @ home')", "graph"),
    ("https://manage.office.com/api/v1.0/x/activity/feed/audit/1$2$audit_exchange", "manage"),
    ("https://manage.office.com", "manage"),
]


def attempt(setting: Wired, url: str) -> LinkRefusedError | None:
    """Ask for an address; return how it was refused, None when it was not."""

    async def asking(client: Any) -> None:
        await client.get(url, limits=["reports"], what="content_uri")

    try:
        setting.run(asking)
    except LinkRefusedError as error:
        return error
    return None


def shown(row: dict[str, Any]) -> str:
    """Return a row's address for a test's name."""
    return ascii(row["url"])[:60]


def test_there_are_enough_hostile_addresses() -> None:
    assert len({row["url"] for row in HOSTILE}) >= 60
    assert len(SENDABLE) >= 30


@pytest.mark.parametrize("row", HOSTILE, ids=shown)
def test_hostile_addresses_are_refused_before_anything_is_sent(row: dict[str, Any]) -> None:
    setting = wired()
    error = attempt(setting, row["url"])
    assert error is not None
    assert (error.what, error.target) == ("content_uri", row["target"])
    assert setting.server.asked == []
    assert setting.tokens.asked == []
    assert "skiptoken" not in f"{error} {error!r} {error.target}"


@pytest.mark.parametrize("row", SENDABLE, ids=shown)
def test_nothing_but_the_guard_holds_them_back(row: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """With the guard taken away the token travels: the test above can fail, and no second check hides behind it."""
    monkeypatch.setattr(Guard, "check", lambda _self, _address, _what: "graph")
    setting = wired()
    assert attempt(setting, row["url"]) is None
    assert setting.server.tokens == ["canary-1-https://graph.microsoft.com/.default"]


@pytest.mark.parametrize(("url", "service"), HARMLESS)
def test_configured_addresses_are_asked_with_the_token_of_their_service(url: str, service: str) -> None:
    setting = wired()
    assert attempt(setting, url) is None
    assert setting.tokens.asked == [(CLOUDS["global"].scope("graph" if service == "graph" else "manage"), None, False)]


def test_an_address_is_sent_as_it_was_written() -> None:
    url = "https://graph.microsoft.com/v1.0/x?%24skiptoken=a%2Bb+c%2f..%2F&%24top=1&a-b.c~d=%7e"
    setting = wired()
    attempt(setting, url)
    assert str(setting.server.asked[0].url) == url


def test_an_endless_address_is_refused() -> None:
    setting = wired()
    assert attempt(setting, "https://graph.microsoft.com/" + "a" * MAX_LENGTH) is not None
    assert attempt(wired(), "https://graph.microsoft.com/" + "a" * 60_000) is None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("row", IN_HEADERS[::5], ids=shown)
def test_redirects_go_through_the_guard(status: int, row: dict[str, Any]) -> None:
    setting = wired(raw(b"", status=status, Location=row["url"]), ok())
    error = attempt(setting, "https://graph.microsoft.com/v1.0/")
    assert error is not None
    assert (error.what, error.target) == ("redirect", row["target"])
    assert len(setting.server.asked) == 1


def test_without_the_guard_redirects_would_carry_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Guard, "check", lambda _self, _address, _what: "graph")
    setting = wired(raw(b"", status=302, Location="https://evil.example/"), ok())
    assert attempt(setting, "https://graph.microsoft.com/v1.0/") is None
    assert setting.server.asked[1].url.host == "evil.example"
    assert len(setting.server.tokens) == 2


def test_addresses_in_numbers_are_fine_where_the_configuration_names_them() -> None:
    here = "https://127.0.0.1:8443"
    setting = wired()
    setting.cloud = Cloud("custom", here, here, "https://[::1]:8443")
    assert attempt(setting, f"{here}/v1.0/") is None
    assert attempt(setting, "https://[::1]:8443/api/") is None
    assert attempt(setting, "https://127.0.0.1/v1.0/") is not None
    assert attempt(setting, "https://127.0.0.2:8443/v1.0/") is not None


def test_what_is_shown_of_an_address_is_short() -> None:
    error = attempt(wired(), "https://" + "a" * 5000 + ".example/")
    assert error is not None
    assert len(error.target) == 200


AUTHORITY = st.text("abcmxyz019.-:@[]%\\/?#\t \u00e9\u3002\uff0f", max_size=30)
AROUND = st.sampled_from(["https://graph.microsoft.com", "https://manage.office.com:443", "https://", "HTTPS://", "//"])


@settings(deadline=None)
@given(st.builds(lambda *parts: "".join(parts), AROUND, AUTHORITY, st.text(max_size=20)))
def test_what_passes_is_what_the_http_library_connects_to(address: str) -> None:
    """Whatever the guard reads as an origin, the libraries read as the same one: no two parsers disagree behind it."""
    found = origin(address)
    if found is None:
        return
    url = httpx.URL(address)
    host = f"[{url.host}]" if ":" in url.host else url.host
    assert found == f"{url.scheme}://{host}:{url.port or 443}"
    assert not url.userinfo
    connected = URL(str(url), encoded=True)
    assert (connected.scheme, connected.host, connected.port) == (url.scheme, url.host, url.port or 443)
    assert connected.user is None
