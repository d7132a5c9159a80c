"""What an unquoted YAML scalar means, and which readings are refused because programs disagree. Reads no file."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import yaml

_TAG: Final = "tag:yaml.org,2002:"
_PLAIN_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\Z")
_PLAIN_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,17}\Z")


class Trap(NamedTuple):
    """An unquoted scalar that YAML readers turn into something else."""

    code: str
    what: str
    todo: str


def plain_value(text: str) -> tuple[object, Trap | None]:
    """Return what an unquoted scalar means; with a trap, its text and what to say about it.

    Timestamps stay text; only ``true`` and ``false`` are truth values; only plain decimal numbers are numbers.
    """
    tag = _implicit_tag(text)
    if tag == "null":
        return None, None
    if tag == "bool":
        return _boolean(text)
    if tag == "int" and _PLAIN_INTEGER.match(text):
        return int(text), None
    if tag == "float" and _PLAIN_FLOAT.match(text):
        return float(text), None
    if tag in {"int", "float"}:
        what = f"{text[:40]} without quotes is read differently by different programs"
        return text, Trap("unquoted_number", what, f'put it in quotes: "{text[:40]}"')
    return text, None


def _boolean(text: str) -> tuple[object, Trap | None]:
    if text.lower() in {"true", "false"}:
        return text.lower() == "true", None
    meaning = "true" if text.lower() in {"yes", "on"} else "false"
    what = f"{text} without quotes means {meaning} in YAML"
    return text, Trap("unquoted_word", what, f'put it in quotes if text is meant: "{text}"')


def _implicit_tag(text: str) -> str:
    """Return the short YAML 1.1 tag that other readers would give to an unquoted scalar."""
    resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = yaml.SafeLoader.yaml_implicit_resolvers
    for tag, pattern in resolvers.get(text[:1], []):
        if pattern.match(text):
            return tag.removeprefix(_TAG)
    return "str"
