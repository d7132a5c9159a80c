"""Chromium as the system has it, and axe-core in it; what is not installed is a reason to skip, never to pass."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

AXE = Path(__file__).resolve().parents[1] / "browser" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@contextmanager
def chromium() -> Iterator[Any]:
    """Start Chromium without a window; skip where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("there is no chromium on this machine")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def violations(page: Any, but: str | None = None) -> list[str]:
    """Run axe-core on an open page and return what it objects to, ``but`` for one rule; skip where it is not."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: cd tests/browser && npm ci --ignore-scripts")
    # By the browser's own hand: the page's policy lets no script in.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
    found = [item for item in found["violations"] if item["id"] != but]
    return [
        f"{item['id']} ({item['impact']}): {node['target']} {node.get('failureSummary', '')[:200]}"
        for item in found
        for node in item["nodes"][:3]
    ]
