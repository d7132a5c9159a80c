"""A tiny audited world, made once through the command line itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result

from .tiny_world import HOSTILE, RECORDED_APP, SHADOW_APP, TENANT, Run, World, call, invoke, lines, new_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world with one shadow app, one recorded app and a hostile name; published once, only read by the tests."""
    made = new_world(tmp_path_factory.mktemp("world") / "w")
    exports = made.folder / "exports"
    exports.mkdir()
    calls = [call(f"s{number}", SHADOW_APP, number) for number in range(1, 4)]
    (exports / "calls.json").write_text(lines(*calls, call("r1", RECORDED_APP)))
    principal = {
        "id": "5bad0000-0000-4000-8000-000000000001", "appId": SHADOW_APP, "displayName": HOSTILE,
        "servicePrincipalType": "Application", "accountEnabled": True, "appOwnerOrganizationId": TENANT,
    }  # fmt: skip
    context = "https://graph.microsoft.com/v1.0/$metadata#servicePrincipals"
    (exports / "principals.json").write_text(json.dumps({"@odata.context": context, "value": [principal]}))
    result = invoke("import", exports, "--tenant", "Contoso", "--config", made.config)
    assert result.exit_code == 0, result.output
    return made


@pytest.fixture
def run(world: World) -> Run:
    """Run a command on the tiny world."""

    def on_world(*arguments: str | Path) -> Result:
        return invoke("--config", world.config, *arguments)

    return on_world


@pytest.fixture
def empty_world(tmp_path: Path) -> World:
    """A configuration of the test's own, with nothing imported."""
    return new_world(tmp_path / "w")
