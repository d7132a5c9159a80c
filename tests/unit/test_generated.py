"""What is generated from the product's own files is what those files say now."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

from conftest import REPOSITORY


def _tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, REPOSITORY / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_fresh() -> None:
    """The rule catalogue and the data dictionary equal what would be generated."""
    assert _tool("generate_docs").stale_pages() == []
