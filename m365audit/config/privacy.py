"""The section ``privacy`` of ``m365audit.yaml``: how long the auditor's own data are kept, what was agreed on it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from m365audit.config.durations import DurationError, parse_period
from m365audit.config.shapes import Strict, Text, fault
from m365audit.config.spelling import shown


def _keeping(text: str) -> str:
    try:
        period = parse_period(text)
    except DurationError as error:
        fault("bad_duration", f"{shown(text)}: {error.what}", "write e.g. P12M (months), P30D (days) or P3Y (years)")
    if not (period.years or period.months or period.rest.days):
        fault("bad_duration", f"{shown(text)} is less than a day", "give a day at least, e.g. P1D")
    if period.years + period.months // 12 > 100:  # noqa: PLR2004 - longer than anybody's calendar
        fault("bad_duration", f"{shown(text)} is longer than a century", "write a shorter one")
    return text


Keeping = Annotated[str, AfterValidator(_keeping), WithJsonSchema({"type": "string", "format": "duration"})]


class PrivacySettings(Strict):
    """What the auditor keeps of people, and for how long. What is left out follows from the policy, else as shown."""

    keep_logs: Keeping | None = Field(default=None, examples=["P12M"])
    keep_addresses: Keeping | None = Field(default=None, examples=["P30D"])
    keep_aggregates: Keeping | None = Field(default=None, examples=["P3Y"])
    dpia: Text | None = Field(default=None, examples=["DPIA-2026-03.pdf"])
    works_council: Text | None = Field(default=None, examples=["consent of 2026-02-11"])
