"""Measures the product against a bare parse of the same evidence; no part of the package."""
