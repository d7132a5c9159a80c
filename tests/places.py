"""Where the repository is; a module of its own, because several folders of tests have a conftest."""

from __future__ import annotations

from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parent.parent
