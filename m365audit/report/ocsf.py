"""Owns the OCSF 1.8.0 form: one event per line, for a SIEM. Decides nothing; codes of OCSF stand for codes of ours.

Compliance Finding (2003): every control in every tenant, and every finding that is about a commitment. IAM Analysis
Finding (2008): findings about permissions. Detection Finding (2004): behaviour only. Incident Finding (2005): breach
cases. A question that cannot be answered has status Unknown, never Pass.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

import msgspec

from m365audit.report.controls import Control
from m365audit.report.decided import BreachCase
from m365audit.report.display import visible
from m365audit.report.document import Document, Evidence, Finding, GeneratedFrom

VERSION: Final = "1.8.0"
LONGEST: Final = 4_000
"""Characters of one text; the JSON form holds all of it."""
_CLASSES: Final = {
    2003: "Compliance Finding", 2004: "Detection Finding", 2005: "Incident Finding", 2008: "IAM Analysis Finding",
}  # fmt: skip
PERMISSION_RULES: Final = frozenset({
    "auditor-holds-too-much", "full-mailbox-permission", "granted-after-end", "granted-not-recorded",
    "impersonation-granted", "mailbox-permission-unscoped", "recorded-never-used", "tenant-wide-where-per-user",
    "unrecorded-app-with-reach", "user-granted-access",
})  # fmt: skip
BEHAVIOUR_RULES: Final = frozenset({
    "access-outside-regions", "burst-above-habit", "read-of-many-mailboxes",
})  # fmt: skip
COMMITMENT_RULES: Final = frozenset({
    "age-not-known", "application-where-delegated", "audit-weakened", "blind-spot", "categories-not-declared",
    "collection-stopped", "consent-without-record", "credential-added", "credential-expires",
    "direct-routing-without-record", "employee-consent", "explained-afterwards", "foreign-app-like-microsoft",
    "forwarding-set-up", "insecure-redirect", "legacy-protocol-sign-in", "link-refused", "long-lived-secret",
    "mail-access-floor", "mfa-not-enforced", "minor-in-scope", "new-use-of-known-app", "no-legal-basis-reference",
    "operation-beyond-record", "owner-changed", "privacy-statement-differs", "publisher-not-recorded",
    "recipient-not-declared", "record-ending-soon", "record-on-old-policy", "recorded-not-granted",
    "redirect-changed", "refused-attempts", "register-history-changed", "resource-outside-record",
    "sign-in-without-mfa", "telephony-outside-host-country", "used-after-end", "used-before-start",
    "used-not-recorded", "used-without-grant", "website-does-more-than-send",
})  # fmt: skip
"""Whoever writes a rule says here what it is about; a rule of a customer's own is about a commitment."""
_SEVERITIES: Final = {
    "info": (1, "Informational"), "low": (2, "Low"), "medium": (3, "Medium"), "high": (4, "High"),
    "critical": (5, "Critical"),
}  # fmt: skip
_UNKNOWN: Final = (0, "Unknown")
_OUTCOMES: Final = {
    "within": (1, "Pass"), "review": (2, "Warning"), "outside": (3, "Fail"), "not_assessable": (0, "Unknown"),
    "not_applicable": (99, "Not applicable"),
}  # fmt: skip
_DECIDED: Final = {
    None: (1, "New"), "confirmed": (2, "In Progress"), "remediating": (2, "In Progress"),
    "false_positive": (3, "Suppressed"), "accepted": (3, "Suppressed"), "explained": (3, "Suppressed"),
    "resolved": (4, "Resolved"),
}  # fmt: skip
_CASES: Final = {
    "suspected": (1, "New"), "aware": (2, "In Progress"), "assessed": (2, "In Progress"),
    "notified_initial": (2, "In Progress"), "notified_complete": (4, "Resolved"), "closed": (5, "Closed"),
}  # fmt: skip
_RISKS: Final = {"no_risk": "low", "risk": "high", "high_risk": "critical"}
_ACTIVITIES: Final = {1: "Create", 2: "Update", 3: "Close"}

Event = dict[str, Any]


def ocsf_pieces(document: Document, findings: Iterable[Finding], controls: Iterable[Control]) -> Iterator[bytes]:
    """Yield one event per line, plain ASCII; ``findings`` and ``controls`` are all there are, however many."""
    made = document.generated_from
    at = made.generated_at or document.now
    for control in controls:
        yield _line(control_event(control, made, at))
    for finding in findings:
        yield _line(finding_event(finding, made, at))
    for case in document.clocks.breaches:
        yield _line(case_event(case, made, at))


def control_event(control: Control, made: GeneratedFrom, at: datetime) -> Event:
    """Return the Compliance Finding of one control in one tenant."""
    status, name = _OUTCOMES.get(control.outcome, _UNKNOWN)
    is_open = control.outcome in {"outside", "review"}
    severity = control.severity if is_open else ("info" if status in {1, 99} else None)
    about = "/".join(filter(None, (control.tenant_id, control.control, control.integration_name)))
    event = _event(2003, 1, uid=about, tenant=control.tenant_id, made=made, at=at, severity=severity)
    event["finding_info"] = _without_none(
        {"uid": about, "title": control.title, "desc": control.sentence, "related_events_count": None}
    )
    event["compliance"] = _without_none({
        "control": control.control,
        "desc": control.commitment,
        "standards": ["Privacy policy, clause " + control.clause, "GDPR"] if control.gdpr else
        ["Privacy policy, clause " + control.clause],
        "requirements": [part.strip() for part in (control.gdpr or "").split(";") if part.strip()] or None,
        "status_id": status,
        "status": name,
        "status_code": control.reason_code,
        "status_detail": control.sentence,
    })  # fmt: skip
    event["status_id"], event["status"] = (1, "New") if is_open else ((0, "Unknown") if status == 0 else (99, name))
    event["message"] = control.sentence or control.title
    if control.attach:
        event["remediation"] = {"desc": control.attach}
    if control.integration_name:
        event["resources"] = [{"name": control.integration_name, "type": "Integration"}]
    return event


def finding_event(finding: Finding, made: GeneratedFrom, at: datetime) -> Event:
    """Return the event of one finding, of the class that its rule asks for."""
    number = 2008 if finding.rule in PERMISSION_RULES else 2004 if finding.rule in BEHAVIOUR_RULES else 2003
    is_over = finding.state == "resolved"
    activity = 3 if is_over else 1 if finding.change in {"new", "reopened"} else 2
    event = _event(
        number, activity, uid=finding.finding_id, tenant=finding.tenant_id, made=made, at=finding.last_seen_at or at,
        severity=finding.severity,
    )  # fmt: skip
    status = (4, "Resolved") if is_over else _DECIDED.get(finding.decision, _UNKNOWN)
    pending = finding.review.pending if finding.review else None
    event["status_id"], event["status"] = (2, "In Progress") if pending and not is_over else status
    event["finding_info"] = _finding_info(finding)
    event["message"] = finding.title
    event["count"] = max(finding.evidence_count, 1)
    event |= {2003: _compliance, 2004: _detection, 2008: _permissions}[number](finding)
    if finding.advice:
        event["remediation"] = {"desc": finding.advice}
    event |= _times(finding)
    return event


def case_event(case: BreachCase, made: GeneratedFrom, at: datetime) -> Event:
    """Return the Incident Finding of one breach case; it is the data protection officer's."""
    is_over = case.state == "closed"
    uid = case.case_id
    event = _event(
        2005, 3 if is_over else 2, uid=uid, tenant=case.tenant_id, made=made, at=at,
        severity=_RISKS.get(case.risk or ""),
    )  # fmt: skip

    event["status_id"], event["status"] = _CASES.get(case.state, _UNKNOWN)
    event["is_suspected_breach"] = True
    event["assignee_group"] = {"name": "Data protection officer", "uid": "dpo"}
    event["finding_info_list"] = [{"uid": finding} for finding in case.finding_ids] or [{"uid": uid}]
    event["ticket"] = {"uid": uid, "title": uid}
    event["status_detail"] = case.state
    moments = {"aware_at": case.aware_at, "due_at": case.due_at, "notified_at": case.notified_at}
    event["unmapped"] = {name: _milliseconds(value) for name, value in moments.items() if value is not None}
    if not event["unmapped"]:
        del event["unmapped"]
    if case.detected_at:
        event["start_time"] = _milliseconds(case.detected_at)
    return event


def _event(
    number: int, activity: int, *, uid: str, tenant: str, made: GeneratedFrom, at: datetime, severity: str | None
) -> Event:
    severity_id, severity_name = _SEVERITIES.get(severity or "", _UNKNOWN)
    return {
        "activity_id": activity,
        "activity_name": _ACTIVITIES[activity],
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": number,
        "class_name": _CLASSES[number],
        "type_uid": number * 100 + activity,
        "type_name": f"{_CLASSES[number]}: {_ACTIVITIES[activity]}",
        "time": _milliseconds(at),
        "severity_id": severity_id,
        "severity": severity_name,
        "metadata": _without_none({
            "version": VERSION,
            "uid": f"{tenant}/{uid}",
            "tenant_uid": tenant,
            "correlation_uid": made.run_id,
            "product": _without_none({"name": "m365audit", "vendor_name": "m365audit", "version": made.version}),
        }),
    }  # fmt: skip


def _finding_info(finding: Finding) -> Event:
    moments = {
        "created_time": finding.opened_at, "first_seen_time": finding.first_seen_at,
        "last_seen_time": finding.last_seen_at,
    }  # fmt: skip
    return _without_none({
        "uid": finding.finding_id,
        "title": finding.title,
        "desc": finding.question,
        "types": [finding.rule],
        "analytic": {"uid": finding.rule, "name": finding.rule, "type_id": 1, "type": "Rule"},
        "data_sources": sorted({piece.feed for piece in finding.evidence}) or None,
        "related_events_count": finding.evidence_count,
        **{name: _milliseconds(value) for name, value in moments.items() if value is not None},
    })  # fmt: skip


def _compliance(finding: Finding) -> Event:
    controls = finding.controls or (finding.rule,)
    is_over = finding.state == "resolved"
    return {
        "compliance": _without_none({
            "control": controls[0],
            "checks": [{"uid": control, "name": control} for control in controls[1:]] or None,
            "standards": ["Privacy policy"],
            "status_id": 99 if is_over else 3,
            "status": "Resolved" if is_over else "Fail",
            "status_details": list(finding.reasons) or None,
        }),
        **_resources(finding),
        **_evidences(finding),
    }  # fmt: skip


def _detection(finding: Finding) -> Event:
    return {"is_alert": finding.state != "resolved", **_resources(finding), **_evidences(finding)}


def _permissions(finding: Finding) -> Event:
    granted = [value for name, value in _subject(finding).items() if name in {"permission", "role"}]
    result: Event = {"granted_privileges": granted} if granted else {}
    if finding.rule == "recorded-never-used":
        result["unused_privileges_count"] = max(len(granted), 1)
    if finding.record:
        result["policy"] = {"name": f"{finding.record}/{finding.process or ''}".rstrip("/"), "uid": finding.record,
                            "type": "Consent record"}  # fmt: skip
    app = {"uid": finding.app_id or "unknown", "type": "Microsoft Entra application"}
    if finding.app_name:
        app["name"] = finding.app_name
    return {"applications": [app]} | ({"permission_analysis_results": [result]} if result else {})


def _subject(finding: Finding) -> dict[str, str]:
    try:
        parts = msgspec.json.decode((finding.subject or "{}").encode("utf-8", "surrogatepass"), type=dict[str, object])
    except msgspec.DecodeError:
        return {}
    return {name: value for name, value in parts.items() if isinstance(value, str)}


def _resources(finding: Finding) -> Event:
    if not finding.app_id:
        return {}
    return {"resources": [_without_none({"uid": finding.app_id, "name": finding.app_name, "type": "Application"})]}


def _evidences(finding: Finding) -> Event:
    pieces = [_evidence(piece) for piece in finding.evidence]
    return {"evidences": pieces} if pieces else {}


def _evidence(piece: Evidence) -> Event:
    data = {
        "workload": piece.workload, "operation": piece.operation, "what": piece.what, "country": piece.country,
        "resource_kind": piece.resource_kind, "resource_id": piece.resource_id, "verdict": piece.verdict,
        "reasons": list(piece.reasons),
        "occurred_at": None if piece.occurred_at is None else _milliseconds(piece.occurred_at),
    }  # fmt: skip
    return {"uid": piece.event_id, "name": piece.feed, "data": _without_none(data)}


def _times(finding: Finding) -> Event:
    begin, end = finding.first_seen_at, finding.last_seen_at
    return {name: _milliseconds(at) for name, at in (("start_time", begin), ("end_time", end)) if at is not None}


def _without_none(values: Event) -> Event:
    return {name: value for name, value in values.items() if value is not None}


def _milliseconds(value: datetime) -> int:
    return int(value.timestamp() * 1000)


def _line(event: Event) -> bytes:
    return json.dumps(_seen(event), ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"


def _seen(value: Any) -> Any:
    """Return a value with every text as a person may see it: consoles of SIEMs are terminals and pages, too."""
    if isinstance(value, str):
        return visible(value[:LONGEST])
    if isinstance(value, dict):
        return {name: _seen(inner) for name, inner in value.items()}
    return [_seen(inner) for inner in value] if isinstance(value, list) else value
