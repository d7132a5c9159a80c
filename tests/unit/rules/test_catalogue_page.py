"""The generated page says what the headers say."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

from places import REPOSITORY
from rule_database import MemoryDatabase

from m365audit.rules.catalogue_page import catalogue_page
from m365audit.rules.loader import load_hunts, load_rules


def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_docs", REPOSITORY / "tools" / "generate_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    path = list(sys.path)
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path[:] = path
    return module


def test_the_generated_pages_are_fresh() -> None:
    assert tool().stale_pages() == []


def test_every_rule_and_hunt_stands_on_the_page() -> None:
    schema = MemoryDatabase()
    rules, hunts = load_rules(schema), load_hunts(schema)
    page = catalogue_page(rules, hunts)
    for rule in rules:
        assert page.count(f"### {rule.id}\n") == 1
        assert rule.misses in page
    for hunt in hunts:
        assert f"### {hunt.id}\n" in page
        for parameter in hunt.parameters:
            assert parameter.description in page
    assert catalogue_page(rules[::-1], hunts[::-1]) == page
