"""Says what an examination came to: a page for people, plain values for machines. Asks nobody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from m365audit.cli.output import lay_out

if TYPE_CHECKING:
    from m365audit.graph.examination import Examination, Examined, Held, Reading

_GOOD: Final = ("readable", "empty", "permitted", "not_started")
_VERDICTS: Final[Mapping[str, str]] = {
    "ready": "All that is wanted can be read.",
    "incomplete": "Something that is wanted cannot be read.",
    "refused": "The auditor holds what an auditor must not hold: `run` reads nothing here until it is taken away.",
    "locked_out": "The auditor is not let in.",
    "imports_only": "No credential is configured: fed by imported files alone.",
}
_STATES: Final[Mapping[str, str]] = {
    "readable": "readable",
    "empty": "readable, empty",
    "permitted": "permitted",
    "not_started": "not started",
    "licence": "NO LICENCE",
    "permission": "NO PERMISSION",
    "disabled": "SWITCHED OFF",
    "absent": "NOT IN THIS CLOUD",
    "unseen": "NOT SEEN",
    "error": "NOT FOUND OUT",
    "present": "present",
    "covered": "covered",
    "covering": "in place of another",
    "surplus": "needed for nothing",
    "missing": "MISSING",
    "refused": "TOO MUCH",
    "unknown": "not known",
}
_AGREE: Final = "let an administrator agree, in the portal under the application's permissions"
_SERVICES: Final[Mapping[str, str]] = {"graph": "", "manage": " (Management API)", "storage": " (Azure role)"}


def examined_facts(examined: Examined) -> dict[str, object]:
    """Return the examination as plain values; the names in it are the interface for machines."""
    return {
        "exit_code": examined.exit_code,
        "tenants": [{"verdict": tenant.verdict, **asdict(tenant)} for tenant in examined.tenants],
        "needs": [asdict(need) for need in examined.needs],
    }


def examined_lines(examined: Examined) -> Iterator[str]:
    """Yield the page for people, tenant by tenant, and at its end what each collection needs."""
    for tenant in examined.tenants:
        yield from _tenant(tenant)
    yield from ("The least that each collection needs", "")
    yield from _table(
        ("collection", "permission", "app role id", "licence: one of"),
        [
            (need.collection, _named(api, name), role_id, " ".join(need.licence) or "none")
            for need in examined.needs
            for api, name, role_id in need.permissions
        ],
    )


def verdict_words(tenant: Examination) -> str:
    """Return the verdict on a tenant in a sentence."""
    return _VERDICTS[tenant.verdict]


def _tenant(tenant: Examination) -> Iterator[str]:
    yield f"── {tenant.name} ── {tenant.tenant}" if tenant.name != tenant.tenant else f"── {tenant.tenant}"
    yield from (verdict_words(tenant), "", f"Sign-in   {_sign_in(tenant)}")
    if tenant.licences:
        yield "Licences  " + ", ".join(f"{each.name}: {each.state}" for each in tenant.licences)
    yield ""
    if tenant.permissions:
        yield from _table(("permission", "state", "needed for"), map(_permission, tenant.permissions))
        yield ""
    if tenant.readings and tenant.sign_in.state == "works":
        yield from _table(("collection", "state", "what was seen"), map(_reading, tenant.readings))
        yield ""
    yield from _listed("What cannot be said", _unassessable(tenant))
    yield from _listed("What to do", _todo(tenant))


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return lay_out(names, rows, "table").split("\n")


def _listed(title: str, points: Iterable[str]) -> list[str]:
    found = list(dict.fromkeys(points))
    return [f"{title}:", *(f"  - {point}" for point in found), ""] if found else []


def _sign_in(tenant: Examination) -> str:
    sign_in = tenant.sign_in
    if sign_in.state == "none":
        return "no credential"
    if sign_in.state != "works":
        return ": ".join(part for part in (sign_in.code, sign_in.message) if part)
    who = f"works, as application {sign_in.client_id}" if sign_in.client_id else "works"
    if sign_in.ends_at is None or sign_in.days_left is None:
        return f"{who} ({sign_in.kind}); when its credential ends cannot be seen"
    soon = ": SOON" if sign_in.ends_soon else ""
    return f"{who} ({sign_in.kind}); its credential ends {sign_in.ends_at:%Y-%m-%d}, in {sign_in.days_left} days{soon}"


def _permission(held: Held) -> tuple[str, str, str]:
    state = _STATES[held.state]
    words = f"{state} {held.why}" if held.state == "covered" else state
    return _named(held.api, held.name), words, ", ".join(held.collections) or held.why


def _named(api: str, name: str) -> str:
    return name + _SERVICES[api]


def _reading(reading: Reading) -> tuple[str, str, str]:
    return reading.collection, _STATES[reading.state], reading.detail


def _unassessable(tenant: Examination) -> Iterator[str]:
    if tenant.verdict == "locked_out":
        yield "anything that only Microsoft's logs tell: nothing is read from this tenant"
        return
    for reading in tenant.readings:
        if reading.state not in _GOOD and tenant.sign_in.state == "works":
            yield f"{reading.unassessable} ({reading.collection}: {_STATES[reading.state].lower()})"


def _todo(tenant: Examination) -> Iterator[str]:
    sign_in = tenant.sign_in
    if sign_in.todo:
        yield sign_in.todo
    if sign_in.ends_soon:
        yield f"put another credential in place: this one ends in {sign_in.days_left} days"
    yield from _about_permissions(tenant)
    if sign_in.state == "works":
        yield from _about_readings(tenant)


def _about_permissions(tenant: Examination) -> Iterator[str]:
    for held in tenant.permissions:
        if held.state == "refused":
            yield f"take {_named(held.api, held.name)} away from the application: it {_bare(held.why)}"
    missing = _names(tenant, "missing")
    if missing:
        yield f"add {missing} to the application (as application permissions)"
        yield f"let an administrator agree at {tenant.consent_link}" if tenant.consent_link else _AGREE
    surplus = _names(tenant, "surplus")
    if surplus:
        yield f"needed for nothing here, and may be taken away: {surplus}"


def _names(tenant: Examination, state: str) -> str:
    return ", ".join(_named(held.api, held.name) for held in tenant.permissions if held.state == state)


def _about_readings(tenant: Examination) -> Iterator[str]:
    """Yield each next step once, with every collection that it is for."""
    is_told = any(held.state == "missing" for held in tenant.permissions)
    steps: dict[str, list[str]] = {}
    for reading in tenant.readings:
        if reading.todo and not (is_told and reading.state == "permission"):
            steps.setdefault(reading.todo, []).append(reading.collection)
    yield from (f"{todo} ({', '.join(names)})" for todo, names in steps.items())


def _bare(why: str) -> str:
    return why.partition(" (")[0]
