"""``policy.yaml``: the privacy policy's commitments as facts that can be checked. Never judges anything itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StrictInt, WithJsonSchema

from m365audit.config.complaints import check
from m365audit.config.shapes import Duration, PeriodText, Region, Sha256, Strict, Text, fault
from m365audit.config.spelling import shown, suggestion
from m365audit.config.yamlnodes import Document, read_document
from m365audit.errors import ConfigurationError
from m365audit.model import AUDITED_WORKLOADS, WORKLOADS, Problem

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_MONTH: Final = timedelta(days=31)


def _day(value: object) -> date:
    if isinstance(value, date):
        return value
    try:
        if isinstance(value, str) and _DAY.match(value):
            return date.fromisoformat(value)
    except ValueError:
        fault("bad_day", f"{shown(value)} is not in the calendar", "check month and day")
    return fault("bad_day", f"{shown(value)} is not a day", "write it like 2025-08-07")


def _workload(text: str) -> str:
    if text not in WORKLOADS:
        fault("unknown_value", f"{shown(text)} is not a workload", suggestion(text, WORKLOADS))
    return text


Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Workload = Annotated[str, AfterValidator(_workload), WithJsonSchema({"type": "string", "enum": list(WORKLOADS)})]
Clause = Annotated[Text, WithJsonSchema({"type": "string"})]


class Commitment(Strict):
    """What every commitment has: the clause of the policy where it stands."""

    clause: Clause | None = None


class PolicyVersion(Strict):
    """One published text of the policy."""

    version: Text = Field(examples=['"2025-08-07"'])
    effective_from: Day | None = None
    text_sha256: Sha256 | None = None
    url: Text | None = None
    is_material: StrictBool | None = None


class RetentionCommitment(Commitment):
    """How long a category of data is kept, counted from when."""

    category: Text = Field(examples=["system_logs"])
    duration: PeriodText | None = None
    until: Text | None = None


class RegionsCommitment(Commitment):
    """Where data is processed."""

    primary: Region | None = None
    allowed: tuple[Region, ...] = ()


class MfaCommitment(Commitment):
    """Whether a second factor is promised."""

    required: StrictBool = Field(examples=["true"])


class BreachCommitment(Commitment):
    """Hours within which authorities are told."""

    authority_hours: Annotated[StrictInt, Field(ge=1, le=8_760)] = Field(examples=["72"])


class ResponseCommitment(Commitment):
    """Days within which a request is answered."""

    days: Annotated[StrictInt, Field(ge=1, le=366)] = Field(examples=["30"])


class ClauseFact(Strict):
    """One clause of the policy, so that reports can name it."""

    number: Clause = Field(examples=['"8"'])
    title: Text = Field(examples=["Data retention"])
    is_provable: StrictBool | None = None
    note: Text | None = None


class Policy(Strict):
    """All of ``policy.yaml``; the defaults are the product's own where the file is silent or absent."""

    schema_version: Literal["m365audit.policy/1"] = Field(default="m365audit.policy/1", alias="schema")
    name: Text | None = None
    versions: tuple[PolicyVersion, ...] = ()
    workloads: Annotated[tuple[Workload, ...], Field(min_length=1)] = AUDITED_WORKLOADS
    membership_before_first: Duration = _MONTH
    settle_after: Duration = timedelta(hours=24)
    consent_record_within: Duration = timedelta(days=7)
    record_ending_notice: Duration = timedelta(days=30)
    credential_notice: Duration = timedelta(days=30)
    collection_pause: Duration = timedelta(days=3)
    renew_within: Duration = timedelta(days=30)
    retention: tuple[RetentionCommitment, ...] = ()
    regions: RegionsCommitment | None = None
    mfa: MfaCommitment | None = None
    breach: BreachCommitment | None = None
    response: ResponseCommitment | None = None
    clauses: tuple[ClauseFact, ...] = ()

    @property
    def version_names(self) -> tuple[str, ...]:
        """Names of all known versions of the policy's text, as listed."""
        return tuple(entry.version for entry in self.versions)


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """The policy, and everything wrong with its file.

    Attributes:
        policy: as written; the default policy when the file is absent or invalid.
        problems: empty when the file is valid or absent.
        is_default: True when there is no file.
    """

    policy: Policy
    problems: tuple[Problem, ...]
    is_default: bool = False

    @property
    def is_valid(self) -> bool:
        """True when nothing is wrong."""
        return not self.problems


def load_policy(path: Path, *, must_exist: bool = False) -> LoadedPolicy:
    """Read the policy file.

    Args:
        path: the file.
        must_exist: whether its absence is an error; by default it means the default policy.

    Raises:
        ConfigurationError: the file is absent although it must exist.
    """
    if not path.exists():
        if must_exist:
            hint = "run `m365audit init` to write one, or correct `policy:` in the configuration"
            raise ConfigurationError(f"there is no policy at {path}", hint=hint)
        return LoadedPolicy(Policy(), (), is_default=True)
    document = read_document(path)
    policy = check(Policy, document) if document.is_readable else None
    if policy is not None:
        _check_repeats(policy, document)
    problems = sorted(document.problems, key=lambda problem: (problem.line, problem.path, problem.code))
    if policy is None or problems:
        policy = Policy()
    return LoadedPolicy(policy, tuple(problems))


def _check_repeats(policy: Policy, document: Document) -> None:
    """Complain about versions and retention categories that are listed twice."""
    names = {
        ("versions", "version"): list(policy.version_names),
        ("retention", "category"): [entry.category for entry in policy.retention],
        ("clauses", "number"): [entry.number for entry in policy.clauses],
    }
    for (group, key), listed in names.items():
        for index, name in enumerate(listed):
            if name in listed[:index]:
                what = f"{shown(name)} is listed twice"
                document.problem("listed_twice", (group, index, key), what, "keep one of them")
    for index, workload in enumerate(policy.workloads):
        if workload in policy.workloads[:index]:
            document.problem("listed_twice", ("workloads", index), f"{workload} is listed twice", "keep one of them")
    for index, entry in enumerate(policy.retention):
        if (entry.duration is None) == (entry.until is None):
            what = f"retention of {shown(entry.category)} needs either duration or until"
            document.problem("duration_or_until", ("retention", index), what, "give exactly one of the two")
