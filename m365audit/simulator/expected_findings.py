"""Owns the list of findings that the rules must make of the demo's world, and of those they must not make."""

from __future__ import annotations

from m365audit.simulator.auditor import registration
from m365audit.simulator.expected_promises import live_promises, promises, quiet_promises
from m365audit.simulator.integrations import (
    ADDIN,
    APP_MAIL_READ,
    CRM,
    EXCHANGE,
    FORMS,
    IMPOSTOR,
    MIGRATOR,
    NOTETAKER,
    SHADOW,
    SYNC,
    TELEPHONY,
    App,
)
from m365audit.simulator.people import CONTOSO_ID, FABRIKAM_ID, TAILSPIN_ID, contoso, fabrikam, tailspin
from m365audit.simulator.truth import ExpectedFinding


def _of(tenant_id: str, rule: str, app: App, why: str, **subject: str) -> ExpectedFinding:
    return ExpectedFinding(tenant_id, rule, {"app_id": app.id, **subject}, why)


def findings() -> tuple[ExpectedFinding, ...]:
    """Return the findings that must be open; every rule that one run can show has at least one."""
    return (
        *_about_grants(),
        *_about_habits(),
        *_about_use_beyond_the_record(),
        *_about_use_out_of_time(),
        *_about_events(),
        *_about_doors(),
        *promises(),
    )


def live_findings() -> tuple[ExpectedFinding, ...]:
    """Return what only collecting shows: rights that no exported listing holds."""
    only_there = {
        "ChannelMessage.Read.Group": "reads the channels of one team, by a grant inside the team",
        APP_MAIL_READ: "reads mail by a role inside Exchange, of which Entra shows nothing",
    }
    return (
        *(
            _of(FABRIKAM_ID, "granted-not-recorded", NOTETAKER, why, permission=permission)
            for permission, why in only_there.items()
        ),
        _of(
            FABRIKAM_ID,
            "full-mailbox-permission",
            NOTETAKER,
            "every mailbox, by a role inside Exchange",
            permission=APP_MAIL_READ,
        ),
        *live_promises(),
    )


def _about_grants() -> tuple[ExpectedFinding, ...]:
    return (
        _of(
            CONTOSO_ID,
            "granted-not-recorded",
            TELEPHONY,
            "only Calendars.Read is recorded; Calendars.ReadWrite was granted on 8 September",
            permission="Calendars.ReadWrite",
        ),
        _of(
            FABRIKAM_ID,
            "granted-not-recorded",
            TELEPHONY,
            "contacts may be read; no record speaks of contacts",
            permission="Contacts.Read",
        ),
        _of(
            FABRIKAM_ID,
            "recorded-not-granted",
            TELEPHONY,
            "call records are recorded, their permission was never granted",
            permission="CallRecords.Read.All",
        ),
        _of(
            CONTOSO_ID,
            "recorded-never-used",
            CRM,
            "presence is recorded and granted, not one call in a fully covered fortnight",
            process="crm-availability",
        ),
        _of(
            FABRIKAM_ID,
            "granted-after-end",
            FORMS,
            "the record was revoked on 15 August; Mail.Send is still granted and not used",
            permission="Mail.Send",
        ),
        _of(FABRIKAM_ID, "unrecorded-app-with-reach", NOTETAKER, "chats and transcripts, no record"),
        _of(CONTOSO_ID, "unrecorded-app-with-reach", SHADOW, "the mail of two people, no record"),
        _of(TAILSPIN_ID, "unrecorded-app-with-reach", MIGRATOR, "full_access_as_app on Exchange since 2019, no record"),
        _of(TAILSPIN_ID, "unrecorded-app-with-reach", IMPOSTOR, "contacts; only its name sounds like Microsoft"),
    )


def _about_use_beyond_the_record() -> tuple[ExpectedFinding, ...]:
    return (
        _of(CONTOSO_ID, "used-not-recorded", SHADOW, "reads mail without a record", workload="mail"),
        _of(
            CONTOSO_ID,
            "resource-outside-record",
            CRM,
            "reads the mailbox of the CEO, who is not in sales",
            workload="mail",
            record="contoso-salsoft-crm",
        ),
        _of(
            CONTOSO_ID,
            "operation-beyond-record",
            TELEPHONY,
            "writes appointments; only reading them is recorded",
            workload="calendar",
            operation="write",
        ),
        _of(FABRIKAM_ID, "used-not-recorded", NOTETAKER, "reads chats without a record", workload="teams_chat"),
        _of(
            FABRIKAM_ID,
            "application-where-delegated",
            ADDIN,
            "reads mail at night as itself; only use by the person in front of it is recorded",
            workload="mail",
            operation="read",
        ),
        _of(TAILSPIN_ID, "used-not-recorded", IMPOSTOR, "reads contacts without a record", workload="contacts"),
    )


def _about_use_out_of_time() -> tuple[ExpectedFinding, ...]:
    return (
        _of(
            TAILSPIN_ID,
            "used-before-start",
            CRM,
            "calendars were read from 1 September, two days before that was agreed to",
            workload="calendar",
            record="tailspin-salsoft-crm",
        ),
        _of(
            FABRIKAM_ID,
            "used-after-end",
            CRM,
            "calendars are read after the withdrawal",
            workload="calendar",
            ended_by="withdrawal",
        ),
        _of(
            TAILSPIN_ID,
            "used-after-end",
            FORMS,
            "mail is sent after the record expired",
            workload="mail",
            ended_by="expiry",
        ),
        _of(
            FABRIKAM_ID,
            "used-without-grant",
            TELEPHONY,
            "presence is read after its grant was removed on 10 September",
            workload="presence",
        ),
    )


def _about_events() -> tuple[ExpectedFinding, ...]:
    return (
        _of(CONTOSO_ID, "consent-without-record", SHADOW, "two people let the app in; no record answers to it"),
        _of(TAILSPIN_ID, "consent-without-record", IMPOSTOR, "an administrator let it in; no record answers to it"),
        *(
            _of(
                TAILSPIN_ID,
                "blind-spot",
                app,
                "no Graph activity was exported from 6 to 8 September though the app signed in",
                feed="graph_activity",
            )
            for app in (CRM, FORMS)
        ),
    )


def _about_doors() -> tuple[ExpectedFinding, ...]:
    """Return what the directory, Exchange and the sign-ins tell of ways in that nobody agreed to."""
    return (
        _of(FABRIKAM_ID, "tenant-wide-where-per-user", ADDIN, "one team is recorded, everybody is granted",
            permission="Mail.Read", record="fabrikam-outlook-addin"),
        _of(TAILSPIN_ID, "full-mailbox-permission", MIGRATOR, "opens every mailbox since 2019",
            permission="full_access_as_app"),
        _of(TAILSPIN_ID, "foreign-app-like-microsoft", IMPOSTOR, "only its name is Microsoft's"),
        _of(CONTOSO_ID, "owner-changed", CRM, "a colleague became owner at night", change="owner_added"),
        _of(CONTOSO_ID, "credential-added", CRM, "and added a key six minutes later"),
        _of(TAILSPIN_ID, "redirect-changed", FORMS, "sign-ins may go to another site", change="redirect_added",
            address="https://forms-salsoft.example/cb"),
        _of(CONTOSO_ID, "access-outside-regions", TELEPHONY, "only the EU is recorded", country="US"),
        ExpectedFinding(CONTOSO_ID, "legacy-protocol-sign-in", {"app_id": EXCHANGE, "client_app": "Authenticated SMTP"},
                        "a mailbox is used with a password"),
        ExpectedFinding(FABRIKAM_ID, "audit-weakened",
                        {"change": "mailbox_audit_short", "target": "ExchangeOnlineEnterprise"},
                        "audits of new mailboxes are kept for a day"),
        ExpectedFinding(FABRIKAM_ID, "impersonation-granted", {"role": "Application Mail.Read"},
                        "the note taker may read mail by a role inside Exchange"),
    )  # fmt: skip


def _about_habits() -> tuple[ExpectedFinding, ...]:
    return (
        _of(
            FABRIKAM_ID,
            "burst-above-habit",
            TELEPHONY,
            "two hundred presence calls in the night of the ninth, a dozen on other days",
            workload="presence",
        ),
        _of(
            FABRIKAM_ID,
            "new-use-of-known-app",
            TELEPHONY,
            "calendars are used since the ninth, though agreed to for a year",
            workload="calendar",
        ),
        _of(
            CONTOSO_ID,
            "mail-access-floor",
            CRM,
            "Exchange stopped logging a mailbox on the eleventh",
            floor_reason="throttled",
        ),
        *(
            ExpectedFinding(
                TAILSPIN_ID,
                "record-ending-soon",
                {"record": "tailspin-salsoft-crm", "process": process, "ends_on": "2026-10-01"},
                "is in use, ends on the first of October and was not renewed",
            )
            for process in ("crm-mail-log", "crm-appointments")
        ),
    )


def quiet() -> tuple[ExpectedFinding, ...]:
    """Return what must not be found; ``*`` stands for every rule."""
    in_order = tuple(
        _of(CONTOSO_ID, rule, app, "recorded, granted and used alike")
        for app in (FORMS, ADDIN)
        for rule in _ABOUT_ONE_APP
    )
    return (
        *in_order,
        *quiet_promises(),
        *(
            _of(tenant, "*", SYNC, "Microsoft's own directory sync")
            for tenant in (CONTOSO_ID, FABRIKAM_ID, TAILSPIN_ID)
        ),
        *(
            _of(tenant.id, "*", registration(tenant).app, "the auditor itself: reads the directory, and is recorded")
            for tenant in (contoso(), fabrikam())
        ),
        *(
            _of(TAILSPIN_ID, rule, registration(tailspin()).app, "the auditor itself; only its secret ends soon")
            for rule in ("auditor-holds-too-much", *_ABOUT_ONE_APP)
        ),
        _of(CONTOSO_ID, "used-after-end", CRM, "its record is in force"),
        _of(CONTOSO_ID, "used-not-recorded", CRM, "right purpose, wrong mailbox: a rule of its own says so"),
        _of(CONTOSO_ID, "used-not-recorded", TELEPHONY, "right purpose, wrong operation: a rule of its own says so"),
        _of(FABRIKAM_ID, "used-after-end", TELEPHONY, "its record is in force"),
        _of(FABRIKAM_ID, "used-not-recorded", CRM, "what it uses was recorded; it had ended"),
        *(
            ExpectedFinding(tenant, "record-ending-soon", {}, "its records run until the new year")
            for tenant in (CONTOSO_ID, FABRIKAM_ID)
        ),
        *(
            ExpectedFinding(tenant, "register-history-changed", {}, "nobody touched the register")
            for tenant in (CONTOSO_ID, FABRIKAM_ID, TAILSPIN_ID)
        ),
        ExpectedFinding(CONTOSO_ID, "blind-spot", {"feed": "graph_activity"}, "every hour was exported"),
        ExpectedFinding(FABRIKAM_ID, "blind-spot", {"feed": "graph_activity"}, "every hour was exported"),
    )


_ABOUT_ONE_APP = (
    "granted-not-recorded",
    "recorded-not-granted",
    "recorded-never-used",
    "used-not-recorded",
    "used-after-end",
    "used-before-start",
    "operation-beyond-record",
    "application-where-delegated",
    "resource-outside-record",
    "burst-above-habit",
    "read-of-many-mailboxes",
    "mail-access-floor",
    "new-use-of-known-app",
    "granted-after-end",
    "used-without-grant",
    "unrecorded-app-with-reach",
    "consent-without-record",
    "tenant-wide-where-per-user",
    "full-mailbox-permission",
    "foreign-app-like-microsoft",
    "credential-added",
    "owner-changed",
    "redirect-changed",
    "access-outside-regions",
    "legacy-protocol-sign-in",
)
"""Every rule that asks about an app, and not about the logs."""
