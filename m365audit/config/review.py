"""The section ``review`` of ``m365audit.yaml``: who decides, who is the same person, how the review page signs in."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from m365audit.config.shapes import Guid, Strict, Text, fault, guid
from m365audit.config.spelling import shown
from m365audit.config.yamlnodes import Document

ROLES: Final = ("dpo", "risk_owner", "analyst", "admin", "reviewer")
"""Who may do what stands in ``m365audit.findings.decisions``."""

Role = Literal["dpo", "risk_owner", "analyst", "admin", "reviewer"]
_PERSON: Final = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_USER: Final = re.compile(r"[^\s:/\\]{1,256}\Z")


def _identity(text: str) -> str:
    way, _, rest = text.partition(":")
    if way == "entra":
        return f"entra:{guid(rest)}"
    if way != "os" or not _USER.match(rest):
        todo = "write os:NAME for a user of this machine, or entra:OBJECT-ID for one of Entra"
        fault("bad_identity", f"{shown(text)} names nobody", todo)
    return text


def _person(text: str) -> str:
    if not _PERSON.match(text):
        fault("bad_identifier", f"{shown(text)} is not a short name for a person", "write it like m.klein")
    return text


class PersonSettings(Strict):
    """One natural person: whatever ids they sign in with, they are one, and never the second person to themselves."""

    person: Annotated[str, AfterValidator(_person), WithJsonSchema({"type": "string", "minLength": 1})] = Field(
        examples=["m.klein"]
    )
    name: Text | None = None
    roles: tuple[Role, ...] = ()
    ids: tuple[Annotated[str, AfterValidator(_identity), WithJsonSchema({"type": "string", "minLength": 4})], ...] = (
        Field(min_length=1, examples=['["os:mkh"]'])
    )


class SignInSettings(Strict):
    """The app registration with which the review page signs people in with Entra."""

    tenant: Guid = Field(examples=["11111111-1111-4111-8111-111111111111"])
    client_id: Guid = Field(examples=["22222222-2222-4222-8222-222222222222"])


class ReviewSettings(Strict):
    """Who decides on findings. Without ``people`` any user of this machine may, as themselves."""

    second_person: Literal["required", "off"] = "required"
    people: tuple[PersonSettings, ...] = ()
    sign_in: SignInSettings | None = None

    def person_of(self, identity: str) -> PersonSettings | None:
        """Return the person with an id; None for one that the configuration does not name."""
        return next((person for person in self.people if identity in person.ids), None)


def check_people(document: Document) -> None:
    """Complain when a person, or an id of one, is written down twice: who is whom would not be known."""
    value = document.value.get("review") if isinstance(document.value, dict) else None
    people = value.get("people") if isinstance(value, dict) else None
    first: dict[tuple[str, str], tuple[str | int, ...]] = {}
    for index, entry in enumerate(people if isinstance(people, list) else []):
        if not isinstance(entry, dict):
            continue
        place = ("review", "people", index)
        ids = entry.get("ids")
        written: list[tuple[tuple[str, object], tuple[str | int, ...]]] = [
            (("person", entry.get("person")), (*place, "person"))
        ]
        written += [(("id", each), (*place, "ids", n)) for n, each in enumerate(ids if isinstance(ids, list) else [])]
        for (kind, name), path in written:
            if not isinstance(name, str):
                continue
            known = first.setdefault((kind, name.lower()), path)
            if known != path:
                what = f"the {kind} {shown(name)} is already named on line {document.line(known)}"
                document.problem("duplicate_person", path, what, "give one person one entry, with all their ids")
