"""``controls.yml`` as values, proven against rules and queries when it is read. Never asks a database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from m365audit.config.complaints import check
from m365audit.config.shapes import Strict, Text, fault
from m365audit.config.spelling import shown, suggestion
from m365audit.config.yamlnodes import Document, KeyPath, read_document
from m365audit.errors import RuleError
from m365audit.model import Problem
from m365audit.resources import data_dir
from m365audit.store.queries import QueryFile, read_queries

FILE: Final = "controls.yml"
OUTCOMES: Final = ("outside", "review", "not_assessable", "within", "not_applicable")
"""Every outcome; of several, the one that stands first counts."""

Severity = Literal["info", "low", "medium", "high", "critical"]
Reason = Literal[
    "outside_m365", "no_source", "not_licensed", "no_permission", "not_enabled", "coverage_gap",
    "throttled_or_partial", "content_needed", "definition_missing", "vendor_side", "register_invalid", "not_evaluated",
]  # fmt: skip
Kind = Literal["crm", "telephony", "website", "mail_addin", "other"]
Owner = Literal["dpo", "admin", "processor", "controller"]
_NUMBER = re.compile(r"C(0[1-9]|[1-9][0-9])-[1-9][0-9]*\Z")
_WAYS: Final = ("rules", "query", "attestation", "not_assessable")


def _number(text: str) -> str:
    if not _NUMBER.match(text):
        fault("bad_control", f"{shown(text)} is not the number of a control", "write it like C12-3: clause and number")
    return text


def _rule(value: object) -> object:
    return {"rule": value} if isinstance(value, str) else value


class RuleUse(Strict):
    """A rule whose open findings speak against a control, and what they make of it."""

    rule: Text = Field(examples=["used-after-end"])
    means: Literal["outside", "review", "not_assessable"] = "outside"


def _name_or_use() -> dict[str, object]:
    """Return the JSON Schema of a rule's use: what is written in full, or the rule's name alone."""
    return {"anyOf": [{"type": "string", "minLength": 1}, RuleUse.model_json_schema()]}


_Use = Annotated[RuleUse, BeforeValidator(_rule), WithJsonSchema(_name_or_use())]


class Unseen(Strict):
    """What of a commitment cannot be seen, and why."""

    object: Text = Field(examples=["the copy in the CRM"])
    reason: Reason = Field(examples=["vendor_side"])


class Control(Strict):
    """One commitment of the policy, and the one way in which it is looked at."""

    control: Annotated[str, AfterValidator(_number), WithJsonSchema({"type": "string"})] = Field(examples=["C12-3"])
    title: Text
    commitment: Text
    severity: Severity = Field(examples=["high"])
    gdpr: Text = Field(examples=['"32"'])
    iso: Text | None = None
    owner: Owner = Field(examples=["dpo"])
    attach: Text
    rules: Annotated[tuple[_Use, ...], Field(min_length=1)] | None = None
    query: Text | None = None
    attestation: Reason | None = None
    not_assessable: Reason | None = None
    gates: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    object: Text | None = None
    part: Unseen | None = None
    integrations: Annotated[tuple[Kind, ...], Field(min_length=1)] | Literal["each"] | None = None

    @property
    def clause(self) -> str:
        """Clause of the policy."""
        return str(int(self.control[1:3]))

    @property
    def way(self) -> str:
        """The way to an outcome: rules, query, attestation or not_assessable."""
        return next(way for way in _WAYS if getattr(self, way) is not None)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of integrations that it is about alone; none when it is about the tenant."""
        return self.integrations if isinstance(self.integrations, tuple) else ()


class _File(Strict):
    """All of ``controls.yml``."""

    schema_version: Literal["m365audit.controls/1"] = Field(alias="schema", examples=["m365audit.controls/1"])
    controls: Annotated[tuple[Control, ...], Field(min_length=1)]
    sentences: dict[str, Text]
    reasons: dict[str, Text]
    owners: dict[str, Text]
    awaited: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """What controls have to know of a rule.

    Attributes:
        id: its name.
        controls: controls that its header names.
        needs: feeds that have to be covered.
        needs_register: it says nothing while the register is invalid.
        file: where it stands, for problems.
    """

    id: str
    controls: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    needs_register: bool = False
    file: str = ""


@dataclass(frozen=True, slots=True)
class ControlQuery:
    """One file of ``queries/controls``.

    Attributes:
        name: the file's name.
        sql: its SELECT.
        needs: feeds that have to be covered for it to be believed.
        needs_register: it says nothing while the register is invalid.
        is_gate: it says what is missing for controls to be within, and nothing else.
        rules: rules whose findings it reads.
    """

    name: str
    sql: str
    needs: tuple[str, ...]
    needs_register: bool
    is_gate: bool = False
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every control, what may be said about it, and the queries that answer.

    Attributes:
        controls: in the order of their numbers.
        sentences: key → text with ``{words}``.
        reasons: reason code → words.
        owners: owner → words.
        queries: those that controls name.
        rules: the rules, by id.
        awaited: rules that controls name and that do not exist yet.
    """

    controls: tuple[Control, ...]
    sentences: Mapping[str, str]
    reasons: Mapping[str, str]
    owners: Mapping[str, str]
    queries: tuple[ControlQuery, ...]
    rules: Mapping[str, RuleFacts]
    awaited: tuple[str, ...]

    def rules_of(self, control: Control) -> tuple[RuleUse, ...]:
        """Return the rules that speak against a control: those that it lists, and those whose header names it."""
        if control.rules is None:
            return ()
        listed = {use.rule for use in control.rules}
        others = [rule.id for rule in self.rules.values() if control.control in rule.controls and rule.id not in listed]
        return (*control.rules, *(RuleUse(rule=name) for name in sorted(others)))


def controls_schema() -> dict[str, object]:
    """Return the JSON Schema of ``controls.yml``, for editors."""
    return _File.model_json_schema()


def load_controls(
    rules: Iterable[RuleFacts], path: Path | None = None, folder: Sequence[QueryFile] | None = None
) -> Catalogue:
    """Read and prove every control.

    Args:
        rules: every rule there is.
        path: the file; the product's own when not given.
        folder: the query files; the product's own when not given.

    Raises:
        RuleError: with every problem: a control twice, none or two ways, an unknown rule, query or sentence.
    """
    known = {rule.id: rule for rule in rules}
    queries = {query.name: _query(query) for query in (read_queries("controls") if folder is None else folder)}
    document = read_document(path or data_dir("config") / FILE)
    file = check(_File, document) if document.is_readable else None
    if file is not None:
        _check_controls(file, document)
        _check_names(file, known, queries, document)
        _check_headers(file, known.values(), document)
        _check_queries(file, known, queries, document)
    problems = sorted(document.problems, key=lambda problem: (problem.line, problem.path))
    if file is None or problems:
        text = "\n".join(str(problem) for problem in problems)
        raise RuleError(f"{len(problems)} problem{'s' if len(problems) > 1 else ''} in the controls:\n{text}")
    used = sorted({name for entry in file.controls for name in _queries_of(entry)})
    return Catalogue(
        tuple(sorted(file.controls, key=lambda entry: _order(entry.control))),
        file.sentences,
        file.reasons,
        file.owners,
        tuple(queries[name] for name in used),
        known,
        tuple(name for name in file.awaited if name not in known),
    )


def _queries_of(control: Control) -> tuple[str, ...]:
    return (*([control.query] if control.query is not None else []), *(control.gates or ()))


def _order(control: str) -> tuple[int, int]:
    clause, number = control[1:].split("-")
    return int(clause), int(number)


def _query(query: QueryFile) -> ControlQuery:
    header = query.header
    return ControlQuery(
        query.name,
        query.sql,
        tuple(header.get("needs", [])),
        bool(header.get("needs_register", False)),
        bool(header.get("gate", False)),
        tuple(header.get("rules", [])),
    )


def _check_controls(file: _File, document: Document) -> None:
    """Complain about a control that stands twice, and about one with no way to an outcome, or two."""
    seen: set[str] = set()
    for index, entry in enumerate(file.controls):
        place: KeyPath = ("controls", index)
        if entry.control in seen:
            document.problem("listed_twice", (*place, "control"), f"{entry.control} stands twice", "keep one of them")
        seen.add(entry.control)
        ways = [way for way in _WAYS if getattr(entry, way) is not None]
        if len(ways) != 1:
            what = f"{entry.control} has {len(ways)} ways to an outcome"
            document.problem("one_way", place, what, f"give exactly one of {', '.join(_WAYS)}")
        elif ways[0] in {"attestation", "not_assessable"} and entry.object is None:
            todo = "say what it is about: object: website cookies"
            document.problem("no_object", place, f"{entry.control} does not say what cannot be seen", todo)


def _check_names(
    file: _File, rules: Mapping[str, RuleFacts], queries: Mapping[str, ControlQuery], document: Document
) -> None:
    """Complain about rules and queries that do not exist, and reasons and owners without words."""
    for index, entry in enumerate(file.controls):
        for position, use in enumerate(entry.rules or ()):
            if use.rule not in rules and use.rule not in file.awaited:
                place: KeyPath = ("controls", index, "rules", position)
                document.problem("unknown_rule", place, f"{shown(use.rule)} is no rule", suggestion(use.rule, rules))
        for name in _queries_of(entry):
            kind = "query" if name == entry.query else "gates"
            if name not in queries or queries[name].is_gate != (kind == "gates"):
                todo = f"{suggestion(name, queries)}; they stand in queries/controls"
                what = f"{shown(name)} is no {'query' if kind == 'query' else 'gate'}"
                document.problem("unknown_query", ("controls", index, kind), what, todo)
        if entry.owner not in file.owners:
            document.problem("no_words", ("owners",), f"{entry.owner} has no words", "add them")
    for reason in _reasons(file):
        if reason not in file.reasons:
            document.problem("no_words", ("reasons",), f"{reason} has no words", "add them")


def _reasons(file: _File) -> list[str]:
    given: set[str | None] = set()
    for entry in file.controls:
        given |= {entry.attestation, entry.not_assessable, entry.part.reason if entry.part is not None else None}
    return sorted(reason for reason in given if reason is not None)


def _check_headers(file: _File, rules: Iterable[RuleFacts], document: Document) -> None:
    """Complain about rules whose header names a control that does not exist."""
    known = {entry.control for entry in file.controls}
    for rule in rules:
        for name in rule.controls:
            if name not in known:
                what = f"the rule names the control {shown(name)}, which {FILE} does not have"
                todo = suggestion(name, known)
                document.problems.append(Problem(rule.file or rule.id, 0, "control", what, todo, "unknown_control"))


def _check_queries(
    file: _File, rules: Mapping[str, RuleFacts], queries: Mapping[str, ControlQuery], document: Document
) -> None:
    """Complain about queries whose header names a rule that does not exist: they would find nothing for ever."""
    used = {name for entry in file.controls for name in _queries_of(entry)} & queries.keys()
    for query in (queries[name] for name in sorted(used)):
        for rule in query.rules:
            if rule not in rules and rule not in file.awaited:
                place, what = f"queries/controls/{query.name}.sql", f"{shown(rule)} is no rule"
                document.problems.append(Problem(place, 0, "rules", what, suggestion(rule, rules), "unknown_rule"))
