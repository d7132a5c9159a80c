"""The page that lists every control, made from the catalogue. Never reads a database."""

from __future__ import annotations

from collections.abc import Mapping

from m365audit.controls.catalogue import Catalogue, Control
from m365audit.controls.policy_text import read_texts

_OPENING = """\
# Controls: the policy, clause by clause

Every commitment of the privacy policy (`config/policy.yaml`) is a control with one way to an outcome. They are
evaluated after the rules, for each tenant and, where it says so, for each integration; the table is `controls`. A row
without `integration_name` is the tenant's, and only those count.

| outcome | means |
|---|---|
| `outside` | at least one piece of evidence contradicts the record or the commitment |
| `review` | the evidence is ambiguous: a person must decide |
| `not_assessable` | the question cannot be answered from what is there, with the reason; this is not a pass |
| `within` | evidence is there, the whole window is covered, and nothing contradicts it |
| `not_applicable` | the commitment has no object here |

Of several, the first in this order counts. There is no score. A decision makes no control pass: an accepted or
explained finding counts on, a false positive is for review. An attestation (`m365audit attest`) stands beside the
outcome and never changes it. Countries and clocks are those of the day of the event (`config/adequacy.yml`,
`config/clocks.yml`).

This page is generated from `config/controls.yml` and `config/policy_findings.yml`; `tools/generate_docs.py` writes it.
"""


def controls_page(catalogue: Catalogue, clauses: Mapping[str, str]) -> str:
    """Return the page as Markdown; ``clauses`` are the titles of the policy's clauses by number."""
    lines = [_OPENING]
    for clause in dict.fromkeys(control.clause for control in catalogue.controls):
        lines += [f"## Clause {clause}: {clauses.get(clause, '')}".rstrip(": "), ""]
        for control in catalogue.controls:
            if control.clause == clause:
                lines += _entry(control, catalogue)
    lines += [
        "## What cannot be seen from Microsoft 365",
        "",
        "| control | what | reason | attach |",
        "|---|---|---|---|",
    ]
    lines += [row for control in catalogue.controls for row in _unseen(control)]
    lines += [
        "",
        "## Weaknesses of the policy's own text",
        "",
        "| rule | clauses | severity | GDPR | what |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {text.rule} | {', '.join(text.clauses)} | {text.severity} | {text.gdpr} | {' '.join(text.title.split())} |"
        for text in read_texts()
    ]
    return "\n".join(lines) + "\n"


def _entry(control: Control, catalogue: Catalogue) -> list[str]:
    scope = {"each": "the tenant, and each integration", None: "the tenant"}.get(
        control.integrations if control.integrations in {"each", None} else "",
        f"integrations of the kind {', '.join(control.kinds)}",
    )
    iso = f" · ISO/IEC 27701 {control.iso}" if control.iso else ""
    lines = [
        f"### {control.control} {control.title}",
        "",
        control.commitment,
        "",
        f"* Severity: {control.severity} · GDPR {control.gdpr}{iso}",
        f"* Asked of: {scope}",
        f"* Way: {_way(control, catalogue)}",
    ]
    if control.gates:
        lines.append(f"* Never within while these say that something is missing: {', '.join(control.gates)}")
    if control.part:
        lines.append(f"* Cannot be seen, so it is never within: {control.part.object} (`{control.part.reason}`)")
    return [*lines, f"* Owner: {catalogue.owners[control.owner]} · attach: {control.attach}", ""]


def _way(control: Control, catalogue: Catalogue) -> str:
    if control.rules is not None:
        uses = catalogue.rules_of(control)
        return "rules " + ", ".join(
            use.rule if use.means == "outside" else f"{use.rule} (then {use.means})" for use in uses
        )
    if control.query is not None:
        return f"query `queries/controls/{control.query}.sql`"
    reason = control.attestation or control.not_assessable
    return f"none from Microsoft 365 (`{reason}`); " + (
        "what somebody attests is shown beside it" if control.attestation else "it is said in every report"
    )


def _unseen(control: Control) -> list[str]:
    if control.object is not None:
        reason = control.attestation or control.not_assessable
        return [f"| {control.control} | {control.object} | {reason} | {control.attach} |"]
    if control.part is not None:
        return [f"| {control.control} (in part) | {control.part.object} | {control.part.reason} | {control.attach} |"]
    return []
