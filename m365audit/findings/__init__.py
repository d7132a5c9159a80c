"""Findings: what makes one the same finding. How its state goes on stands in ``queries/ledger``.

Pure functions: no database, no rules.
"""

from m365audit.findings.identity import finding_id, with_finding_ids

__all__ = ["finding_id", "with_finding_ids"]
