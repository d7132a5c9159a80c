"""The report: one typed document made from the published database, and its forms HTML, CSV and JSON.

``build_document(reader)`` reads, ``render(document, form)`` writes; ``pieces(reader, form)`` does both, however large
the answer. This room never opens a database itself.
"""

from m365audit.report.assemble import build_document
from m365audit.report.controls import Circumstances, DatedTable
from m365audit.report.document import Document
from m365audit.report.html import Live, render_html
from m365audit.report.people import People
from m365audit.report.render import FORMATS, pieces, render
from m365audit.report.rows import Reader

__all__ = [
    "FORMATS",
    "Circumstances",
    "DatedTable",
    "Document",
    "Live",
    "People",
    "Reader",
    "build_document",
    "pieces",
    "render",
    "render_html",
]
