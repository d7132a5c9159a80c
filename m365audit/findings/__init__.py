"""Findings: what makes one the same finding, and how its state goes on. Pure functions; no database, no rules."""

from m365audit.findings.identity import finding_id
from m365audit.findings.lifecycle import FindingChange, FindingState, Ledger, as_row, next_ledger

__all__ = ["FindingChange", "FindingState", "Ledger", "as_row", "finding_id", "next_ledger"]
