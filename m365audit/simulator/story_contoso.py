"""Owns what happened at Contoso: a mailbox outside the group, scope creep, an unknown app; the rest in order."""

from __future__ import annotations

from datetime import timedelta

from m365audit.simulator.diary import BEGIN, DAYS, Diary, at, keep_directory_in_sync
from m365audit.simulator.integrations import (
    ADDIN,
    ARCHIVE,
    CALLING,
    CRM,
    EXCHANGE,
    FORMS,
    MICROSOFT_TENANT,
    SHADOW,
    TELEPHONY,
    App,
)
from m365audit.simulator.people import contoso, fixed_id
from m365audit.simulator.truth import NO_RECORD, OUT_OF_SCOPE, WITHIN, Expected, not_assessable, outside

JOINED = at(7, 10)
LEFT = at(10, 9)
CREEP = at(8, 14, 20)
TEAMS = App("1fec8e78-bce4-4aaf-ab1b-5451cc387264", "Microsoft Teams", MICROSOFT_TENANT, "Microsoft", "198.51.100.45")
OUTLOOK = App(EXCHANGE, "Office 365 Exchange Online", MICROSOFT_TENANT, "Microsoft", "198.51.100.44")


def tell(seed: int) -> Diary:
    """Return Contoso's fortnight."""
    diary = Diary(contoso(), seed)
    keep_directory_in_sync(diary)
    _crm(diary)
    _crm_outside_the_group(diary)
    _membership(diary)
    _telephony(diary)
    _forms(diary)
    _addin(diary)
    _shadow(diary)
    _sign_ins(diary)
    _a_key_at_night(diary)
    _calling(diary)
    _archive(diary)
    return diary


def _crm(diary: Diary) -> None:
    """Mail and calendars of the sales group, in the many spellings that Graph accepts."""
    steady = [p for p in diary.tenant.in_group("sales") if p.key != "n.haddad"]
    for number, when in enumerate(diary.working_hours(30)):
        person = steady[number % len(steady)]
        spelling = (
            f"GET /users/{person.id}/messages?$top=50&$select=subject,from",
            f"GET /users/{person.id}/messages/{diary.opaque()}",
            f"GET /users/{person.id}/mailFolders/inbox/messages?$filter=receivedDateTime%20ge%202026-09-01T00:00:00Z",
            f"GET /users('{person.upn}')/messages?%24top=10",
            f"GET /users/{person.upn.upper()}/mailFolders('Inbox')/messages",
            f"GET /users/{person.id}/calendarView?startDateTime=2026-09-01T00%3A00%3A00Z&endDateTime=2026-10-01",
        )[number % 6]
        diary.call(
            when, CRM, spelling, WITHIN, version="beta" if number % 11 == 0 else "v1.0", copies=1 + (number % 37 == 0)
        )
        if number % 6 == 1:
            diary.audit(when + timedelta(seconds=70), "MailItemsAccessed", CRM, WITHIN, mailbox=person, items=2)
    diary.audit(at(11, 6), "MailItemsAccessed", CRM, WITHIN, mailbox=steady[0], items=3, is_throttled=True)
    for number, person in enumerate(steady):
        diary.call(at(4, 11, 3, number), CRM, f"GET /users/{person.id}/messages", WITHIN, batch="crm-1")
        diary.call(at(5, 23, 58, number), CRM, f"GET /users/{person.id}/events", WITHIN, late=True)
        gone = f"GET /users/{person.id}/messages/{diary.opaque()}"
        diary.call(at(6, 12, 0, number), CRM, gone, OUT_OF_SCOPE, status=404)


def _crm_outside_the_group(diary: Diary) -> None:
    """The wrong: from 9 September on the CRM also reads the mailbox of the CEO, who is not in sales."""
    ceo = diary.tenant.person("ceo")
    for day in range(9, 15):
        for hour in (8, 13, 17):
            diary.call(at(day, hour, 5), CRM, f"GET /users/{ceo.id}/messages?$top=50", outside("resource"))
        diary.call(at(day, 18, 1), CRM, f"GET /users('{ceo.upn}')/messages", outside("resource"))
        diary.audit(at(day, 8, 7), "MailItemsAccessed", CRM, outside("resource"), mailbox=ceo, items=12)
    refused = f"DELETE /users/{ceo.id}/messages/{diary.opaque()}"
    diary.call(at(12, 2, 2), CRM, refused, OUT_OF_SCOPE, status=403)


def _membership(diary: Diary) -> None:
    """Noor joins sales and Pieter leaves it within the fortnight; both are audited."""
    for key, before, after, moment, activity in (
        ("n.haddad", outside("resource"), WITHIN, JOINED, "Add member to group"),
        ("p.mulder", WITHIN, outside("resource"), LEFT, "Remove member from group"),
    ):
        person = diary.tenant.person(key)
        diary.change(moment, activity, member=key, group="sales")
        for day in range(2, 14):
            when = at(day, 15, 30)
            expected = before if when < moment else after
            diary.call(when, CRM, f"GET /users/{person.id}/messages?$top=5", expected)


def _telephony(diary: Diary) -> None:
    """Presence, calendars and call records as recorded; then a wider grant, and appointments written with it."""
    staff = [p for p in diary.tenant.people.values() if p.key not in {"admin", "noreply"}]
    for number, when in enumerate(diary.working_hours(26)):
        person = staff[number % len(staff)]
        diary.call(when, TELEPHONY, f"GET /users/{person.id}/presence", WITHIN)
    for number, when in enumerate(diary.working_hours(6)):
        person = staff[number % len(staff)]
        diary.call(when, TELEPHONY, f"GET /users/{person.id}/calendar/events?$top=10", WITHIN)
    for number, when in enumerate(diary.working_hours(3)):
        call = f"GET /communications/callRecords/{fixed_id('call-record', str(number))}?$expand=sessions"
        diary.call(when, TELEPHONY, call, WITHIN, version="beta" if number % 5 == 0 else "v1.0")
    for day in range(1, 15):
        diary.call(at(day, 4), TELEPHONY, "GET /users?$select=id,displayName,businessPhones", OUT_OF_SCOPE)
    for day in (3, 11):
        unknown = not_assessable("workload_unknown", "operation_unknown")
        diary.call(at(day, 5), TELEPHONY, "GET /switchboardHints/today?$top=1", unknown, version="beta")
    diary.change(
        CREEP, "Add app role assignment to service principal", app=TELEPHONY.id, permission="Calendars.ReadWrite"
    )
    for day in range(8, 15):
        person = staff[day % len(staff)]
        written = outside("operation", "permission")
        diary.call(at(day, 16, 45), TELEPHONY, f"POST /users/{person.id}/events", written, status=201)


def _forms(diary: Diary) -> None:
    """The website sends its confirmations from one mailbox, as recorded."""
    sender = diary.tenant.person("noreply")
    for number, when in enumerate(diary.working_hours(4)):
        named = sender.upn if number % 3 == 0 else sender.id
        diary.call(when, FORMS, f"POST /users/{named}/sendMail", WITHIN, status=202)
        if number % 4 == 0:
            diary.audit(when + timedelta(seconds=2), "Send", FORMS, WITHIN, mailbox=sender)


def _addin(diary: Diary) -> None:
    """The Outlook add-in works for the person in front of it: delegated, recorded, in order."""
    diary.change(at(2, 8), "Consent to application", app=ADDIN.id, by="admin", reach="AllPrincipals")
    readers = [diary.tenant.person(k) for k in ("a.bakker", "c.jansen", "ceo")]
    for number, when in enumerate(diary.working_hours(5)):
        request, status = (
            (f"GET /me/messages/{diary.opaque()}", 200),
            (f"PATCH /me/messages/{diary.opaque()}", 200),
            (f"POST /me/messages/{diary.opaque()}/reply", 202),
        )[number % 3]
        diary.call(when, ADDIN, request, WITHIN, actor=readers[number % 3], status=status)
        if number % 9 == 0:
            diary.sign_in(when, "NonInteractiveUserSignInLogs", ADDIN, user=readers[number % 3])


def _shadow(diary: Diary) -> None:
    """The wrong: two people let an unknown app into their mail; nobody recorded it."""
    for key, day in (("f.meijer", 3), ("g.bos", 9)):
        person = diary.tenant.person(key)
        diary.sign_in(at(day, 9, 29), "SignInLogs", SHADOW, user=person, has_mfa=False)
        diary.change(at(day, 9, 30), "Consent to application", app=SHADOW.id, by=key, reach="Principal")
        diary.change(at(day, 9, 30, 1), "Add delegated permission grant", app=SHADOW.id, by=key, reach="Principal")
        for later in range(day, 15):
            for hour in (10, 22):
                _shadow_round(diary, key, later, hour, NO_RECORD)
            diary.call(at(later, 22, 41), SHADOW, "GET /me/chats", OUT_OF_SCOPE, actor=person, status=403)
            diary.call(at(later, 22, 42), SHADOW, "GET /me/drive/root/children", OUT_OF_SCOPE, actor=person)


def _shadow_round(diary: Diary, key: str, day: int, hour: int, expected: Expected) -> None:
    person = diary.tenant.person(key)
    diary.call(at(day, hour, 38), SHADOW, "GET /me/messages?$top=999", expected, actor=person)
    diary.call(at(day, hour, 39), SHADOW, "GET //Me/mailFolders/inbox/messages", expected, actor=person, version="beta")
    diary.audit(at(day, hour, 40), "MailItemsAccessed", SHADOW, expected, mailbox=person, user=person, items=40)


def _sign_ins(diary: Diary) -> None:
    """Apps fetch a token every hour or so; people read their mail in Outlook, which is Microsoft's own traffic."""
    for hour in range(DAYS * 24):
        diary.sign_in(BEGIN + timedelta(hours=hour, minutes=4), "ServicePrincipalSignInLogs", CRM)
        if hour % 6 == 0:
            diary.sign_in(BEGIN + timedelta(hours=hour, minutes=9), "ServicePrincipalSignInLogs", TELEPHONY)
    for day in range(1, 15):
        reader = diary.tenant.person("a.bakker")
        diary.sign_in(at(day, 6), "ManagedIdentitySignInLogs", FORMS)
        diary.sign_in(at(day, 6, 30), "SignInLogs", OUTLOOK, user=reader, error=50126 if day % 5 == 0 else 0)
        diary.audit(at(day, 7, 1), "MailItemsAccessed", OUTLOOK, OUT_OF_SCOPE, mailbox=reader, user=reader, items=3)
        diary.audit(at(day, 7, 2), "MessagesListed", TEAMS, OUT_OF_SCOPE, user=reader, chat="19:lunch@thread.v2")


def _a_key_at_night(diary: Diary) -> None:
    """The wrongs of one night: an owner nobody asked for and his key; a token from overseas; a mailbox by password."""
    diary.change(at(11, 22, 5), "Add owner to service principal", app=CRM.id, owner="g.bos")
    diary.change(at(11, 22, 11), "Add service principal credentials", app=CRM.id, by="g.bos")
    for hour in (1, 2):
        diary.sign_in(at(12, hour, 20), "ServicePrincipalSignInLogs", TELEPHONY, country="US")
    website = diary.tenant.person("noreply")
    diary.sign_in(at(12, 3), "SignInLogs", OUTLOOK, user=website, has_mfa=False, client="Authenticated SMTP")


def _calling(diary: Diary) -> None:
    """The company that runs the trunk reads how many calls went over it, once a day, as recorded."""
    for day in range(1, 15):
        asked = f"getDirectRoutingCalls(fromDateTime=2026-09-{day:02d},toDateTime=2026-09-{day + 1:02d})"
        diary.sign_in(at(day, 23), "ServicePrincipalSignInLogs", CALLING)
        diary.call(at(day, 23, 1), CALLING, f"GET /communications/callRecords/{asked}", WITHIN)


def _archive(diary: Diary) -> None:
    """An archive fetches the website's mail by IMAP: recorded, but by a door that asks for no second factor."""
    website = diary.tenant.person("noreply")
    for day in range(1, 15):
        when = at(day, 2, 30)
        diary.sign_in(when, "NonInteractiveUserSignInLogs", ARCHIVE, user=website, has_mfa=False, client="IMAP4")
        diary.audit(when + timedelta(minutes=1), "MailItemsAccessed", ARCHIVE, WITHIN, mailbox=website, user=website)
