"""The draft of a notification to the authority (GDPR Art. 33): what is known, what is suggested, what a person writes.

Blocks and questions follow the form of the Dutch authority; nothing is sent. What cannot be known from logs (special
categories, what the people concerned suffer) is always a person's to answer. Pure functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from m365audit.findings.case import REQUIRED_ANSWERS, Case

FILLED: Final = "filled from evidence"
SUGGESTED: Final = "suggestion"
YOURS: Final = "you must write"
WRITTEN: Final = "written by a person"

BLOCKS: Final = (
    "About this notification", "Contact", "Timeline", "The breach", "Personal data", "People concerned",
    "Measures before", "Consequences", "Follow-up", "Other",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the draft.

    Attributes:
        block: number of its block in ``BLOCKS``.
        question: what is asked.
        status: ``FILLED``, ``SUGGESTED``, ``YOURS`` or ``WRITTEN``.
        text: the answer; empty where a person has to write it.
        name: name under which a person gives it (``breach draft --answer``); empty where it is not required.
    """

    block: int
    question: str
    status: str
    text: str = ""
    name: str = ""

    @property
    def block_name(self) -> str:
        """The block's heading."""
        return BLOCKS[self.block]


def draft(case: Case, evidence: Mapping[str, Any], now: datetime) -> list[Answer]:
    """Return every answer of the draft, block by block.

    Args:
        case: how the case stands.
        evidence: the row of ``queries/report/breach-evidence.sql`` on its findings.
        now: the time.
    """
    return [
        *_about(case), *_contact(case), *_timeline(case, evidence, now), *_breach(case, evidence),
        *_data(case, evidence), *_people(case, evidence), *_rest(case, evidence),
    ]  # fmt: skip


def _about(case: Case) -> Iterator[Answer]:
    kind = "first notification" if case.notified_at is None else "supplement to an earlier notification"
    whole = "complete" if not case.missing else f"not complete yet: {', '.join(case.missing)} missing"
    yield Answer(0, "First notification or supplement", FILLED, kind)
    yield Answer(0, "Complete by Art. 33(3)", FILLED, whole)
    yield Answer(0, "Our reference", FILLED, case.case_id)
    yield _given(0, "Number of the earlier notification", case.reference)


def _contact(case: Case) -> Iterator[Answer]:
    yield _written(case, 1, "contact")
    yield Answer(1, "Name, function and telephone of who reports", YOURS)
    yield Answer(1, "Sector of the organisation", YOURS)
    yield Answer(1, "Other organisation involved (processor)", YOURS)


def _timeline(case: Case, evidence: Mapping[str, Any], now: datetime) -> Iterator[Answer]:
    yield _given(2, "Beginning of the breach, as far as logs show", _when(evidence.get("first_at")))
    yield _given(2, "Newest access in the evidence", _when(evidence.get("last_at")))
    yield Answer(2, "Still going on", SUGGESTED, "yes, the finding is open" if evidence.get("is_ongoing") else "no")
    yield _given(2, "Detected by the audit", _when(case.detected_at))
    yield _given(2, "First looked at by a person", _when(case.first_seen_at))
    yield _given(2, "Aware", _when(case.aware_at))
    yield _given(2, "To be notified by", _when(case.due_at))
    yield _given(2, "Processor told the controller", _when(case.controller_told_at))
    is_late = case.due_at is not None and (case.notified_at or now) > case.due_at
    if is_late:
        yield _given(2, f"Reason why it is later than {case.hours} hours (Art. 33(1))", case.late_reason)


def _breach(case: Case, evidence: Mapping[str, Any]) -> Iterator[Answer]:
    yield Answer(3, "Type of breach", SUGGESTED, "confidentiality: access without a recorded agreement")
    yield _listed(3, "Applications", evidence.get("apps"))
    yield _listed(3, "Permissions that allow these calls", evidence.get("permissions"))
    yield _listed(3, "What was done", evidence.get("operations"))
    yield _listed(3, "Countries of the addresses", evidence.get("countries"))
    yield _listed(3, "How it was found", evidence.get("titles"))
    yield _listed(3, "Findings", list(case.finding_ids))
    yield _written(case, 3, "nature", "; ".join(evidence.get("titles") or ()))
    yield Answer(3, "Cause", YOURS)


def _data(case: Case, evidence: Mapping[str, Any]) -> Iterator[Answer]:
    yield _listed(4, "Kinds of data, by what was accessed", evidence.get("workloads"))
    events, items, gaps = evidence.get("events") or 0, evidence.get("items"), evidence.get("gaps") or 0
    number = f"about {items} items in {events} logged accesses" if items else f"{events} logged accesses"
    blind = f"; {gaps} stretches of this time were not watched, so there may be more" if gaps else ""
    yield _written(case, 4, "records", number + blind if events else "")
    yield Answer(4, "Special categories, national numbers, financial data: logs do not tell", YOURS)


def _people(case: Case, evidence: Mapping[str, Any]) -> Iterator[Answer]:
    mailboxes = evidence.get("mailboxes") or 0
    yield _written(case, 5, "people", f"{mailboxes} mailboxes of staff" if mailboxes else "")
    yield Answer(5, "People inside of the messages (customers and others): an estimate", YOURS)


def _rest(case: Case, evidence: Mapping[str, Any]) -> Iterator[Answer]:
    yield Answer(6, "Measures that were in place (second factor, certificates, limits on the app, encryption)", YOURS)
    yield _written(
        case, 7, "consequences", "loss of control over the content of messages; phishing with their knowledge"
    )
    risk = {"no_risk": "no risk", "risk": "risk", "high_risk": "high risk"}.get(case.risk or "")
    yield _given(7, "Risk for the people concerned", risk)
    ended = "" if evidence.get("is_ongoing") else "the evidence shows no further access"
    yield _written(case, 8, "measures", ended)
    yield _given(8, "People concerned informed on", _when(case.people_informed_at))
    yield Answer(8, "If they are not informed: the reason (Art. 34(3))", YOURS)
    yield Answer(8, "Other countries of the Union concerned", YOURS)
    yield Answer(9, "Other authorities told; attachments", YOURS)


def _written(case: Case, block: int, name: str, suggestion: str = "") -> Answer:
    """Return a required answer: what a person wrote, else what is suggested, else that a person must."""
    text = (case.answers or {}).get(name, "")
    status = WRITTEN if text else SUGGESTED if suggestion else YOURS
    return Answer(block, REQUIRED_ANSWERS[name], status, text or suggestion, name)


def _given(block: int, question: str, text: str | None) -> Answer:
    return Answer(block, question, FILLED, text) if text else Answer(block, question, YOURS)


def _listed(block: int, question: str, values: object) -> Answer:
    texts = [str(value) for value in values] if isinstance(values, list | tuple) else []
    return _given(block, question, "; ".join(texts))


def _when(moment: object) -> str | None:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if isinstance(moment, datetime) else None
