"""What a privacy policy commits to, fact by fact, each with the clause where it stands. Never judges a fact.

A fact that the policy's text does not give is left out of ``policy.yaml``: absence is a fact too, and the checks of the
policy's text (POL-01 …) are made of it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictBool, StrictInt, WithJsonSchema

from m365audit.config.dated import Day
from m365audit.config.shapes import PeriodText, Region, Sha256, Strict, Text, fault
from m365audit.config.spelling import shown, suggestion
from m365audit.model import WORKLOADS


def _workload(text: str) -> str:
    if text not in WORKLOADS:
        fault("unknown_value", f"{shown(text)} is not a workload", suggestion(text, WORKLOADS))
    return text


Workload = Annotated[str, AfterValidator(_workload), WithJsonSchema({"type": "string", "enum": list(WORKLOADS)})]
Clause = Annotated[Text, WithJsonSchema({"type": "string"})]
LegalBasis = Literal[
    "consent", "contract", "legal_obligation", "vital_interest", "public_task", "legitimate_interest",
]  # fmt: skip
Right = Literal[
    "access", "rectify", "erase", "restrict", "portability", "object", "withdraw_consent", "complain",
    "no_automated_decision",
]  # fmt: skip


class PolicyVersion(Strict):
    """One published text of the policy; ``is_material``: records have to follow it, NULL while nobody has said."""

    version: Text = Field(examples=['"2025-08-07"'])
    effective_from: Day | None = None
    text_sha256: Sha256 | None = None
    url: Text | None = None
    is_material: StrictBool | None = None


class ClauseFact(Strict):
    """One clause of the policy, so that reports can name it."""

    number: Clause = Field(examples=['"8"'])
    title: Text = Field(examples=["Data retention"])
    is_provable: StrictBool | None = None
    note: Text | None = None


class Commitment(Strict):
    """What every commitment has: the clause of the policy where it stands."""

    clause: Clause = Field(examples=['"8"'])


class Person(Commitment):
    """A natural person whom the policy names, and the office; the same name in two offices is one person."""

    office: Literal["chief_executive", "data_protection_officer", "security_officer", "other"] = Field(
        examples=["data_protection_officer"]
    )
    name: Text = Field(examples=["A. Jansen"])


class Contact(Commitment):
    """How people reach the controller."""

    email: Text | None = None
    phone: Text | None = None
    website: Text | None = None
    postal_address: Text | None = None


class RoleStatement(Commitment):
    """In which role the company says that it processes."""

    stated: tuple[Literal["controller", "processor", "joint_controller"], ...] = ()


class CategoryCommitment(Commitment):
    """A category of data that the policy lists, and the workloads whose content it names."""

    category: Text = Field(examples=["contact_information"])
    group: Literal["personal", "technical", "business", "other"] = "other"
    workloads: tuple[Workload, ...] = ()


class LegalBasisCommitment(Commitment):
    """A legal basis that is relied on; for a legitimate interest, where its balancing test is."""

    basis: LegalBasis = Field(examples=["contract"])
    purposes: tuple[Text, ...] = ()
    balancing_test: Text | None = None


class RecipientCommitment(Commitment):
    """A category of recipients; ``of_consent``: whose consent it rests on, where the text speaks of one."""

    recipient: Text = Field(examples=["service_providers"])
    is_named: StrictBool = False
    with_consent: StrictBool = False
    of_consent: Literal["customer_administrator", "person"] | None = None


class Processor(Commitment):
    """A processor that is named, and where."""

    name: Text = Field(examples=["Example Hosting B.V."])
    purpose: Text | None = None
    country: Region | None = None


class IntegrationCommitment(Commitment):
    """Something that the service is integrated with, and the workloads that this is about."""

    integration: Text = Field(examples=["microsoft_365"])
    workloads: tuple[Workload, ...] = ()
    with_consent: StrictBool = False
    of_consent: Literal["customer_administrator", "person"] | None = None


class RetentionCommitment(Commitment):
    """How long a category of data is kept, counted from when."""

    category: Text = Field(examples=["system_logs"])
    duration: PeriodText | None = None
    until: Text | None = None


class RightsCommitment(Commitment):
    """The rights that the policy lists, and the authority to complain to that it names."""

    listed: Annotated[tuple[Right, ...], Field(min_length=1)] = Field(examples=["[access, erase]"])
    authority: Text | None = None


class RegionsCommitment(Commitment):
    """Where data is processed.

    ``eu_share_min``: which share of an integration's calls has to come from the Union so that "primarily" is kept, in
    per cent. It has no default: as long as nobody says it, the commitment can neither be kept nor broken.
    """

    primary: Region | None = None
    allowed: tuple[Region, ...] = ()
    eu_share_min: Annotated[StrictInt, Field(ge=1, le=100)] | None = None
    safeguards: tuple[Text, ...] = ()


class MfaCommitment(Commitment):
    """Whether a second factor is promised."""

    required: StrictBool = Field(examples=["true"])


class CookieCommitment(Commitment):
    """How people choose about cookies, and for what cookies are used."""

    choice: Literal["opt_in", "browser_settings", "opt_out", "none"] = Field(examples=["opt_in"])
    purposes: tuple[Text, ...] = ()


class BreachCommitment(Commitment):
    """Hours within which authorities are told, and whether people are."""

    authority_hours: Annotated[StrictInt, Field(ge=1, le=8_760)] = Field(examples=["72"])
    tells_people: StrictBool | None = None


class AgeCommitment(Commitment):
    """The age from which on the service is meant for people."""

    minimum: Annotated[StrictInt, Field(ge=1, le=150)] = Field(examples=["16"])


class ChangesCommitment(Commitment):
    """How changes of the policy are told, and whether it says what a material one is and which version it is."""

    channels: tuple[Literal["email", "website", "in_system", "letter"], ...] = ()
    defines_material: StrictBool = False
    states_version: StrictBool = False


class ResponseCommitment(Commitment):
    """Within which time a request is answered; with both, the earlier one counts."""

    days: Annotated[StrictInt, Field(ge=1, le=366)] | None = None
    months: Annotated[StrictInt, Field(ge=1, le=12)] | None = None
