"""The policy's clauses as controls with outcomes. Never reads a log and never changes a finding."""

from m365audit.controls.policy_rows import policy_rows
from m365audit.controls.policy_text import PolicyFinding, policy_findings

__all__ = ["PolicyFinding", "policy_findings", "policy_rows"]
