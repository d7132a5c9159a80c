"""Owns the choice of a renderer; knows no form itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from m365audit.errors import QueryError
from m365audit.report.assemble import build_document
from m365audit.report.controls import NOTHING_MORE, Circumstances
from m365audit.report.csv import csv_pieces
from m365audit.report.document import Document, Finding
from m365audit.report.hiding import hidden
from m365audit.report.html import render_html
from m365audit.report.json import json_pieces, render_json
from m365audit.report.people import People
from m365audit.report.rows import Reader
from m365audit.report.tables import Source, every_control, every_finding, source
from m365audit.report.words import Words, load_words

FORMATS: Final = ("html", "pdf", "xlsx", "csv", "json", "ocsf", "ics", "art30")
BINARY: Final = frozenset({"pdf", "xlsx", "art30"})
"""Forms that are no text: they belong into a file, never onto a terminal."""


_NAMED: Final = 3
"""Tenants that the foot of a PDF's pages has room for."""


@dataclass(frozen=True, slots=True)
class _Given:
    """What every renderer may take: the document, rows that name nobody, the words."""

    document: Document
    reader: Reader
    words: Words


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

    HTML, PDF, JSON and ICS are bounded; CSV, the workbooks and OCSF have every row. The rest is as in
    ``build_document``.

    Raises:
        QueryError: unknown format or section, a section for a format that has none, or what makes PDFs is missing.
    """
    if section is not None and form != "csv":
        raise QueryError("only CSV is made section by section", hint="leave the section out, or choose csv")
    if form not in FORMATS:
        raise QueryError(f"the report has no format {form!r}", hint=f"choose one of {', '.join(FORMATS)}")
    unnamed = hidden(reader, people)
    if form == "csv":
        return csv_pieces(unnamed, section, language)
    document = build_document(
        unnamed, now=now, people=people, language=language, time_zone=time_zone, circumstances=circumstances
    )
    return _FORMS[form](_Given(document, unnamed, load_words(language, time_zone)))


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


def _html(given: _Given) -> Iterator[bytes]:
    yield render_html(given.document)


def _json(given: _Given) -> Iterator[bytes]:
    return json_pieces(given.document)


def _pdf(given: _Given) -> Iterator[bytes]:
    from m365audit.report.pdf import render_pdf  # noqa: PLC0415 - each form's library is loaded when it is asked for

    document = given.document
    names = ", ".join(tenant.name for tenant in document.tenants[:_NAMED])
    more = "" if len(document.tenants) <= _NAMED else f" + {len(document.tenants) - _NAMED}"
    yield render_pdf(render_html(document), f"m365audit · {names}{more} · {document.generated_from.run_id}")


def _xlsx(given: _Given) -> Iterator[bytes]:
    from m365audit.report.xlsx import SHEETS, render_xlsx  # noqa: PLC0415

    yield render_xlsx(given.document, given.reader, given.words, SHEETS)


def _art30(given: _Given) -> Iterator[bytes]:
    from m365audit.report.xlsx import render_xlsx  # noqa: PLC0415

    yield render_xlsx(given.document, given.reader, given.words, ("art30_controller", "art30_processor"))


def _ics(given: _Given) -> Iterator[bytes]:
    from m365audit.report.ics import render_ics  # noqa: PLC0415

    yield render_ics(given.document, given.words)


def _ocsf(given: _Given) -> Iterator[bytes]:
    from m365audit.report.ocsf import ocsf_pieces  # noqa: PLC0415

    rows = source(given.reader, given.document.language)
    return ocsf_pieces(given.document, _with_evidence(given.document, rows), every_control(rows))


def _with_evidence(document: Document, rows: Source) -> Iterator[Finding]:
    """Yield every finding; those that the document holds with the evidence that it holds."""
    held = {(finding.tenant_id, finding.finding_id): finding for finding in document.findings}
    for finding in every_finding(rows):
        known = held.get((finding.tenant_id, finding.finding_id))
        yield known or finding


_FORMS: Final[dict[str, Callable[[_Given], Iterator[bytes]]]] = {
    "html": _html, "pdf": _pdf, "xlsx": _xlsx, "json": _json, "ocsf": _ocsf, "ics": _ics, "art30": _art30,
}  # fmt: skip
