"""The policy's clauses as controls with outcomes. Never reads a log and never changes a finding."""
