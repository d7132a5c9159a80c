"""Owns how paths with ids in them are recognised. Must never answer one."""

from __future__ import annotations

import re

_HOLE = re.compile(r"\{\}")
_KEYED = re.compile(r"\('?([^')]*)'?\)")


def path_pattern(template: str) -> re.Pattern[str]:
    """Return a pattern for a path; ``{}`` stands for one segment, letters may have any case."""
    parts = _HOLE.split(template)
    return re.compile("([^/]+)".join(re.escape(part) for part in parts) + r"/?", re.IGNORECASE)


def version_and_rest(path: str) -> tuple[str, str]:
    """Return Graph's version and the rest of a path; a key in parentheses becomes a segment (``users('x')``)."""
    _, _, after = path.partition("/")
    version, slash, rest = after.partition("/")
    if version.lower() not in {"v1.0", "beta"}:
        return "", path
    if "DateTime=" not in rest:
        rest = _KEYED.sub(r"/\1", rest)
    return version.lower(), slash + rest
