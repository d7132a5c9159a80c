"""Whatever stands in a register or configuration, reading it ends with problems that help, never with a crash."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from m365audit.config import Policy, load_policy, load_settings
from m365audit.model import Problem
from m365audit.register import load_register, register_rows

BASE = (Path(__file__).parents[1] / "register" / "base.yaml").read_text(encoding="utf-8")
EXAMPLES = Path(__file__).parents[2] / "config"
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**30), 10**30), st.floats(), st.text(max_size=20),
    st.sampled_from(["all", "granted", "withdrawn", "P1M", "2025-09-01", "crm-mail", "*", "-----BEGIN", "{what}"]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "kind", "ids", "groups", "event", "\x1b[31m", "\n", "", "k" * 500]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


class AnyPermission:
    """Knows every permission, of every workload."""

    def exists(self, api: str, name: str, kind: str) -> bool:
        """Return True."""
        return bool(api and name and kind)

    def nearest(self, api: str, name: str, kind: str) -> str | None:
        """Return the name itself."""
        return name if api and kind else None

    def workloads(self, api: str, name: str, kind: str) -> frozenset[str]:
        """Return the base's workload."""
        return frozenset({"mail"}) if api and name and kind else frozenset()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


def _paths(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _paths(inner, (*path, key))


def _with(value: Any, path: tuple[Any, ...], replacement: object) -> object:
    if not path:
        return replacement
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[path[0]] = _with(value[path[0]], path[1:], replacement)
    return copied


def _check(folder: Path, data: bytes) -> tuple[Problem, ...]:
    (folder / "r.yaml").write_bytes(data)
    register = load_register(folder, policy=Policy(), permissions=AnyPermission())
    assert len(register.records) == (1 if register.is_valid else 0)
    json.dumps(register_rows(register))
    return (*register.problems, *register.warnings)


def _assert_helpful(problems: tuple[Problem, ...]) -> None:
    for problem in problems:
        assert problem.what
        assert problem.todo
        assert problem.code
        assert str(problem).isprintable()
        assert len(str(problem)) < 1_500


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_value_anywhere_in_a_record(folder: Path, data: st.DataObject) -> None:
    record = yaml.safe_load(BASE.replace("Z\n", "Z'\n").replace(": 20", ": '20"))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(list(_paths(record))))
        record = _with(record, path, data.draw(VALUES))
        if not isinstance(record, dict):
            break
    _assert_helpful(_check(folder, yaml.safe_dump(record, allow_unicode=True).encode("utf-8", "surrogatepass")))


@settings(max_examples=60, deadline=None)
@given(start=st.integers(0, len(BASE)), length=st.integers(0, 30), inserted=st.binary(max_size=12))
def test_damaged_text_of_a_record(folder: Path, start: int, length: int, inserted: bytes) -> None:
    text = BASE.encode()
    _assert_helpful(_check(folder, text[:start] + inserted + text[start + length :]))


@settings(max_examples=40, deadline=None)
@given(name=st.sampled_from(["m365audit.example.yaml", "policy.yaml"]), data=st.data())
def test_any_value_anywhere_in_settings_and_policy(folder: Path, name: str, data: st.DataObject) -> None:
    value = yaml.safe_load((EXAMPLES / name).read_text(encoding="utf-8").replace("2025-08-07\n", "'2025-08-07'\n"))
    path = data.draw(st.sampled_from(list(_paths(value))))
    text = yaml.safe_dump(_with(value, path, data.draw(VALUES)), allow_unicode=True)
    file = folder / "any.txt"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    loaded = load_settings(file)
    assert loaded.settings.state.is_absolute()
    _assert_helpful(loaded.problems)
    _assert_helpful(load_policy(file).problems)
