"""Owns the choice of a renderer; knows no form itself."""

from __future__ import annotations

from m365audit.errors import QueryError
from m365audit.report.csv import render_csv
from m365audit.report.document import Document
from m365audit.report.html import render_html
from m365audit.report.json import render_json

FORMATS = ("html", "csv", "json")


def render(document: Document, form: str, section: str | None = None) -> bytes:
    """Return the document in one of ``FORMATS``; ``section`` chooses the table of a CSV.

    Raises:
        QueryError: unknown format or section, or a section for a format that has none.
    """
    if section is not None and form != "csv":
        raise QueryError("only CSV is made section by section", hint="leave the section out, or choose csv")
    if form == "html":
        return render_html(document)
    if form == "json":
        return render_json(document)
    if form == "csv":
        return render_csv(document, section)
    raise QueryError(f"the report has no format {form!r}", hint=f"choose one of {', '.join(FORMATS)}")
