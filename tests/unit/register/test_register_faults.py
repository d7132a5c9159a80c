"""Every mistake that a person can make in a consent record has its own message, on the right line, with advice."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from m365audit.config import Policy, yamlnodes
from m365audit.config.yamlnodes import MAX_BYTES
from m365audit.model import Problem
from m365audit.register import PermissionNames, Register, load_register
from m365audit.resources import yaml_values

REPOSITORY = Path(__file__).parents[3]
FAULTS = REPOSITORY / "tests" / "register" / "faults"
CASES: list[dict[str, Any]] = [
    case for file in sorted(FAULTS.glob("*.yml")) for case in yaml_values(file.read_text(encoding="utf-8"))
]
Loader = Callable[..., Register]
_FEW_NODES = 1_000


def edited(base: str, change: dict[int, str | None]) -> str:
    lines: list[str | None] = list(base.splitlines())
    for number, text in change.items():
        lines[number - 1] = text
    return "\n".join(line for line in lines if line is not None) + "\n"


def _found(problems: tuple[Problem, ...], case: dict[str, Any]) -> Problem:
    matching = [problem for problem in problems if (problem.code, problem.line) == (case["code"], case["line"])]
    assert matching, f"no {case['code']} on line {case['line']} in {[str(problem) for problem in problems]}"
    return matching[0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_fault_is_named_with_line_and_advice(case: dict[str, Any], base: str, load: Loader, policy: Policy) -> None:
    text = case["text"] if "text" in case else edited(base, case["change"])
    under = Policy() if case.get("no_versions") else policy
    register = load({"record.yaml": text}, under=under)
    is_warning = case.get("is_warning", False)
    problem = _found(register.warnings if is_warning else register.problems, case)
    assert case["what"] in problem.what
    assert case["todo"] in problem.todo
    assert problem.file.endswith("record.yaml")
    assert register.is_valid is is_warning
    assert len(register.records) == (1 if is_warning else 0)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_one_fault_is_told_once(case: dict[str, Any], base: str, load: Loader, policy: Policy) -> None:
    """No mistake drags further complaints along; those that really are two mistakes say so here."""
    companions = {"alias": {"anchor"}, "begins_without_grant": {"unknown_process"}}
    text = case["text"] if "text" in case else edited(base, case["change"])
    register = load({"record.yaml": text}, under=Policy() if case.get("no_versions") else policy)
    codes = [problem.code for problem in (*register.problems, *register.warnings)]
    extra = set(codes) - {case["code"]} - companions.get(case["code"], set())
    if case["code"] in {"unknown_key", "ending_with_until"}:
        extra -= {"missing_key"}
    assert not extra
    assert codes.count(case["code"]) == 1


def test_the_base_has_no_fault(base: str, load: Loader) -> None:
    register = load({"record.yaml": base})
    assert (register.problems, register.warnings) == ((), ())
    assert [record.record for record in register.records] == ["contoso-crm"]


def test_all_faults_of_all_files_are_told_at_once(base: str, load: Loader) -> None:
    first = edited(
        base, {2: "record: A B", 10: "    recorded_at: x", 18: "        workload: maill", 25: "    processes: [q]"}
    )
    second = edited(base, {2: "record: other", 17: None, 20: "        operations: []"})
    register = load({"a.yaml": first, "b/c.yml": second})
    assert [(Path(problem.file).name, problem.line, problem.code) for problem in register.problems] == [
        ("a.yaml", 2, "bad_identifier"),
        ("a.yaml", 10, "bad_time"),
        ("a.yaml", 18, "unknown_value"),
        ("a.yaml", 25, "unknown_process"),
        ("c.yml", 15, "missing_key"),
        ("c.yml", 19, "empty_list"),
    ]


# Faults that are not text: each builds the folder and returns what it expects.


def _absent(folder: Path) -> str:
    folder.rmdir()
    return "no_register"


def _a_file(folder: Path) -> str:
    folder.rmdir()
    folder.write_text("x", encoding="utf-8")
    return "no_register"


def _too_many_bytes(folder: Path) -> str:
    (folder / "r.yaml").write_bytes(b"#" * (MAX_BYTES + 1))
    return "too_large"


def _too_many_values(folder: Path) -> str:
    (folder / "r.yaml").write_text("a: [" + "1," * (_FEW_NODES + 1) + "]", encoding="utf-8")
    return "too_large"


def _latin_1(folder: Path) -> str:
    (folder / "r.yaml").write_bytes("schema: x\nrecord: é\n".encode("latin-1"))
    return "not_utf8"


def _utf_16(folder: Path) -> str:
    (folder / "r.yaml").write_text("schema: x\n", encoding="utf-16")
    return "not_utf8"


def _fifo(folder: Path) -> str:
    os.mkfifo(folder / "r.yaml")
    return "unreadable"


def _dangling(folder: Path) -> str:
    (folder / "r.yaml").symlink_to(folder / "gone")
    return "unreadable"


def _link_out(folder: Path) -> str:
    (folder.parent / "other.yaml").write_text("secret: 1", encoding="utf-8")
    (folder / "r.yaml").symlink_to(folder.parent / "other.yaml")
    return "link_out_of_register"


def _folder_link_out(folder: Path) -> str:
    (folder.parent / "elsewhere").mkdir()
    (folder / "sub").symlink_to(folder.parent / "elsewhere")
    return "link_out_of_register"


BUILT = [
    _absent, _a_file, _too_many_bytes, _too_many_values, _latin_1, _utf_16, _fifo, _dangling, _link_out,
    _folder_link_out,
]  # fmt: skip


@pytest.mark.parametrize("build", BUILT)
def test_faults_of_the_folder(
    build: Callable[[Path], str],
    tmp_path: Path,
    policy: Policy,
    permissions: PermissionNames,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(yamlnodes, "MAX_NODES", _FEW_NODES)
    folder = tmp_path / "consent"
    folder.mkdir()
    code = build(folder)
    register = load_register(folder, policy=policy, permissions=permissions)
    assert [problem.code for problem in register.problems] == [code]
    assert register.problems[0].todo
    assert not register.is_valid
    assert register.state == ("absent" if build is _absent else "invalid")


def test_record_in_two_files(base: str, load: Loader) -> None:
    register = load({"a.yaml": base, "b.yaml": base})
    (problem,) = register.problems
    assert (problem.code, problem.line, Path(problem.file).name) == ("duplicate_record", 2, "b.yaml")
    assert "a.yaml:2" in problem.what


def test_overlap_is_a_warning_and_both_count(base: str, load: Loader) -> None:
    register = load({"a.yaml": base, "b.yaml": edited(base, {2: "record: second"})})
    assert register.is_valid
    assert [record.record for record in register.records] == ["contoso-crm", "second"]
    (warning,) = register.warnings
    assert (warning.code, warning.line, Path(warning.file).name) == ("overlapping_records", 7, "b.yaml")
    assert "contoso-crm" in warning.what


@pytest.mark.parametrize(
    "change",
    [
        {2: "record: second", 3: "tenant: 22222222-2222-4222-8222-222222222222"},
        {2: "record: second", 7: "  app_ids: [c0ffee00-0000-4000-8000-000000000002]"},
        {
            2: "record: second",
            10: "    recorded_at: 2026-01-01T00:00:00Z",
            11: "    effective_from: 2026-05-18T12:00:00Z",
            24: "    effective_from: 2026-06-18T12:00:00Z",
        },
    ],
    ids=["tenant", "app", "begins when the other was withdrawn"],
)
def test_records_that_share_no_time_tenant_and_app_do_not_overlap(
    change: dict[int, str | None], base: str, load: Loader
) -> None:
    assert load({"a.yaml": base, "b.yaml": edited(base, change)}).warnings == ()


def test_empty_register_is_valid_with_a_warning(load: Loader) -> None:
    register = load({"README.md": "# nothing", ".hidden.yaml": "x", ".git/config.yaml": "x"})
    assert register.is_valid
    assert register.state == "valid"
    assert [warning.code for warning in register.warnings] == ["empty_register"]
    assert register.files == ()


def _codes_in(path: Path) -> Iterator[str]:
    """Yield every problem code that a module can give, from its syntax tree."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            position = {"fault": 0, "problem": 0, "warning": 0, "Refusal": 0, "Trap": 0, "Problem": 5}.get(name)
            if position is not None and len(node.args) > position and isinstance(node.args[position], ast.Constant):
                yield ast.literal_eval(node.args[position])
            yield from (ast.literal_eval(word.value) for word in node.keywords
                        if word.arg == "code" and isinstance(word.value, ast.Constant))  # fmt: skip
        is_words = path.name == "complaints.py" and isinstance(node, ast.Tuple) and len(node.elts) == 3
        is_repeat = path.name == "checks.py" and isinstance(node, ast.Tuple) and len(node.elts) == 2
        if isinstance(node, ast.Tuple) and (is_words or is_repeat) and isinstance(node.elts[0], ast.Constant):
            first = ast.literal_eval(node.elts[0])
            if isinstance(first, str) and first.replace("_", "").isalpha() and first.islower() and "_" in first:
                yield first


def test_every_code_of_the_source_has_a_case() -> None:
    shared = ["yamlnodes.py", "scalars.py", "shapes.py", "complaints.py"]
    modules = [*(REPOSITORY / "m365audit" / "register").glob("*.py")]
    modules += [REPOSITORY / "m365audit" / "config" / name for name in shared]
    in_source = {code for module in modules for code in _codes_in(module)}
    covered = {case["code"] for case in CASES} | {
        "no_register", "too_large", "not_utf8", "unreadable", "link_out_of_register", "duplicate_record",
        "overlapping_records", "empty_register",
    }  # fmt: skip
    # Numbers and truth values stand in the policy only; test_config.py has their cases.
    of_policy = {"not_a_number", "not_a_truth_value", "out_of_range", "too_long", "missing_key"}
    assert len(in_source) > 60
    assert in_source - covered - of_policy == set()
    assert covered - in_source == set()
