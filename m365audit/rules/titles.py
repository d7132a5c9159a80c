"""A finding's title as SQL: the rule's words with the subject's values in them. Decides nothing about a finding.

Values are plain text from strangers: control, format and bidirectional signs, line breaks and every other white space
but the space itself are dropped, and what is longer than a title's measure is cut.
"""

from __future__ import annotations

import re
from typing import Final

from m365audit.store.json_text import literal

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_LONGEST_VALUE: Final = 120
_NOT_TEXT: Final = r"[^\pL\pM\pN\pP\pS ]"
"""All that is no letter, mark, number, punctuation, symbol or space."""


def title_sql(title: str) -> str:
    """Return SQL that gives the title; ``{column}`` in it stands for a VARCHAR column's value."""
    literals, names = _PLACEHOLDER.split(title)[::2], _PLACEHOLDER.split(title)[1::2]
    parts = [literal(literals[0])]
    for name, words in zip(names, literals[1:], strict=True):
        parts += [plain_sql(f'"{name}"'), literal(words)]
    return " || ".join(parts)


def plain_sql(expression: str) -> str:
    """Return SQL that gives a stranger's text as plain text; ``unknown`` where there is none."""
    kept = f"regexp_replace({expression}, '{_NOT_TEXT}', '', 'g')"
    cut = f"CASE WHEN length({kept}) > {_LONGEST_VALUE} THEN left({kept}, {_LONGEST_VALUE - 1}) || '…' ELSE {kept} END"
    return f"(CASE WHEN coalesce({expression}, '') = '' THEN 'unknown' ELSE {cut} END)"
