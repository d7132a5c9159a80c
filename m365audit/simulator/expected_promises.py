"""Owns the findings in the demo's world that speak against the privacy policy itself: bases, notices, factors, ages."""

from __future__ import annotations

from m365audit.simulator.agreed_policy import OLD, PRESENT
from m365audit.simulator.integrations import (
    ADDIN,
    ARCHIVE,
    CRM,
    FORMS,
    MIGRATOR,
    SHADOW,
    TELEPHONY,
    App,
)
from m365audit.simulator.people import CONTOSO_ID, FABRIKAM_ID, TAILSPIN_ID
from m365audit.simulator.served_logs import FORGOTTEN_TRUNK
from m365audit.simulator.story_fabrikam import OUTLOOK_WEB
from m365audit.simulator.truth import ExpectedFinding


def _of(tenant_id: str, rule: str, app: App, why: str, **subject: str) -> ExpectedFinding:
    return ExpectedFinding(tenant_id, rule, {"app_id": app.id, **subject}, why)


def promises() -> tuple[ExpectedFinding, ...]:
    """Return what exports show too."""
    return (*_about_apps(), *_about_records())


def live_promises() -> tuple[ExpectedFinding, ...]:
    """Return what only collecting shows: policies, ages, calls, the auditor's own certificate."""
    return (
        ExpectedFinding(FABRIKAM_ID, "mfa-not-enforced", {"asked": "nobody"},
                        "security defaults were switched off for policies that lapsed with their licence"),
        ExpectedFinding(CONTOSO_ID, "minor-in-scope", {"age": "minors"}, "a trainee of the recorded group is a minor"),
        ExpectedFinding(CONTOSO_ID, "direct-routing-without-record", {"trunk": FORGOTTEN_TRUNK},
                        "one call in four goes over a trunk of earlier days"),
        ExpectedFinding(TAILSPIN_ID, "credential-expires", {"ends_on": "2026-10-10"},
                        "the auditor's own secret ends in less than a month"),
    )  # fmt: skip


def quiet_promises() -> tuple[ExpectedFinding, ...]:
    """Return what must not be found."""
    return (
        ExpectedFinding(CONTOSO_ID, "mfa-not-enforced", {}, "a policy asks everybody"),
        ExpectedFinding(TAILSPIN_ID, "mfa-not-enforced", {}, "security defaults are on"),
        ExpectedFinding(CONTOSO_ID, "direct-routing-without-record", {"trunk": "sbc.contoso.example"}, "recorded"),
        ExpectedFinding(FABRIKAM_ID, "minor-in-scope", {}, "ages are not known there, which proves nothing"),
        _of(CONTOSO_ID, "website-does-more-than-send", FORMS, "it sends and does nothing else"),
        _of(CONTOSO_ID, "user-granted-access", ARCHIVE, "granted for one mailbox, as recorded"),
        _of(CONTOSO_ID, "long-lived-secret", TELEPHONY, "signs in with a certificate, as recorded"),
        ExpectedFinding(CONTOSO_ID, "publisher-not-recorded", {}, "every app is whose the records say"),
        ExpectedFinding(CONTOSO_ID, "no-legal-basis-reference", {}, "every interest has its balancing test"),
        ExpectedFinding(FABRIKAM_ID, "record-on-old-policy", {}, "everything was agreed on the present text"),
    )


def _about_apps() -> tuple[ExpectedFinding, ...]:
    return (
        ExpectedFinding(FABRIKAM_ID, "forwarding-set-up", {"app_id": OUTLOOK_WEB.id, "target_domain": "thuis.example"},
                        "a colleague of the recorded team sends all her mail home"),
        _of(CONTOSO_ID, "sign-in-without-mfa", ARCHIVE, "IMAP asks for a password alone"),
        _of(CONTOSO_ID, "sign-in-without-mfa", SHADOW, "two people gave a password to an unknown app"),
        _of(CONTOSO_ID, "legacy-protocol-sign-in", ARCHIVE, "recorded, and still an old protocol", client_app="IMAP4"),
        _of(TAILSPIN_ID, "insecure-redirect", MIGRATOR, "answers to an address without encryption",
            address="http://migration.tailspin.example/cb"),
        _of(FABRIKAM_ID, "long-lived-secret", TELEPHONY, "a secret of three years",
            weakness="it lives for more than a year"),
        _of(FABRIKAM_ID, "long-lived-secret", TELEPHONY, "a certificate was agreed to",
            weakness="the record says otherwise"),
        _of(CONTOSO_ID, "user-granted-access", SHADOW, "two people let it in themselves", permission="Mail.Read"),
        _of(CONTOSO_ID, "telephony-outside-host-country", TELEPHONY, "the exchange stands in the Netherlands",
            country="US"),
        _of(TAILSPIN_ID, "website-does-more-than-send", FORMS, "a website that may read mail", doing="holds Mail.Read"),
        _of(TAILSPIN_ID, "website-does-more-than-send", FORMS, "and that does", doing="did read on mail"),
        *(
            _of(tenant, "mailbox-permission-unscoped", app, "some mailboxes are recorded, all are open", record=record)
            for tenant, app, record in (
                (CONTOSO_ID, CRM, "contoso-salsoft-crm"),
                (CONTOSO_ID, FORMS, "contoso-website-forms"),
                (FABRIKAM_ID, CRM, "fabrikam-salsoft-crm"),
            )
        ),
    )  # fmt: skip


def _about_records() -> tuple[ExpectedFinding, ...]:
    return (
        _of(TAILSPIN_ID, "publisher-not-recorded", FORMS, "another maker of websites was agreed to",
            record="tailspin-website-forms"),
        _of(FABRIKAM_ID, "recipient-not-declared", ADDIN, "its publisher is nobody whom the record names",
            owner="SalSoft"),
        _of(CONTOSO_ID, "privacy-statement-differs", TELEPHONY, "shows a statement of its maker", difference="address"),
        _of(TAILSPIN_ID, "categories-not-declared", CRM, "nobody says that appointments are read", workload="calendar"),
        ExpectedFinding(TAILSPIN_ID, "no-legal-basis-reference",
                        {"record": "tailspin-salsoft-crm", "process": "crm-appointments"}, "no balancing test"),
        ExpectedFinding(FABRIKAM_ID, "employee-consent",
                        {"record": "fabrikam-outlook-addin", "process": "addin-file-mail"}, "they can hardly refuse"),
        ExpectedFinding(CONTOSO_ID, "record-on-old-policy",
                        {"record": "contoso-outlook-addin", "policy_version": OLD, "newer": PRESENT}, "never renewed"),
        *(
            ExpectedFinding(tenant, "age-not-known", {"how": "recorded"}, "ages are not filled in")
            for tenant in (CONTOSO_ID, FABRIKAM_ID, TAILSPIN_ID)
        ),
    )  # fmt: skip
