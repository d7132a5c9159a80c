"""What a request must be like: our host, our methods, our forms; the headers of every answer; nothing echoed."""

from __future__ import annotations

import socket

import pytest

from .serving import ANNA, REASON, Browser, Served, hidden_fields

PATHS = ("/", "/findings", "/cases", "/requests", "/controls", "/attestations", "/identity", "/about")
CSRF = "/leave"


@pytest.fixture
def anna(served: Served) -> Browser:
    return served.browser(ANNA)


def test_every_answer_has_the_headers(served: Served, anna: Browser) -> None:
    for answer in (*map(anna.get, PATHS), anna.get("/no"), served.browser().get("/"), anna.get("/static/review.js")):
        headers = answer.headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "base-uri 'none'" in policy
        assert "form-action 'self'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "aiohttp" not in headers.get("Server", "")


def test_nobody_sees_a_page_who_has_not_come_in(served: Served) -> None:
    stranger = served.browser()
    for path in PATHS:
        answer = stranger.get(path)
        assert answer.status_code == 401
        assert "Contoso" not in answer.text


def test_pages_are_there(anna: Browser) -> None:
    assert {path: anna.get(path).status_code for path in PATHS} == dict.fromkeys(PATHS, 200)


@pytest.mark.parametrize("host", ["evil.example", "localhost:{port}", "127.0.0.1", "127.0.0.1:{port}.evil.example", ""])
def test_another_host_is_refused(served: Served, anna: Browser, host: str) -> None:
    answer = anna.get("/findings", Host=host.format(port=served.origin.rpartition(":")[2]))
    assert answer.status_code == 421 or (host == "" and answer.status_code == 400)
    assert "evil" not in answer.text
    assert "Contoso" not in answer.text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "X" * 30])
def test_other_methods_are_refused(served: Served, method: str) -> None:
    host, _, port = served.origin.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as wire:
        wire.sendall(f"{method} /about HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        assert wire.recv(100).split()[1] in {b"405", b"400", b"501"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "none"},
        {"Sec_Fetch_Site": ""},
        {"Origin": "https://evil.example"},
        {"Origin": ""},
        {"Origin": "https://evil.example", "Sec_Fetch_Site": ""},
    ],
)
def test_forms_of_others_are_refused(anna: Browser, headers: dict[str, str]) -> None:
    fields = hidden_fields(anna.get("/about").text, CSRF)
    answer = anna.post(CSRF, fields, **headers)
    assert answer.status_code == 403
    assert anna.get("/about").status_code == 200


def test_our_origin_is_enough_for_browsers_without_fetch_metadata(served: Served, anna: Browser) -> None:
    fields = hidden_fields(anna.get("/about").text, CSRF)
    assert anna.post(CSRF, fields, Origin=served.origin, Sec_Fetch_Site="").status_code == 200
    assert anna.get("/about").status_code == 401


def test_a_form_needs_its_own_token(served: Served, anna: Browser) -> None:
    other = hidden_fields(served.browser(ANNA).get("/about").text, CSRF)
    for fields in (
        {"x": ""},
        {"form_token": ""},
        {"form_token": "x" * 64},
        other,
        hidden_fields(anna.get("/identity").text, "/identity"),
    ):
        assert anna.post(CSRF, fields).status_code == 403
    assert anna.get("/about").status_code == 200


def test_only_forms_are_taken(anna: Browser) -> None:
    fields = hidden_fields(anna.get("/about").text, CSRF)
    assert anna.post(CSRF, fields, Content_Type="text/plain").status_code == 415
    assert (
        anna.client.post(CSRF, json=fields, headers={"Sec-Fetch-Site": "same-origin", "Origin": "null"}).status_code
        == 415
    )
    twice = f"form_token={fields['form_token']}&form_token={fields['form_token']}"
    sent = {"Sec-Fetch-Site": "same-origin", "Origin": "null", "Content-Type": "application/x-www-form-urlencoded"}
    assert anna.client.post(CSRF, content=twice, headers=sent).status_code == 400
    assert anna.post(CSRF, fields | {"x": "y" * 70_000}).status_code == 413
    assert anna.post(CSRF, fields | {f"x{n}": "" for n in range(100)}).status_code in {400, 413}


def test_a_body_in_pieces_is_refused(anna: Browser) -> None:
    sent = {"Sec-Fetch-Site": "same-origin", "Origin": "null", "Content-Type": "application/x-www-form-urlencoded"}
    assert anna.client.post(CSRF, content=iter([b"form_token=", b"x"]), headers=sent).status_code == 411


def test_headers_and_addresses_have_a_limit(anna: Browser) -> None:
    assert anna.get("/findings?q=" + "a" * 5_000).status_code == 400
    assert anna.get("/about", X="y" * 9_000).status_code == 400
    assert anna.client.get("/about", headers=[(f"x{n}", "y") for n in range(200)]).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/static/../pages.py", "/static/%2e%2e/pages.py", "/static/..%2fpages.py", "/static/review.css%00", "/static/",
        "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/findings/<script>alert(1)</script>/x", "/cases/..%2f..%2fx",
        "/findings/11111111-1111-4111-8111-111111111111/F1-NO", "/requests/DS-2026-999", "/report.html",
        "/m365audit.duckdb",
    ],
)  # fmt: skip
def test_what_is_not_there_is_not_there_and_not_repeated(anna: Browser, path: str) -> None:
    answer = anna.client.send(anna.client.build_request("GET", anna.client.base_url.copy_with(raw_path=path.encode())))
    assert answer.status_code in {400, 404}
    assert "script>alert" not in answer.text
    assert "passwd" not in answer.text
    assert "Traceback" not in answer.text


def test_reading_changes_nothing(served: Served, anna: Browser) -> None:
    finding = anna.get("/findings").text.split('href="/findings/')[1].split('"')[0]
    paths = [*PATHS, f"/findings/{finding}", f"/findings/{finding}?done=decide", "/identity?token=P-AAAAAAAAAA"]
    for path in paths:
        anna.get(path)
        anna.client.head(path)
    for action in ("decide", "approve", "deny", "opinion", "seen"):
        assert anna.get(f"/findings/{finding}/{action}?to=confirmed&reason={REASON}").status_code in {404, 405}
    assert anna.get("/leave").status_code == 405
    assert not (served.desk.settings.state / "review.sqlite").exists()


def test_the_link_lets_one_browser_in(served: Served) -> None:
    link = served.link()
    first, second = served.browser(), served.browser()
    for _ in range(2):
        assert first.get(link).status_code == 200
    fields = hidden_fields(first.get(link).text, "/enter")
    answer = first.post("/enter", fields)
    assert answer.status_code == 303
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert first.get("/about").status_code == 200
    assert second.post("/enter", fields).status_code == 403
    assert second.get(link).status_code == 403
    assert second.get("/about").status_code == 401


def test_a_session_ends_by_leaving(anna: Browser) -> None:
    assert anna.send("/about", CSRF).status_code == 200
    assert anna.get("/about").status_code == 401


def test_a_fault_tells_nothing(anna: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        message = "secret detail"
        raise RuntimeError(message)

    monkeypatch.setattr("m365audit.web.about_page.reviewing.terms_of", broken)
    answer = anna.get("/about")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert "Traceback" not in answer.text


def test_nothing_published_is_said(served: Served, anna: Browser) -> None:
    (served.desk.settings.publish / "m365audit.duckdb").unlink()
    answer = anna.get("/findings")
    assert answer.status_code == 503
    assert "nothing is published" in answer.text
