"""Owns the values of controls, of attestations and of what the policy itself lacks; no words, no layout.

There is no score: outcomes are counted, never weighed against each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

OUTCOMES: Final = ("within", "outside", "review", "not_assessable", "not_applicable")


@dataclass(frozen=True, slots=True)
class Control:
    """One commitment of the policy in one tenant, for one integration where it is about one.

    ``outcome``: one of ``OUTCOMES``. ``attach``: what would answer it. An attestation never makes it ``within``.
    ``text_language``: of title, commitment and attach; ``sentence_language``: of the sentence.
    """

    tenant_id: str
    tenant_name: str
    control: str
    clause: str
    title: str
    commitment: str | None
    severity: str | None
    outcome: str
    reason_code: str | None
    sentence: str | None
    attach: str | None
    owner: str | None
    integration_name: str | None
    rules: tuple[str, ...]
    finding_ids: tuple[str, ...]
    gdpr: str | None
    iso: str | None
    attested_by: str | None
    attested_at: datetime | None
    attested_until: datetime | None
    text_language: str = "en"
    sentence_language: str = "en"


@dataclass(frozen=True, slots=True)
class ControlCounts:
    """Controls by outcome, over all tenants; ``is_known`` False: they were not looked at, which is not zero."""

    is_known: bool
    within: int
    outside: int
    review: int
    not_assessable: int
    not_applicable: int
    attested: int

    @property
    def total(self) -> int:
        """All of them; attested ones are counted in their outcome already."""
        return self.within + self.outside + self.review + self.not_assessable + self.not_applicable


@dataclass(frozen=True, slots=True)
class PolicyFinding:
    """What the text of the privacy policy lacks; no evidence can mend it."""

    rule: str
    title: str
    why: str | None
    severity: str
    gdpr: str | None
    text_language: str = "en"


@dataclass(frozen=True, slots=True)
class Attestation:
    """What a person declared, with the file that shows it; shown as attested, never as within."""

    tenant_id: str
    tenant_name: str
    control: str
    kind: str | None
    ref: str | None
    sha256: str | None
    by_role: str | None
    attested_at: datetime | None
    valid_until: datetime | None
    is_valid: bool


@dataclass(frozen=True, slots=True)
class DatedTable:
    """One dated table of law or fact that was judged with."""

    name: str
    version: str | None
    verified_on: date | None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the report has to say of its making that the published database does not hold.

    ``database_hash``: SHA-256 of the published file. ``journal_entries``/``journal_head``: how far the journal of
    decisions went. ``is_one_person``: DPO and risk owner are one natural person. ``missing_decisions``: what is
    missing of the journal, in words. ``clock_set_back_behind``: time of the newest decision, where the host's clock is
    earlier than that. ``unfinished_erasures``: names of those that were begun and broke off.
    ``last_evaluated_at``: when evidence was last judged, where that is too long ago to speak of now.
    """

    is_second_person_off: bool = False
    is_one_person: bool = False
    database_hash: str | None = None
    journal_entries: int | None = None
    journal_head: str | None = None
    missing_decisions: str | None = None
    clock_set_back_behind: datetime | None = None
    unfinished_erasures: tuple[str, ...] = ()
    last_evaluated_at: datetime | None = None
    dated_tables: tuple[DatedTable, ...] = ()


NOTHING_MORE: Final = Circumstances()
"""Where nothing is known beside the published database."""
