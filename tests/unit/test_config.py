"""Configuration and policy: defaults, paths, every mistake by line, and what is left when a part is broken."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError  # type: ignore[import-untyped]

from m365audit.config import (
    CertificateCredential,
    CloudEndpoints,
    iso,
    load_policy,
    load_settings,
    parse_duration,
    parse_period,
    parse_time,
)
from m365audit.config.durations import DurationError, Period, TimeError
from m365audit.config.settings import ENVIRONMENT_VARIABLE
from m365audit.config.spelling import nearest, shown
from m365audit.config.yamlnodes import dotted, read_document
from m365audit.errors import ConfigurationError
from m365audit.model import AUDITED_WORKLOADS, FEEDS, Problem
from m365audit.resources import data_dir, yaml_values

REPOSITORY = Path(__file__).parents[2]
TENANT = "11111111-1111-4111-8111-111111111111"
MINIMAL = f"tenants:\n  - id: {TENANT}\n"
CASES: list[dict[str, Any]] = yaml_values((Path(__file__).parent / "config_faults.yml").read_text(encoding="utf-8"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "m365audit.yaml"


def _problems(case: dict[str, Any], file: Path) -> tuple[Problem, ...]:
    file.write_text(case.get("text", MINIMAL + case.get("add", "") + "\n"), encoding="utf-8")
    return load_policy(file).problems if case["of"] == "policy" else load_settings(file).problems


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['of']}: {case['name']}")
def test_fault_is_named_with_line_and_advice(case: dict[str, Any], file: Path) -> None:
    problems = _problems(case, file)
    (problem,) = [found for found in problems if found.code == case["code"]]
    assert problem.line == case["line"]
    assert case["what"] in problem.what
    assert case["todo"] in problem.todo
    assert problem.file == str(file)
    assert not any("hunter2" in str(found) for found in problems)
    extra = {found.code for found in problems} - {case["code"]}
    assert extra == set()


def test_every_code_of_settings_and_policy_has_a_case() -> None:
    codes = set()
    for name in ("settings", "credentials", "policy"):
        tree = ast.parse((REPOSITORY / "m365audit" / "config" / f"{name}.py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if called in {"fault", "problem", "Refusal"}:
                    codes.add(node.args[0].value)
    assert len(codes) >= 10
    assert codes - {case["code"] for case in CASES} == set()


def test_only_a_tenant_id_is_required(file: Path) -> None:
    file.write_text(MINIMAL, encoding="utf-8")
    loaded = load_settings(file)
    settings = loaded.settings
    assert loaded.is_valid
    assert loaded.problems == ()
    assert settings.state == file.parent / "state"
    assert settings.publish == file.parent / "publish"
    assert settings.register_folder == file.parent / "consent"
    assert settings.policy == file.parent / "policy.yaml"
    assert settings.cloud == "global"
    (tenant,) = settings.tenants
    assert (tenant.id, tenant.display_name, tenant.credential, tenant.feeds, tenant.imports) == (
        TENANT, TENANT, None, FEEDS, (),
    )  # fmt: skip


def test_everything_written_out(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/auditor")
    file.write_text(
        f"""
state: ../private
publish: /srv/publish
register: ~/consent
policy: p.yaml
cloud:
  {{login: https://127.0.0.1:8443, graph: https://127.0.0.1:8444/, manage: https://127.0.0.1:8445, ca_file: ca.pem}}
tenants:
  - id: {TENANT.replace("1111-", "AAAA-", 1)}
    name: Contoso
    credential: {{kind: certificate, client_id: 22222222-2222-4222-8222-222222222222, file: key.pem}}
    feeds: [users, graph_activity]
    import: [{{path: exports}}, {{kind: sign_ins, path: /exports/x}}]
""",
        encoding="utf-8",
    )
    loaded = load_settings(file)
    assert loaded.problems == ()
    settings = loaded.settings
    assert settings.state == file.parent.parent / "private"
    assert settings.publish == Path("/srv/publish")
    assert settings.register_folder == Path("/home/auditor/consent")
    assert isinstance(settings.cloud, CloudEndpoints)
    assert settings.cloud.graph == "https://127.0.0.1:8444"
    assert settings.cloud.ca_file == file.parent / "ca.pem"
    (tenant,) = settings.tenants
    assert tenant.id == "1111aaaa-1111-4111-8111-111111111111"
    assert isinstance(tenant.credential, CertificateCredential)
    assert tenant.credential.file == file.parent / "key.pem"
    assert tenant.feeds == ("graph_activity", "users")
    assert [(entry.kind, entry.path) for entry in tenant.imports] == [
        (None, file.parent / "exports"), ("sign_ins", Path("/exports/x")),
    ]  # fmt: skip
    assert settings.tenant("CONTOSO") is tenant
    assert settings.tenant(tenant.id.upper()) is tenant
    assert settings.tenant("other") is None


@pytest.mark.parametrize("kind", ["secret_file", "managed_identity", "workload_identity", "azure_cli"])
def test_other_credentials(kind: str, file: Path) -> None:
    client = "client_id: 22222222-2222-4222-8222-222222222222"
    more = {"secret_file": f", {client}, file: s.txt", "workload_identity": f", {client}, token_file: t"}.get(kind, "")
    file.write_text(MINIMAL + f"    credential: {{kind: {kind}{more}}}\n", encoding="utf-8")
    loaded = load_settings(file)
    assert loaded.problems == ()
    assert loaded.settings.tenants[0].credential is not None
    assert loaded.settings.tenants[0].credential.kind == kind


def test_all_problems_at_once_and_the_rest_still_usable(file: Path) -> None:
    file.write_text(
        f"""state: ./s
publish: 5
cloud: globl
tenants:
  - id: {TENANT}
    name: Contoso
    feeds: [nothing, else]
    import: [{{path: exports}}]
  - id: nonsense
  - name: nameless
  - id: 33333333-3333-4333-8333-333333333333
    credential: {{kind: certificate}}
  - word
""",
        encoding="utf-8",
    )
    loaded = load_settings(file)
    assert not loaded.is_valid
    assert [(problem.line, problem.code) for problem in loaded.problems] == [
        (2, "bad_path"),
        (3, "unknown_value"),
        (7, "unknown_value"),
        (7, "unknown_value"),
        (9, "not_a_guid"),
        (10, "missing_key"),
        (12, "missing_key"),
        (12, "missing_key"),
        (13, "wrong_shape"),
    ]
    settings = loaded.settings
    assert settings.state == file.parent / "s"
    assert settings.publish == file.parent / "publish"
    assert [tenant.id for tenant in settings.tenants] == [TENANT, "33333333-3333-4333-8333-333333333333"]
    assert settings.tenants[0].name == "Contoso"
    assert settings.tenants[0].feeds == FEEDS
    assert settings.tenants[0].imports[0].path == file.parent / "exports"
    assert settings.tenants[1].credential is None


@pytest.mark.parametrize("text", ["", "tenants: [", "- a\n", "tenants: 5\n", "a: &x 1\nb: *x\n"])
def test_hopeless_files_still_give_default_settings(text: str, file: Path) -> None:
    file.write_text(text, encoding="utf-8")
    loaded = load_settings(file)
    assert not loaded.is_valid
    assert loaded.settings.state == file.parent / "state"
    assert loaded.settings.tenants == ()


def test_overlapping_folders_fall_back_to_the_defaults(file: Path) -> None:
    file.write_text(MINIMAL + "state: ./publish\n", encoding="utf-8")
    loaded = load_settings(file)
    assert [problem.code for problem in loaded.problems] == ["overlapping_folders"]
    assert (loaded.settings.state, loaded.settings.publish) == (file.parent / "state", file.parent / "publish")


def test_where_the_file_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named, of_environment, here = tmp_path / "named.yaml", tmp_path / "environment.yaml", tmp_path / "m365audit.yaml"
    for path in (named, of_environment, here):
        path.write_text(MINIMAL + f"state: ./{path.stem}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)
    assert load_settings().settings.state.name == "m365audit"
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(of_environment))
    assert load_settings().settings.state.name == "environment"
    assert load_settings(named).settings.state.name == "named"


def test_missing_configuration_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="m365audit init"):
        load_settings(tmp_path / "none.yaml")


def test_missing_policy_means_the_defaults(tmp_path: Path) -> None:
    loaded = load_policy(tmp_path / "none.yaml")
    assert loaded.is_valid
    assert loaded.is_default
    assert loaded.policy.workloads == AUDITED_WORKLOADS
    assert loaded.policy.membership_before_first == timedelta(days=31)
    assert loaded.policy.settle_after == timedelta(hours=24)
    assert loaded.policy.consent_record_within == timedelta(days=7)
    with pytest.raises(ConfigurationError, match="no policy"):
        load_policy(tmp_path / "none.yaml", must_exist=True)


def test_policy_as_written(file: Path) -> None:
    file.write_text("workloads: [mail]\nmembership_before_first: P2W\nsettle_after: PT0S\n", encoding="utf-8")
    loaded = load_policy(file)
    assert (loaded.problems, loaded.is_default) == ((), False)
    assert loaded.policy.workloads == ("mail",)
    assert loaded.policy.membership_before_first == timedelta(weeks=2)
    assert loaded.policy.settle_after == timedelta(0)


def test_shipped_examples_have_no_problem() -> None:
    folder = data_dir("config")
    assert load_settings(folder / "m365audit.example.yaml").problems == ()
    policy = load_policy(folder / "policy.yaml")
    assert policy.problems == ()
    assert policy.policy.version_names == ("2025-08-07",)
    assert policy.policy.breach is not None
    assert policy.policy.breach.authority_hours == 72
    assert [clause.number for clause in policy.policy.clauses] == [str(number) for number in range(1, 17)]


def test_schemas_are_up_to_date() -> None:
    script = REPOSITORY / "tools" / "generate_schemas.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\nrun tools/generate_schemas.py"


@pytest.mark.parametrize(
    "name",
    ["adequacy.yml", "clocks.yml", "consent.example.yaml", "controls.yml", "m365audit.example.yaml", "policy.yaml"],
)
def test_shipped_files_fit_the_schema_that_they_name(name: str) -> None:
    text = (data_dir("config") / name).read_text("utf-8")
    named = re.match(r"# yaml-language-server: \$schema=(schemas/[a-z]+\.schema\.json)\n", text)
    assert named is not None
    schema = json.loads((data_dir("config") / named[1]).read_text("utf-8"))
    written = json.loads(json.dumps(yaml_values(text), default=lambda value: value.isoformat()))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(written)
    with pytest.raises(ValidationError):
        Draft202012Validator(schema).validate({**written, "unknown key": 1})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PT24H", timedelta(hours=24)),
        ("P7D", timedelta(days=7)),
        ("P2W", timedelta(weeks=2)),
        ("P1W1DT1H1M1S", timedelta(days=8, hours=1, minutes=1, seconds=1)),
        ("PT0S", timedelta(0)),
        ("PT1.5H", timedelta(minutes=90)),
        ("PT0,5S", timedelta(milliseconds=500)),
    ],
)
def test_durations(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "P1DT", "1D", "P1", "P-1D", "-P1D", "PT1.5H1M", "P1M", "P1Y", "P0M", "pt1h", "PT1H ", "P1D\n",
     "P٣D", "PT1H1D", "P999999999W", "P" + "9" * 40 + "D"],
)  # fmt: skip
def test_refused_durations(text: str) -> None:
    with pytest.raises(DurationError) as caught:
        parse_duration(text)
    assert caught.value.todo


def test_periods_may_have_years_and_months() -> None:
    assert parse_period("P3Y") == Period(3, 0, timedelta(0))
    assert parse_period("P1Y6M2DT1H") == Period(1, 6, timedelta(days=2, hours=1))
    with pytest.raises(DurationError):
        parse_period("P1.5Y")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-09-01T09:14:00Z", "2025-09-01T09:14:00Z"),
        ("2025-09-01t09:14:00z", "2025-09-01T09:14:00Z"),
        ("2025-09-01 09:14Z", "2025-09-01T09:14:00Z"),
        ("2025-09-01T01:14:00+02:00", "2025-08-31T23:14:00Z"),
        ("2025-09-01T01:14:00-0230", "2025-09-01T03:44:00Z"),
        ("2025-09-01T09:14:00.1234569Z", "2025-09-01T09:14:00.123456Z"),
        ("2025-09-01T09:14:00.5Z", "2025-09-01T09:14:00.500000Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
    ],
)
def test_times(text: str, expected: str) -> None:
    assert iso(parse_time(text)) == expected


@pytest.mark.parametrize(
    "text",
    ["", "2025-09-01", "2025-09-01T09:14:00", "2025-13-01T00:00:00Z", "2025-09-01T24:00:00Z", "2025-09-01T00:00:60Z",
     "1969-12-31T23:59:59Z", "9999-12-31T23:59:59-01:00", "2025-09-01T00:00:00+25:00", "2025-09-01T00:00:00Z\n", "now",
     "٢٠٢٥-09-01T00:00:00Z"],
)  # fmt: skip
def test_refused_times(text: str) -> None:
    with pytest.raises(TimeError) as caught:
        parse_time(text)
    assert caught.value.todo


def test_values_keep_what_was_meant(file: Path) -> None:
    file.write_text(
        '\ufeffday: 2025-08-07\ntrue_: true\nnumber: -12\nfraction: 1.50\nnothing: ~\nquoted: "NO"\n'
        "'on': 1\nblock: |\n  a\n  b\nlist:\n- x\n- {y: 'z'}\n",
        encoding="utf-8",
    )  # fmt: skip
    document = read_document(file)
    assert document.problems == []
    assert document.value == {
        "day": "2025-08-07", "true_": True, "number": -12, "fraction": 1.5, "nothing": None, "quoted": "NO", "on": 1,
        "block": "a\nb\n", "list": ["x", {"y": "z"}],
    }  # fmt: skip
    assert [document.line(path) for path in (("day",), ("block",), ("list", 0), ("list", 1, "y"), ("none",))] == [
        1, 8, 12, 13, 1,
    ]  # fmt: skip


def test_a_bomb_of_aliases_does_nothing(file: Path) -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 200)]
    file.write_text("\n".join(lines), encoding="utf-8")
    document = read_document(file)
    assert {problem.code for problem in document.problems} == {"alias", "anchor"}


def test_paths_are_written_as_people_do() -> None:
    assert dotted(("history", 1, "processes", 0, "workload")) == "history[1].processes[0].workload"
    assert dotted(()) == ""
    assert dotted(("a\x1b", "b")).isprintable()
    assert len(dotted(("k" * 10_000,))) < 100


def test_nearest_word() -> None:
    assert nearest("MAIL", ("mail", "calendar")) == "mail"
    assert nearest("calender", ("mail", "calendar")) == "calendar"
    assert nearest("zzz", ("mail", "calendar")) is None


def test_hostile_values_are_shown_safely() -> None:
    assert shown("a\x1b[31mb") == "'a\N{REPLACEMENT CHARACTER}[31mb'"
    assert len(shown("x" * 10_000)) < 80
    assert shown(None) == "None"
