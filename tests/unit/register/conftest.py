"""A small permission catalogue and a way to write registers, for the register's tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from m365audit.config import Policy
from m365audit.config.policy import PolicyVersion
from m365audit.config.spelling import nearest
from m365audit.register import Register, load_register

_BOTH = frozenset({"application", "delegated"})
_KNOWN: dict[tuple[str, str], tuple[frozenset[str], frozenset[str]]] = {
    ("microsoft_graph", "Mail.Read"): (_BOTH, frozenset({"mail"})),
    ("microsoft_graph", "Mail.Read.Shared"): (frozenset({"delegated"}), frozenset({"mail"})),
    ("microsoft_graph", "Mail.Send"): (_BOTH, frozenset({"mail"})),
    ("microsoft_graph", "Calendars.Read"): (_BOTH, frozenset({"calendar"})),
    ("microsoft_graph", "Application.Read.All"): (_BOTH, frozenset()),
    ("exchange_online", "full_access_as_app"): (
        frozenset({"application"}),
        frozenset({"mail", "calendar", "contacts"}),
    ),
}


class FakePermissions:
    """Knows six permissions."""

    def exists(self, api: str, name: str, kind: str) -> bool:
        """Return whether the permission is one of the six, in that kind."""
        return kind in _KNOWN.get((api, name), (frozenset(), frozenset()))[0]

    def nearest(self, api: str, name: str, kind: str) -> str | None:
        """Return the one of the six most alike."""
        return nearest(name, [known for of, known in _KNOWN if of == api and self.exists(of, known, kind)])

    def workloads(self, api: str, name: str, kind: str) -> frozenset[str]:
        """Return what one of the six reaches."""
        return _KNOWN[api, name][1] if self.exists(api, name, kind) else frozenset()


Loader = Callable[..., Register]


@pytest.fixture
def permissions() -> FakePermissions:
    return FakePermissions()


@pytest.fixture
def policy() -> Policy:
    return Policy(versions=(PolicyVersion(version="2025-08-07"),))


@pytest.fixture
def load(tmp_path: Path, policy: Policy, permissions: FakePermissions) -> Loader:
    """Write files under a register folder and read it."""

    def _load(files: dict[str, str], *, under: Policy = policy) -> Register:
        folder = tmp_path / "consent"
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return load_register(folder, policy=under, permissions=permissions)

    return _load


@pytest.fixture(scope="session")
def base() -> str:
    """A small valid record: a grant and a withdrawal."""
    return (Path(__file__).parents[2] / "register" / "base.yaml").read_text(encoding="utf-8")
