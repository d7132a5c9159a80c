"""Looking at a record that may be partly wrong: only its sound parts are seen. Holds no rule of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from m365audit.config.durations import TimeError, parse_time
from m365audit.config.yamlnodes import Document, KeyPath


@dataclass(frozen=True, slots=True)
class Sound:
    """A document seen through its problems, so that one mistake never hides another or is told twice."""

    document: Document

    def is_broken(self, *path: str | int) -> bool:
        """Return whether a path has a problem."""
        return self.document.is_broken(path)

    def value(self, *path: str | int) -> object:
        """Return a plain value; None when it is absent, or has a problem."""
        if self.document.is_broken(path):
            return None
        found = self.document.value
        for key in path:
            if isinstance(found, dict) and isinstance(key, str):
                found = found.get(key)
            elif isinstance(found, list) and isinstance(key, int) and key < len(found):
                found = found[key]
            else:
                return None
        return found

    def text(self, *path: str | int) -> str | None:
        """Return text; None when there is none, or it has a problem."""
        found = self.value(*path)
        return found.strip() if isinstance(found, str) else None

    def texts(self, *path: str | int, each: str | None = None) -> list[str]:
        """Return the texts in a list, or one key of each of its mappings."""
        tail = () if each is None else (each,)
        found = (self.text(*path, index, *tail) for index in self.indexes(*path))
        return [text for text in found if text is not None]

    def time(self, *path: str | int) -> datetime | None:
        """Return a point in time; None when there is none, or it has a problem."""
        text = self.text(*path)
        try:
            return None if text is None else parse_time(text)
        except TimeError:
            return None

    def indexes(self, *path: str | int) -> range:
        """Return the indexes of a list; of no list, none."""
        found = self.value(*path)
        return range(len(found) if isinstance(found, list) else 0)

    def problem(self, code: str, path: KeyPath, what: str, todo: str) -> None:
        """Note a problem."""
        self.document.problem(code, path, what, todo)

    def warning(self, code: str, path: KeyPath, what: str, todo: str) -> None:
        """Note a warning: the record can still be used."""
        self.document.problem(code, path, what, todo, is_warning=True)
