"""Owns the HTML form: one self-contained file, readable without script, with every value escaped and made visible.

Nothing from the data ever becomes an address, an attribute's name, a style or an id.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from jinja2 import Environment, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from m365audit.report import display, jinja, room, shown
from m365audit.report.controls import Control, PolicyFinding
from m365audit.report.coverage import COVERAGE_GROUPS, TenantCoverage, summarise
from m365audit.report.document import Document, Finding
from m365audit.report.matrix import build_matrix
from m365audit.report.phrases import phrases
from m365audit.report.rule_texts import said_part
from m365audit.report.sheets import SourceAccount
from m365audit.report.use import Cell
from m365audit.report.words import Words, load_words


@dataclass(frozen=True, slots=True)
class Live:
    """What the review page adds to the document.

    Attributes:
        bar: what stands on top of the page, already escaped.
        finding_path: tenant id and finding id → the path of the finding's own page; the report's titles link to it.
    """

    bar: Markup
    finding_path: Callable[[str, str], str]


def render_html(document: Document, *, live: Live | None = None) -> bytes:
    """Return the document as one HTML file, UTF-8. The same document gives the same bytes.

    Args:
        document: what to show.
        live: None for the file that is kept and sent; else what the review page adds.
    """
    environment = _environment()
    page = environment.get_template("report.html").render(
        document=document,
        live=live,
        w=load_words(document.language, document.time_zone),
        style_hash=jinja.style_hash(environment, "report.css"),
        foreign=partial(_foreign, document.language),
        spoken=partial(_spoken, document.language),
        said_part=partial(said_part, document.language),
        told=partial(_told, load_words(document.language, document.time_zone)),
        findings_command=room.COMMANDS["findings"],
        coverage_groups=tuple(code for code, _ in COVERAGE_GROUPS),
        lists=_lists(document),
        **_matrix(document),
        **_findings(document),
        **_others(document),
    )
    return page.encode("utf-8")


def _matrix(document: Document) -> dict[str, object]:
    matrix = build_matrix(document.matrix, document.matrix_totals)
    cells = room.shown_cells(document, matrix)
    apps = {(cell.tenant_id, cell.integration_name or cell.app_id): cell for cell in document.matrix if cell.app_id}
    recorded = sum(1 for cell in apps.values() if cell.integration_name is not None)
    unknown = sum(1 for cell in apps.values() if cell.integration_name is None and cell.recorded == "unknown")
    return {
        "matrix": matrix,
        "cells": cells,
        "cell_anchors": {_key(cell): f"cell-{ordinal}" for ordinal, cell in enumerate(cells.items, 1)},
        "coverage_by_tenant": _page_one_coverage(document),
        "integrations_recorded": recorded,
        "integrations_unrecorded": len(apps) - recorded - unknown,
    }


def _findings(document: Document) -> dict[str, object]:
    views, rows = shown.finding_views(document.findings)
    listed = [*views, *rows]
    return {
        "findings": views,
        "more_findings": room.Shown(tuple(rows), len(rows), room.COMMANDS["findings"]),
        "anchors": {view.finding.finding_id: view.anchor for view in views},
        "changed_findings": shown.changed(listed),
        "decided": shown.decided(listed),
        "highlights": [(use, shown.shown_by(use, views)) for use in document.answer.highlights],
        "urgent": shown.first_to_decide(document, listed),
        "waiting_undecided": sum(line.open for line in document.changes.severities),
        "clocks": shown.open_clocks(document),
    }


def _others(document: Document) -> dict[str, object]:
    clauses, controls, anchors = shown.clauses(document)
    return {
        "clauses": clauses,
        "controls": controls,
        "control_anchors": anchors,
        "attach": shown.to_attach(document),
        "integrations": shown.integration_views(document),
        "journal": room.first("journal", document.journal, room.LIST, document.journal_total),
        "tenants": room.shown_tenants(document),
    }


def _page_one_coverage(document: Document) -> room.Shown[TenantCoverage]:
    return room.worst("coverage", summarise(document.coverage), room.PAGE_ONE_TENANTS, lambda item: item.badness)


def _lists(document: Document) -> dict[str, room.Shown[Any]]:
    """Return the lists of the page, each as long as there is room for it."""
    unknown = document.not_assessable
    given: dict[str, tuple[Sequence[Any], int, int | None]] = {
        "outside": (document.outside, room.JUDGEMENTS, document.outside_total),
        "not_assessable": (unknown.judgements, room.JUDGEMENTS, unknown.judgements_total),
        "rules": (sorted(unknown.rules, key=lambda item: item.outcome != "error"), room.LIST, None),
        "unmapped": (unknown.unmapped, room.LIST, unknown.unmapped_kinds),
        "files": (unknown.files, room.LIST, unknown.files_total),
        "quarantine": (unknown.quarantine, room.LIST, unknown.quarantine_groups),
        "not_judged": (document.answer.not_judged, room.NOT_JUDGED, None),
    }
    lists = {name: room.first(name, items, most, total) for name, (items, most, total) in given.items()}
    lists["sources"] = room.worst("sources", document.sources, room.LIST, _trouble)
    return lists


def _trouble(account: SourceAccount) -> tuple[bool, int, int]:
    return not account.is_balanced, account.files_refused, account.quarantined


@cache
def _environment() -> Environment:
    environment = jinja.environment(_written)
    environment.filters |= {
        "iso": display.moment, "impersonal": display.impersonal, "whole": _whole, "plain": lambda value: f"{value:g}",
    }  # fmt: skip
    environment.tests["mixed_scripts"] = display.has_mixed_scripts
    environment.globals |= {"key": _key, "tone": _tone, "commands": room.COMMANDS}
    return environment


@pass_context
def _written(context: Context, value: object) -> object:
    """Every value that a template prints passes here: none can be forgotten."""
    words: Words = context["w"] if "w" in context else context.parent["w"]
    return words.placed(value)


def _foreign(language: str, item: Finding | Control | PolicyFinding) -> Markup:
    """Return the mark of texts that are not in the page's language."""
    return _spoken(language, item.text_language)


def _told(words: Words, text: str | None) -> Markup:
    """Return a sentence of the machine's in the page's language; marked as English where there are no words for it."""
    own = text if text is None or words.language == "en" else phrases(words.language).said(text)
    if own is not None or text is None:
        return words.placed(own)
    return Markup('<span lang="en">{}</span>').format(words.placed(text))


def _spoken(language: str, spoken: str) -> Markup:
    return Markup("") if spoken == language else Markup(' lang="en"')


def _whole(command: str) -> Markup:
    """Return a command, or a sentence of our own whose end counts: visible, escaped, never cut."""
    return escape(display.visible(command))


def _key(cell: Cell) -> tuple[str, str | None, str | None]:
    return cell.tenant_id, cell.app_id, cell.workload


def _tone(cell: Cell) -> str:
    """Return the one word that a cell of the matrix is about; the gravest that holds."""
    if cell.outside:
        return "outside"
    if cell.not_assessable or cell.recorded == "unknown":
        return "unknown"
    if cell.used:
        return "within"
    return "open" if cell.granted == "yes" and cell.recorded != "active" else "idle"
