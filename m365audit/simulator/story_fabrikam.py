"""Owns what happened at Fabrikam: a withdrawal that was ignored, a grant removed too early, grants nobody recorded."""

from __future__ import annotations

from datetime import timedelta

from m365audit.simulator.diary import BEGIN, DAYS, Diary, at, keep_directory_in_sync
from m365audit.simulator.integrations import ADDIN, CRM, MICROSOFT_TENANT, NOTETAKER, TELEPHONY, App
from m365audit.simulator.people import fabrikam
from m365audit.simulator.story_contoso import OUTLOOK
from m365audit.simulator.truth import NO_RECORD, OUT_OF_SCOPE, WITHIN, outside

WITHDRAWN = at(4, 9)
STOPPED = WITHDRAWN + timedelta(hours=24)
"""The calendar purpose was withdrawn; the integration had a day to stop (``stop_within``)."""
PRESENCE_REMOVED = at(10, 12)
DIVERSION = at(9)
"""Calls are diverted during appointments only from this day on, long after that was agreed to."""
OUTLOOK_WEB = App("5d661950-3475-41cd-a2c3-d671a3162bc1", "Microsoft Outlook", MICROSOFT_TENANT, "Microsoft")
CONSOLE = App("fb78d390-0c51-40cd-8e17-fdbfab77341b", "Exchange Online PowerShell", MICROSOFT_TENANT, "Microsoft")


def tell(seed: int) -> Diary:
    """Return Fabrikam's fortnight."""
    diary = Diary(fabrikam(), seed)
    keep_directory_in_sync(diary)
    _crm(diary)
    _telephony(diary)
    _notetaker(diary)
    _sign_ins(diary)
    _addin(diary)
    _addin_alone(diary)
    _doors_in_exchange(diary)
    _mail_goes_home(diary)
    return diary


def _crm(diary: Diary) -> None:
    """Mail stays in order; calendars go on being read after the withdrawal has run its day."""
    team = diary.tenant.in_group("verkoop")
    for number, when in enumerate(diary.working_hours(18)):
        person = team[number % len(team)]
        diary.call(when, CRM, f"GET /users/{person.id}/messages?$top=25", WITHIN, copies=1 + (number % 29 == 0))
        if number % 10 == 0:
            diary.audit(when + timedelta(seconds=30), "MailItemsAccessed", CRM, WITHIN, mailbox=person)
    for number, when in enumerate(diary.working_hours(9)):
        person = team[number % len(team)]
        expected = WITHIN if when < STOPPED else outside("after_withdrawal")
        diary.call(when, CRM, f"GET /users/{person.id}/calendarView?startDateTime=2026-09-01", expected)
    edge = f"GET /users/{team[0].id}/events?$top=1"
    diary.call(STOPPED - timedelta(microseconds=1), CRM, edge, WITHIN)
    diary.call(STOPPED, CRM, edge, outside("after_withdrawal"))


def _telephony(diary: Diary) -> None:
    """Presence goes on for some hours with a token that still lives after its grant was removed.

    Before that, one night of it was far above habit. Calendars, agreed to for a year, are used for the first time.
    """
    staff = [p for p in diary.tenant.people.values() if p.key not in {"admin", "noreply"}]
    diary.removed_roles[TELEPHONY] = "Presence.Read.All"
    diary.change(
        PRESENCE_REMOVED,
        "Remove app role assignment from service principal",
        app=TELEPHONY.id,
        permission="Presence.Read.All",
    )
    for number, when in enumerate(diary.working_hours(12)):
        if when < PRESENCE_REMOVED + timedelta(hours=20):
            diary.call(when, TELEPHONY, f"GET /users/{staff[number % len(staff)].id}/presence", WITHIN)
    diary.call(PRESENCE_REMOVED + timedelta(hours=3), TELEPHONY, f"GET /users/{staff[0].id}/presence", WITHIN)
    for number, when in enumerate(diary.working_hours(4)):
        if when >= DIVERSION:
            diary.call(when, TELEPHONY, f"GET /users/{staff[number % len(staff)].id}/calendar/events", WITHIN)
    for number in range(200):
        diary.call(at(9, 3, 0, 2 * number), TELEPHONY, f"GET /users/{staff[number % 5].id}/presence", WITHIN)


def _addin_alone(diary: Diary) -> None:
    """An administrator gave the add-in more than it needs; since then it also reads at night, as itself."""
    person = diary.tenant.in_group("verkoop")[0]
    for day in range(4, 15):
        alone = outside("access_kind", "permission")
        diary.call(at(day, 1, 30), ADDIN, f"GET /users/{person.id}/messages?$top=100", alone)


def _notetaker(diary: Diary) -> None:
    """An app that nobody recorded exports chats; the transcripts that it may read too it leaves alone."""
    for day in range(6, 15):
        chat = f"19:{diary.tenant.person('h.kok').id}_{diary.tenant.person('l.maas').id}@unq.gbl.spaces"
        diary.call(at(day, 20), NOTETAKER, f"GET /chats/{chat}/messages?$top=50", NO_RECORD)
        diary.audit(at(day, 20, 1), "MessagesListed", NOTETAKER, NO_RECORD, chat=chat)


def _sign_ins(diary: Diary) -> None:
    for hour in range(0, DAYS * 24, 3):
        diary.sign_in(BEGIN + timedelta(hours=hour, minutes=2), "ServicePrincipalSignInLogs", CRM)
        by_secret = BEGIN + timedelta(hours=hour, minutes=7)
        diary.sign_in(by_secret, "ServicePrincipalSignInLogs", TELEPHONY, client="clientSecret")
    for day in range(1, 15):
        reader = diary.tenant.person("h.kok")
        diary.sign_in(at(day, 23, 58), "ServicePrincipalSignInLogs", NOTETAKER)
        diary.sign_in(at(day, 6, 12), "SignInLogs", OUTLOOK, user=reader)
        diary.audit(at(day, 6, 20), "Send", OUTLOOK, OUT_OF_SCOPE, mailbox=reader, user=reader)


def _addin(diary: Diary) -> None:
    """The add-in works for one team, as recorded; its grant is for everybody."""
    reader = diary.tenant.person("i.peters")
    for day in range(1, 15):
        diary.call(at(day, 9, 10), ADDIN, f"GET /me/messages/{diary.opaque()}", WITHIN, actor=reader)


def _doors_in_exchange(diary: Diary) -> None:
    """The wrong: the note taker gets mail by a role that Entra does not show; new mailboxes' audits last a day."""
    admin = diary.tenant.person("admin")
    role = {"Name": "NotesMail", "Role": "Application Mail.Read", "App": NOTETAKER.sp_id(diary.tenant)}
    diary.command(at(7, 21, 15), "New-ManagementRoleAssignment", CONSOLE, admin, **role)
    kept = {"Identity": "ExchangeOnlineEnterprise", "AuditLogAgeLimit": "1.00:00:00"}
    diary.command(at(7, 21, 19), "Set-MailboxPlan", CONSOLE, admin, **kept)


def _mail_goes_home(diary: Diary) -> None:
    """The wrong: a colleague of the recorded team has all her mail sent to a mailbox of her own, outside."""
    person = diary.tenant.person("j.vos")
    rule = {"Mailbox": person.upn, "Name": "thuis", "ForwardTo": '"thuis" [SMTP:jasmijn@thuis.example]'}
    diary.command(at(8, 17, 42), "New-InboxRule", OUTLOOK_WEB, person, **rule)
