"""`m365audit login`: which tenant, with which credential, what is shown, what is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from m365audit.errors import ConfigurationError
from m365audit.graph import login as signing_in
from m365audit.graph.failures import SignInError

from .tiny_world import TENANT, invoke

CLIENT = "22222222-2222-4222-8222-222222222222"
LogIn = Callable[..., signing_in.Person]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return a configuration with one tenant for a person, and one for an application."""
    file = tmp_path / "m365audit.yaml"
    file.write_text(
        f"tenants:\n  - {{id: {TENANT}, name: Contoso, credential: {{kind: login, client_id: {CLIENT}}}}}\n"
        f"  - {{id: {CLIENT}, name: Fabrikam, credential: {{kind: azure_cli}}}}\n"
    )
    return file


def _instead(monkeypatch: pytest.MonkeyPatch, act: LogIn) -> None:
    monkeypatch.setattr(signing_in, "log_in", act)


def test_a_person_is_told_the_code_harmlessly_and_data_stays_clean(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def log_in(credential: Any, tenant: str, login: str, scope: str, **more: Any) -> signing_in.Person:
        asked.update(more, client=credential.client_id, tenant=tenant, login=login, scope=scope)
        more["tell"]("open https://login.example and enter the code \x1b[31mABCD")
        return signing_in.Person("ada@contoso.example", "state/login/x.cache")

    _instead(monkeypatch, log_in)
    result = invoke("login", "--tenant", "contoso", "--device-code", "--config", config)
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "\\u{1b}[31mABCD" in result.stderr
    assert "signed in as ada@contoso.example" in result.stderr
    assert (asked["client"], asked["tenant"], asked["device_code"]) == (CLIENT, TENANT, True)
    assert asked["login"] == "https://login.microsoftonline.com"
    assert asked["scope"] == "https://graph.microsoft.com/.default"
    assert asked["state"] == config.parent / "state"


def test_a_refusal_ends_with_its_sentence(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def log_in(*_: object, **__: object) -> signing_in.Person:
        raise SignInError("the code has expired", hint="run the login again", is_refused=True)

    _instead(monkeypatch, log_in)
    result = invoke("login", "--tenant", TENANT, "--config", config)
    assert result.exit_code == 3
    assert "error: the code has expired; run the login again" in result.stderr


def test_a_tenant_that_no_person_signs_in_for(config: Path) -> None:
    result = invoke("login", "--tenant", "Fabrikam", "--config", config)
    assert result.exit_code == ConfigurationError.exit_code
    assert "kind login" in result.stderr
    assert "kind: login, client_id" in result.stderr


def test_an_unknown_tenant(config: Path) -> None:
    assert invoke("login", "--tenant", "Tailspin", "--config", config).exit_code == ConfigurationError.exit_code


def test_forgetting(config: Path) -> None:
    result = invoke("login", "--tenant", "Contoso", "--forget", "--config", config)
    assert result.exit_code == 0
    assert "nobody was logged in" in result.stderr
    kept = config.parent / "state" / "login" / f"{TENANT}.cache"
    kept.parent.mkdir(parents=True)
    kept.write_text("x")
    assert "deleted" in invoke("login", "--tenant", "Contoso", "--forget", "--config", config).stderr
    assert not kept.exists()
