"""Owns the customer's side of the demo's world: consent records, policy and configuration. Must never look at logs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from m365audit.simulator.agreed_policy import NOTICE_SHA256, OLD, PRESENT
from m365audit.simulator.auditor import registration
from m365audit.simulator.integrations import ADDIN, ARCHIVE, CALLING, CRM, FORMS, TELEPHONY, App
from m365audit.simulator.people import Tenant, fixed_id

Document = dict[str, Any]

RECORDED_TRUNK = "sbc.{}"
_EXCHANGE_AT_HOME: Document = {
    "publisher": TELEPHONY.publisher,
    "owner_tenant_id": TELEPHONY.owner_tenant,
    "credential": "certificate",
    "telephony": {"system": "3CX", "pbx_host_country": "NL"},
}
"""The telephone exchange stands in the Netherlands and signs in with a certificate: so it was agreed."""


def records(tenant: Tenant) -> dict[str, Document]:
    """Return the tenant's consent records by file name."""
    return {"contoso": _contoso, "fabrikam": _fabrikam, "tailspin": _tailspin}[tenant.key](tenant)


def _record(
    tenant: Tenant, name: str, kind: str, app: App, *history: Document, about: Document | None = None, **extra: str
) -> Document:
    """Return a record; ``about``: what its integration says beside whose app it is, or nothing at all where empty."""
    known = {"publisher": app.publisher, "owner_tenant_id": app.owner_tenant}
    said = {} if about == {} else {**known, **(about or {})}
    return {
        "schema": "m365audit.consent/1",
        "record": f"{tenant.key}-{name}",
        "tenant": tenant.id,
        "integration": {"kind": kind, "name": app.name, "app_ids": [app.id], **said},
        "controller": f"{tenant.name} B.V.",
        "processor": app.publisher,
        **extra,
        "history": list(history),
    }


def record_of_groups(tenant_id: str, groups: Sequence[str]) -> Document:
    """Return a consent record of an invented tenant that names these groups: only what a record names is collected."""
    begin = "2026-01-01T00:00:00Z"
    process = _process("mail-log", "Log correspondence", "mail", ("Mail.Read",), {"groups": list(groups)})
    return {
        "schema": "m365audit.consent/1",
        "record": f"synthetic-{tenant_id[:8]}",
        "tenant": tenant_id,
        "integration": {"kind": "other", "name": "Somebody's app", "app_ids": [fixed_id(tenant_id, "recorded")]},
        "controller": "Synthetic B.V.",
        "processor": "Somebody",
        "history": [_full("granted", begin, "2027-01-01T00:00:00Z", process)],
    }


def _full(
    event: str, effective: str, until: str, *processes: Document, recorded: str = "", policy: str = PRESENT
) -> Document:
    return {
        "event": event,
        "recorded_at": recorded or effective,
        "effective_from": effective,
        "effective_until": until,
        "policy_version": policy,
        **({"notice_sha256": NOTICE_SHA256} if policy == PRESENT else {}),
        "evidence": [{"kind": "document", "ref": "processing-agreement.pdf"}],
        "processes": list(processes),
    }


def _ending(event: str, recorded: str, effective: str, reason: str, *processes: str) -> Document:
    named = {"processes": list(processes)} if processes else {}
    return {
        "event": event,
        "recorded_at": recorded,
        "effective_from": effective,
        **named,
        "evidence": [{"kind": "document", "ref": f"{event}.eml"}],
        "reason": reason,
    }


def _process(
    name: str,
    purpose: str,
    workload: str,
    permissions: tuple[str, ...],
    resources: str | Document,
    *,
    operations: tuple[str, ...] = ("read",),
    kind: str = "application",
    legal_basis: str = "legitimate_interest",
    regions: tuple[str, ...] = (),
    subjects: tuple[str, ...] = ("customers", "employees"),
    **more: str,
) -> Document:
    has_test = legal_basis == "legitimate_interest"
    return {
        "id": name,
        "purpose": purpose,
        "legal_basis": legal_basis,
        "workload": workload,
        "permissions": [{"name": p, "kind": kind} for p in permissions],
        "operations": list(operations),
        "resources": resources,
        "data_categories": [f"{workload}_content" if workload == "mail" else workload],
        "data_subjects": list(subjects),
        **({"legitimate_interest_ref": f"balancing-test-{name}.pdf"} if has_test else {}),
        **({"regions": list(regions)} if regions else {}),
        **more,
    }


def _silent(process: Document, *names: str) -> Document:
    """Return a process that does not say so much."""
    return {name: value for name, value in process.items() if name not in names}


def _crm_mail(group: str) -> Document:
    purpose = "Log customer correspondence in the CRM"
    return _process("crm-mail-log", purpose, "mail", ("Mail.Read",), {"groups": [group]})


def _crm_calendar(resources: str | Document) -> Document:
    purpose = "Show customer appointments in the CRM"
    return _process("crm-appointments", purpose, "calendar", ("Calendars.Read",), resources)


def _phone(*workloads: str, regions: tuple[str, ...] = ()) -> tuple[Document, ...]:
    known = {
        "presence": ("phone-presence", "Show who can take a call", "Presence.Read.All"),
        "calendar": ("phone-diversion", "Divert calls during appointments", "Calendars.Read"),
        "telephony": ("phone-bill", "Check the telephone bill", "CallRecords.Read.All"),
        "directory": ("phone-book", "Fill the telephone book", "User.Read.All"),
    }
    return tuple(_process(known[w][0], known[w][1], w, (known[w][2],), "all", regions=regions) for w in workloads)


def _form_mail(tenant: Tenant) -> Document:
    return _process(
        "form-confirmation",
        "Confirm a request made on the website",
        "mail",
        ("Mail.Send",),
        {"ids": [tenant.person("noreply").upn]},
        operations=("send",),
        legal_basis="contract",
    )


def _contoso(tenant: Tenant) -> dict[str, Document]:
    sales = tenant.groups["sales"].id
    availability = _process(
        "crm-availability", "Show who is available", "presence", ("Presence.Read.All",), {"groups": [sales]}
    )
    begin, until = "2025-09-01T00:00:00Z", "2027-01-01T00:00:00Z"
    crm = _full("granted", begin, until, _crm_mail(sales), _crm_calendar({"groups": [sales]}), availability)
    phone = _full("granted", begin, until, *_phone("presence", "calendar", "telephony", "directory", regions=("EU",)))
    calling = _process("call-reports", "Count calls over the trunk", "telephony", ("CallRecords.Read.All",), "all")
    return {
        "teams-calling.yaml": _record(
            tenant,
            "teams-calling",
            "telephony",
            CALLING,
            _full("granted", begin, until, calling),
            about={"telephony": {"system": "Microsoft Teams", "trunks": [RECORDED_TRUNK.format(tenant.domain)]}},
        ),
        "mail-archive.yaml": _record(
            tenant, "mail-archive", "other", ARCHIVE, _full("granted", begin, until, _archived_mail(tenant))
        ),
        "salsoft-crm.yaml": _record(tenant, "salsoft-crm", "crm", CRM, crm, stop_within="PT24H"),
        "website-forms.yaml": _record(
            tenant,
            "website-forms",
            "website",
            FORMS,
            _full("granted", begin, until, _form_mail(tenant)),
            about={"website": {"origin": f"https://www.{tenant.domain}"}},
        ),
        "outlook-addin.yaml": _record(
            tenant, "outlook-addin", "mail_addin", ADDIN, _full("granted", begin, until, _filed_mail(), policy=OLD)
        ),
        "telephony.yaml": _record(tenant, "telephony", "telephony", TELEPHONY, phone, about=_EXCHANGE_AT_HOME),
        "auditor.yaml": _record(tenant, "auditor", "other", registration(tenant).app, _audit(until)),
    }


def _filed_mail() -> Document:
    return _process(
        "addin-file-mail",
        "File the opened message under a customer",
        "mail",
        ("Mail.Read", "Mail.ReadWrite", "Mail.Send"),
        "all",
        operations=("read", "write", "send"),
        kind="delegated",
    )


def _archived_mail(tenant: Tenant) -> Document:
    return _process(
        "archive-website-mail",
        "Keep what the website sent",
        "mail",
        ("IMAP.AccessAsUser.All",),
        {"ids": [tenant.person("noreply").upn]},
        kind="delegated",
        legal_basis="legal_obligation",
    )


def _audit(until: str) -> Document:
    """Return what the auditor itself is allowed: it reads who called whom, and is recorded like every other app."""
    purpose = "See whether the telephony reads more than was agreed to"
    process = _process("audit-call-records", purpose, "telephony", ("CallRecords.Read.All",), "all")
    return _full("granted", "2026-09-15T05:00:00Z", until, process)


def _fabrikam(tenant: Tenant) -> dict[str, Document]:
    team = tenant.groups["verkoop"].id
    begin, until = "2025-10-01T00:00:00Z", "2027-01-01T00:00:00Z"
    crm = _full("granted", begin, until, _crm_mail(team), _crm_calendar({"groups": [team]}))
    purpose, limited = "File the opened message under a customer", {"groups": [team]}
    addin = _process(
        "addin-file-mail",
        purpose,
        "mail",
        ("Mail.Read",),
        limited,
        kind="delegated",
        legal_basis="consent",
        consent_store="personnel file",
    )
    objection = _ending(
        "withdrawn", "2026-09-04T09:30:00Z", "2026-09-04T09:00:00Z", "Works council objected", "crm-appointments"
    )
    closed = _ending("revoked", "2026-08-14T15:00:00Z", "2026-08-15T00:00:00Z", "The form was taken off the website")
    phone = _full("granted", begin, until, *_phone("presence", "calendar", "telephony", "directory"))
    return {
        "outlook-addin.yaml": _record(
            tenant,
            "outlook-addin",
            "mail_addin",
            ADDIN,
            _full("granted", begin, until, addin),
            about={},
            processor="Kantoorhulp",
        ),
        "salsoft-crm.yaml": _record(tenant, "salsoft-crm", "crm", CRM, crm, objection, stop_within="PT24H"),
        "website-forms.yaml": _record(
            tenant, "website-forms", "website", FORMS, _full("granted", begin, until, _form_mail(tenant)), closed
        ),
        "telephony.yaml": _record(tenant, "telephony", "telephony", TELEPHONY, phone, about=_EXCHANGE_AT_HOME),
    }


def _tailspin(tenant: Tenant) -> dict[str, Document]:
    group = tenant.groups["customers"].id
    begin, until = "2026-01-01T00:00:00Z", "2026-10-01T00:00:00Z"
    widened = _full(
        "amended",
        "2026-09-03T00:00:00Z",
        until,
        _crm_mail(group),
        _silent(_crm_calendar("all"), "data_categories", "legitimate_interest_ref"),
        recorded="2026-09-04T10:00:00Z",
    )
    first = _full("granted", begin, until, _crm_mail(group))
    form = _full("granted", begin, "2026-09-05T00:00:00Z", _form_mail(tenant))
    return {
        "salsoft-crm.yaml": _record(tenant, "salsoft-crm", "crm", CRM, first, widened),
        "website-forms.yaml": _record(
            tenant, "website-forms", "website", FORMS, form, about={"publisher": "Webbureau Noord"}
        ),
    }


REGISTERED_GROUPS = {"contoso": ("sales",), "fabrikam": ("verkoop",), "tailspin": ("customers",)}
"""Groups that the records name, by tenant."""

FORTNIGHT = {"from": "2026-09-01T00:00:00Z", "to": "2026-09-15T00:00:00Z"}
"""What exports that are not cut by the hour are vouched for to hold."""


def configuration(imports: dict[str, tuple[Tenant, list[tuple[str, str, bool]]]]) -> Document:
    """Return ``m365audit.yaml``; ``imports`` holds kind, path and wholeness of every export, by tenant."""
    return _configuration({}, [_entry(tenant, listed) for tenant, listed in imports.values()])


def live_configuration(
    cloud: dict[str, str], imports: dict[str, tuple[Tenant, list[tuple[str, str, bool]]]]
) -> Document:
    """Return ``m365audit.yaml`` of tenants that are collected from; ``cloud`` holds the addresses of the services."""
    return _configuration(
        {"cloud": cloud},
        [_entry(tenant, listed, credential=_credential(tenant)) for tenant, listed in imports.values()],
    )


def _configuration(cloud: Document, tenants: list[Document]) -> Document:
    places = {"state": "./state", "publish": "./publish", "register": "./consent", "policy": "./policy.yaml"}
    return {**places, **cloud, "tenants": tenants}


def _entry(tenant: Tenant, listed: list[tuple[str, str, bool]], **more: Document) -> Document:
    imports = [{"kind": kind, "path": path} | (FORTNIGHT if is_whole else {}) for kind, path, is_whole in listed]
    return {"id": tenant.id, "name": tenant.name, **more, "import": imports}


def _credential(tenant: Tenant) -> Document:
    registered = registration(tenant)
    return {"kind": registered.credential, "client_id": registered.app.id, "file": f"./{registered.file}"}
