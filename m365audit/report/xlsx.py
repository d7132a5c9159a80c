"""Owns the workbook: the reader's working list, one sheet per table. Every text is a text, never a formula or a link.

Times are dates that a spreadsheet can sort, in UTC. Columns that a person fills in stand out; what no record and no
evidence says is written as such, so that no empty cell reads as "nothing".
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final

import xlsxwriter  # type: ignore[import-untyped]

from m365audit.report.display import visible
from m365audit.report.document import Document
from m365audit.report.rows import Reader
from m365audit.report.tables import Table, table
from m365audit.report.words import Words

SHEETS: Final = (
    "action_plan", "findings", "controls", "coverage", "decisions", "art30_controller", "art30_processor",
    "not_assessable",
)  # fmt: skip
LONGEST: Final = 4_000
"""Characters of one cell; the JSON form holds all of it. Excel's own limit is 32,767."""
MOST: Final = 1_000_000
"""Rows of one sheet; Excel's own limit is 1,048,576. CSV has all of them."""
FILLED_IN: Final = frozenset({
    "action_owner", "action_due", "action_done", "action_justification", "data_protection_officer",
    "security_measures", "dpia",
})  # fmt: skip
"""Columns that only a person can fill in; they stay empty."""
_OPTIONS: Final = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": False,
}
_NOT_IN_A_NAME: Final = re.compile(r"[\[\]:*?/\\']")
_EARLIEST: Final = datetime(1900, 3, 1, tzinfo=UTC)
"""Before this a spreadsheet's dates are wrong by a day, or not there."""
_FAMILIES: Final = {
    "severity": "severity", "outcome": "outcome", "coverage": "coverage", "observed_coverage": "coverage",
    "workload": "workload", "feed": "feed", "decision": "decision", "pending": "decision", "state": "state",
    "differs_from_observation": "differs", "reason_code": "reason_code", "owner": "role", "action_kind": "row_kind",
    "kind": "row_kind",
}  # fmt: skip
"""Columns of codes, and the family of words that they are told by."""


@dataclass(frozen=True, slots=True)
class _Formats:
    head: Any
    own_head: Any
    observed_head: Any
    text: Any
    quoted: Any
    moment: Any
    day: Any
    number: Any
    own: Any


def render_xlsx(document: Document, reader: Reader, words: Words, sheets: Sequence[str] = SHEETS) -> bytes:
    """Return the workbook with these tables; ``reader`` gives the rows, with tokens for persons.

    The same input gives the same bytes.
    """
    out = io.BytesIO()
    workbook = xlsxwriter.Workbook(out, _OPTIONS)
    workbook.set_properties({
        "title": document.title, "author": "m365audit", "created": document.now.astimezone(UTC).replace(tzinfo=None),
    })  # fmt: skip
    formats = _formats(workbook)
    _about(workbook, formats, document, words)
    for name in sheets:
        _sheet(workbook, formats, name, table(reader, name, words.language), words)
    workbook.close()
    return out.getvalue()


def _formats(workbook: Any) -> _Formats:
    cell = {"valign": "top", "text_wrap": True}
    head = {"bold": True, "valign": "top", "text_wrap": True, "bottom": 1}
    return _Formats(
        head=workbook.add_format(head | {"bg_color": "#F2F3F5"}),
        own_head=workbook.add_format(head | {"bg_color": "#FFF4D6"}),
        observed_head=workbook.add_format(head | {"bg_color": "#E4F0FA"}),
        text=workbook.add_format(cell),
        quoted=workbook.add_format(cell | {"quote_prefix": True}),
        moment=workbook.add_format(cell | {"num_format": "yyyy-mm-dd hh:mm", "align": "left"}),
        day=workbook.add_format(cell | {"num_format": "yyyy-mm-dd", "align": "left"}),
        number=workbook.add_format(cell | {"num_format": "#,##0"}),
        own=workbook.add_format(cell | {"bg_color": "#FFFBEF"}),
    )


def _about(workbook: Any, formats: _Formats, document: Document, words: Words) -> None:
    sheet = workbook.add_worksheet(_name(words, "about"))
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 90)
    pen = _Pen(sheet, formats, words, words.plain("word.not_known"))
    for at, (name, value) in enumerate(_facts(document, words)):
        sheet.write_string(at, 0, words.plain(f"sheet.fact.{name}"), formats.head)
        pen.write(at, 1, name, value)


def _facts(document: Document, words: Words) -> list[tuple[str, object]]:
    made = document.generated_from
    return [
        ("title", document.title), ("answer", document.answer.headline), ("why", document.answer.explanation),
        ("period_start", document.period.start), ("period_end", document.period.end),
        ("tenants", "; ".join(tenant.name for tenant in document.tenants)), ("run_id", made.run_id),
        ("generated_at", made.generated_at), ("now", document.now), ("version", made.version),
        ("register_hash", made.register_hash), ("findings_total", document.findings_total),
        *((name, words.plain(f"sheet.{name}")) for name in ("unknown", "own", "observed", "utc")),
    ]  # fmt: skip


def _sheet(workbook: Any, formats: _Formats, name: str, given: Table, words: Words) -> None:
    sheet = workbook.add_worksheet(_name(words, name))
    _lay_out(sheet, formats, given.columns, words)
    absent = words.plain("sheet.not_in_record" if name.startswith("art30") else "word.not_known")
    pen = _Pen(sheet, formats, words, absent)
    last = 0
    for last, row in enumerate(given.rows, 1):
        if last > MOST:
            sheet.write_string(last, 0, words.plain("sheet.more", section=name), formats.text)
            break
        for at, (column, value) in enumerate(zip(given.columns, row, strict=True)):
            pen.write(last, at, column, value)
    sheet.autofilter(0, 0, max(last, 1), len(given.columns) - 1)


def _lay_out(sheet: Any, formats: _Formats, columns: Sequence[str], words: Words) -> None:
    sheet.freeze_panes(1, _frozen(columns))
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    for at, column in enumerate(columns):
        sheet.set_column(at, at, _width(column))
    for at, column in enumerate(columns):
        sheet.write_string(0, at, _heading(column, words), _head(column, formats))


def _name(words: Words, section: str) -> str:
    return _NOT_IN_A_NAME.sub(" ", words.plain(f"sheet.name.{section}"))[:31]


def _frozen(columns: Sequence[str]) -> int:
    return 1 if "tenant_name" not in columns[:3] else columns.index("tenant_name") + 1


def _heading(column: str, words: Words) -> str:
    return words.plain(f"column.{column}") if words.has(f"column.{column}") else column.replace("_", " ")


def _head(column: str, formats: _Formats) -> Any:
    if column in FILLED_IN:
        return formats.own_head
    is_observed = column.startswith(("observed_", "differs_"))
    return formats.observed_head if is_observed else formats.head


def _width(column: str) -> int:
    if column.endswith(("_at", "_from", "_until")):
        return 17
    if column in {"title", "sentence", "commitment", "purpose", "explanation", "what", "subject", "reason", "attach",
                  "advice", "question", "gap_details", "action_justification", "security_measures"}:  # fmt: skip
        return 48
    return 14 if column in {"severity", "state", "rule", "control", "clause", "amount", "kind"} else 22


@dataclass(frozen=True, slots=True)
class _Pen:
    """Writes values into one sheet, each as what it is; every text goes through here and stays a text."""

    sheet: Any
    formats: _Formats
    words: Words
    absent: str
    """What stands where nothing is known, or where a record does not say."""

    def write(self, row: int, at: int, column: str, value: object) -> None:
        sheet, formats = self.sheet, self.formats
        if column in FILLED_IN:
            sheet.write_blank(row, at, None, formats.own)
        elif isinstance(value, int) and not isinstance(value, bool):
            sheet.write_number(row, at, value, formats.number)
        elif isinstance(value, datetime) and value >= _EARLIEST:
            sheet.write_datetime(row, at, value.astimezone(UTC).replace(tzinfo=None, microsecond=0), formats.moment)
        elif isinstance(value, date) and not isinstance(value, datetime):
            sheet.write_datetime(row, at, datetime.combine(value, time()), formats.day)
        else:
            text = self._text(column, value)
            sheet.write_string(row, at, text, formats.text if text[:1].isalnum() else formats.quoted)

    def _text(self, column: str, value: object) -> str:
        words = self.words
        if value is None or isinstance(value, bool):
            return self.absent if value is None else words.plain("word.yes" if value else "word.no")
        if isinstance(value, tuple):
            return _cut("; ".join(str(item) for item in value) or words.plain("sheet.none"), words)
        family = _FAMILIES.get(column)
        return _cut(words.code(family, str(value)) if family else str(value), words)


def _cut(text: str, words: Words) -> str:
    if len(text) > LONGEST:
        text = text[:LONGEST] + " … " + words.plain("sheet.cut", count=len(text))
    return visible(text)
