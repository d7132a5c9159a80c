"""Decisions through the page: one person, a second person, the same person again, expiry, two people at once."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from m365audit.config import Settings
from m365audit.store.journal import Draft, open_journal

from .serving import ANNA, DPO, OWNER, REASON, STRANGER, Browser, Served, publish, serving, settings_in

NOBODY = "P-AAAAAAAAAA"


@pytest.fixture
def anna(served: Served) -> Browser:
    return served.browser(ANNA)


@pytest.fixture(scope="module")
def looking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser for tests that only look: one page for all of them."""
    made = settings_in(tmp_path_factory.mktemp("looking"))
    publish(made)
    with serving(made) as page:
        yield page.browser(ANNA)


def _finding(browser: Browser, number: int = 0, query: str = "") -> str:
    """Return the path of a finding of the list."""
    found = re.findall(r'<h2><a href="(/findings/[^"]+)"', browser.get(f"/findings{query}").text)
    return str(found[number])


def _grave(browser: Browser) -> str:
    return _finding(browser, query="?severity=high")


def _confirm(browser: Browser, path: str, breach: str = "no") -> None:
    answer = browser.send(path, f"{path}/decide", to="confirmed", reason=REASON, breach=breach)
    assert answer.status_code == 303, answer.text
    assert "Written down." in browser.get(answer.headers["Location"]).text


def _events(settings: Settings) -> list[str]:
    with open_journal(settings.state) as journal:
        return [entry.event for entry in journal.entries()]


def test_the_list_is_searched_and_filtered_by_its_address(looking: Browser) -> None:
    every = looking.get("/findings?state=all").text
    ids = re.findall(r'<h2><a href="/findings/([^"]+)"', every)
    assert len(ids) > 5
    assert len(set(ids)) == len(ids)
    for query in (
        "?severity=high",
        "?q=crm",
        "?decision=none",
        "?waiting=decision",
        "?state=resolved",
        "?tenant=" + ids[0].split("/")[0],
    ):
        some = re.findall(r'<h2><a href="/findings/([^"]+)"', looking.get(f"/findings{query}").text)
        assert some, query
        assert set(some) <= set(ids)
        assert len(some) < len(ids), query
    assert "No finding is like that" in looking.get("/findings?q=nothing-is-called-so").text
    assert "No finding is like that" in looking.get("/findings?waiting=approval").text


@pytest.mark.parametrize(
    "query",
    ["severity=x", "page=-1", "page=999999999999", "page=%00", "tenant=' OR 1=1 --", "rule=%27%3B--", "q=%25%5F",
     "state=[]",
     "q=" + "a " * 500, "decision=none&decision=x", "waiting=';DROP TABLE findings"],
)  # fmt: skip
def test_a_hostile_address_is_a_list_all_the_same(looking: Browser, query: str) -> None:
    assert looking.get(f"/findings?{query}").status_code == 200


def test_who_searches_for_a_person_finds_nobody(looking: Browser) -> None:
    for person in ("anna.devries@contoso.example", "devries"):
        assert "No finding is like that" in looking.get(f"/findings?state=all&q={person}").text
    for path in ("/", "/findings?state=all", _finding(looking)):
        assert "devries" not in looking.get(path).text.lower()


def test_a_decision_with_a_reason_stands_in_history_and_report(served: Served, anna: Browser) -> None:
    path = _finding(anna)
    _confirm(anna, path)
    page = anna.get(path).text
    assert "confirmed" in page
    assert REASON.replace("'", "&#39;") in page
    assert "not authenticated" in page
    assert path in anna.get("/findings?decision=confirmed").text
    assert _events(served.desk.settings) == ["confirm"]


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"to": "confirmed", "reason": "too short", "breach": "no"}, "the reason has 9 characters"),
        ({"to": "confirmed", "reason": REASON}, "is missing: Is it a breach of personal data?"),
        ({"to": "accepted", "reason": REASON, "owner": "IT", "until": "2026-11-30", "evidence": "T-1"}, "confirmed"),
        ({"to": "false_positive", "reason": REASON}, "evidence"),
        ({"to": "everything", "reason": REASON}, "There is no such choice: Decision."),
        ({"reason": REASON}, "There is no such choice: Decision."),
        ({"to": "confirmed", "reason": REASON, "breach": "no", "version": "x"}, "does not say"),
    ],
)  # fmt: skip
def test_a_refusal_says_why_and_loses_nothing(served: Served, anna: Browser, fields: dict[str, str], what: str) -> None:
    path = _finding(anna)
    answer = anna.send(path, f"{path}/decide", **fields)
    assert answer.status_code == 422
    assert "Nothing was written down." in answer.text
    assert what in answer.text
    assert fields["reason"].replace("'", "&#39;") in answer.text
    assert _events(served.desk.settings) == []


def test_a_grave_finding_takes_a_second_person(served: Served, anna: Browser) -> None:
    path = _grave(anna)
    answer = anna.send(path, f"{path}/decide", to="false_positive", reason=REASON, evidence="ticket 4711")
    assert answer.status_code == 303
    assert path in anna.get("/findings?waiting=approval").text
    again = served.browser(ANNA)
    page = again.get(path).text
    assert f'action="{path}/approve"' not in page
    assert "a second person is needed" in page
    session = served.desk.sessions.find(again.client.cookies[served.desk.place.cookie])
    assert session is not None
    token = session.form_token(f"{path}/approve")
    forged = again.post(f"{path}/approve", {"form_token": token, "version": "1", "reason": REASON})
    assert forged.status_code == 422
    assert "a second person is needed" in forged.text
    dpo = served.browser(DPO)
    assert path in dpo.get("/findings?waiting=approval").text
    assert dpo.send(path, f"{path}/approve", reason=REASON).status_code == 303
    assert path in dpo.get("/findings?decision=false_positive&state=all").text
    assert _events(served.desk.settings) == ["request", "approve"]


def test_who_asked_may_take_it_back(served: Served, anna: Browser) -> None:
    path = _grave(anna)
    anna.send(path, f"{path}/decide", to="false_positive", reason=REASON, evidence="ticket 4711")
    assert "Take your request back" in anna.get(path).text
    assert anna.send(path, f"{path}/deny", reason=REASON).status_code == 303
    assert _events(served.desk.settings) == ["request", "withdraw"]


def test_who_is_not_named_may_look_and_not_decide(served: Served, anna: Browser) -> None:
    path = _finding(anna)
    stranger = served.browser(STRANGER)
    page = stranger.get(path).text
    assert f'action="{path}/decide"' not in page
    assert "nobody whom the configuration names" in page
    assert "does not name you" in stranger.get("/about").text


def test_an_acceptance_comes_back_when_it_expires(served: Served, anna: Browser) -> None:
    path = _finding(anna, query="?severity=medium")
    _confirm(anna, path)
    anna.send(
        path, f"{path}/decide", to="accepted", reason=REASON, owner="Head of sales", until="2026-12-20", evidence="T-1"
    )
    owner = served.browser(OWNER)
    assert owner.send(path, f"{path}/approve", reason=REASON).status_code == 303, owner.get(path).text
    assert path in anna.get("/findings?decision=accepted").text
    dpo = served.browser(DPO)
    assert dpo.send(path, f"{path}/opinion", opinion="disagree", reason=REASON).status_code == 303
    served.clock.at += timedelta(days=40)
    with open_journal(served.desk.settings.state) as journal:
        before = journal.head()
    page = anna.get(path).text
    assert "the acceptance has expired" in page
    served.desk.published._idle[0].stack.close()
    served.desk.published._idle.clear()
    assert path in anna.get("/findings?waiting=returned").text
    with open_journal(served.desk.settings.state) as journal:
        assert journal.head() == before


def test_two_people_on_one_finding(served: Served, anna: Browser) -> None:
    path = _finding(anna)
    dpo = served.browser(DPO)
    slow = anna.get(path).text
    _confirm(dpo, path)
    fields = dict(
        re.findall(
            r'<input type="hidden" name="([^"]*)" value="([^"]*)"',
            slow.split(f'action="{path}/decide"')[1].split("</form>")[0],
        )
    )
    typed = {"to": "confirmed", "breach": "unclear", "reason": "What I typed for twenty minutes must not be lost."}
    answer = anna.post(f"{path}/decide", {**fields, **typed})
    assert answer.status_code == 409
    assert "Somebody was quicker." in answer.text
    assert "What I typed for twenty minutes must not be lost." in answer.text
    assert REASON.replace("'", "&#39;") in answer.text
    assert _events(served.desk.settings) == ["confirm"]
    fresh = dict(
        re.findall(
            r'<input type="hidden" name="([^"]*)" value="([^"]*)"',
            answer.text.split(f'action="{path}/decide"')[1].split("</form>")[0],
        )
    )
    assert anna.post(f"{path}/decide", {**fresh, **typed}).status_code == 303


def test_a_confirmed_breach_opens_its_case_and_the_clock_runs(served: Served, anna: Browser) -> None:
    path = _grave(anna)
    _confirm(anna, path, breach="yes")
    page = anna.get("/cases").text
    case = re.findall(r'href="(/cases/BR-[^"]+)"', page)[0]
    assert "72 h 00 min left" in page
    served.clock.at += timedelta(hours=50)
    dpo = served.browser(DPO)
    shown = dpo.get(case).text
    assert "22 h 00 min left" in shown
    assert 'data-due="2026-11-25T09:00:00Z"' in shown
    assert dpo.send(case, f"{case}/assess", risk="risk", reason=REASON).status_code == 303
    assert dpo.send(case, f"{case}/answers", nature="Mail was read").status_code == 303
    late = dpo.send(case, f"{case}/notify", notified_at="2026-11-26T12:00", phase="initial")
    assert late.status_code == 422
    assert "lies in the future" in late.text
    assert (
        dpo.send(case, f"{case}/notify", notified_at="2026-11-24T11:30", phase="initial", reference="AP-1").status_code
        == 303
    )
    assert "h 00 min left" not in dpo.get(case).text
    assert _events(served.desk.settings) == ["confirm", "open", "aware", "assess", "answer", "notify"]


def test_a_request_of_a_person(served: Served) -> None:
    dpo = served.browser(DPO)
    tenant = _finding(dpo).split("/")[2]
    bad = dpo.send("/requests", "/requests", tenant=tenant, kind="access", received_on="2027-01-01", reference="DS")
    assert bad.status_code == 422
    assert "lies in the future" in bad.text
    good = dpo.send(
        "/requests", "/requests", tenant=tenant, kind="access", received_on="2026-11-20", reference="letter 4"
    )
    assert good.status_code == 303
    path = re.findall(r'href="(/requests/DS-[^"]+)"', dpo.get("/requests").text)[0]
    assert "2026-12-20" in dpo.get(path).text
    assert dpo.send(path, f"{path}/extend", reason=REASON).status_code == 303
    assert dpo.send(path, f"{path}/answer", reason=REASON).status_code == 303
    assert "answered already" in dpo.get(path).text


def test_an_identity_is_shown_once_with_a_reason_that_is_written_down(served: Served) -> None:
    dpo = served.browser(DPO)
    token = _token(served)
    assert "devries" not in dpo.get(f"/identity?token={token}").text.lower()
    short = dpo.send("/identity", "/identity", token=token, reason="because")
    assert short.status_code == 422
    assert "devries" not in short.text.lower()
    assert dpo.send("/identity", "/identity", token=NOBODY, reason=REASON).status_code == 422
    assert _events(served.desk.settings) == []
    shown = dpo.send("/identity", "/identity", token=token, reason=REASON)
    assert "anna.devries@contoso.example" in shown.text
    assert len(re.findall("@contoso.example", shown.text)) == 1
    assert "devries" not in dpo.get("/identity").text.lower()
    with open_journal(served.desk.settings.state) as journal:
        (entry,) = journal.entries(kind="view")
    assert (entry.actor.id, entry.body["what"], entry.body["purpose"]) == (DPO.id, token, REASON)
    assert served.browser(STRANGER).send("/identity", "/identity", token=token, reason=REASON).status_code == 422


def _token(served: Served) -> str:
    with served.desk.published._opened(()).stack:
        pass
    reading = served.desk.published._opened(())
    try:
        rows = reading.bare.rows("report-people")
        person = next(row for row in rows if "devries" in str(row["person_name"]))
        return reading.people.token(str(person["tenant_id"]), str(person["person_id"] or person["person_name"]))
    finally:
        reading.stack.close()


def test_that_somebody_looked_is_noted_once_and_by_the_page_itself(served: Served, anna: Browser) -> None:
    path = _finding(anna)
    for _ in range(2):
        assert anna.send(path, f"{path}/seen").status_code == 204
    with open_journal(served.desk.settings.state) as journal:
        assert [entry.event for entry in journal.entries()] == ["opened"]


def test_a_new_publication_is_read_at_once_and_the_old_one_let_go(served: Served, anna: Browser) -> None:
    path = _finding(anna)

    publish(served.desk.settings, "UPDATE findings SET title = 'Quite another title'")
    assert "Quite another title" in anna.get(path).text
    assert [entry.name for entry in served.desk.settings.publish.iterdir()] == ["m365audit.duckdb"]
    assert not list(served.desk.settings.state.glob(".reading-*/*"))


def test_publishing_and_reading_do_not_wait_for_each_other(served: Served) -> None:
    browsers = [served.browser(ANNA) for _ in range(4)]
    wrong: list[object] = []

    def read(browser: Browser) -> None:
        for _ in range(6):
            answer = browser.get("/findings")
            if answer.status_code != 200 or "<h2><a" not in answer.text:
                wrong.append(answer.text[:500])

    readers = [threading.Thread(target=read, args=[browser]) for browser in browsers]
    for reader in readers:
        reader.start()
    for _ in range(3):
        publish(served.desk.settings)
    for reader in readers:
        reader.join(60)
    assert wrong == []


def test_one_person_alone_is_said(tmp_path_factory: pytest.TempPathFactory) -> None:
    alone = settings_in(tmp_path_factory.mktemp("alone"), review={"second_person": "off"})
    publish(alone)
    with serving(alone) as served:
        anna = served.browser(ANNA)
        path = _grave(anna)
        answer = anna.send(path, f"{path}/decide", to="false_positive", reason=REASON, evidence="ticket 4711")
        assert answer.status_code == 303
        assert "by one person alone" in anna.get(path).text
        assert "switched off" in anna.get("/about").text


def test_a_clock_that_was_set_back_is_told_on_every_page_and_ends_no_later(served: Served, anna: Browser) -> None:
    assert "clock of this machine is wrong" not in anna.get("/findings").text
    with open_journal(served.desk.settings.state) as journal:
        draft = Draft("view", "", "x", "opened", ANNA, {})
        journal.append(draft, expected_version=None, at=served.clock.at + timedelta(days=3))
    for path in ("/", "/findings", "/cases"):
        assert "clock of this machine is wrong" in anna.get(path).text
    assert served.desk.now() == served.clock.at + timedelta(days=3)


def test_a_lost_journal_is_told_on_every_page(served: Served, anna: Browser) -> None:
    state = served.desk.settings.state
    with open_journal(state) as journal:
        journal.append(Draft("view", "", "x", "opened", ANNA, {}), expected_version=None)
    assert "Decisions are missing" not in anna.get("/cases").text
    for file in state.glob("review.sqlite*"):
        file.unlink()
    for path in ("/", "/findings", "/cases"):
        assert "Decisions are missing" in anna.get(path).text
