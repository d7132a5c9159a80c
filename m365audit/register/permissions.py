"""What the register must know about permissions, and the checks it makes with it. Knows no permission by itself."""

from __future__ import annotations

import re
from typing import Final, Protocol

from m365audit.config.spelling import shown
from m365audit.model import AUDITED_WORKLOADS
from m365audit.register.processes import DEFAULT_API
from m365audit.register.soundness import Sound

_KINDS: Final = ("application", "delegated")
_SEND_ONLY = re.compile(r"\.Send(?:\.All|\.Shared|\.Chat|\.Group|AsApp)?\Z")
_READ_ONLY = re.compile(r"\.Read(?:Basic)?(?:\.All|\.Shared|\.Chat|\.Group|\.User|\.WhereInstalled)?\Z")
_LISTED_WORKLOADS: Final = 4


class PermissionNames(Protocol):
    """Knowledge of permissions, given by the permission catalogue."""

    def exists(self, api: str, name: str, kind: str) -> bool:
        """Return whether an API has a permission of that exact name and kind."""

    def nearest(self, api: str, name: str, kind: str) -> str | None:
        """Return the existing name most like a misspelt one."""

    def workloads(self, api: str, name: str, kind: str) -> frozenset[str]:
        """Return the workloads that a permission reaches."""


def check_permissions(sound: Sound, path: tuple[str | int, ...], names: PermissionNames) -> None:
    """Check the permissions of one process: they exist, in that kind, reach its workload, and stand there once."""
    seen: dict[tuple[str, str, str], int] = {}
    for index in sound.indexes(*path, "permissions"):
        at = (*path, "permissions", index)
        name, kind = sound.text(*at, "name"), sound.text(*at, "kind")
        api = sound.text(*at, "api") or DEFAULT_API
        if name is None or kind is None or sound.is_broken(*at, "api"):
            continue
        if seen.setdefault((api, name, kind), index) != index:
            sound.problem("duplicate_permission", at, f"{name} ({kind}) is listed twice", "keep one of them")
            continue
        if _check_existence(sound, at, (api, name, kind), names):
            _check_workload(sound, at, (api, name, kind), names)
    _check_operations(sound, path)


def _check_existence(
    sound: Sound, path: tuple[str | int, ...], permission: tuple[str, str, str], names: PermissionNames
) -> bool:
    """Return whether a permission exists, complaining when it does not."""
    api, name, kind = permission
    if names.exists(api, name, kind):
        return True
    other = _KINDS[1 - _KINDS.index(kind)]
    if names.exists(api, name, other):
        close = names.nearest(api, name, kind)
        hint = f", or name one that does, e.g. {close}" if close and close != name else ""
        what = f"{name} exists as {other} permission only, not as {kind}"
        sound.problem("permission_wrong_kind", (*path, "kind"), what, f"write kind: {other}{hint}")
        return False
    close = names.nearest(api, name, kind)
    todo = f"did you mean {close}?" if close else "look up the exact name, and the API that it belongs to"
    sound.problem("unknown_permission", (*path, "name"), f"{shown(name)} is no {kind} permission of {api}", todo)
    return False


def _check_workload(
    sound: Sound, path: tuple[str | int, ...], permission: tuple[str, str, str], names: PermissionNames
) -> None:
    """Complain about a permission that does not reach its process's workload.

    The catalogue is complete for the audited workloads only; for the others, a permission of unknown reach passes.
    """
    workload = sound.text(*path[:-2], "workload")
    reached = names.workloads(*permission)
    if workload is None or workload in reached or (not reached and workload not in AUDITED_WORKLOADS):
        return
    listed = ", ".join(sorted(reached)[:_LISTED_WORKLOADS])
    what = f"{permission[1]} does not belong to workload {workload}"
    todo = f"move it to a process of workload {listed}" if listed else "remove it: it reaches no audited workload"
    sound.problem("permission_not_of_workload", (*path, "name"), what, todo)


def _check_operations(sound: Sound, path: tuple[str | int, ...]) -> None:
    """Warn about operations that none of the permissions can allow; only where the names leave no doubt."""
    listed = sound.texts(*path, "permissions", each="name")
    operations = sound.texts(*path, "operations")
    for pattern, allowed in ((_SEND_ONLY, "send"), (_READ_ONLY, "read")):
        beyond = [operation for operation in operations if operation != allowed]
        if listed and beyond and all(pattern.search(name) for name in listed):
            what = f"the permissions allow {allowed} only, but operations lists {', '.join(beyond)} too"
            todo = "remove the operation, or add the permission that it needs"
            sound.warning("operation_beyond_permissions", (*path, "operations"), what, todo)
