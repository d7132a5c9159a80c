"""What a consent record says that an app may do: processes with their permissions, resources and transfers.

Fields, words and shapes only; never looks at another file or at a clock.
"""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from m365audit.config.commitments import LegalBasis
from m365audit.config.shapes import (
    COUNTRY_GROUPS,
    GUID_PATTERN,
    PeriodText,
    Region,
    Sha256,
    Strict,
    Text,
    Time,
    fault,
    guid,
)
from m365audit.config.spelling import shown
from m365audit.model import Operation, Workload

DEFAULT_API: Final = "microsoft_graph"

Kind = Literal["application", "delegated"]
Subjects = Literal["customers", "prospects", "employees", "contacts", "visitors", "others"]

_GUID = re.compile(GUID_PATTERN[:-1] + r"\Z")
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\Z")
WORD: Final = re.compile(r"[a-z][a-z0-9_]*\Z")
_LONGEST_NAME: Final = 100
_NAME = re.compile(rf"[^\s]{{1,{_LONGEST_NAME}}}\Z")


def _without_wildcard(text: str) -> str:
    if "*" in text:
        fault("wildcard", f"{shown(text)} holds a wildcard", "list each one by its exact name")
    return text


def _resource_id(text: str) -> str:
    """Return an object id, user principal name or chat id in lower case."""
    _without_wildcard(text)
    if not _GUID.match(text) and not _ADDRESS.match(text):
        todo = "give the object id (a GUID) or the user principal name (name@domain)"
        fault("bad_resource_id", f"{shown(text)} is neither an object id nor a user principal name", todo)
    return text.lower()


def _group_id(text: str) -> str:
    _without_wildcard(text)
    if not _GUID.match(text):
        fault("not_a_guid", f"{shown(text)} is not a group's object id", "copy the group's Object ID from Entra")
    return guid(text)


def _process_id(text: str) -> str:
    """Return a process's id: one word, so that it can be named in lists and on the command line."""
    if not _NAME.match(text):
        better = "-".join(text.split())[:_LONGEST_NAME]
        todo = f"write one word of at most {_LONGEST_NAME} characters, e.g. {better or 'crm-mail-log'}"
        fault("bad_process_id", f"{shown(text)} is not one word", todo)
    return text


def _api(text: str) -> str:
    if not WORD.match(text):
        todo = f"leave it out for {DEFAULT_API}, or write e.g. exchange_online"
        fault("bad_api", f"{shown(text)} is not the name of an API", todo)
    return text


def _permission_shape(value: object) -> object:
    if isinstance(value, str):
        todo = f"write {{name: {value[:60]}, kind: application}} (or kind: delegated)"
        fault("permission_without_kind", f"{shown(value)} does not say of which kind the permission is", todo)
    return value


def _country(text: str) -> str:
    if text in COUNTRY_GROUPS:
        fault("bad_region", f"{shown(text)} is a group of countries", "name the one country, e.g. NL")
    return text


Country = Annotated[Region, AfterValidator(_country)]
ProcessId = Annotated[str, AfterValidator(_process_id), WithJsonSchema({"type": "string", "pattern": r"^\S+$"})]


class Permission(Strict):
    """One permission by its exact name."""

    name: Annotated[Text, AfterValidator(_without_wildcard)] = Field(examples=["Mail.Read"])
    kind: Kind = Field(examples=["application"])
    api: Annotated[str, AfterValidator(_api)] = DEFAULT_API


class ResourceList(Strict):
    """Resources by id, or groups whose members are covered: one of the two."""

    ids: Annotated[tuple[Annotated[str, AfterValidator(_resource_id)], ...], Field(min_length=1)] | None = None
    groups: Annotated[tuple[Annotated[str, AfterValidator(_group_id)], ...], Field(min_length=1)] | None = None


def _resource_branch(value: object) -> str:
    return "ResourceList" if isinstance(value, dict | ResourceList) else "All"


Resources = Annotated[
    Annotated[ResourceList, Tag("ResourceList")] | Annotated[Literal["all"], Tag("All")],
    Discriminator(_resource_branch),
]


class Transfer(Strict):
    """One transfer of data out of the EEA, and what makes it lawful (GDPR Art. 44 to 49)."""

    country: Country = Field(examples=["US"])
    recipient: Text | None = None
    tool: Literal["adequacy", "standard_clauses", "binding_rules", "derogation"] = Field(examples=["standard_clauses"])
    ref: Text | None = None
    sha256: Sha256 | None = None
    valid_until: Time | None = None


class Process(Strict):
    """One purpose and one workload: what is granted, compared and withdrawn."""

    id: ProcessId = Field(examples=["crm-mail-log"])
    purpose: Text = Field(examples=["Log customer correspondence in the CRM"])
    purpose_uri: Text | None = None
    legal_basis: LegalBasis = Field(examples=["legitimate_interest"])
    workload: Workload = Field(examples=["mail"])
    permissions: Annotated[
        tuple[Annotated[Permission, BeforeValidator(_permission_shape)], ...], Field(min_length=1)
    ] = Field(examples=["[{name: Mail.Read, kind: application}]"])
    operations: Annotated[tuple[Operation, ...], Field(min_length=1)] = Field(examples=["[read]"])
    resources: Resources = Field(examples=["{groups: [33333333-3333-4333-8333-333333333331]}"])
    regions: tuple[Region, ...] | None = None
    data_categories: tuple[Text, ...] | None = None
    data_subjects: tuple[Subjects, ...] | None = None
    legitimate_interest_ref: Text | None = None
    consent_store: Text | None = None
    recipients: tuple[Text, ...] | None = None
    transfers: tuple[Transfer, ...] | None = None
    retention: PeriodText | None = None
