"""Owns the JSON form: the exact values of the document, plain ASCII, safe to print and to put into a page."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from m365audit.report.display import moment
from m365audit.report.document import SCHEMA, Document

_IN_STRINGS_ONLY = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\x7f": "\\u007f"})
_PIECE = 1 << 20
"""Characters that are gathered before they are handed on."""


def render_json(document: Document) -> bytes:
    """Return the document as JSON; ``schema`` names its version. Non-ASCII characters are escaped."""
    return b"".join(json_pieces(document))


def json_pieces(document: Document) -> Iterator[bytes]:
    """Yield the document as JSON, piece by piece: it is large, and its text is never held beside it."""
    encoder = json.JSONEncoder(ensure_ascii=True, indent=1, default=_plain)
    out = io.StringIO()
    for part in encoder.iterencode(_plain(document)):
        # These four stand only inside strings here; escaped, they end no script element and reach no terminal.
        out.write(part.translate(_IN_STRINGS_ONLY))
        if out.tell() > _PIECE:
            yield out.getvalue().encode("ascii")
            out.seek(0)
            out.truncate()
    yield (out.getvalue() + "\n").encode("ascii")


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of this form, made from the document's own types; nothing but what they name is in it."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - only the tool that writes schemas needs it

    schema: dict[str, Any] = TypeAdapter(Document).json_schema(mode="serialization")
    for one in (schema, *schema.get("$defs", {}).values()):
        if one.get("type") == "object":
            one["additionalProperties"] = False
            one["required"] = sorted(one["properties"])
    schema["properties"]["schema"] = {"const": SCHEMA, "title": "Schema"}
    return schema | {"title": SCHEMA}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    raise TypeError(f"no JSON form for {type(value).__name__}")
