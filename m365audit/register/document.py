"""The consent record as its file has it: fields, words and shapes. Never looks at another file or at a clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, ClassVar, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from m365audit.config.shapes import (
    COUNTRY_GROUPS,
    GUID_PATTERN,
    Duration,
    Guid,
    PeriodText,
    Refusal,
    Region,
    Sha256,
    Slug,
    Strict,
    Text,
    Time,
    fault,
    guid,
)
from m365audit.config.spelling import shown

SCHEMA: Final = "m365audit.consent/1"
FULL_EVENTS: Final = ("granted", "amended", "renewed")
ENDING_EVENTS: Final = ("withdrawn", "revoked", "invalidated")
EVENTS: Final = FULL_EVENTS + ENDING_EVENTS
EVIDENCE_KINDS: Final = ("entra_audit", "document", "screenshot", "ticket", "receipt")
DEFAULT_API: Final = "microsoft_graph"

Event = Literal["granted", "amended", "renewed", "withdrawn", "revoked", "invalidated"]
Kind = Literal["application", "delegated"]
Operation = Literal["read", "write", "send", "delete"]
WorkloadName = Literal[
    "mail",
    "calendar",
    "contacts",
    "teams_chat",
    "teams_channel",
    "teams_meeting",
    "presence",
    "telephony",
    "files",
    "directory",
]
LegalBasis = Literal["consent", "contract", "legal_obligation", "vital_interest", "public_task", "legitimate_interest"]

Subjects = Literal["customers", "prospects", "employees", "contacts", "visitors", "others"]

_GUID = re.compile(GUID_PATTERN[:-1] + r"\Z")
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\Z")
_HOST = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*\Z")
_WORD = re.compile(r"[a-z][a-z0-9_]*\Z")
_LONGEST_NAME: Final = 100
_NAME = re.compile(rf"[^\s]{{1,{_LONGEST_NAME}}}\Z")


def _schema(text: str) -> str:
    if text != SCHEMA:
        todo = f"write schema: {SCHEMA}; this version of the product reads no other"
        fault("unknown_schema", f"{shown(text)} is not a known schema", todo)
    return text


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


def _evidence_kind(text: str) -> str:
    if not _WORD.match(text):
        todo = f"use a word of small letters, e.g. {', '.join(EVIDENCE_KINDS)}"
        fault("bad_evidence_kind", f"{shown(text)} is not a kind of evidence", todo)
    return text


def _api(text: str) -> str:
    if not _WORD.match(text):
        todo = f"leave it out for {DEFAULT_API}, or write e.g. exchange_online"
        fault("bad_api", f"{shown(text)} is not the name of an API", todo)
    return text


def _permission_shape(value: object) -> object:
    if isinstance(value, str):
        todo = f"write {{name: {value[:60]}, kind: application}} (or kind: delegated)"
        fault("permission_without_kind", f"{shown(value)} does not say of which kind the permission is", todo)
    return value


def _process_shape(value: object) -> object:
    if isinstance(value, str):
        todo = "write the whole process out; granted, amended and renewed carry the full list"
        fault("process_without_body", f"{shown(value)} names a process without describing it", todo)
    return value


def _process_name(value: object) -> object:
    if isinstance(value, dict):
        todo = "name it only, e.g. processes: [crm-mail-log]; an ending entry describes nothing"
        fault("ending_with_process_body", "an ending entry describes a process", todo)
    return value


def _some_processes(value: object) -> object:
    if value is None:
        # A key left empty must never end a whole record by accident: only a missing key means all processes.
        fault("empty_value", "nothing is written here", "name the processes, or remove the key")
    if isinstance(value, list) and not value:
        todo = "name the processes; an ending entry that means all of them leaves the key out"
        fault("no_processes", "the list of processes is empty", todo)
    return value


def _country(text: str) -> str:
    if text in COUNTRY_GROUPS:
        fault("bad_region", f"{shown(text)} is a group of countries", "name the one country, e.g. NL")
    return text


def _trunk(text: str) -> str:
    """Return the fully qualified domain name of a session border controller in lower case."""
    if not _HOST.match(text):
        fault("bad_trunk", f"{shown(text)} is not a trunk's domain name", "write it like sbc.contoso.example")
    return text.lower()


def _origin(text: str) -> str:
    scheme, _, host = text.partition("://")
    if scheme.lower() not in {"http", "https"} or not _HOST.match(host.partition(":")[0]):
        fault(
            "bad_origin", f"{shown(text)} is not the address of a website", "write it like https://www.contoso.example"
        )
    return text.lower()


def _not_negative_stop(value: timedelta) -> timedelta:
    if value > timedelta(days=3_660):
        fault("bad_duration", "stop_within is longer than ten years", "give the time that stopping really may take")
    return value


Country = Annotated[Region, AfterValidator(_country)]
ProcessId = Annotated[str, AfterValidator(_process_id), WithJsonSchema({"type": "string", "pattern": r"^\S+$"})]


class Evidence(Strict):
    """What proves an entry."""

    kind: Annotated[str, AfterValidator(_evidence_kind)] = Field(examples=["document"])
    ref: Text = Field(examples=["DPA-Contoso-2025.pdf"])
    sha256: Sha256 | None = None


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
    workload: WorkloadName = Field(examples=["mail"])
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


class _Entry(Strict):
    """What every entry of the history has."""

    event: Event = Field(examples=["granted"])
    recorded_at: Time = Field(examples=["2025-09-01T09:14:00Z"])
    effective_from: Time = Field(examples=["2025-09-01T00:00:00Z"])
    recorded_by: Text | None = None
    approved_by: Text | None = None
    policy_version: Text | None = None
    notice_sha256: Sha256 | None = None
    reason: Text | None = None


class FullEntry(_Entry):
    """``granted``, ``amended``, ``renewed``: the full list of processes and a period."""

    event: Annotated[Event, WithJsonSchema({"enum": list(FULL_EVENTS)})] = Field(examples=["granted"])
    effective_until: Time = Field(examples=["2027-01-01T00:00:00Z"])
    evidence: Annotated[tuple[Evidence, ...], Field(min_length=1)] = Field(
        examples=["[{kind: document, ref: agreement.pdf}]"]
    )
    processes: Annotated[
        tuple[Annotated[Process, BeforeValidator(_process_shape)], ...], BeforeValidator(_some_processes)
    ]


class EndingEntry(_Entry):
    """``withdrawn``, ``revoked``, ``invalidated``: ends the processes named; none named means all."""

    event: Annotated[Event, WithJsonSchema({"enum": list(ENDING_EVENTS)})] = Field(examples=["withdrawn"])
    evidence: Annotated[tuple[Evidence, ...], Field(min_length=1)] | None = None
    processes: Annotated[
        tuple[Annotated[ProcessId, BeforeValidator(_process_name)], ...] | None, BeforeValidator(_some_processes)
    ] = None
    refused: ClassVar[Mapping[str, Refusal]] = {
        "effective_until": Refusal(
            "ending_with_until",
            "an ending entry has an effective_until, but what has ended does not begin again",
            "remove the key; to allow it again later, add a renewed entry",
        )
    }

    def covers(self, process: str) -> bool:
        """Return whether this entry ends a process."""
        return self.processes is None or process in self.processes


def _entry_branch(value: object) -> str:
    """Send an entry to the shape that its event, or else its content, shows."""
    if isinstance(value, FullEntry | EndingEntry):
        return type(value).__name__
    if not isinstance(value, dict):
        return "FullEntry"
    if value.get("event") in ENDING_EVENTS:
        return "EndingEntry"
    processes = value.get("processes")
    names_only = isinstance(processes, list) and all(isinstance(entry, str) for entry in processes)
    is_unknown = value.get("event") not in FULL_EVENTS
    return "EndingEntry" if is_unknown and names_only and "effective_until" not in value else "FullEntry"


Entry = Annotated[
    Annotated[FullEntry, Tag("FullEntry")] | Annotated[EndingEntry, Tag("EndingEntry")],
    Discriminator(_entry_branch),
]


class Telephony(Strict):
    """What an integration with telephones is made of: which exchange, in which country, over which trunks."""

    system: Text = Field(examples=["3CX"])
    pbx_host_country: Country | None = None
    trunks: tuple[Annotated[str, AfterValidator(_trunk)], ...] = ()


class Website(Strict):
    """The website that an integration works for."""

    origin: Annotated[str, AfterValidator(_origin)] = Field(examples=["https://www.contoso.example"])


class Integration(Strict):
    """The product that uses the data, and the apps by which it does."""

    kind: Literal["crm", "telephony", "website", "mail_addin", "other"] = Field(examples=["crm"])
    name: Text = Field(examples=["SalSoft CRM connector"])
    app_ids: Annotated[tuple[Guid, ...], Field(min_length=1)] = Field(
        examples=["[c0ffee00-0000-4000-8000-000000000001]"]
    )
    publisher: Text | None = None
    owner_tenant_id: Guid | None = None
    credential: Literal["certificate", "secret", "federated", "managed_identity"] | None = None
    telephony: Telephony | None = None
    website: Website | None = None


class RecordDocument(Strict):
    """One consent record: what a tenant has agreed to, for one integration, over time."""

    schema_version: Annotated[str, AfterValidator(_schema), WithJsonSchema({"type": "string", "const": SCHEMA})] = (
        Field(alias="schema", examples=[SCHEMA])
    )
    record: Slug = Field(examples=["contoso-salsoft-crm"])
    tenant: Guid = Field(examples=["11111111-1111-4111-8111-111111111111"])
    integration: Integration
    controller: Text | None = None
    processor: Text | None = None
    stop_within: Annotated[Duration, AfterValidator(_not_negative_stop)] = timedelta(0)
    history: Annotated[tuple[Entry, ...], Field(min_length=1)]


class ConsentRecord(RecordDocument):
    """A consent record that was found valid, with the file it stands in and the hash of every entry.

    Attributes:
        file: the file, as the user knows it.
        entry_hashes: canonical SHA-256 of each entry, in the order of the history.
    """

    file: str
    entry_hashes: tuple[str, ...]


def record_schema() -> dict[str, object]:
    """Return the JSON Schema of a consent record, for editors."""
    return RecordDocument.model_json_schema()
