"""What is wrong with the policy's own text: checks over the facts of ``policy.yaml``. Never reads the text.

A check answers with the words that its sentence needs, or with None when the policy has no such weakness. Titles and
reasons stand in ``config/policy_findings.yml``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from m365audit.config import Clocks, Policy
from m365audit.config.complaints import check
from m365audit.config.shapes import Strict, Text
from m365audit.config.yamlnodes import read_document
from m365audit.errors import ConfigurationError
from m365audit.resources import data_dir

FILE: Final = "policy_findings.yml"
Words = Mapping[str, str]
_YEAR: Final = 365


class PolicyFindingText(Strict):
    """What is said about one weakness; ``{words}`` come from the check."""

    rule: Text = Field(examples=["POL-01"])
    clauses: Annotated[tuple[Text, ...], Field(min_length=1)] = Field(examples=['["1"]'])
    severity: Literal["info", "low", "medium", "high", "critical"] = Field(examples=["high"])
    gdpr: Text = Field(examples=["38(6)"])
    title: Text
    why: Text


class _Texts(Strict):
    """All of ``policy_findings.yml``."""

    schema_version: Literal["m365audit.policy_findings/1"] = Field(alias="schema")
    findings: tuple[PolicyFindingText, ...]


@dataclass(frozen=True, slots=True)
class PolicyFinding:
    """One weakness of the policy's text.

    Attributes:
        rule: POL-01 ….
        clauses: clauses of the policy that it is about.
        severity: one of ``SEVERITIES``.
        gdpr: articles concerned.
        title: one line.
        why: why it matters and what to do.
        words: what was filled in, for other languages.
    """

    rule: str
    clauses: tuple[str, ...]
    severity: str
    gdpr: str
    title: str
    why: str
    words: Words


def read_texts(path: Path | None = None) -> tuple[PolicyFindingText, ...]:
    """Return what is said about each weakness.

    Raises:
        ConfigurationError: the file is wrong, or names a check that does not exist.
    """
    document = read_document(path or data_dir("config") / FILE)
    texts = check(_Texts, document) if document.is_readable else None
    for index, entry in enumerate(texts.findings if texts else ()):
        if entry.rule not in CHECKS:
            document.problem("unknown_check", ("findings", index, "rule"), f"{entry.rule} is no check", "remove it")
    if texts is None or document.problems:
        problems = tuple(document.problems)
        text = "\n".join(str(problem) for problem in problems)
        raise ConfigurationError(f"{document.file} cannot be used:\n{text}", problems=problems)
    return texts.findings


def policy_findings(policy: Policy, clocks: Clocks) -> list[PolicyFinding]:
    """Return the weaknesses of a policy's text, in the order of their numbers.

    Args:
        policy: the facts; a policy that nobody wrote down (``LoadedPolicy.is_default``) is not to be asked.
        clocks: the law's time for requests.
    """
    found = []
    for entry in read_texts():
        words = CHECKS[entry.rule](policy, clocks)
        if words is not None:
            title, why = (" ".join(text.split()).format_map(words) for text in (entry.title, entry.why))
            found.append(PolicyFinding(entry.rule, entry.clauses, entry.severity, entry.gdpr, title, why, words))
    return found


def _one_person(policy: Policy, _clocks: Clocks) -> Words | None:
    """POL-01: the data protection officer holds another office that decides."""
    offices: dict[str, set[str]] = defaultdict(set)
    for person in policy.persons:
        offices[" ".join(person.name.casefold().split())].add(person.office)
    deciding = {"chief_executive", "security_officer"}
    is_one = any("data_protection_officer" in held and held & deciding for held in offices.values())
    return {} if is_one else None


def _undeclared(policy: Policy, _clocks: Clocks) -> Words | None:
    """POL-02: an integration reaches a workload that no category names."""
    reached = {workload for entry in policy.integrations for workload in entry.workloads}
    declared = {workload for entry in policy.categories for workload in entry.workloads}
    missing = [workload for workload in policy.workloads if workload in reached - declared]
    return {"workloads": ", ".join(missing)} if missing else None


def _whose_consent(policy: Policy, _clocks: Clocks) -> Words | None:
    """POL-03: something rests on consent, and not on anybody's."""
    about = [entry.recipient for entry in policy.recipients if entry.with_consent and entry.of_consent is None]
    about += [entry.integration for entry in policy.integrations if entry.with_consent and entry.of_consent is None]
    return {"about": ", ".join(about)} if about else None


def _primarily(policy: Policy, _clocks: Clocks) -> Words | None:
    """POL-04: a main region without a share or without safeguards for the rest."""
    regions = policy.regions
    if regions is None or regions.primary is None:
        return None
    missing = [
        *(["no share"] if regions.eu_share_min is None else []),
        *([] if regions.safeguards else ["no safeguard"]),
    ]
    return {"missing": ", ".join(missing)} if missing else None


def _notice(policy: Policy, _clocks: Clocks) -> Words | None:
    """POL-05: complaint, automated decisions, postal address."""
    rights = policy.rights
    listed = () if rights is None else rights.listed
    has_authority = rights is not None and rights.authority is not None
    missing = [
        *([] if "complain" in listed and has_authority else ["the right to complain to a named authority"]),
        *([] if "no_automated_decision" in listed else ["the right about automated decisions"]),
        *([] if policy.contact is not None and policy.contact.postal_address else ["a postal address"]),
    ]
    return {"missing": ", ".join(missing)} if missing else None


def _recipients(policy: Policy, _clocks: Clocks) -> Words | None:
    """POL-06: recipients without names, and no list of processors either."""
    unnamed = [entry.recipient for entry in policy.recipients if not entry.is_named]
    return {"recipients": ", ".join(unnamed)} if unnamed and not policy.processors else None


def _cookies(policy: Policy, _clocks: Clocks) -> Words | None:
    """POL-07: no opt-in for cookies that are not essential."""
    cookies = policy.cookies
    others = [] if cookies is None else [purpose for purpose in cookies.purposes if purpose not in _ESSENTIAL]
    is_weak = cookies is not None and cookies.choice != "opt_in" and bool(others)
    return {"purposes": ", ".join(others)} if is_weak else None


def _response(policy: Policy, clocks: Clocks) -> Words | None:
    """POL-08: days that can last longer than the law's month, and no month beside them."""
    response = policy.response
    if response is None or response.days is None or response.months is not None:
        return None
    day = _effective(policy)
    starts = (datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=number) for number in range(_YEAR))
    law = clocks.at("request.law", day)
    is_longer = any(law.after(start) < start + timedelta(days=response.days) for start in starts)
    return {"days": str(response.days)} if is_longer else None


def _role(policy: Policy, _clocks: Clocks) -> Words | None:
    """POL-09: neither controller nor processor is said."""
    return {} if policy.role is None or not policy.role.stated else None


def _changes(policy: Policy, _clocks: Clocks) -> Words | None:
    """POL-10: no version, no material change."""
    changes = policy.changes
    missing = [
        *([] if changes is not None and changes.states_version else ["a version"]),
        *([] if changes is not None and changes.defines_material else ["what a material change is"]),
    ]
    return {"missing": ", ".join(missing)} if missing else None


def _balancing(policy: Policy, _clocks: Clocks) -> Words | None:
    """POL-11: a legitimate interest without a test."""
    weak = [
        purpose.replace("_", " ")
        for entry in policy.legal_bases
        if entry.basis == "legitimate_interest" and entry.balancing_test is None
        for purpose in entry.purposes or ("unnamed purposes",)
    ]
    return {"purposes": ", ".join(weak)} if weak else None


def _effective(policy: Policy) -> date:
    """Return the newest day on which a version of the text took effect: the law of that day is the text's measure."""
    days = [entry.effective_from for entry in policy.versions if entry.effective_from is not None]
    return max(days, default=_FIRST_DAY)


_ESSENTIAL: Final = frozenset({"essential", "security"})
_FIRST_DAY: Final = date(2018, 5, 25)
"""The GDPR applies from here on; a policy that names no day is measured by it."""

CHECKS: Final[Mapping[str, Callable[[Policy, Clocks], Words | None]]] = {
    "POL-01": _one_person,
    "POL-02": _undeclared,
    "POL-03": _whose_consent,
    "POL-04": _primarily,
    "POL-05": _notice,
    "POL-06": _recipients,
    "POL-07": _cookies,
    "POL-08": _response,
    "POL-09": _role,
    "POL-10": _changes,
    "POL-11": _balancing,
}
"""Every check by its number; absent facts are asked too."""
