"""Reads a rendered page back: its elements in order, its tables, its text. Refuses markup that does not nest."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset({"meta", "br", "hr", "img", "link", "input"})
Attributes = tuple[tuple[str, str | None], ...]


@dataclass
class Element:
    """One element with what is inside it."""

    tag: str
    attributes: dict[str, str | None]
    children: list[Element | str] = field(default_factory=list)

    def all(self, tag: str | None = None) -> list[Element]:
        """Return all elements below this one, in order; only those of ``tag`` when given."""
        found: list[Element] = []
        for child in self.children:
            if isinstance(child, Element):
                found += [child] if tag in (None, child.tag) else []
                found += child.all(tag)
        return found

    def text(self) -> str:
        """Return the text below this element, white space made single."""
        parts = [child if isinstance(child, str) else child.text() for child in self.children]
        return " ".join(" ".join(parts).split())

    def by_id(self, name: str) -> Element:
        """Return the element with that id."""
        return next(element for element in self.all() if element.attributes.get("id") == name)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("root", {})
        self.open = [self.root]
        self.others: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute stands twice in <{tag}>"
        element = Element(tag, dict(attrs))
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    def unknown_decl(self, data: str) -> None:
        self.others.append(data)

    def handle_pi(self, data: str) -> None:
        self.others.append(data)


def read_page(page: bytes) -> Element:
    """Return the page's tree; fails on markup that does not nest, on comments and on processing instructions."""
    reader = _Reader()
    reader.feed(page.decode("utf-8"))
    reader.close()
    assert reader.open == [reader.root]
    assert reader.others == []
    return reader.root


def structure(page: bytes) -> list[tuple[str, Attributes]]:
    """Return every element with its attributes and their values, in order, without any text."""
    return [(element.tag, tuple(element.attributes.items())) for element in read_page(page).all()]
