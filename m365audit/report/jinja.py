"""Owns how templates are set up: every value escaped, none missing in silence, the style let in by its hash alone."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_TEMPLATES: Final = Path(__file__).resolve().parent / "templates"


def environment(finalize: Callable[..., Any], folder: Path = _TEMPLATES) -> Environment:
    """Return the templates of a folder.

    Args:
        finalize: what every value passes that a template prints, so that none can be forgotten.
        folder: where the templates are; the report's own where none is named.
    """
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def hash_of(block: bytes) -> str:
    """Return the hash by which a Content-Security-Policy lets in one block of style or script, in base64."""
    return base64.b64encode(hashlib.sha256(block).digest()).decode("ascii")


def style_hash(templates: Environment, style: str) -> str:
    """Return the hash of a style sheet that a page includes as it is."""
    return hash_of(templates.get_template(style).render().encode())
