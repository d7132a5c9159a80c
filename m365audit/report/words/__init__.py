"""Owns every word that a reader of report and page sees, by language; decides nothing and holds no figures.

``words/<language>.yml`` have the same keys. A code that no file knows is shown as it stands, never left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from markupsafe import Markup, escape

from m365audit.errors import ConfigurationError
from m365audit.model import STATE_FEEDS
from m365audit.report.display import shown
from m365audit.resources import yaml_values

LANGUAGES: Final = ("en", "nl")
_SIGN_INS: Final = "sign_ins_"
_AUDITS: Final = "audit_"

Texts = Mapping[str, "str | Mapping[str, str]"]


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language, and how it writes figures and times.

    Attributes:
        language: ``en`` or ``nl``, also the page's ``lang``.
        texts: flat keys (``answer.outside.headline``) and what they say; a mapping of ``one`` and ``other`` counts.
        zone: the reader's time zone; times are shown in it, with UTC beside it where it is another.
    """

    language: str
    texts: Texts
    zone: tzinfo = field(default=UTC)

    def __call__(self, key: str, **values: object) -> Markup:
        """Return the words for a page: escaped, with every value made visible and escaped.

        ``count`` chooses between singular and plural.

        Raises:
            KeyError: there is no such key.
        """
        placed = {name: self.placed(value) for name, value in values.items()}
        return escape(self._chosen(key, values)).format(**placed)

    def plain(self, key: str, **values: object) -> str:
        """Return the words as text for any other form; values are put in as they are.

        Raises:
            KeyError: there is no such key.
        """
        return self._chosen(key, values).format(**{name: self._said(value) for name, value in values.items()})

    def _chosen(self, key: str, values: Mapping[str, object]) -> str:
        text = self.texts[key]
        return text if isinstance(text, str) else text["one" if values.get("count") == 1 else "other"]

    def placed(self, value: object) -> Markup:
        """Return one value for a page, whatever it is: every value that a template prints passes here."""
        return value if isinstance(value, Markup) else escape(shown(self._said(value), str(self.texts["format.cut"])))

    def _said(self, value: object) -> str:
        if isinstance(value, bool):
            return self.plain("word.yes" if value else "word.no")
        if isinstance(value, int):
            return self.number(value)
        if isinstance(value, datetime):
            return self.minute(value)
        return self.plain("word.not_known") if value is None else str(value)

    def lines(self, family: str) -> tuple[str, ...]:
        """Return all texts of a family, in the order of the file."""
        return tuple(str(text) for key, text in self.texts.items() if key.startswith(f"{family}."))

    def has(self, key: str) -> bool:
        """Tell whether there are words for a key."""
        return key in self.texts

    def code(self, family: str, code: str | None) -> str:
        """Return the words for a code of a family (``reason``, ``workload``, …); the code itself when it has none."""
        text = self.texts.get(f"{family}.{code}")
        if isinstance(text, str):
            return text
        return self.plain("word.not_known") if code is None else code

    def reason(self, code: str) -> str:
        """Return the words for a reason of a verdict, of a rule or of a gap; without words the code, to be read."""
        if self.has(f"reason.{code}"):
            return self.code("reason", code)
        return self.code("gap", code) if self.has(f"gap.{code}") else code.replace("_", " ")

    def feeds(self, codes: Iterable[str]) -> str:
        """Return the words for several sources of evidence; those that have a name together go by it."""
        left, names = list(codes), []
        for name, members in _families(self.texts):
            if members <= set(left):
                names.append(self.plain(f"feeds.{name}"))
                left = [code for code in left if code not in members]
        return ", ".join([*names, *(self.code("feed", code) for code in left)])

    def number(self, value: int) -> str:
        """Return a whole number with the language's separators."""
        return f"{value:,}".replace(",", self.plain("format.thousands"))

    def percent(self, share: int, covered_seconds: int) -> str:
        """Return a share; what is covered a little is never nothing."""
        return "< 1 %" if share == 0 and covered_seconds > 0 else f"{share} %"

    def minute(self, value: datetime) -> str:
        """Return a time to the minute in the reader's zone, with UTC beside it where that is another time."""
        here, there = value.astimezone(self.zone), value.astimezone(UTC)
        text = here.strftime("%Y-%m-%d %H:%M")
        if here.utcoffset() == timedelta(0):
            return text
        return f"{text} ({there.strftime('%H:%M' if there.date() == here.date() else '%Y-%m-%d %H:%M')} UTC)"

    def day(self, value: datetime) -> str:
        """Return a date in the reader's zone."""
        return value.astimezone(self.zone).strftime("%Y-%m-%d")

    def in_full(self, value: datetime) -> str:
        """Return a time as a clock on page 1 says it: weekday, date and time in the reader's zone, and UTC."""
        here, there = value.astimezone(self.zone), value.astimezone(UTC)
        day = f"{self._weekday(here)} {here.day} {self._month(here)} {here.year} {here:%H:%M}"
        if here.utcoffset() == timedelta(0):
            return f"{day} UTC"
        other = "" if here.date() == there.date() else f"{there.day} {self._month(there)} "
        return f"{day} {self.zone_name} ({other}{there:%H:%M} UTC)"

    @property
    def zone_name(self) -> str:
        """The place whose time it is."""
        return str(self.zone).rpartition("/")[2].replace("_", " ")

    def _weekday(self, value: datetime) -> str:
        return self.plain("format.weekdays").split()[value.weekday()]

    def _month(self, value: datetime) -> str:
        return self.plain("format.months").split()[value.month - 1]

    def duration(self, seconds: int) -> str:
        """Return a span in hours and minutes, as a clock that runs is read."""
        minutes = abs(seconds) // 60
        return self.plain("format.duration", hours=minutes // 60, minutes=f"{minutes % 60:02d}")


def _families(texts: Texts) -> tuple[tuple[str, frozenset[str]], ...]:
    """Return the sources that have one name together: they come and go together."""
    feeds = [key.removeprefix("feed.") for key in texts if key.startswith("feed.")]
    return (
        ("sign_ins", frozenset(feed for feed in feeds if feed.startswith(_SIGN_INS))),
        ("audit", frozenset(feed for feed in feeds if feed.startswith(_AUDITS))),
        ("state", frozenset(STATE_FEEDS)),
    )


def load_words(language: str = "en", time_zone: str = "UTC") -> Words:
    """Return the words of a language with the reader's time zone.

    Raises:
        ConfigurationError: no such language, or no such zone.
    """
    if language not in LANGUAGES:
        raise ConfigurationError(
            f"the report does not speak {language!r}", hint=f"choose one of {', '.join(LANGUAGES)}"
        )
    try:
        zone: tzinfo = UTC if time_zone == "UTC" else ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigurationError(f"there is no time zone {time_zone!r}", hint="write it as Europe/Amsterdam") from error
    return Words(language, _texts(language), zone)


@cache
def _texts(language: str) -> Texts:
    """Read the page's words, and those of the other forms beside them."""
    folder = Path(__file__).resolve().parent
    paths = (folder / f"{language}.yml", folder / f"formats.{language}.yml")
    return {key: text for path in paths for key, text in flat(yaml_values(path.read_text("utf-8"))).items()}


def flat(nested: Mapping[str, Any], before: str = "") -> dict[str, str | Mapping[str, str]]:
    """Return nested texts under keys with dots; a mapping of ``one`` and ``other`` stays one text."""
    found: dict[str, str | Mapping[str, str]] = {}
    for name, value in nested.items():
        key = f"{before}{name}"
        if isinstance(value, dict) and set(value) != {"one", "other"}:
            found |= flat(value, f"{key}.")
        elif isinstance(value, dict):
            found[key] = {form: text.strip() for form, text in value.items()}
        else:
            found[key] = str(value).strip()
    return found
