"""The section ``report`` of ``m365audit.yaml``: the reader's language and time zone."""

from __future__ import annotations

from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, WithJsonSchema

from m365audit.config.shapes import Strict, fault
from m365audit.config.spelling import shown


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        fault("bad_zone", f"{shown(text)} is no time zone", "write it like Europe/Amsterdam")
    return text


class ReportSettings(Strict):
    """For whom report, page and every other form are written."""

    language: Literal["en", "nl"] = "en"
    time_zone: Annotated[str, AfterValidator(_zone), WithJsonSchema({"type": "string", "minLength": 1})] = (
        "Europe/Amsterdam"
    )
