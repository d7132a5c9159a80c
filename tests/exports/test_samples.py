"""Every real sample is taken in with the count its manifest gives, or refused with a message saying what it is."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from m365audit.errors import EvidenceError
from m365audit.exports import prepare

from .test_formats import rows_of

KIND_OF_FOLDER = {
    "mgmt_api": "audit_records",
    "ual_csv": "audit_records",
    "graph_signins": "sign_ins",
    "directory_audits": "directory_audits",
    "graph_activity": "graph_activity",
    "call_records": "call_records",
}
LOG_ANALYTICS = {
    "log_analytics/msticpy_signinlogs_shared.csv": "sign_ins",
    "log_analytics/otrf_goldensaml_AADAuditEvents.json": "directory_audits",
    "log_analytics/otrf_goldensaml_OfficeActivityEvents.json": "audit_records",
    "graph_activity/google_graphactivity_loganalytics_bad_token_date.json": "graph_activity",
}
RETOLD = {
    *LOG_ANALYTICS,
    "call_records/graphdocs_v1_get_communications_callRecords_participants_v2.json",
    "call_records/graphdocs_v1_get_communications_callRecords_sessions.json",
    "call_records/graphdocs_v1_get_communications_callRecords_sessions_expand_segments.json",
    "consent_grants/cli365_serviceprincipal-grant-list.csv",
}
REFUSED = {
    "consent_grants/scubagear_MockApplications.json": "an app registration",
    "consent_grants/scubagear_MockServicePrincipalAppRoleAssignments.json": "names no service principal",
    "consent_grants/scubagear_MockApplicationPermissions.json": "names no service principal",
    "negative/splunk_attackdata_copilot_ediscovery_export.csv": "an eDiscovery export of items",
    "negative/graphdocs_v1_auditLogRecord_placeholder_strings.json": "AuditData holds no audit record",
    "wire/auditlogquery_truncated.json": "an audit-query job",
    "wire/mgmt_api_throttled_403.json": "an error answer of an API (AF429)",
    "wire/o365_content_list.json": "a content list",
    "wire/signins_error_nonpremium_403.json": "an error answer of an API",
}
ENVELOPED = {*LOG_ANALYTICS, "graph_activity/google_graphactivity_storage.jsonl"} - {
    "log_analytics/otrf_goldensaml_OfficeActivityEvents.json"
}
ALL_BROKEN = "negative/graphdocs_v1_get_auditLogs_signIns"
SIGN_IN_EXPORTS = ("sign_in", "signin", "legacyauth", "lockouts", "protection_alerts", "risklevel", "ropc")
STATE = (
    ("scubagear_MockAppRoleAssignment", "app_role_assignments"),
    ("oleAssign", "app_role_assignments"),
    ("oauth2PermissionGrants", "delegated_permission_grants"),
    ("grant-list", "delegated_permission_grants"),
    ("ervicePrincipal", "service_principals"),
)
WIRE = {
    "directoryaudit_approle_assigned": "directory_audits",
    "directoryaudit_consent_admin": "directory_audits",
    "mgal_PT1H": "graph_activity",
    "ual_mailitemsaccessed_bind": "audit_records",
    "ual_mailitemsaccessed_sync": "audit_records",
    "ual_teams_messageslisted": "audit_records",
}
WIRE_COUNTS = {"mgal_PT1H": 3}


def expected_refusal(name: str) -> str | None:
    if name.startswith("negative/msdocs_"):
        return "one JSON object with other text behind it"
    return REFUSED.get(name)


def expected_kind(name: str) -> str:
    folder, _, file = name.partition("/")
    if name in LOG_ANALYTICS:
        return LOG_ANALYTICS[name]
    if folder == "storage_export":
        return "sign_ins" if any(word in file for word in SIGN_IN_EXPORTS) else "directory_audits"
    if folder == "consent_grants":
        return next(kind for part, kind in STATE if part in file)
    return WIRE[Path(file).stem] if folder == "wire" else KIND_OF_FOLDER[folder]


def manifest(samples: Path) -> list[tuple[str, Path, int]]:
    with (samples / "samples" / "MANIFEST.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["file"], samples / "samples" / row["file"], int(row["events"])) for row in csv.DictReader(file)]
    wire = sorted((samples / "wire").iterdir())
    return rows + [(f"wire/{path.name}", path, WIRE_COUNTS.get(path.stem, 1)) for path in wire]


@pytest.mark.parametrize("careful", [False, True], ids=["fast", "careful"])
def test_every_sample(samples: Path, tmp_path: Path, *, careful: bool) -> None:
    wrong = [
        f"{name}: {problem}"
        for name, path, events in manifest(samples)
        if (problem := check(name, path, events, tmp_path, careful=careful))
    ]
    assert wrong == []


def check(name: str, path: Path, events: int, workdir: Path, *, careful: bool) -> str:
    """Return what is wrong with how the sample is taken, empty when nothing is."""
    refusal = expected_refusal(name)
    try:
        prepared = prepare(path, workdir=workdir, careful=careful)
    except EvidenceError as error:
        is_said = refusal is not None and refusal in str(error) and error.hint
        return "" if is_said else f"refused: {error}"
    if refusal:
        return f"taken as {prepared.kind}, to be refused as {refusal}"
    rows = rows_of(prepared)
    if name.startswith(ALL_BROKEN):
        found = (prepared.kind, len(rows), prepared.quarantined)
        return "" if found == ("sign_ins", 0, 1) else f"{found}"
    expected = (expected_kind(name), events, events, 0, name.startswith("storage_export") or "PT1H" in name)
    # Lines of Graph activity pass unread: the store is the first to count them.
    counted = len(rows) if prepared.records is None else prepared.records
    found_all = (prepared.kind, counted, len(rows), prepared.quarantined, prepared.enveloped)
    is_enveloped = name in ENVELOPED or expected[4]
    if found_all != (*expected[:4], is_enveloped):
        return f"{found_all} {expected}"
    return "" if prepared.is_retold == (name in RETOLD) else f"retold: {prepared.is_retold}"


def test_the_manifest_is_whole(samples: Path) -> None:
    assert len(manifest(samples)) == 176
