"""What a rule is: the values of its header and its SELECT. Reads one file's text; never a database, never a folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, cast

from m365audit.model import FEEDS, SEVERITIES, Problem
from m365audit.rules import front_matter as fm
from m365audit.rules import sql_text
from m365audit.rules.evidence import NEVER_IDENTITY

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_CONTROL: Final = re.compile(r"C\d{2}-\d{1,2}")
_REFERENCE: Final = re.compile(r"GDPR Art\. \d+(\(\d+\))?(\([a-z]\))?|Policy §\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        id: name of the rule and of its file.
        version: rises with every change of the rule.
        key_version: part of every finding's id; rises only when the meaning of ``identity`` changes.
        severity: one of ``SEVERITIES``.
        title: one line; ``{column}`` stands for an identity column's value.
        question: what the rule answers, in a data protection officer's words.
        identity: columns that, with the tenant, make a finding the same finding.
        needs: feeds that must be covered, else the rule says nothing; none when it asks about the register alone.
        needs_complete: coverage has to be complete; provisional coverage is not enough.
        needs_register: the rule says nothing while the consent register is invalid.
        needs_collection: the rule says nothing of a tenant that the auditor itself read nothing from.
        evidence: what the rows show.
        misses: what the rule cannot see.
        advice: the next step.
        controls: controls of the privacy policy that the rule's findings speak against, e.g. C12-3; the gravest first.
        references: articles of the GDPR and clauses of the privacy policy.
        aliases: earlier ids, the first one oldest: finding ids go on being made from it.
        family: the folder the file stands in.
        file: the file.
        sql: the SELECT.
    """

    id: str
    version: int
    key_version: int
    severity: str
    title: str
    question: str
    identity: tuple[str, ...]
    needs: tuple[str, ...]
    needs_complete: bool
    needs_register: bool
    needs_collection: bool
    evidence: str
    misses: str
    advice: str
    controls: tuple[str, ...]
    references: tuple[str, ...]
    aliases: tuple[str, ...]
    family: str
    file: str
    sql: str

    @property
    def key_name(self) -> str:
        """The name that finding ids are made from; a renamed rule keeps its findings."""
        return self.aliases[0] if self.aliases else self.id


@lru_cache(maxsize=256)  # the same files are read for proving, for controls and for each state of the journal
def read_rule(file: str, text: str, *, name: str, family: str) -> tuple[Rule | None, tuple[Problem, ...]]:
    """Read one rule file's text.

    Args:
        file: name used in problems.
        text: the whole file.
        name: the file's name without ``.sql``; the rule's id has to be the same.
        family: the folder the file stands in.

    Returns:
        The rule when its header is sound, and every problem of header and text.
    """
    matter, problems = fm.read(file, text)
    if matter is None:
        return None, problems
    problems += fm.check_keys(file, matter, _REQUIRED, _OPTIONAL)
    if not problems:
        problems += _cross_checks(file, matter, name)
    header_is_sound = not problems
    problems += text_problems(file, matter)
    problems += tuple(
        Problem(file, matter.body_line, "", f"the parameter ${used} is used", "rules take none", "parameter")
        for used in sorted(sql_text.parameters(matter.body))
    )
    return (_rule(matter, family, file) if header_is_sound else None), problems


def text_problems(file: str, matter: fm.FrontMatter) -> tuple[Problem, ...]:
    """Return what may not stand in the SELECT of a rule or a hunt."""
    return tuple(
        Problem(file, matter.body_line + fault.line - 1, "", fault.what, fault.todo, fault.code)
        for fault in sql_text.faults(matter.body)
    )


def _is_identity_column(value: object) -> str | None:
    if not isinstance(value, str) or re.fullmatch(r"[a-z][a-z0-9_]*", value) is None:
        return f"not a column in snake_case: {value!r}"
    return f"{value} belongs to the evidence, not to the subject" if value in NEVER_IDENTITY else None


def _is_control(value: object) -> str | None:
    is_good = isinstance(value, str) and _CONTROL.fullmatch(value) is not None
    return None if is_good else f"{value!r} is not the number of a control like C12-3"


def _is_reference(value: object) -> str | None:
    is_good = isinstance(value, str) and _REFERENCE.fullmatch(value) is not None
    return None if is_good else f"{value!r} is neither like 'GDPR Art. 5(1)(b)' nor like 'Policy §3'"


_REQUIRED: Final[dict[str, fm.Check]] = {
    "id": fm.is_name,
    "version": fm.is_version,
    "severity": fm.is_one_of(SEVERITIES),
    "title": fm.is_text,
    "question": fm.is_question,
    "identity": fm.is_list_of(_is_identity_column),
    "needs": fm.is_list_of(fm.is_one_of(FEEDS), is_empty_allowed=True),
    "evidence": fm.is_text,
    "misses": fm.is_text,
    "advice": fm.is_text,
    "references": fm.is_list_of(_is_reference),
}
_OPTIONAL: Final[dict[str, fm.Check]] = {
    "key_version": fm.is_version,
    "needs_complete": fm.is_flag,
    "needs_register": fm.is_flag,
    "needs_collection": fm.is_flag,
    "control": fm.is_list_of(_is_control),
    "aliases": fm.is_list_of(fm.is_name),
}


def _cross_checks(file: str, matter: fm.FrontMatter, name: str) -> tuple[Problem, ...]:
    values, lines = matter.values, matter.lines
    problems = []
    if values["id"] != name:
        what = f"the id is not the file's name ({name})"
        problems.append(Problem(file, lines["id"], "id", what, "rename one", "id_is_not_file_name"))
    strangers = set(_PLACEHOLDER.findall(_text(matter, "title"))) - set(_texts(matter, "identity"))
    problems += [
        Problem(file, lines["title"], "title", f"{{{word}}} is no identity column", "use one", "title_placeholder")
        for word in sorted(strangers)
    ]
    if values["id"] in _texts(matter, "aliases"):
        problems.append(Problem(file, lines["aliases"], "aliases", "names the rule itself", "remove it", "bad_aliases"))
    return tuple(problems)


def _rule(matter: fm.FrontMatter, family: str, file: str) -> Rule:
    values = matter.values
    return Rule(
        id=_text(matter, "id"),
        version=cast(int, values["version"]),
        key_version=cast(int, values.get("key_version", 1)),
        severity=_text(matter, "severity"),
        title=_text(matter, "title"),
        question=_text(matter, "question"),
        identity=_texts(matter, "identity"),
        needs=_texts(matter, "needs"),
        needs_complete=bool(values.get("needs_complete", False)),
        needs_register=bool(values.get("needs_register", False)),
        needs_collection=bool(values.get("needs_collection", False)),
        evidence=_text(matter, "evidence"),
        misses=_text(matter, "misses"),
        advice=_text(matter, "advice"),
        controls=_texts(matter, "control"),
        references=_texts(matter, "references"),
        aliases=_texts(matter, "aliases"),
        family=family,
        file=file,
        sql=matter.body,
    )


def _text(matter: fm.FrontMatter, key: str) -> str:
    return " ".join(str(matter.values[key]).split())


def _texts(matter: fm.FrontMatter, key: str) -> tuple[str, ...]:
    return tuple(cast(list[str], matter.values.get(key, [])))
