"""What an examination of the auditor's own access comes to: frozen values, the same for people and machines.

Facts and verdicts on them; never a secret, never a record of anybody's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

VERDICTS: Final = ("ready", "incomplete", "refused", "locked_out", "imports_only")
"""Everything can be read; something cannot; the auditor holds what it must not; not let in; fed by files alone."""

PERMISSION_STATES: Final = ("present", "covered", "missing", "unknown", "covering", "surplus", "refused")
"""Held; held by a wider one; not held; its token does not say; held in a narrower one's place; held for nothing; held
though an auditor must not."""

READING_STATES: Final = (
    "readable", "empty", "permitted", "not_started", "licence", "permission", "disabled", "absent", "unseen", "error",
)  # fmt: skip
"""Of a collection: has records; answers, with none of the last day; may be read, not tried; on at the first run; not
bought; not allowed; switched off; not in this cloud; nothing is known to come; not found out."""

GOOD: Final = frozenset(("readable", "empty", "permitted", "not_started"))
WARN_DAYS: Final = 30
"""Days before its end from which a credential is warned of."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """Whether the auditor is let in.

    Attributes:
        state: ``works``, ``refused``, ``unreachable`` or ``none`` (no credential is configured).
        kind: kind of its credential.
        client_id: application id of the auditor.
        code: ``AADSTS7000222`` and the like; empty.
        message: what is wrong; empty when it works.
        todo: the next step; empty when it works.
        ends_at: end of the credential's life, None when nobody can know.
        days_left: whole days until then, by Microsoft's clock.
    """

    state: str
    kind: str = ""
    client_id: str = ""
    code: str = ""
    message: str = ""
    todo: str = ""
    ends_at: datetime | None = None
    days_left: int | None = None

    @property
    def ends_soon(self) -> bool:
        """It is time for another credential."""
        return self.days_left is not None and self.days_left <= WARN_DAYS


@dataclass(frozen=True, slots=True)
class Held:
    """One application permission that is needed, or held.

    Attributes:
        api: ``graph``, ``manage`` or ``storage``.
        name: as Microsoft writes it.
        app_role_id: what an assignment names; empty for those that nobody needs.
        state: one of ``PERMISSION_STATES``.
        collections: which need it.
        why: what to know about its state; empty.
    """

    api: str
    name: str
    app_role_id: str
    state: str
    collections: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Licence:
    """One thing that a tenant may have bought.

    Attributes:
        name: in words.
        plans: service plans of which each brings it.
        state: ``yes``, ``no`` or ``unknown``.
        brings: what it brings to the audit.
    """

    name: str
    plans: tuple[str, ...]
    state: str
    brings: str


@dataclass(frozen=True, slots=True)
class Reading:
    """Whether one collection can be read.

    Attributes:
        collection: its name.
        feeds: feeds whose coverage it fills.
        state: one of ``READING_STATES``.
        detail: what was seen, or what is wrong; empty.
        todo: the next step; empty.
        unassessable: what cannot be said without it; empty when it can be read.
    """

    collection: str
    feeds: tuple[str, ...]
    state: str
    detail: str = ""
    todo: str = ""
    unassessable: str = ""


@dataclass(frozen=True, slots=True)
class Examination:
    """One tenant.

    Attributes:
        tenant: tenant id.
        name: its name in the configuration.
        sign_in: whether the auditor is let in.
        permissions: needed ones, then others that it holds.
        licences: what the tenant has bought.
        readings: every collection that is wanted.
        consent_link: where an administrator grants what the application asks for; empty without a client id.
        examined_at: by Microsoft's clock, None when it never answered.
    """

    tenant: str
    name: str
    sign_in: SignIn
    permissions: tuple[Held, ...] = ()
    licences: tuple[Licence, ...] = ()
    readings: tuple[Reading, ...] = ()
    consent_link: str = ""
    examined_at: datetime | None = None

    @property
    def verdict(self) -> str:
        """One of ``VERDICTS``."""
        if self.sign_in.state == "none":
            return "imports_only"
        if self.sign_in.state != "works":
            return "locked_out"
        if any(held.state == "refused" for held in self.permissions):
            return "refused"
        is_whole = all(held.state != "missing" for held in self.permissions)
        return "ready" if is_whole and all(each.state in GOOD for each in self.readings) else "incomplete"


@dataclass(frozen=True, slots=True)
class Need:
    """What one collection needs, the least of it."""

    collection: str
    feeds: tuple[str, ...]
    permissions: tuple[tuple[str, str, str], ...]
    licence: tuple[str, ...]
    limits: str


@dataclass(frozen=True, slots=True)
class Examined:
    """All tenants.

    Attributes:
        tenants: in the order of the configuration.
        needs: the exact least permissions of every collection.
    """

    tenants: tuple[Examination, ...]
    needs: tuple[Need, ...]

    @property
    def exit_code(self) -> int:
        """0: all is well; 3: nobody lets the auditor in; 4: something is missing, or too much."""
        verdicts = {tenant.verdict for tenant in self.tenants} - {"imports_only"}
        if verdicts == {"locked_out"}:
            return 3
        return 4 if verdicts - {"ready"} else 0
