"""The review page: the report, live, with what a person decides. Never judges, never stores but through the journal."""
