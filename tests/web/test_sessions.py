"""Who comes in: the link works once and soon, sessions end, form tokens belong to one session and one form."""

from __future__ import annotations

from dataclasses import dataclass

from m365audit.web.sessions import IDLE_SECONDS, LINK_SECONDS, LONGEST_SECONDS, Sessions


@dataclass
class _Clock:
    seconds: float = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def _sessions() -> tuple[Sessions[str], _Clock]:
    clock = _Clock()
    return Sessions(clock=clock), clock


def test_a_link_has_256_bits_and_lets_one_in() -> None:
    sessions, _ = _sessions()
    link = sessions.new_link()
    assert len(link) * 6 >= 256
    assert sessions.is_link(link)
    cookie = sessions.enter(link, "anna")
    assert cookie is not None
    assert cookie != link
    assert sessions.enter(link, "anna") is None
    session = sessions.find(cookie)
    assert session is not None
    assert session.who == "anna"


def test_looking_at_a_link_uses_nothing_up() -> None:
    sessions, _ = _sessions()
    link = sessions.new_link()
    assert [sessions.is_link(link) for _ in range(3)] == [True] * 3
    assert not sessions.is_link("")
    assert sessions.enter(link + "x", "anna") is None
    assert sessions.enter(link, "anna") is not None


def test_a_link_ends_and_a_new_one_replaces_it() -> None:
    sessions, clock = _sessions()
    first, second = sessions.new_link(), sessions.new_link()
    assert not sessions.is_link(first)
    clock.seconds += LINK_SECONDS + 1
    assert sessions.enter(second, "anna") is None


def test_a_session_ends_when_nobody_uses_it() -> None:
    sessions, clock = _sessions()
    cookie = sessions.open("anna")
    clock.seconds += IDLE_SECONDS - 1
    assert sessions.find(cookie) is not None
    clock.seconds += IDLE_SECONDS + 1
    assert sessions.find(cookie) is None
    clock.seconds -= IDLE_SECONDS
    assert sessions.find(cookie) is None


def test_a_session_ends_however_much_it_is_used() -> None:
    sessions, clock = _sessions()
    cookie = sessions.open("anna")
    for _ in range(int(LONGEST_SECONDS // 1_000)):
        clock.seconds += 1_000
        assert sessions.find(cookie) is not None
    clock.seconds += 1_001
    assert sessions.find(cookie) is None


def test_form_tokens_belong_to_one_session_and_one_form() -> None:
    sessions, _ = _sessions()
    one, other = sessions.find(sessions.open("anna")), sessions.find(sessions.open("dirk"))
    assert one is not None
    assert other is not None
    token = one.form_token("/a")
    assert one.is_form_token("/a", token)
    assert not one.is_form_token("/b", token)
    assert not other.is_form_token("/a", token)
    assert not one.is_form_token("/a", "")
    assert not one.is_form_token("/a", "é\ud800")


def test_nobody_fills_the_memory_with_sessions() -> None:
    sessions, clock = _sessions()
    cookies = []
    for _ in range(300):
        clock.seconds += 1
        cookies.append(sessions.open("anna"))
    assert sessions.find(cookies[0]) is None
    assert sessions.find(cookies[-1]) is not None
