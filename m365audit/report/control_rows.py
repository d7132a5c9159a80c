"""Owns the policy's controls, attestations and the policy's own weaknesses, from rows; counts nothing that SQL did."""

from __future__ import annotations

from m365audit.report.control_texts import ControlTexts, control_texts, policy_text
from m365audit.report.controls import Attestation, Control, ControlCounts, PolicyFinding
from m365audit.report.present import Tables
from m365audit.report.rows import Row, TenantNames, count, flag, moment, text, texts, total, words

_CONTROLS = 5_000
_LIST = 200


def build_controls(tables: Tables, names: TenantNames, language: str) -> tuple[tuple[Control, ...], int]:
    """Return the controls by clause, and how many rows there are in all."""
    rows = tables.rows("report-controls", "controls", limit=_CONTROLS)
    return tuple(one_control(row, names, control_texts(language)) for row in rows), total(rows)


def build_control_counts(tables: Tables) -> ControlCounts:
    """Return how many controls ended how; not known when nobody looked."""
    rows = tables.rows("report-control-counts", "controls")
    found = {words(row, "outcome"): count(row, "controls") for row in rows}
    return ControlCounts(
        is_known=bool(rows),
        within=found.get("within", 0),
        outside=found.get("outside", 0),
        review=found.get("review", 0),
        not_assessable=found.get("not_assessable", 0),
        not_applicable=found.get("not_applicable", 0),
        attested=sum(count(row, "attested") for row in rows),
    )


def build_attestations(tables: Tables, names: TenantNames) -> tuple[Attestation, ...]:
    """Return the newest attestations."""
    return tuple(
        Attestation(
            *names.of(row),
            control=words(row, "control"),
            kind=text(row, "kind"),
            ref=text(row, "ref"),
            sha256=text(row, "sha256"),
            by_role=text(row, "by_role"),
            attested_at=moment(row, "attested_at"),
            valid_until=moment(row, "valid_until"),
            is_valid=flag(row, "is_valid"),
        )
        for row in tables.rows("report-attestations", "attestations", limit=_LIST)
    )


def build_policy_findings(tables: Tables, language: str) -> tuple[PolicyFinding, ...]:
    """Return what the policy's own text lacks."""
    return tuple(_policy_finding(row, language) for row in tables.rows("report-policy-findings", "policy_findings"))


def _policy_finding(row: Row, language: str) -> PolicyFinding:
    rule = words(row, "rule")
    own = policy_text(rule, text(row, "words"), language)
    title, why = (words(row, "title"), text(row, "why")) if own is None else own
    return PolicyFinding(
        rule, title, why, words(row, "severity"), text(row, "gdpr"), text_language="en" if own is None else language
    )


def one_control(row: Row, names: TenantNames, own: ControlTexts) -> Control:
    """Return one control in one tenant; ``own`` has its texts in the reader's language."""
    said = own.of(words(row, "control"))
    sentence = own.sentence(text(row, "said"))
    return Control(
        *names.of(row),
        control=words(row, "control"),
        clause=words(row, "clause"),
        title=said.get("title") or words(row, "title"),
        commitment=said.get("commitment") or text(row, "commitment"),
        severity=text(row, "severity"),
        outcome=words(row, "outcome"),
        reason_code=text(row, "reason_code"),
        sentence=sentence or text(row, "sentence"),
        attach=(said.get("attach") if row["attach"] is not None else None) or text(row, "attach"),
        owner=text(row, "owner_role"),
        integration_name=text(row, "integration_name"),
        rules=texts(row, "rules"),
        finding_ids=texts(row, "finding_ids"),
        gdpr=text(row, "gdpr"),
        iso=text(row, "iso"),
        attested_by=text(row, "attested_role"),
        attested_at=moment(row, "attested_at"),
        attested_until=moment(row, "attested_until"),
        text_language=own.language if said else "en",
        sentence_language=own.language if sentence else "en",
    )
