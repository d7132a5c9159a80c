"""Answers questions about permission names; owns no permission, grants nothing.

Source of facts: ``permissions.csv`` (names, ids and reach of Microsoft Graph's and Exchange's permissions).
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from functools import cache

from m365audit.catalogue.files import table


class PermissionNames:
    """Which permissions exist, by API and kind (``application`` or ``delegated``), and what they reach."""

    def __init__(self) -> None:
        self._reach: dict[tuple[str, str, str], frozenset[str]] = {}
        self._names: dict[tuple[str, str], list[str]] = defaultdict(list)
        for row in table("permissions"):
            key = (row["api"], row["name"], row["kind"])
            if key not in self._reach:
                self._names[row["api"], row["kind"]].append(row["name"])
            self._reach[key] = self._reach.get(key, frozenset()) | frozenset(row["workloads"].split())

    def apis(self) -> frozenset[str]:
        """Return the APIs that the catalogue knows, e.g. ``microsoft_graph``."""
        return frozenset(api for api, _ in self._names)

    def exists(self, api: str, name: str, kind: str) -> bool:
        """Tell whether the API has a permission of exactly this name in this kind."""
        return (api, name, kind) in self._reach

    def workloads(self, api: str, name: str, kind: str) -> frozenset[str]:
        """Return the workloads that the permission reaches; empty when it reaches none or does not exist."""
        return self._reach.get((api, name, kind), frozenset())

    def nearest(self, api: str, name: str, kind: str) -> str | None:
        """Return the existing name that looks most like a misspelt one, None when nothing comes close."""
        by_folded = {known.lower(): known for known in self._names.get((api, kind), ())}
        close = difflib.get_close_matches(name.lower(), by_folded, n=1, cutoff=0.6)
        return by_folded[close[0]] if close else None


@cache
def permission_names() -> PermissionNames:
    """Return the catalogue of permission names (read once)."""
    return PermissionNames()


@cache
def _names_by_id() -> dict[tuple[str, str, str], str]:
    return {(row["resource_app_id"], row["kind"], row["id"]): row["name"] for row in table("permissions") if row["id"]}


def role_name(resource_app_id: str, kind: str, guid: str) -> str | None:
    """Return the name of an app role (``application``) or scope (``delegated``), None when it is not known.

    Ids are unique only within one resource and one kind: Microsoft Graph and Exchange share some of them.
    """
    return _names_by_id().get((resource_app_id.lower(), kind, guid.lower()))
