"""Owns faults in what is said: missing and repeated records, empty pages, loops, hostile links. Never in its bytes."""

from __future__ import annotations

import random
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from m365audit.simulator.service.calls import Answer, Call
from m365audit.simulator.service.faults import Fault
from m365audit.simulator.service.graph_state import page
from m365audit.simulator.service.jobs import Job
from m365audit.simulator.service.paging import next_link, skip_token
from m365audit.simulator.service.simulation import Simulation

Change = Callable[[Simulation, Call, Answer, Fault], Answer]


def _empty_pages(simulation: Simulation, call: Call, answer: Answer, _fault: Fault) -> Answer:
    """The page has no records and a link that leads to the page that it should have been."""
    if answer.page is not None and call.place is not None:
        snapshot, offset = call.place
        answer.page.records = []
        # Another link each time: one that leads to itself would be a loop.
        simulation.loops += 1
        answer.page.next_link = next_link(call, skip_token(snapshot, offset) + "~" * simulation.loops)
    elif _is_content(call, answer):
        return Answer(HTTPStatus.OK, b"[]", answer.headers | {"NextPageUri": _same_content(simulation, call)})
    return answer


def _records_missing(simulation: Simulation, call: Call, answer: Answer, fault: Fault) -> Answer:
    """``percent`` of the records of this pull are left out (10); ``seed`` decides which."""
    if answer.page is None or call.place is None:
        return answer
    snapshot = call.place[0]
    chance = random.Random(fault.detail.get("seed", 0))  # noqa: S311
    share = float(fault.detail.get("percent", 10)) / 100
    snapshot.records = [record for record in snapshot.records if chance.random() >= share]
    return page(simulation, call, snapshot, 0)


def _ends_early(_simulation: Simulation, _call: Call, answer: Answer, fault: Fault) -> Answer:
    """The page has the first ``percent`` of its records (50) and no next link: nothing says that there was more."""
    if answer.page is not None:
        kept = int(len(answer.page.records) * float(fault.detail.get("percent", 50)) / 100)
        answer.page.records = answer.page.records[:kept]
        answer.page.next_link = None
    return answer


def _link_loop(simulation: Simulation, call: Call, answer: Answer, fault: Fault) -> Answer:
    """``form``: ``same`` (to itself), ``pair`` (A → B → A) or ``growing`` (a new link to this very page for ever)."""
    form = fault.detail.get("form", "same")
    if _is_content(call, answer):
        links = {"same": call.url, "growing": _same_content(simulation, call), "pair": _other_content(call)}
        answer.headers["NextPageUri"] = links[form]
        return answer
    if answer.page is None or call.place is None:
        return answer
    snapshot, offset = call.place
    if form == "growing":
        simulation.loops += 1
        answer.page.next_link = next_link(call, skip_token(snapshot, offset) + "~" * simulation.loops)
    elif form == "pair":
        other = 0 if offset else min(snapshot.size, len(snapshot.records))
        answer.page.next_link = next_link(call, skip_token(snapshot, other))
    else:
        answer.page.next_link = call.url if "$skiptoken" in call.query else next_link(call, skip_token(snapshot, 0))
    return answer


def _is_content(call: Call, answer: Answer) -> bool:
    return answer.status == HTTPStatus.OK and call.path.endswith("/subscriptions/content")


def _same_content(simulation: Simulation, call: Call) -> str:
    """Return a new link to the very page of a content listing that was asked for."""
    simulation.loops += 1
    place = call.query.get("nextPage", "0").zfill(8 + simulation.loops)
    return f"{call.origin}{call.path}?{urlencode({**call.query, 'nextPage': place})}"


def _other_content(call: Call) -> str:
    """Return a link to one of two pages of a content listing: to that which was not asked for."""
    place = "00000000" if int(call.query.get("nextPage", "0")) else "00000001"
    return f"{call.origin}{call.path}?{urlencode({**call.query, 'nextPage': place})}"


def _hostile_link(simulation: Simulation, call: Call, answer: Answer, fault: Fault) -> Answer:
    """``link``: any JSON value, the other server when not given; ``what``: next_link, content_uri, next_page_uri."""
    link = fault.detail.get("link", f"{simulation.elsewhere}{call.path}?stolen=1")
    what = fault.detail.get("what", "next_link")
    if what == "next_link" and answer.page is not None:
        answer.page.next_link = link
    elif what == "next_page_uri" and call.path.endswith("/content"):
        answer.headers["NextPageUri"] = str(link)
    elif what == "content_uri":
        return _with_contents(call, answer, lambda listed: [entry | {"contentUri": link} for entry in listed])
    return answer


def _repeated_records(_simulation: Simulation, call: Call, answer: Answer, fault: Fault) -> Answer:
    """``percent`` of the page's records come twice (100); so do the entries of a content listing."""
    if answer.page is not None:
        twice = int(len(answer.page.records) * float(fault.detail.get("percent", 100)) / 100)
        answer.page.records = answer.page.records + answer.page.records[:twice]
        return answer
    return _with_contents(call, answer, lambda listed: listed + listed)


def _with_contents(
    call: Call, answer: Answer, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
) -> Answer:
    if not _is_content(call, answer):
        return answer
    return Answer(HTTPStatus.OK, msgspec.json.encode(change(msgspec.json.decode(answer.body))), answer.headers)


def _truncated_json(_simulation: Simulation, _call: Call, answer: Answer, fault: Fault) -> Answer:
    """``percent`` of the body's bytes come (60); its length says so."""
    body = answer.payload()
    kept = min(int(len(body) * float(fault.detail.get("percent", 60)) / 100), len(body) - 1)
    return Answer(answer.status, body[: max(kept, 0)], answer.headers)


def _deep_nesting(_simulation: Simulation, _call: Call, answer: Answer, fault: Fault) -> Answer:
    """``depth``: brackets around nothing in a record (100 000)."""
    depth = int(fault.detail.get("depth", 100_000))
    record = b'{"id":"deep","nested":' + b"[" * depth + b"]" * depth + b"}"
    if answer.page is None:
        return Answer(HTTPStatus.OK, b"[" + record + b"]", answer.headers)
    answer.page.records = [record, *answer.page.records]
    return answer


def _many_records(_simulation: Simulation, _call: Call, answer: Answer, fault: Fault) -> Answer:
    """``records``: so many on one page (1 000 000), small and each with an id of its own."""
    if answer.page is not None:
        answer.page.records = [b'{"id":"many-%d"}' % n for n in range(int(fault.detail.get("records", 1_000_000)))]
    return answer


def _query_fails(simulation: Simulation, _call: Call, answer: Answer, fault: Fault) -> Answer:
    """``status``: what the query that is made ends as (``failed``; ``cancelled``, ``running`` for ever)."""
    job = _made(simulation, answer)
    if job is not None:
        job.ends = str(fault.detail.get("status", "failed"))
    return answer


def _query_is_capped(simulation: Simulation, _call: Call, answer: Answer, fault: Fault) -> Answer:
    """``cap``: records that the query that is made returns at most (10)."""
    job, cap = _made(simulation, answer), int(fault.detail.get("cap", 10))
    if job is not None and len(job.records) > cap:
        job.records, job.is_capped = job.records[:cap], True
    return answer


def _made(simulation: Simulation, answer: Answer) -> Job | None:
    """Return the query that a POST made."""
    if answer.status != HTTPStatus.CREATED:
        return None
    return simulation.jobs.made.get(msgspec.json.decode(answer.body)["id"])


def _clock_jumps(_simulation: Simulation, _call: Call, answer: Answer, fault: Fault) -> Answer:
    """``date``: the Date header as it stands; empty: there is none."""
    answer.headers["Date"] = str(fault.detail.get("date", "Thu, 01 Jan 1970 00:00:00 GMT"))
    return answer


CHANGES: Final[dict[str, Change]] = {
    "empty_pages": _empty_pages,
    "records_missing": _records_missing,
    "ends_early": _ends_early,
    "link_loop": _link_loop,
    "hostile_link": _hostile_link,
    "repeated_records": _repeated_records,
    "truncated_json": _truncated_json,
    "deep_nesting": _deep_nesting,
    "many_records": _many_records,
    "query_fails": _query_fails,
    "query_is_capped": _query_is_capped,
    "clock_jumps": _clock_jumps,
}
