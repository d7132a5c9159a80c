"""Writes the page queries/README.md from the headers of rules and hunts. Opens no database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from m365audit.model import SEVERITIES
from m365audit.rules.hunt import Hunt
from m365audit.rules.rule import Rule

_OPENING = """\
# Rules and hunts

<!-- Written by tools/generate_docs.py from the headers of the files; change those. -->

A rule is one SELECT in `rules/<family>/<id>.sql`. It runs after every evaluation on the published tables and makes
findings; where the feeds it needs were not watched, it says so instead of saying that all is well. A hunt is one
SELECT in `hunts/<id>.sql` for a person with a question: `m365audit query <id> --param name=value`.
"""


def catalogue_page(rules: Sequence[Rule], hunts: Sequence[Hunt]) -> str:
    """Return the page as Markdown; the same headers always give the same text."""
    parts = [_OPENING, "## Rules at a glance\n", *_overview(rules)]
    for family, members in groupby(sorted(rules, key=lambda rule: (rule.family, rule.id)), lambda rule: rule.family):
        parts.append(f"## Rules: {family}\n")
        parts += [_rule_section(rule) for rule in members]
    parts.append("## Hunts\n")
    parts += [_hunt_section(hunt) for hunt in sorted(hunts, key=lambda hunt: hunt.id)]
    return "\n".join(parts)


def _overview(rules: Iterable[Rule]) -> list[str]:
    gravest = sorted(rules, key=lambda rule: (-SEVERITIES.index(rule.severity), rule.id))
    lines = [f"| [`{rule.id}`](#{rule.id}) | {rule.severity} | {_cell(rule.question)} |" for rule in gravest]
    return ["| rule | severity | question |\n|---|---|---|", *lines, ""]


def _rule_section(rule: Rule) -> str:
    complete = " Their coverage has to be complete." if rule.needs_complete else ""
    register = " Says nothing while the consent register is invalid." if rule.needs_register else ""
    collection = " Says nothing of a tenant of which everything came in files." if rule.needs_collection else ""
    return f"""\
### {rule.id}

**{rule.question}**

* Severity: {rule.severity}. Version {rule.version}. File: [`rules/{rule.file}`](rules/{rule.file})
* Title of a finding: {_cell(rule.title)}
* The same finding: same tenant and {_code(rule.identity)}
* Needs: {_code(rule.needs) or "no log"}.{complete}{register}{collection}
* Evidence: {rule.evidence}
* Misses: {rule.misses}
* Advice: {rule.advice}
* Controls: {", ".join(rule.controls) or "none"}
* References: {"; ".join(rule.references)}
"""


def _hunt_section(hunt: Hunt) -> str:
    rows = [
        f"| `{p.name}` | {p.type} | {'' if p.default is None else str(p.default).lower()} | {_cell(p.description)} |"
        for p in hunt.parameters
    ]
    table = "\n".join(["| parameter | type | default | meaning |", "|---|---|---|---|", *rows]) if rows else ""
    return f"""\
### {hunt.id}

**{hunt.question}** {hunt.title}. File: [`hunts/{hunt.file}`](hunts/{hunt.file})

{table}

Columns: {_code(hunt.columns)}.
"""


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
