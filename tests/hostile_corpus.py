"""Reads the hostile strings of tests/hostile_strings: what attackers write into names, paths and logs."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

FOLDER = Path(__file__).resolve().parent / "hostile_strings"


@cache
def families() -> dict[str, tuple[str, ...]]:
    """Return every string by what it attacks."""
    found: dict[str, tuple[str, ...]] = {}
    for path in sorted(FOLDER.glob("*.yml")):
        for family, strings in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            assert family not in found
            found[family] = tuple(_text(string) for string in strings)
    return found


def _text(string: str | dict[str, str | int]) -> str:
    if isinstance(string, str):
        return string
    return str(string["text"]) * int(string["times"])


@cache
def hostile() -> tuple[str, ...]:
    """Return every string once."""
    return tuple(dict.fromkeys(string for strings in families().values() for string in strings))
