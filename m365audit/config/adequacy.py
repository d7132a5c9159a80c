"""``adequacy.yml``: how the law treats a country on a day. Never guesses: a country without a line is a third one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from m365audit.config.dated import DatedTable, Line, in_force, read_table, utc_day
from m365audit.config.shapes import COUNTRIES, Text, fault
from m365audit.config.spelling import nearest, shown

FILE: Final = "adequacy.yml"
CountryClass = Literal["eu", "eea", "adequate", "adequate_conditional"]


def _code(text: str) -> str:
    if text not in COUNTRIES:
        better = nearest(text.upper(), sorted(COUNTRIES))
        todo = f"use two capitals (ISO 3166-1); did you mean {better}?" if better else "use two capitals (ISO 3166-1)"
        fault("bad_region", f"{shown(text)} is not a country code", todo)
    return text


class Country(Line):
    """How one country was treated, for as long as it was."""

    code: Annotated[str, AfterValidator(_code), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{2}$"})] = Field(
        examples=["CH"]
    )
    country_class: CountryClass = Field(alias="class", examples=["adequate"])
    scope: Text | None = None
    decision: Text | None = None
    exporters: Literal["eu", "eea"] = "eea"

    @property
    def key(self) -> str:
        """Its code."""
        return self.code


class Adequacy(DatedTable):
    """All of ``adequacy.yml``."""

    schema_version: Literal["m365audit.adequacy/1"] = Field(alias="schema", examples=["m365audit.adequacy/1"])
    countries: Annotated[tuple[Country, ...], Field(min_length=1)] = Field(examples=["[...]"])

    def groups(self, at: date | datetime) -> Mapping[str, frozenset[str]]:
        """Return the members of the groups ``EU`` and ``EEA`` then, by name."""
        lines = in_force(self.countries, utc_day(at))
        union = frozenset(line.code for line in lines if line.country_class == "eu")
        rest = frozenset(line.code for line in lines if line.country_class == "eea")
        return MappingProxyType({"EU": union, "EEA": union | rest})


def load_adequacy(beside: Path | None = None) -> Adequacy:
    """Read the table: from ``adequacy.yml`` in a folder (that of the policy), else the product's own.

    Raises:
        ConfigurationError: the file cannot be read or is wrong.
    """
    return read_table(Adequacy, FILE, "countries", beside)


@cache
def shipped_adequacy() -> Adequacy:
    """Return the product's own table; read once."""
    return load_adequacy()
