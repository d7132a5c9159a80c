"""Where the page may be served: this machine alone, unless people sign in and TLS is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from m365audit.errors import ConfigurationError, ReviewError
from m365audit.web.entering import check_named
from m365audit.web.place import Place, Wanted, check, place_of, tls_of

from .serving import ANNA, STRANGER, settings_in

PEM = Path("some.pem")
EVERYWHERE = "0.0.0.0"  # noqa: S104 - said, not bound to


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.2"])
def test_this_machine_needs_nothing(host: str) -> None:
    check(Wanted(host), has_sign_in=False)


@pytest.mark.parametrize(
    ("wanted", "has_sign_in", "what"),
    [
        (Wanted(EVERYWHERE), False, "nobody would have to sign in"),
        (Wanted("audit.example"), False, "nobody would have to sign in"),
        (Wanted("audit.example", certificate=PEM, key=PEM), False, "nobody would have to sign in"),
        (Wanted("audit.example"), True, "without TLS"),
        (Wanted(EVERYWHERE, certificate=PEM, key=PEM), True, "no address to type"),
        (Wanted(certificate=PEM), True, "go together"),
        (Wanted(key=PEM), True, "go together"),
        (Wanted(is_behind_proxy=True), True, "not known"),
        (Wanted(is_behind_proxy=True, address="https://audit.example"), False, "nobody would have to sign in"),
        (Wanted(is_behind_proxy=True, address="http://audit.example"), True, "not an https address"),
        (Wanted(is_behind_proxy=True, address="https://audit.example/x"), True, "not an https address"),
        (Wanted(is_behind_proxy=True, address="https://a@audit.example"), True, "not an https address"),
        (Wanted(address="https://audit.example"), True, "needs TLS"),
    ],
)
def test_what_would_let_others_in_is_refused(wanted: Wanted, what: str, *, has_sign_in: bool) -> None:
    with pytest.raises(ConfigurationError, match=what):
        check(wanted, has_sign_in=has_sign_in)


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted("audit.example", certificate=PEM, key=PEM),
        Wanted(EVERYWHERE, certificate=PEM, key=PEM, address="https://audit.example"),
        Wanted(EVERYWHERE, is_behind_proxy=True, address="https://audit.example"),
    ],
)
def test_signing_in_and_tls_let_others_in(wanted: Wanted) -> None:
    check(wanted, has_sign_in=True)


@pytest.mark.parametrize(
    ("wanted", "has_sign_in", "origin", "cookie"),
    [
        (Wanted(), False, "http://127.0.0.1:8000", "m365audit-8000"),
        (Wanted(), True, "http://localhost:8000", "m365audit-8000"),
        (Wanted("::1"), False, "http://[::1]:8000", "m365audit-8000"),
        (Wanted("Audit.example", certificate=PEM, key=PEM), True, "https://audit.example:8000", "__Host-m365audit"),
        (Wanted(EVERYWHERE, is_behind_proxy=True, address="https://Audit.example/"), True, "https://audit.example",
         "__Host-m365audit"),
        (Wanted(EVERYWHERE, is_behind_proxy=True, address="https://audit.example:444"), True,
         "https://audit.example:444", "__Host-m365audit"),
    ],
)  # fmt: skip
def test_the_address_as_a_browser_writes_it(wanted: Wanted, origin: str, cookie: str, *, has_sign_in: bool) -> None:
    place = place_of(wanted, 8000, has_sign_in=has_sign_in)
    assert (place.origin, place.cookie) == (origin, cookie)


def test_whom_a_proxy_lets_in_signs_in_and_needs_no_link_of_a_terminal_far_away() -> None:
    proxied = Wanted(is_behind_proxy=True, address="https://audit.example")
    assert not place_of(proxied, 8000, has_sign_in=True).is_loopback
    assert place_of(Wanted(), 8000, has_sign_in=True).is_loopback


def test_files_that_are_no_certificate_are_refused(tmp_path: Path) -> None:
    (tmp_path / "c.pem").write_text("no")
    with pytest.raises(ConfigurationError, match="cannot be used for TLS"):
        tls_of(Wanted(certificate=tmp_path / "c.pem", key=tmp_path / "c.pem"))
    assert tls_of(Wanted()) is None


def test_who_is_not_named_reads_nothing_from_elsewhere(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    far, here = (Place("https://audit.example", is_secure=True, is_loopback=near) for near in (False, True))
    check_named(settings, far, ANNA)
    check_named(settings, here, STRANGER)
    with pytest.raises(ReviewError, match="does not name"):
        check_named(settings, far, STRANGER)
