"""Every error the product raises on purpose.

The tree::

    AuditError                      anything said to the user; carries tenant, feed, file, line, what to do
    ├── ConfigurationError          configuration, policy or register cannot be used      → exit code 2
    ├── EvidenceError               a file of evidence cannot be read or is not evidence   → exit code 4
    ├── StoreError                  the working or the published database                  → exit code 5
    │   └── StoreBusyError          another run holds the store; says which, since when
    ├── QueryError                  a named query, its parameters or SQL given by the user → exit code 2
    ├── RuleError                   a rule file that breaks the rules for rules            → exit code 5
    └── ReviewError                 a decision that is not possible: who, when, on what    → exit code 2
        └── StaleVersionError       somebody else decided meanwhile; says what it is now
"""

from __future__ import annotations

from collections.abc import Mapping


class AuditError(Exception):
    """Base of all errors: a sentence that says what is wrong, and one that says what to do.

    Args:
        message: what is wrong, in plain words.
        hint: the next step; empty when there is none.
        file: the file concerned.
        line: 1-based line in ``file``.
        tenant: tenant id concerned.
        feed: feed concerned.
        key: under which the review page has its own words for message and hint; empty where it has none.
        values: what these words tell: codes, times, names.
    """

    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        file: str | None = None,
        line: int | None = None,
        tenant: str | None = None,
        feed: str | None = None,
        key: str = "",
        values: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.file = file
        self.line = line
        self.tenant = tenant
        self.feed = feed
        self.key = key
        self.values = values or {}

    def __str__(self) -> str:
        place = self.file or ""
        if place and self.line is not None:
            place = f"{place}:{self.line}"
        text = f"{place}: {self.message}" if place else self.message
        return f"{text}; {self.hint}" if self.hint else text


class ConfigurationError(AuditError):
    """Configuration or policy cannot be used; ``problems`` holds every one of them, not only the first."""

    exit_code = 2

    def __init__(self, message: str, *, problems: tuple[object, ...] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.problems = problems


class EvidenceError(AuditError):
    """A file is unreadable, or is not evidence of a known kind."""

    exit_code = 4


class StoreError(AuditError):
    """The working or the published database cannot be used."""

    exit_code = 5


class StoreBusyError(StoreError):
    """Another run holds the working database."""


class QueryError(AuditError):
    """A named query does not exist, a parameter is missing, or the SQL is wrong."""

    exit_code = 2


class RuleError(AuditError):
    """A rule or query file breaks the conventions that the loader checks."""

    exit_code = 5


class ReviewError(AuditError):
    """A decision, a breach case's step or an answer to a request that may not be recorded; nothing was.

    Args:
        message: what is wrong, in the words of the command line.
        hint: the next step there.
        key: as in ``AuditError``.
        values: the rest: what the page's words tell.
    """

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "", key: str = "", **values: object) -> None:
        super().__init__(message, hint=hint, key=key, values=values)


class StaleVersionError(ReviewError):
    """What was to be decided on has moved on: ``version`` is the one it has now, ``event`` what made it."""

    def __init__(self, message: str, *, version: int, event: str, hint: str = "") -> None:
        super().__init__(message, hint=hint, key="stale")
        self.version = version
        self.event = event
