"""Owns the choice of a renderer; knows no form itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from m365audit.errors import QueryError
from m365audit.report.assemble import build_document
from m365audit.report.csv import csv_pieces
from m365audit.report.document import Document
from m365audit.report.hiding import hidden
from m365audit.report.html import render_html
from m365audit.report.json import json_pieces, render_json
from m365audit.report.people import People
from m365audit.report.promised import NOTHING_MORE, Circumstances
from m365audit.report.rows import Reader

FORMATS = ("html", "csv", "json")


def pieces(
    reader: Reader,
    form: str,
    section: str | None = None,
    *,
    now: datetime,
    people: People,
    language: str = "en",
    time_zone: str = "UTC",
    circumstances: Circumstances = NOTHING_MORE,
) -> Iterator[bytes]:
    """Yield the report in one of ``FORMATS``, piece by piece; ``section`` chooses the table of a CSV.

    HTML and JSON are bounded; a CSV has every row, and is never held whole. The rest is as in ``build_document``.

    Raises:
        QueryError: unknown format or section, or a section for a format that has none.
    """
    if section is not None and form != "csv":
        raise QueryError("only CSV is made section by section", hint="leave the section out, or choose csv")
    if form == "csv":
        return csv_pieces(hidden(reader, people), section)
    if form not in FORMATS:
        raise QueryError(f"the report has no format {form!r}", hint=f"choose one of {', '.join(FORMATS)}")
    document = build_document(
        reader, now=now, people=people, language=language, time_zone=time_zone, circumstances=circumstances
    )
    return json_pieces(document) if form == "json" else iter((render_html(document),))


def render(document: Document, form: str) -> bytes:
    """Return the document as ``html`` or ``json``.

    Raises:
        QueryError: another format.
    """
    if form == "html":
        return render_html(document)
    if form == "json":
        return render_json(document)
    raise QueryError(f"a document has no format {form!r}", hint="choose html or json")
