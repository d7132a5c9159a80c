"""Has the demo's invented people decide, by the same functions as command line and page; never in a real configuration.

Where anybody decided anything before, nothing is added: running the demo again changes nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from m365audit.config import Settings
from m365audit.findings.values import Wish
from m365audit.pipeline import casework, controlling, reviewing
from m365audit.pipeline.circumstances import circumstances
from m365audit.pipeline.reviewing import FindingKey
from m365audit.report import People, pieces
from m365audit.simulator.demonstration_decisions import PEOPLE, STEPS, Step, Who
from m365audit.store.journal import Actor, open_journal
from m365audit.store.person_key import person_key
from m365audit.store.publish import write_in_place
from m365audit.store.published import PublishedReader, open_published

_FINDING: Final = """
    SELECT finding_id FROM findings
    WHERE tenant_id = $tenant AND rule = $rule AND state = 'open'
        AND (contains(title, $words) OR contains(subject::VARCHAR, $words))
    ORDER BY finding_id LIMIT 1
"""


def decide(settings: Settings, now: datetime) -> int:
    """Write down what the demo's people decided, and render the report with it; return how many steps they took.

    A finding that is not there is left alone: whoever changed the demo's world sees fewer decisions, and no error.

    Args:
        settings: configuration of the demo.
        now: the time, which stands on each entry.

    Raises:
        StoreError: nothing is published, or the journal or the report cannot be written.
        ReviewError: the steps do not fit the rules any more.
    """
    with open_journal(settings.state) as journal:
        if journal.entries():
            return 0
    taken = sum(_take(settings, step, now) for step in STEPS)
    _render(settings, now)
    return taken


def _take(settings: Settings, step: Step, now: datetime) -> bool:
    doing = casework.Doing(settings, _actor(step.who), now)
    if step.what == "request":
        received = (now - step.received).astimezone(reviewing.zone_of(settings)).date()
        casework.add_request(doing, step.tenant, step.about[0], received, step.about[1])
        return True
    if step.what == "attest":
        control, kind = step.about
        statement = casework.Statement(control, kind, step.reason, step.who, now + (step.until or timedelta()))
        casework.attest(doing, step.tenant, statement)
        return True
    return _about_finding(settings, step, doing)


def _about_finding(settings: Settings, step: Step, doing: casework.Doing) -> bool:
    rule, words = step.about
    with open_published(settings.publish) as database:
        found = database.execute(_FINDING, {"tenant": step.tenant, "rule": rule, "words": words})
    if not found:
        return False
    key = FindingKey(step.tenant, str(found[0][0]))
    if step.what == "approve":
        reviewing.approve(settings, doing.actor, key, step.reason, expected_version=None, now=doing.now)
    elif step.what == "assess":
        case = next(case for case in casework.all_cases(settings) if key.finding_id in case.finding_ids)
        casework.assess(doing, case.case_id, "risk", step.reason)
    else:
        until = doing.now + step.until if step.until else None
        wish = Wish(step.what, step.reason, step.evidence, step.owner, until, step.breach)
        reviewing.decide(settings, doing.actor, key, wish, expected_version=None, now=doing.now)
    return True


def _actor(who: Who) -> Actor:
    """Return one of the invented people: no account of a system or a tenant is called so."""
    return Actor(f"demo:{who}", f"demo:{who}", PEOPLE[who], (who,), "os")


def _render(settings: Settings, now: datetime) -> None:
    with controlling.open_today(settings, now) as database:
        made = pieces(
            PublishedReader(database), "html", now=now, people=People(person_key(settings.state)),
            language=settings.report.language, time_zone=settings.report.time_zone,
            circumstances=circumstances(settings, ask=database.execute),
        )  # fmt: skip
        write_in_place(made, settings.publish / "report.html")
