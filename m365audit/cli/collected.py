"""What a run says of living tenants: what was seen, what was not and why, with the next step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from m365audit.config import iso

if TYPE_CHECKING:
    from m365audit.pipeline import Collected, Outcome
    from m365audit.pipeline.values import Gathered, Unseen

_EVER = datetime.min.replace(tzinfo=UTC)


def collected_line(outcome: Outcome) -> str:
    """Return what came from living tenants, all together."""
    gathered = [each for tenant in outcome.collected for each in tenant.collections.values()]
    tenants = sum(tenant.is_signed_in for tenant in outcome.collected)
    read, stored, duplicate, quarantined = (
        sum(getattr(each, name) for each in gathered) for name in ("records", "stored", "duplicate", "quarantined")
    )
    counts = f"{read} records read = {stored} stored + {duplicate} duplicate + {quarantined} quarantined"
    return f"collected from {tenants} tenant{'s' if tenants != 1 else ''}: {counts}"


def tenant_facts(tenant: Collected) -> dict[str, object]:
    """Return what was seen of a tenant as plain values."""
    facts = asdict(tenant)
    for name, gathered in tenant.collections.items():
        facts["collections"][name]["unseen"] = [
            asdict(unseen)
            | {side: iso(at) if at else None for side, at in (("begin", unseen.begin), ("end", unseen.end))}
            for unseen in _joined(gathered.unseen)
        ]
    return facts


def _joined(unseen: Iterable[Unseen]) -> list[Unseen]:
    """Return what was not seen with times that touch joined, where reason and sentence are the same; oldest first."""
    joined: list[Unseen] = []
    for each in sorted(unseen, key=lambda each: (each.reason, each.detail, each.begin or _EVER)):
        last = joined[-1] if joined else None
        is_same = last is not None and (last.reason, last.detail) == (each.reason, each.detail)
        if last and is_same and last.begin and last.end and each.begin and each.end and each.begin <= last.end:
            joined[-1] = replace(last, end=max(last.end, each.end))
        else:
            joined.append(each)
    return sorted(joined, key=lambda each: each.begin or _EVER)


def tenant_lines(tenant: Collected, *, brief: bool) -> list[str]:
    """Return what was and what was not seen of a tenant: a line for each collection, and one for each kind of gap."""
    gathered = list(tenant.collections.values())
    refusal = [f"{tenant.name}: NOT LET IN: {tenant.refusal}"] if tenant.refusal else []
    if refusal and not tenant.refused_links and not any(each.windows or each.records for each in gathered):
        return refusal
    records, stored, duplicate, quarantined = (
        sum(getattr(each, name) for each in gathered) for name in ("records", "stored", "duplicate", "quarantined")
    )
    windows = sum(each.windows for each in gathered)
    counts = f"{records} records read = {stored} stored + {duplicate} duplicate + {quarantined} quarantined"
    lines = [*refusal, f"{tenant.name}: {windows} windows and listings, {counts}"]
    if not brief:
        lines += [f"  seen      {each.collection}: {each.records} records" for each in gathered if each.windows]
    lines += _unseen_lines(gathered)
    if tenant.refused_links:
        lines.append(f"  REFUSED   {tenant.refused_links} links to places that the configuration does not name")
    return lines


def _unseen_lines(gathered: list[Gathered]) -> list[str]:
    """Return two lines for each time and reason: every collection that was not seen then, and what to do about it."""
    spans: dict[tuple[str, str, str], list[str]] = {}
    for each in gathered:
        by_reason: dict[tuple[str, str], list[Unseen]] = {}
        for unseen in _joined(each.unseen):
            by_reason.setdefault((unseen.reason, unseen.detail), []).append(unseen)
        for (reason, detail), group in by_reason.items():
            spans.setdefault((_span(group), reason, detail), []).append(each.collection)
    lines = []
    for (span, reason, detail), names in spans.items():
        lines.append(f"  NOT SEEN  {', '.join(names)}{span} ({reason})")
        lines += [f"            {detail}"] if detail else []
    return lines


def _span(joined: list[Unseen]) -> str:
    """Return the time that was not seen; where something in between was seen, that it is several times."""
    times = [(unseen.begin, unseen.end) for unseen in joined if unseen.begin and unseen.end]
    if not times:
        return ""
    first, last = _minute(times[0][0]), _minute(max(end for _, end in times))
    return f", {first} to {last} UTC" if len(times) == 1 else f", {len(times)} times between {first} and {last} UTC"


def _minute(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
