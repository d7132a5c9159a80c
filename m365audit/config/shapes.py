"""Field types that several files share: GUIDs, times, durations, names; each says in its error what to write instead.

Never holds a model of its own: those stand in ``settings.py``, ``policy.py`` and the register.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Final, NoReturn

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, WithJsonSchema
from pydantic_core import PydanticCustomError

from m365audit.config.durations import DurationError, TimeError, parse_duration, parse_period, parse_time
from m365audit.config.spelling import nearest, shown

GUID_PATTERN: Final = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
SLUG_PATTERN: Final = r"^[a-z0-9-]+$"
_GUID = re.compile(GUID_PATTERN[:-1] + r"\Z")
_SLUG = re.compile(SLUG_PATTERN[:-1] + r"\Z")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}\Z")
_LONGEST_TEXT: Final = 2_000
_LONGEST_SLUG: Final = 100

_COUNTRY_CODES: Final = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW "
    "BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI "
    "FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN "
    "IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME "
    "MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF "
    "PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV "
    "SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE "
    "YT ZA ZM ZW"
)
COUNTRIES: Final = frozenset(_COUNTRY_CODES.split(" "))
"""ISO 3166-1 alpha-2 country codes in use."""

COUNTRY_GROUPS: Final = ("EU", "EEA")
"""Groups of countries that may be named; ``adequacy.yml`` says who belonged to them on which day."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What to say about a key that is refused for a reason better than "unknown"."""

    code: str
    what: str
    todo: str


class Strict(BaseModel):
    """Base of everything read from YAML: frozen, and unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    refused: ClassVar[Mapping[str, Refusal]] = {}


def fault(code: str, what: str, todo: str) -> NoReturn:
    """Raise the error that a field type gives for a bad value.

    Raises:
        PydanticCustomError: always.
    """
    raise PydanticCustomError(code, "{what}", {"what": what, "todo": todo})


def guid(text: str) -> str:
    """Return a GUID in lower case."""
    if not _GUID.match(text):
        todo = "write it like 11111111-2222-4333-8444-555555555555, without braces"
        fault("not_a_guid", f"{shown(text)} is not a GUID", todo)
    return text.lower()


def slug(text: str) -> str:
    """Return an identifier made of small letters, digits and hyphens."""
    if not _SLUG.match(text) or len(text) > _LONGEST_SLUG:
        better = re.sub(r"[^a-z0-9]+", "-", text[:_LONGEST_SLUG].lower()).strip("-")
        todo = f"use only a-z, 0-9 and hyphens, e.g. {better or 'contoso-crm'}"
        fault("bad_identifier", f"{shown(text)} is not a valid identifier", todo)
    return text


def text_of(text: str) -> str:
    """Return text that says something."""
    if not text.strip():
        fault("empty_value", "this is empty", "fill it in")
    if len(text) > _LONGEST_TEXT:
        fault("too_long", f"this is longer than {_LONGEST_TEXT} characters", "shorten it")
    return text.strip()


def sha256(text: str) -> str:
    """Return a SHA-256 in lower-case hexadecimal."""
    if not _SHA256.match(text):
        todo = "give all 64 hexadecimal digits, or leave the key out"
        fault("bad_sha256", f"{shown(text)} is not a SHA-256", todo)
    return text.lower()


def country(text: str) -> str:
    """Return an ISO 3166-1 alpha-2 code, or ``EU`` or ``EEA``."""
    known = (*sorted(COUNTRIES), *COUNTRY_GROUPS)
    if text not in known:
        better = "GB" if text.upper() == "UK" else nearest(text, known) if len(text) <= len("EEA") else None
        example = f"did you mean {better}?" if better else "e.g. NL"
        fault("bad_region", f"{shown(text)} is not a country code", f"use two capitals (ISO 3166-1); {example}")
    return text


def _time(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        fault("bad_time", f"{shown(value)} is not a time", "write it like 2025-09-01T09:00:00Z")
    try:
        return parse_time(value)
    except TimeError as error:
        what = f"{shown(value)}: {error.what}"
        if error.has_no_zone:
            fault("time_without_zone", what, error.todo)
        fault("bad_time", what, error.todo)


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        fault("bad_duration", f"{shown(value)} is not a duration", "write e.g. PT24H or P7D")
    try:
        return parse_duration(value)
    except DurationError as error:
        fault("bad_duration", f"{shown(value)}: {error.what}", error.todo)


def _period(text: str) -> str:
    try:
        parse_period(text)
    except DurationError as error:
        fault("bad_duration", f"{shown(text)}: {error.what}", error.todo.replace("PT24H (24 hours)", "P3Y (years)"))
    return text


Guid = Annotated[str, AfterValidator(guid), WithJsonSchema({"type": "string", "pattern": GUID_PATTERN})]
Slug = Annotated[str, AfterValidator(slug), WithJsonSchema({"type": "string", "pattern": SLUG_PATTERN})]
Text = Annotated[str, AfterValidator(text_of), WithJsonSchema({"type": "string", "minLength": 1})]
Sha256 = Annotated[str, AfterValidator(sha256), WithJsonSchema({"type": "string", "pattern": "^[0-9a-fA-F]{64}$"})]
Region = Annotated[str, AfterValidator(country), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{2,3}$"})]
Time = Annotated[datetime, BeforeValidator(_time), WithJsonSchema({"type": "string", "format": "date-time"})]
Duration = Annotated[timedelta, BeforeValidator(_duration), WithJsonSchema({"type": "string", "format": "duration"})]
PeriodText = Annotated[str, AfterValidator(_period), WithJsonSchema({"type": "string", "format": "duration"})]
