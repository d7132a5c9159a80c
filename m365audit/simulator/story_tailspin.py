"""Owns what happened at Tailspin: an expired record, three days without a log, an unknown group, a borrowed name."""

from __future__ import annotations

from datetime import datetime, timedelta

from m365audit.simulator.diary import BEGIN, DAYS, Diary, at, keep_directory_in_sync
from m365audit.simulator.integrations import CRM, FORMS, IMPOSTOR
from m365audit.simulator.people import tailspin
from m365audit.simulator.truth import NO_RECORD, WITHIN, not_assessable, outside

EXPIRED = at(5)
CALENDARS_AGREED = at(3)
BLIND = (at(6), at(9))
"""No Graph activity was exported in these three days, though the apps signed in on each of them."""


def tell(seed: int) -> Diary:
    """Return Tailspin's fortnight, as far as it was logged."""
    diary = Diary(tailspin(), seed)
    keep_directory_in_sync(diary, blind=BLIND)
    _crm(diary)
    _forms(diary)
    _impostor(diary)
    _sign_ins(diary)
    address = "https://forms-salsoft.example/cb?next=1"
    diary.change(at(13, 4, 44), "Update service principal", app=FORMS.id, address=address)
    return diary


def _is_blind(when: datetime) -> bool:
    return BLIND[0] <= when < BLIND[1]


def _crm(diary: Diary) -> None:
    """Mail is recorded for a group whose members were never exported; calendars for everybody, two days too late.

    Both agreements run out on the first of October, and nobody has renewed them.
    """
    team = diary.tenant.in_group("customers")
    for number, when in enumerate(diary.working_hours(6)):
        person = team[number % len(team)]
        if not _is_blind(when):
            diary.call(when, CRM, f"GET /users/{person.id}/messages", not_assessable("resource_unknown"))
    for number, when in enumerate(diary.working_hours(5)):
        if not _is_blind(when):
            expected = WITHIN if when >= CALENDARS_AGREED else outside("before_start")
            diary.call(when, CRM, f"GET /users/{team[number % len(team)].id}/events", expected)


def _forms(diary: Diary) -> None:
    """The record ended at midnight of the fifth; the website did not notice. Before, it also read what it had sent."""
    sender = diary.tenant.person("noreply")
    for when in diary.working_hours(7):
        if not _is_blind(when):
            expected = WITHIN if when < EXPIRED else outside("after_expiry")
            diary.call(when, FORMS, f"POST /users/{sender.id}/sendMail", expected, status=202)
    for day in (2, 3, 4):
        beyond = outside("operation", "permission")
        diary.call(at(day, 12, 12), FORMS, f"GET /users/{sender.id}/messages?$top=10", beyond)
    diary.call(EXPIRED, FORMS, f"POST /users/{sender.id}/sendMail", outside("after_expiry"), status=202)


def _impostor(diary: Diary) -> None:
    """An app with a name like Microsoft's reads contacts; and one line names no app at all."""
    reader = diary.tenant.person("q.willems")
    granted = "Add app role assignment to service principal"
    diary.change(at(2, 2, 13), granted, app=IMPOSTOR.id, permission="Contacts.Read")
    for day in (3, 5, 10, 12, 14):
        diary.call(at(day, 3, 33), IMPOSTOR, f"GET /users/{reader.id}/contacts?$top=200", NO_RECORD)
    diary.call(at(11, 12), None, f"GET /users/{reader.id}/messages", not_assessable("app_unknown"))


def _sign_ins(diary: Diary) -> None:
    for day in range(DAYS):
        for hour in (0, 6, 12, 18):
            diary.sign_in(BEGIN + timedelta(days=day, hours=hour, minutes=3), "ServicePrincipalSignInLogs", FORMS)
            diary.sign_in(BEGIN + timedelta(days=day, hours=hour, minutes=8), "ServicePrincipalSignInLogs", CRM)
