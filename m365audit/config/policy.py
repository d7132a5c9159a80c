"""``policy.yaml``: the privacy policy's commitments as facts that can be checked. Never judges anything itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from m365audit.config.commitments import (
    AgeCommitment,
    BreachCommitment,
    CategoryCommitment,
    ChangesCommitment,
    ClauseFact,
    Commitment,
    Contact,
    CookieCommitment,
    IntegrationCommitment,
    LegalBasisCommitment,
    MfaCommitment,
    Person,
    PolicyVersion,
    Processor,
    RecipientCommitment,
    RegionsCommitment,
    ResponseCommitment,
    RetentionCommitment,
    RightsCommitment,
    RoleStatement,
    Workload,
)
from m365audit.config.complaints import check
from m365audit.config.shapes import Duration, Strict, Text
from m365audit.config.spelling import shown, suggestion
from m365audit.config.yamlnodes import Document, KeyPath, read_document
from m365audit.errors import ConfigurationError
from m365audit.model import AUDITED_WORKLOADS, Problem

SETTLE_AFTER: Final = timedelta(hours=24)
"""How long after a window's end, and after the pull before, it is read again, unless the policy says otherwise."""
_MONTH: Final = timedelta(days=31)


class Policy(Strict):
    """All of ``policy.yaml``; the defaults are the product's own where the file is silent or absent."""

    schema_version: Literal["m365audit.policy/1"] = Field(default="m365audit.policy/1", alias="schema")
    name: Text | None = None
    versions: tuple[PolicyVersion, ...] = ()
    workloads: Annotated[tuple[Workload, ...], Field(min_length=1)] = AUDITED_WORKLOADS
    membership_before_first: Duration = _MONTH
    settle_after: Duration = SETTLE_AFTER
    consent_record_within: Duration = timedelta(days=7)
    record_ending_notice: Duration = timedelta(days=30)
    credential_notice: Duration = timedelta(days=30)
    collection_pause: Duration = timedelta(days=3)
    persons: tuple[Person, ...] = ()
    contact: Contact | None = None
    role: RoleStatement | None = None
    categories: tuple[CategoryCommitment, ...] = ()
    legal_bases: tuple[LegalBasisCommitment, ...] = ()
    recipients: tuple[RecipientCommitment, ...] = ()
    processors: tuple[Processor, ...] = ()
    integrations: tuple[IntegrationCommitment, ...] = ()
    retention: tuple[RetentionCommitment, ...] = ()
    rights: RightsCommitment | None = None
    regions: RegionsCommitment | None = None
    mfa: MfaCommitment | None = None
    cookies: CookieCommitment | None = None
    breach: BreachCommitment | None = None
    age: AgeCommitment | None = None
    changes: ChangesCommitment | None = None
    response: ResponseCommitment | None = None
    clauses: tuple[ClauseFact, ...] = ()

    @property
    def version_names(self) -> tuple[str, ...]:
        """Names of all known versions of the policy's text, as listed."""
        return tuple(entry.version for entry in self.versions)

    def commitments(self) -> Iterator[tuple[KeyPath, Commitment]]:
        """Yield every commitment with its place in the file, in the order of the file's keys."""
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, Commitment):
                yield (name,), value
            elif isinstance(value, tuple):
                for index, entry in enumerate(value):
                    if isinstance(entry, Commitment):
                        yield (name, index), entry


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """The policy, and everything wrong with its file.

    Attributes:
        policy: as written; the default policy when the file is absent or invalid.
        problems: empty when the file is valid or absent.
        is_default: True when there is no file.
        folder: where the file is, or would be: tables by date may stand beside it.
    """

    policy: Policy
    problems: tuple[Problem, ...]
    is_default: bool = False
    folder: Path | None = None

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
        return LoadedPolicy(Policy(), (), is_default=True, folder=path.parent)
    document = read_document(path)
    policy = check(Policy, document) if document.is_readable else None
    if policy is not None:
        _check_repeats(policy, document)
        _check_lengths(policy, document)
        _check_clauses(policy, document)
    problems = sorted(document.problems, key=lambda problem: (problem.line, problem.path, problem.code))
    if policy is None or problems:
        policy = Policy()
    return LoadedPolicy(policy, tuple(problems), folder=path.parent)


def _check_repeats(policy: Policy, document: Document) -> None:
    """Complain about versions, categories and clauses that are listed twice."""
    names = {
        ("versions", "version"): list(policy.version_names),
        ("categories", "category"): [entry.category for entry in policy.categories],
        ("recipients", "recipient"): [entry.recipient for entry in policy.recipients],
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


def _check_lengths(policy: Policy, document: Document) -> None:
    """Complain about commitments that name no length of time, or two where one is meant."""
    for index, entry in enumerate(policy.retention):
        if (entry.duration is None) == (entry.until is None):
            what = f"retention of {shown(entry.category)} needs either duration or until"
            document.problem("duration_or_until", ("retention", index), what, "give exactly one of the two")
    if policy.response is not None and policy.response.days is None and policy.response.months is None:
        todo = "give what the policy says, e.g. days: 30"
        document.problem("days_or_months", ("response",), "the response names no time", todo)


def _check_clauses(policy: Policy, document: Document) -> None:
    """Complain about a commitment whose clause is not among the policy's clauses."""
    known = [entry.number for entry in policy.clauses]
    for path, entry in policy.commitments():
        if entry.clause not in known:
            what = f"clause {shown(entry.clause)} is not listed under clauses"
            todo = suggestion(entry.clause, known) if known else "list the policy's clauses: {number, title}"
            document.problem("unknown_clause", (*path, "clause"), what, todo)
