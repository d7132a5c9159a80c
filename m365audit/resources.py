"""Where the product's own data files are, in a checkout, an editable install or a wheel; how their YAML is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C, where the wheel has it
_PACKAGE = Path(__file__).resolve().parent


def data_dir(name: str) -> Path:
    """Return the folder ``queries`` or ``config``.

    A wheel carries them inside the package (``m365audit/_data``); a checkout and an editable install have them
    beside it. The wheel's place is looked at first, so that an installed copy never reads a stray folder.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    for candidate in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"m365audit's folder {name!r} is missing; install the package again")


def yaml_values(text: str) -> Any:
    """Return what a YAML text of the product's own says; what people write goes through ``config``, with line numbers.

    Raises:
        yaml.YAMLError: it is not YAML.
    """
    return yaml.load(text, Loader=_LOADER)  # noqa: S506 - it is the safe loader
