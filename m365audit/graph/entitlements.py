"""Judges the permissions that the auditor itself holds: needed, missing, or more than an auditor may hold.

Nothing here asks anybody. An auditor reads what was done, never what was written: a permission that opens mail,
calendars, chats or files, or that can change anything, is refused, and with it the tenant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from m365audit.catalogue import auditor_permission_rows
from m365audit.graph.examination import Held
from m365audit.graph.failures import SignInError
from m365audit.graph.feeds.collection import Collection, Permission

STANDS_IN: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "Organization.Read.All": ("Directory.Read.All",),
        "Application.Read.All": ("Directory.Read.All",),
        "User.Read.All": ("Directory.Read.All",),
        "GroupMember.Read.All": ("Directory.Read.All",),
        "Directory.Read.All": ("DelegatedPermissionGrant.Read.All",),
        "Team.ReadBasic.All": ("TeamSettings.Read.All",),
        "ResourceSpecificPermissionGrant.ReadForTeam.All": ("TeamsAppInstallation.ReadForTeam.All",),
        "RoleManagement.Read.Exchange": ("RoleManagement.Read.All",),
        "CallRecord-PstnCalls.Read.All": ("CallRecords.Read.All",),
        "AuditLogsQuery-Exchange.Read.All": ("AuditLogsQuery.Read.All",),
        "AuditLogsQuery-Entra.Read.All": ("AuditLogsQuery.Read.All",),
        "AuditLogsQuery-SharePoint.Read.All": ("AuditLogsQuery.Read.All",),
        "AuditLogsQuery-OneDrive.Read.All": ("AuditLogsQuery.Read.All",),
    }
)
"""Permission → others that open the same, by Microsoft's published map of permissions and paths."""


def refusal(role: str) -> str:
    """Return why an auditor must not hold a permission; empty when it may.

    Only what is named as a permission to read counts as one: of names that Microsoft invents later, nobody knows. The
    rule ``auditor-holds-too-much`` goes by the same table.
    """
    told: dict[str, list[tuple[str, str]]] = {"reading": [], "role": [], "name": []}
    for row in auditor_permission_rows():
        told[row["what"]].append((row["name_part"], row["opens"]))
    opens = [what for beginning, what in told["role"] if role.startswith(beginning)]
    if opens:
        return f"opens {opens[0]}"
    if not any(re.fullmatch(pattern, role) for pattern, _ in told["reading"]):
        return "is more than a permission to read"
    _, what = max(((len(text), what) for text, what in told["name"] if role.startswith(text)), default=(0, ""))
    return f"opens {what}" if what else ""


def refused(roles: Iterable[str]) -> tuple[str, ...]:
    """Return those of a sign-in's application permissions (``graph/Mail.Read``) for which its tenant is refused."""
    return tuple(sorted(role for role in roles if refusal(role.rpartition("/")[2])))


def require_modest(roles: Iterable[str]) -> None:
    """Make sure that a sign-in opens nothing that an auditor must not see or change.

    Raises:
        SignInError: it does; nothing is to be read with it.
    """
    excess = refused(roles)
    if excess:
        names = ", ".join(role.rpartition("/")[2] for role in excess)
        raise SignInError(
            f"the auditor holds what an auditor must not hold ({names}), so nothing was read",
            hint="take it away from the application; `m365audit doctor` says why",
            is_refused=True,
        )


def needed(collections: Iterable[Collection]) -> dict[Permission, tuple[str, ...]]:
    """Return every permission that the collections need, with the names of those that need it."""
    found: dict[Permission, list[str]] = {}
    for collection in collections:
        for permission in collection.permissions:
            found.setdefault(permission, []).append(collection.name)
    return {permission: tuple(names) for permission, names in found.items()}


def judged(wanted: Mapping[Permission, tuple[str, ...]], held: Mapping[str, frozenset[str] | None]) -> tuple[Held, ...]:
    """Compare what is needed with what is held.

    Args:
        wanted: permissions with the collections that need them.
        held: service → application permissions in its token; None when its token does not say.
    """
    asked = [_asked(permission, names, held.get(permission.api)) for permission, names in wanted.items()]
    named = {(permission.api, permission.name) for permission in wanted}
    stand_ins = {name for permission in wanted for name in STANDS_IN.get(permission.name, ())}
    more = [
        Held(api, role, "", "refused" if refusal(role) else "covering" if role in stand_ins else "surplus", (),
             refusal(role))
        for api, roles in held.items()
        for role in sorted(roles or ())
        if (api, role) not in named
    ]  # fmt: skip
    return (*asked, *more)


def _asked(permission: Permission, names: tuple[str, ...], roles: frozenset[str] | None) -> Held:
    stand_in = next((name for name in STANDS_IN.get(permission.name, ()) if name in (roles or ())), "")
    if roles is None:
        state, why = "unknown", "its token does not say"
    elif permission.name in roles:
        state, why = "present", ""
    elif stand_in:
        state, why = "covered", f"by {stand_in}"
    else:
        state, why = "missing", ""
    return Held(permission.api, permission.name, permission.app_role_id, state, names, why)
