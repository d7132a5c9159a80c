"""Reading one YAML file strictly, with the line of every key; never guesses, never follows an alias, runs nothing.

The file's events are turned into plain dictionaries, lists and scalars. What YAML readers are known to disagree
about (``NO``, octal and sexagesimal numbers, merge keys, tags, duplicate keys) is refused with a line instead of
being interpreted; timestamps stay text.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from m365audit.config.scalars import plain_value
from m365audit.config.spelling import shown
from m365audit.model import Problem

MAX_BYTES: Final = 4 * 1024 * 1024
MAX_DEPTH: Final = 32
MAX_NODES: Final = 400_000

Key = str | int
KeyPath = tuple[Key, ...]

_LONGEST_KEY: Final = 60

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def dotted(path: KeyPath) -> str:
    """Return a path as people write it: ``history[1].processes[0].workload``; hostile keys are made safe to print."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            name = key if key.isprintable() and len(key) <= _LONGEST_KEY else shown(key)
            text += f".{name}" if text else name
    return text


@dataclass(slots=True)
class Document:
    """One file as read: its plain value, where everything stands, and what was wrong with it.

    Attributes:
        file: the path as the user knows it.
        value: dictionaries, lists, text, numbers, booleans, None; None too when the file could not be read.
        lines: 1-based line of every key and list item.
        problems: everything wrong so far.
        broken: paths that already have a problem, so that no later check complains about them again.
    """

    file: str
    value: object = None
    lines: dict[KeyPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    broken: set[KeyPath] = field(default_factory=set)

    @property
    def is_readable(self) -> bool:
        """True when the file holds a mapping that further checks can look at."""
        return isinstance(self.value, dict)

    def line(self, path: KeyPath) -> int:
        """Return the line of a path, or of the nearest thing around it."""
        for length in range(len(path), 0, -1):
            found = self.lines.get(path[:length])
            if found is not None:
                return found
        return 1

    def is_broken(self, path: KeyPath) -> bool:
        """Return whether the path, or anything around it, already has a problem."""
        return any(path[:length] in self.broken for length in range(len(path) + 1))

    def problem(
        self, code: str, path: KeyPath, what: str, todo: str, *, line: int | None = None, is_warning: bool = False
    ) -> None:
        """Note a problem at a path; the line is looked up unless given."""
        at = self.line(path) if line is None else line
        self.problems.append(Problem(self.file, at, dotted(path), what, todo, code, is_warning))
        if not is_warning:
            self.broken.add(path)


class _GiveUpError(Exception):
    """The rest of the file cannot be understood; the reason is already noted."""


@dataclass(slots=True)
class _Frame:
    """A mapping or list under construction."""

    container: dict[str, object] | list[object]
    path: KeyPath
    key: str | None = None
    is_discarding: bool = False


def read_document(path: Path, *, file: str | None = None) -> Document:
    """Read one YAML file; everything wrong with it is in ``problems``, nothing is raised.

    Args:
        path: the file.
        file: how the user knows it; ``path`` as text when not given.
    """
    document = Document(file=str(path) if file is None else file)
    data = _bytes_of(path, document)
    text = None if data is None else _text_of(data, document)
    if text is not None:
        parse_document(text, document)
    return document


def parse_document(text: str, document: Document) -> None:
    """Parse YAML text into an empty document."""
    builder = _Builder(document)
    try:
        for event in yaml.parse(text, Loader=_Loader):
            builder.take(event)
        builder.finish()
    except _GiveUpError:
        document.value = None
    except yaml.MarkedYAMLError as error:
        document.value = None
        _note_syntax(error, document)
    except yaml.YAMLError as error:
        document.value = None
        document.problem("syntax", (), f"this is not YAML: {shown(str(error))}", "correct the text", line=0)


def _bytes_of(path: Path, document: Document) -> bytes | None:
    """Return the file's bytes, or None with a problem noted: missing, not a plain file, too large."""
    try:
        is_plain = stat.S_ISREG(path.stat().st_mode)
        if is_plain:
            with path.open("rb") as handle:
                data = handle.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
        document.problem("unreadable", (), f"the file cannot be read: {reason}", "check path and rights", line=0)
        return None
    if not is_plain:
        document.problem("unreadable", (), "this is not an ordinary file", "put a YAML file here", line=0)
        return None
    if len(data) > MAX_BYTES:
        what = f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB"
        document.problem("too_large", (), what, "split it, or check that it is the right file", line=0)
        return None
    return data


def _text_of(data: bytes, document: Document) -> str | None:
    """Decode as UTF-8 (with or without a mark) and refuse characters that YAML does not allow."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        document.problem("not_utf8", (), "the file is not UTF-8 text", "save it with the encoding UTF-8", line=line)
        return None
    bad = _UNPRINTABLE.search(text)
    if bad is not None:
        line = text.count("\n", 0, bad.start()) + 1
        what = f"the file holds a control character (U+{ord(bad[0]):04X})"
        document.problem("control_character", (), what, "remove it", line=line)
        return None
    return text


def _note_syntax(error: yaml.MarkedYAMLError, document: Document) -> None:
    """Turn the parser's complaint into a problem; tabs get their own words."""
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark is not None else 0
    reason = error.problem or "the structure breaks here"
    begin = error.context_mark.line + 1 if error.context_mark is not None else line
    if "'\\t'" in reason or "tab" in reason.split():
        document.problem("tab", (), "a tab character is used to indent", "indent with spaces", line=line)
        return
    if begin < line:
        reason += f" (in what begins on line {begin})"
    todo = "correct the text: look at indentation, colons, quotes and brackets on this line and the one before"
    document.problem("syntax", (), f"this is not YAML: {reason}", todo, line=line)


class _Builder:
    """Builds the plain value from the parser's events, one at a time, without recursion."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.stack: list[_Frame] = []
        self.nodes = 0
        self.documents = 0

    def take(self, event: Any) -> None:
        """Take one event."""
        if isinstance(event, yaml.DocumentStartEvent):
            self._begin_document(event)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.MappingStartEvent):
            self._begin(event, {})
        elif isinstance(event, yaml.SequenceStartEvent):
            self._begin(event, [])
        elif isinstance(event, yaml.CollectionEndEvent):
            self._end()

    def finish(self) -> None:
        """Complain about a file without anything in it, or with something other than a mapping."""
        value = self.document.value
        if self.documents == 0 or value is None:
            self.document.problem("empty_file", (), "the file is empty", "fill it in, or remove it", line=1)
        elif not isinstance(value, dict):
            what = "the file does not hold keys with values"
            self.document.problem("not_a_mapping", (), what, "write `key: value` lines at the top level", line=1)

    def _begin_document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            line = event.start_mark.line + 1
            what = "a second document begins here (`---`)"
            self.document.problem("several_documents", (), what, "put it into a file of its own", line=line)
            raise _GiveUpError

    def _alias(self, event: Any) -> None:
        path, line = self._here(event), event.start_mark.line + 1
        self.document.problem(
            "alias", path, f"*{event.anchor} refers to another place in the file", "write the value out", line=line
        )
        frame = self.stack[-1] if self.stack else None
        if frame is not None and isinstance(frame.container, dict) and frame.key is None:
            raise _GiveUpError
        self._place(None)

    def _scalar(self, event: Any) -> None:
        path = self._here(event)
        self._refuse_decoration(event, path)
        frame = self.stack[-1] if self.stack else None
        if frame is not None and isinstance(frame.container, dict) and frame.key is None:
            self._begin_key(frame, event)
            return
        if _CONTROL.search(event.value):
            self.document.problem("control_character", path, "the text holds a control character", "remove it")
        self._place(self._plain(event.value, path) if event.implicit[0] else event.value)

    def _begin_key(self, frame: _Frame, event: Any) -> None:
        name, line = event.value, event.start_mark.line + 1
        path = (*frame.path, name)
        frame.key, frame.is_discarding = name, False
        if event.implicit[0] and name == "<<":
            self.document.problem("merge_key", path, "`<<` copies keys from elsewhere", "write the keys out", line=line)
            frame.is_discarding = True
        elif name in frame.container:
            first = self.document.lines.get(path, 0)
            what = f"the key {shown(name)} appears twice (first on line {first})"
            self.document.problem("duplicate_key", path, what, "keep one of them", line=line)
            frame.is_discarding = True
        self.document.lines.setdefault(path, line)

    def _begin(self, event: Any, container: dict[str, object] | list[object]) -> None:
        path, line = self._here(event), event.start_mark.line + 1
        self._refuse_decoration(event, path)
        frame = self.stack[-1] if self.stack else None
        if frame is not None and isinstance(frame.container, dict) and frame.key is None:
            what = "a list or mapping stands where a key is expected"
            self.document.problem("complex_key", path, what, "use a plain word as the key", line=line)
            raise _GiveUpError
        if len(self.stack) >= MAX_DEPTH:
            what = f"more than {MAX_DEPTH} levels are nested here"
            self.document.problem("too_deep", (), what, "flatten it, or check that it is the right file", line=line)
            raise _GiveUpError
        self.stack.append(_Frame(container, path))

    def _end(self) -> None:
        frame = self.stack.pop()
        self._place(frame.container)

    def _here(self, event: Any) -> KeyPath:
        """Return the path of the value that begins with this event, noting its line."""
        self.nodes += 1
        line = event.start_mark.line + 1
        if self.nodes > MAX_NODES:
            what = f"the file holds more than {MAX_NODES} values"
            self.document.problem("too_large", (), what, "split it, or check that it is the right file", line=line)
            raise _GiveUpError
        if not self.stack:
            return ()
        frame = self.stack[-1]
        if isinstance(frame.container, list):
            path = (*frame.path, len(frame.container))
            self.document.lines.setdefault(path, line)
            return path
        return frame.path if frame.key is None else (*frame.path, frame.key)

    def _place(self, value: object) -> None:
        """Put a finished value where it belongs."""
        if not self.stack:
            self.document.value = value
            return
        frame = self.stack[-1]
        if isinstance(frame.container, list):
            frame.container.append(value)
            return
        if not frame.is_discarding:
            frame.container[str(frame.key)] = value
        frame.key = None

    def _refuse_decoration(self, event: Any, path: KeyPath) -> None:
        """Refuse anchors and explicit tags; the value itself is kept."""
        line = event.start_mark.line + 1
        if event.anchor is not None:
            what = f"&{event.anchor} marks a value for use elsewhere"
            self.document.problem("anchor", path, what, "remove the mark and write values out", line=line)
        if event.tag is not None:
            what = f"the tag {shown(event.tag)} asks for a special reading"
            self.document.problem("tag", path, what, "remove it; put text in quotes if need be", line=line)

    def _plain(self, text: str, path: KeyPath) -> object:
        """Return what an unquoted scalar means, noting readings that surprise people."""
        value, trap = plain_value(text)
        if trap is not None:
            self.document.problem(trap.code, path, trap.what, trap.todo)
        return value


def walk(value: object, path: KeyPath = ()) -> Iterator[tuple[KeyPath, object]]:
    """Yield every path with its value, outer before inner; depth is capped by the reader."""
    yield path, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from walk(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from walk(inner, (*path, index))
