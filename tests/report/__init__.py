"""Tests of the report: the document, its three forms, and hostile input."""
