"""The consent record as its file has it: fields, words and shapes. Never looks at another file or at a clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, ClassVar, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from m365audit.config.shapes import Duration, Guid, Refusal, Sha256, Slug, Strict, Text, Time, fault
from m365audit.config.spelling import shown
from m365audit.register.integration import Integration
from m365audit.register.processes import WORD, Process, ProcessId

SCHEMA: Final = "m365audit.consent/1"
FULL_EVENTS: Final = ("granted", "amended", "renewed")
ENDING_EVENTS: Final = ("withdrawn", "revoked", "invalidated")
EVIDENCE_KINDS: Final = ("entra_audit", "document", "screenshot", "ticket", "receipt")

Event = Literal["granted", "amended", "renewed", "withdrawn", "revoked", "invalidated"]


def _schema(text: str) -> str:
    if text != SCHEMA:
        todo = f"write schema: {SCHEMA}; this version of the product reads no other"
        fault("unknown_schema", f"{shown(text)} is not a known schema", todo)
    return text


def _evidence_kind(text: str) -> str:
    if not WORD.match(text):
        todo = f"use a word of small letters, e.g. {', '.join(EVIDENCE_KINDS)}"
        fault("bad_evidence_kind", f"{shown(text)} is not a kind of evidence", todo)
    return text


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


def _plausible_stop(value: timedelta) -> timedelta:
    if value > timedelta(days=3_660):
        fault("bad_duration", "stop_within is longer than ten years", "give the time that stopping really may take")
    return value


class Evidence(Strict):
    """What proves an entry."""

    kind: Annotated[str, AfterValidator(_evidence_kind)] = Field(examples=["document"])
    ref: Text = Field(examples=["DPA-Contoso-2025.pdf"])
    sha256: Sha256 | None = None


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
    stop_within: Annotated[Duration, AfterValidator(_plausible_stop)] = timedelta(0)
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
