"""What an evaluation hands to the ledger, described by shape: the rules' values have it, and are not known here."""
# ruff: noqa: D102  (the classes' docstrings say what every attribute means)

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Present(Protocol):
    """A finding that the evidence shows now (``m365audit.rules.runner.PresentFinding``).

    Attributes:
        subject: canonical JSON of the identity columns.
        first_seen_at: time of its oldest evidence, in UTC; None when no evidence has a time.
        last_seen_at: time of its newest evidence.
        evidence_count: pieces of evidence.
        reasons: sorted, each once.
    """

    @property
    def tenant_id(self) -> str: ...
    @property
    def finding_id(self) -> str: ...
    @property
    def rule(self) -> str: ...
    @property
    def severity(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def question(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def app_id(self) -> str | None: ...
    @property
    def record(self) -> str | None: ...
    @property
    def process(self) -> str | None: ...
    @property
    def first_seen_at(self) -> datetime | None: ...
    @property
    def last_seen_at(self) -> datetime | None: ...
    @property
    def evidence_count(self) -> int: ...
    @property
    def reasons(self) -> tuple[str, ...]: ...


class Outcome(Protocol):
    """What a rule came to for a tenant (``m365audit.rules.runner.RuleOutcome``).

    Attributes:
        outcome: ``findings``, ``clean``, ``not_evaluated`` or ``error``.
        is_covered: all the evidence that the rule needs was there.
    """

    @property
    def tenant_id(self) -> str: ...
    @property
    def rule(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def is_covered(self) -> bool: ...
