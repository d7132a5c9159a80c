"""Owns the PDF form: the HTML page on A4, tagged for readers who cannot see it. Loads nothing from anywhere.

WeasyPrint and the Pango it needs are an extra: they are looked for when a PDF is asked for, and not before.
"""

from __future__ import annotations

import gc
import hashlib
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from m365audit.errors import QueryError
from m365audit.report.display import shown

VARIANT: Final = "pdf/ua-1"
"""ISO 14289-1: tagged, with a language and a title (WeasyPrint's name for it)."""
_WIDTHS: Final = {
    "evidence": (21, 26, 18, 7, 28), "controls": (8, 34, 13, 18, 27), "uses": (12, 12, 10, 8, 8, 10, 23, 17),
    "days": (25, 25, 25, 25), "logs": (13, 13, 7, 5, 22, 20, 20), "attach": (8, 24, 18, 26, 12, 12),
}  # fmt: skip
"""Tables that there are many of, or that are long: the widths of their columns in percent of the page's."""
_STYLE: Final = """
    * { overflow-wrap: break-word !important }
    td code { overflow-wrap: anywhere !important; display: inline !important }
    .command { display: inline !important }
    .facts, .facts div { display: block !important }
    .facts dt, .facts dd { display: inline !important }
    .facts dt::after { content: ": " }
""" + "".join(
    f".{name} {{ table-layout: fixed }}\n"
    + "".join(f".{name} thead th:nth-child({at}) {{ width: {width}% }}\n" for at, width in enumerate(widths, 1))
    for name, widths in _WIDTHS.items()
)
"""Boxes that are measured several times over, laid out as plain lines and fixed columns: most of a PDF's time."""


def render_pdf(page: bytes, foot: str = "") -> bytes:
    """Return the report's HTML page as a tagged PDF.

    Args:
        page: the HTML.
        foot: what stands at the foot of every page, beside its number: whose report, of which run.

    Raises:
        QueryError: WeasyPrint is not installed, or does not find Pango.
    """
    weasyprint = _weasyprint()
    html = weasyprint.HTML(
        string=page.decode("utf-8"), base_url=None, url_fetcher=_refusing(weasyprint), media_type="print"
    )
    with _nothing_thrown_away():
        made: bytes = html.write_pdf(
            stylesheets=[weasyprint.CSS(string=_STYLE + _foot(foot), url_fetcher=html.url_fetcher)],
            pdf_variant=VARIANT,
            # The identifier would be random, and the same report another file every time.
            pdf_identifier=hashlib.sha256(page).hexdigest()[:32].encode("ascii"),
        )
    return made


@contextmanager
def _nothing_thrown_away() -> Iterator[None]:
    """Keep Python from looking for rubbish: every box lives until the file is written, and there are a million."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _foot(text: str) -> str:
    r"""Return the style that prints a text at the foot; every character of it is an escape, so that none is style.

    ``"`` becomes ``\22 ``: a number in hexadecimal and a space that ends it (CSS Syntax, "escaping").
    """
    escaped = "".join(f"\\{ord(letter):x} " for letter in shown(text))
    return f'@page {{ @bottom-left {{ content: "{escaped}"; font: 8pt sans-serif; width: 80%; text-align: left }} }}'


def _weasyprint() -> Any:
    try:
        return importlib.import_module("weasyprint")
    except ImportError:
        raise QueryError(
            "a PDF is made by WeasyPrint, which is not installed",
            hint="pip install 'm365audit[pdf]', or make the HTML and print it from a browser",
        ) from None
    except OSError as error:
        library = str(error).splitlines()[0][:120]
        raise QueryError(
            f"WeasyPrint does not find Pango, which lays out the text: {library}",
            hint="apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 (Debian, Ubuntu), "
            "brew install pango (macOS), or make the HTML and print it from a browser",
        ) from None


def _refusing(weasyprint: Any) -> Any:
    """Return a fetcher that refuses every address: a report is complete in itself, and no text of it is followed."""

    def fetch(_: Any, url: str, headers: Any = None) -> Any:
        raise ValueError(f"a report loads nothing, also not {url[:80]!r} ({type(headers).__name__})")

    return type("RefusingFetcher", (weasyprint.urls.URLFetcher,), {"fetch": fetch})()
