"""The review page: the report, live, with what a person decides. Never judges, never stores but through the journal."""

from m365audit.web.assembling import desk_of

__all__ = ["desk_of"]
