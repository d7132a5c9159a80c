"""Findings: what makes one the same finding, and how its state goes on. Pure functions; no database, no rules."""
