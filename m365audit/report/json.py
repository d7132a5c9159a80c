"""Owns the JSON form: the exact values of the document, plain ASCII, safe to print and to put into a page."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime

from m365audit.report.display import moment
from m365audit.report.document import Document

_IN_STRINGS_ONLY = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\x7f": "\\u007f"})


def render_json(document: Document) -> bytes:
    """Return the document as JSON; ``schema`` names its version. Non-ASCII characters are escaped."""
    text = json.dumps(dataclasses.asdict(document), ensure_ascii=True, indent=1, default=_plain)
    # These four stand only inside strings here; escaped, they end no script element and reach no terminal.
    return (text.translate(_IN_STRINGS_ONLY) + "\n").encode("ascii")


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return moment(value)
    raise TypeError(f"no JSON form for {type(value).__name__}")
