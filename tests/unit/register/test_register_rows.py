"""What the store gets from the register, and what people are shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from m365audit.config import Policy, load_policy
from m365audit.errors import ConfigurationError
from m365audit.register import (
    PermissionNames,
    Register,
    back_dated,
    check_summary,
    check_text,
    load_register,
    parse_at,
    register_rows,
    state_at,
    state_text,
)
from m365audit.resources import data_dir

Loader = Callable[..., Register]


def test_rows_of_a_register(base: str, load: Loader) -> None:
    shouted = base.replace("c0ffee00", "C0FFEE00").replace(
        "tenant: 11111111-1111-4111-8111-11111111111", "tenant: AAAAAAAA-1111-4111-8111-11111111111"
    )
    shouted = shouted.replace("{groups: [33333333-3333-4333-8333-333333333331]}", "{ids: [Anna@Contoso.example]}")
    shouted = shouted.replace("2025-09-01T00:00:00Z", "2025-09-01T02:00:00.1234567+02:00")
    rows = register_rows(load({"sub/r.yaml": shouted}))
    tenant = "aaaaaaaa-1111-4111-8111-111111111111"
    (record,) = rows["register_records"]
    assert str(record.pop("file")).endswith("sub/r.yaml")
    assert record == {
        "tenant_id": tenant,
        "record": "contoso-crm",
        "integration_kind": "crm",
        "integration_name": "CRM connector",
        "controller": None,
        "processor": None,
        "publisher": None,
        "owner_tenant_id": None,
        "credential": None,
        "telephony_system": None,
        "pbx_host_country": None,
        "trunks": [],
        "website_origin": None,
    }
    assert rows["register_apps"] == [
        {"tenant_id": tenant, "record": "contoso-crm", "app_id": "c0ffee00-0000-4000-8000-000000000001"}
    ]
    assert rows["register_versions"] == [
        {
            "tenant_id": tenant,
            "record": "contoso-crm",
            "process": "crm-mail",
            "version": 0,
            "workload": "mail",
            "operations": ["read"],
            "permissions": [{"name": "Mail.Read", "kind": "application", "api": "microsoft_graph"}],
            "covers_all": False,
            "resource_ids": ["anna@contoso.example"],
            "resource_groups": [],
            "regions": None,
            "purpose": "Log mail in the CRM",
            "legal_basis": "contract",
            "data_categories": None,
            "data_subjects": None,
            "legitimate_interest_ref": None,
            "consent_store": None,
            "recipients": None,
            "transfers": [],
            "retention": None,
            "policy_version": None,
            "notice_sha256": None,
            "effective_from": "2025-09-01T00:00:00.123456Z",
            "effective_until": "2027-01-01T00:00:00Z",
            "recorded_at": "2025-09-01T09:14:00Z",
            "ended_at": "2026-05-18T12:00:00Z",
            "ended_by": "withdrawn",
        }
    ]
    segments = [(row["valid_from"], row["valid_to"], row["version"], row["period_reason"])
                for row in rows["register_segments"]]  # fmt: skip
    assert segments == [
        (None, "2025-09-01T00:00:00.123456Z", 0, "before_start"),
        ("2025-09-01T00:00:00.123456Z", "2026-05-18T12:00:00Z", 0, None),
        ("2026-05-18T12:00:00Z", None, 0, "after_withdrawal"),
    ]
    assert [(row["entry"], row["event"]) for row in rows["register_entries"]] == [(0, "granted"), (1, "withdrawn")]
    assert all(len(str(row["entry_hash"])) == 64 for row in rows["register_entries"])


def test_what_an_integration_is_made_of(base: str, load: Loader) -> None:
    more = """app_ids: [c0ffee00-0000-4000-8000-000000000001]
  publisher: 3CX
  owner_tenant_id: AAAAAAAA-1111-4111-8111-111111111111
  credential: certificate
  telephony: {system: 3CX, pbx_host_country: NL, trunks: [SBC.Contoso.example]}
  website: {origin: "https://WWW.contoso.example"}"""
    (record,) = register_rows(load({"r.yaml": base.replace("app_ids: [c0ffee00-0000-4000-8000-000000000001]", more)}))[
        "register_records"
    ]
    assert (record["publisher"], record["credential"], record["telephony_system"]) == ("3CX", "certificate", "3CX")
    assert record["owner_tenant_id"] == "aaaaaaaa-1111-4111-8111-111111111111"
    assert (record["pbx_host_country"], record["trunks"]) == ("NL", ["sbc.contoso.example"])
    assert record["website_origin"] == "https://www.contoso.example"


def test_what_a_process_says_beside_its_reach(base: str, load: Loader) -> None:
    more = """        data_subjects: [customers, employees]
        data_categories: [message_content]
        legitimate_interest_ref: LIA.pdf
        recipients: [Backup B.V.]
        transfers: [{country: US, tool: standard_clauses, ref: SCC.pdf, valid_until: 2027-01-01T01:00:00+01:00}]
        retention: P3Y
        resources:"""
    text = base.replace("        resources:", more).replace(
        "    evidence: [{kind: document, ref: agreement.pdf}]",
        f"    notice_sha256: {'ab' * 32}\n    evidence: [{{kind: document, ref: agreement.pdf}}]",
    )
    (version,) = register_rows(load({"r.yaml": text}))["register_versions"]
    assert version["data_subjects"] == ["customers", "employees"]
    assert (version["legitimate_interest_ref"], version["recipients"]) == ("LIA.pdf", ["Backup B.V."])
    assert version["transfers"] == [
        {"country": "US", "recipient": None, "tool": "standard_clauses", "ref": "SCC.pdf", "sha256": None,
         "valid_until": "2027-01-01T00:00:00Z"}
    ]  # fmt: skip
    assert (version["retention"], version["notice_sha256"]) == ("P3Y", "ab" * 32)


def test_resources_all(base: str, load: Loader) -> None:
    rows = register_rows(load({"r.yaml": base.replace("{groups: [33333333-3333-4333-8333-333333333331]}", "all")}))
    (version,) = rows["register_versions"]
    assert (version["covers_all"], version["resource_ids"], version["resource_groups"]) == (True, [], [])


def test_regions_are_countries_with_unions_written_out(base: str, load: Loader) -> None:
    text = base.replace("        resources:", "        regions: [US, EEA]\n        resources:")
    (version,) = register_rows(load({"r.yaml": text}))["register_versions"]
    regions = version["regions"]
    assert isinstance(regions, list)
    assert {"US", "NO", "NL", "RE"} <= set(regions)
    assert {"EEA", "EU", "GB", "CH"}.isdisjoint(regions)


def test_invalid_register_gives_no_row_at_all(base: str, load: Loader) -> None:
    register = load({"good.yaml": base, "bad.yaml": "record: x\n"})
    assert [record.record for record in register.records] == ["contoso-crm"]
    assert all(rows == [] for rows in register_rows(register).values())


def test_hashes_depend_on_what_is_said_not_on_how_it_is_written(base: str, load: Loader) -> None:
    first = load({"r.yaml": base})
    second = load(
        {
            "r.yaml": "# a comment\n"
            + base.replace("kind: document, ref: letter.pdf", "ref: 'letter.pdf',  kind: document")
        }
    )
    assert first.hash == second.hash
    assert first.records[0].entry_hashes == second.records[0].entry_hashes


def test_hash_of_a_changed_entry_changes_and_of_the_others_does_not(base: str, load: Loader) -> None:
    first = load({"r.yaml": base})
    second = load({"r.yaml": base.replace("Log mail in the CRM", "Something else")})
    assert first.hash != second.hash
    assert first.records[0].entry_hashes[0] != second.records[0].entry_hashes[0]
    assert first.records[0].entry_hashes[1] == second.records[0].entry_hashes[1]


def test_hash_of_the_register_sees_the_head_of_a_record(base: str, load: Loader) -> None:
    first = load({"r.yaml": base})
    second = load(
        {"r.yaml": base.replace("c0ffee00-0000-4000-8000-000000000001", "c0ffee00-0000-4000-8000-000000000002")}
    )
    assert first.hash != second.hash


def test_state_at_a_date(base: str, load: Loader) -> None:
    register = load({"r.yaml": base})
    (before,) = state_at(register, parse_at("2025-01-01"))
    (during,) = state_at(register, parse_at("2026-01-01"))
    (after,) = state_at(register, parse_at("2026-06-01T00:00:00+02:00"))
    assert [entry["processes"][0]["reason"] for entry in (before, during, after)] == [  # type: ignore[index]
        "before_start", None, "after_withdrawal",
    ]  # fmt: skip
    json.dumps([before, during, after])
    assert (before["version_in_force"], during["version_in_force"]) == (None, 0)
    assert state_at(register, parse_at("2026-01-01"), tenant="other") == []
    text = state_text(register, parse_at("2026-06-01"))
    assert "crm-mail  mail  not active: withdrawn or revoked (withdrawn 2026-05-18T12:00:00Z)" in text
    assert "active until 2026-05-18T12:00:00Z" in state_text(register, parse_at("2026-01-01"))


@pytest.mark.parametrize("text", ["yesterday", "2026-02-30", "2026-02-01T10:00:00"])
def test_at_must_be_a_day_or_a_time_with_zone(text: str) -> None:
    with pytest.raises(ConfigurationError, match="--at"):
        parse_at(text)


def test_at_a_day_means_its_first_moment() -> None:
    assert parse_at("2026-02-01") == datetime(2026, 2, 1, tzinfo=UTC)


def test_back_dating_is_shown(base: str, load: Loader) -> None:
    register = load({"r.yaml": base.replace("recorded_at: 2025-09-01T09:14:00Z", "recorded_at: 2025-09-11T00:00:00Z")})
    assert [(entry["entry"], entry["behind"]) for entry in back_dated(register)] == [(0, "10 days"), (1, "65 minutes")]
    assert "written down 10 days after it took effect" in check_text(register)


def test_check_summary_counts(base: str, load: Loader) -> None:
    register = load({"good.yaml": base, "bad.yaml": "record: X\n"})
    summary = check_summary(register)
    json.dumps(summary)
    assert (summary["state"], summary["files"], summary["records"], summary["entries"]) == ("invalid", 2, 1, 2)
    assert "register is invalid: 2 files, 1 valid records" in check_text(register)
    assert str(register.problems[0]) in check_text(register)


def _example(folder: Path, names: PermissionNames) -> Register:
    folder.mkdir()
    example = data_dir("config") / "consent.example.yaml"
    (folder / "example.yaml").write_text(example.read_text(encoding="utf-8"), encoding="utf-8")
    policy = load_policy(data_dir("config") / "policy.yaml").policy
    return load_register(folder, policy=policy, permissions=names)


def test_the_example_has_no_problem(tmp_path: Path, permissions: PermissionNames) -> None:
    register = _example(tmp_path / "consent", permissions)
    assert (register.problems, register.warnings) == ((), ())


def test_the_example_has_no_problem_with_the_real_catalogue(tmp_path: Path) -> None:
    catalogue = pytest.importorskip("m365audit.catalogue")
    register = _example(tmp_path / "consent", catalogue.permission_names())
    assert (register.problems, register.warnings) == ((), ())


@pytest.mark.parametrize(
    "case",
    [
        ("{name: Mail.Read, kind: application}", "mail", None, ""),
        ("{name: Calendars.ReadWrite, kind: delegated}", "calendar", None, ""),
        ("{name: full_access_as_app, kind: application, api: exchange_online}", "mail", None, ""),
        ("{name: CallRecords.Read.All, kind: application}", "telephony", None, ""),
        ("{name: ChatMessage.Send, kind: delegated}", "teams_chat", None, ""),
        ("{name: User.Read.All, kind: application}", "directory", None, ""),
        ("{name: Mail.ReadAll, kind: application}", "mail", "unknown_permission", "Mail.Read"),
        ("{name: full_access_as_app, kind: application}", "mail", "unknown_permission", "API"),
        ("{name: ChatMessage.Send, kind: application}", "teams_chat", "permission_wrong_kind", "delegated"),
        ("{name: Chat.Read.All, kind: application}", "mail", "permission_not_of_workload", "teams_chat"),
    ],
)
def test_permissions_with_the_real_catalogue(
    case: tuple[str, str, str | None, str], base: str, tmp_path: Path, policy: Policy
) -> None:
    permission, workload, code, advice = case
    catalogue = pytest.importorskip("m365audit.catalogue")
    text = base.replace("{name: Mail.Read, kind: application}", permission)
    (tmp_path / "r.yaml").write_text(text.replace("workload: mail", f"workload: {workload}"), encoding="utf-8")
    register = load_register(tmp_path, policy=policy, permissions=catalogue.permission_names())
    assert [problem.code for problem in register.problems] == ([] if code is None else [code])
    assert all(advice in problem.todo for problem in register.problems)


def test_a_long_history_is_laid_out_in_time(base: str, load: Loader, policy: Policy) -> None:
    """Two hundred versions, four hundred bounds: seconds would show in every run."""
    body = base[base.index("    evidence: [{kind: document, ref: agreement") : base.index("  - event: withdrawn")]
    entries = [
        f"  - event: {'granted' if number == 0 else 'renewed'}\n    recorded_at: 2025-09-01T09:14:00Z\n"
        f"    effective_from: {2000 + number}-01-01T00:00:00Z\n    effective_until: {2000 + number}-12-01T00:00:00Z\n"
        + body
        for number in range(200)
    ]
    register = load({"r.yaml": base[: base.index("  - event: granted")] + "".join(entries)}, under=policy)
    assert len(register_rows(register)["register_segments"]) == 401
