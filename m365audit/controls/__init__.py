"""The policy's clauses as controls with outcomes. Never reads a log and never changes a finding."""

from m365audit.config.sentences import sentence
from m365audit.controls.catalogue import Catalogue, Control, RuleFacts, RuleUse, controls_schema, load_controls
from m365audit.controls.evaluating import evaluate
from m365audit.controls.page import controls_page
from m365audit.controls.policy_rows import policy_rows
from m365audit.controls.policy_text import PolicyFinding, policy_findings

__all__ = [
    "Catalogue",
    "Control",
    "PolicyFinding",
    "RuleFacts",
    "RuleUse",
    "controls_page",
    "controls_schema",
    "evaluate",
    "load_controls",
    "policy_findings",
    "policy_rows",
    "sentence",
]
