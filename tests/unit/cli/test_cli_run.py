"""What `run` asks the pipeline for, and the exit code that says how it went. Nothing is collected here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from m365audit import pipeline
from m365audit.cli import evidence
from m365audit.pipeline import Collected, Evaluation, Import, Outcome, Wanted
from m365audit.pipeline.values import Gathered, Unseen

from .tiny_world import TENANT, invoke

OTHER = "21111111-1111-4111-8111-111111111111"
FILES_ONLY = "31111111-1111-4111-8111-111111111111"
CLIENT = "22222222-2222-4222-8222-222222222222"
FIRST = datetime(2026, 9, 1, tzinfo=UTC)
CONFIGURATION = f"""\
tenants:
  - {{id: {TENANT}, name: Contoso, credential: {{kind: secret_file, client_id: {CLIENT}, file: secret.txt}}}}
  - {{id: {OTHER}, name: Fabrikam, credential: {{kind: azure_cli}}, import: [{{path: exports}}]}}
  - {{id: {FILES_ONLY}, name: Tailspin, import: [{{path: exports}}]}}
"""


class Asked:
    """Stands in for the pipeline: keeps what it was asked for."""

    def __init__(self) -> None:
        self.wanted: Wanted = pipeline.NOTHING
        self.imports: list[Import] = []
        self.keywords: dict[str, Any] = {}
        self.outcome = Outcome((), None)

    def run(self, _settings: object, _policy: object, imports: Sequence[Import], _: object, **keywords: Any) -> Outcome:
        """Keep everything."""
        self.imports, self.wanted, self.keywords = list(imports), keywords.pop("wanted"), keywords
        return self.outcome


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    stand_in = Asked()
    monkeypatch.setattr(pipeline, "run", stand_in.run)
    monkeypatch.setattr(evidence, "_without_files", lambda *_: [])
    return stand_in


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "m365audit.yaml"
    path.write_text(CONFIGURATION)
    (tmp_path / "consent").mkdir()
    (tmp_path / "exports").mkdir()
    return path


def collected(name: str, *, is_signed_in: bool = True, unseen: Sequence[Unseen] = (), quarantined: int = 0,
              links: int = 0) -> Collected:  # fmt: skip
    gathered = Gathered("users", 1, 5, 5 - quarantined, 0, quarantined, list(unseen))
    refusal = "" if is_signed_in else "the secret is wrong; make a new one"
    return Collected(
        "t", name, refusal, is_signed_in=is_signed_in, refused_links=links, collections={"users": gathered}
    )


def evaluated(**findings: int) -> Evaluation:
    return Evaluation(Path("m365audit.duckdb"), Path("report.html"), {"within": 1}, findings, 0, "")


def test_every_tenant_with_a_credential_is_asked_and_every_import_read(asked: Asked, config: Path) -> None:
    assert invoke("run", "--config", config).exit_code == 0
    assert [tenant.name for tenant in asked.wanted.tenants] == ["Contoso", "Fabrikam"]
    assert [item.tenant for item in asked.imports] == [OTHER, FILES_ONLY]
    assert (asked.wanted.feeds, asked.wanted.begin, asked.wanted.end) == ((), None, None)
    assert (asked.wanted.within, asked.wanted.pace) == (timedelta(hours=6), 1)
    assert asked.keywords == {"command": "run", "evaluate": True}


def test_only_the_named_tenants_take_part(asked: Asked, config: Path) -> None:
    invoke("run", "--config", config, "--tenant", "contoso", "--tenant", FILES_ONLY)
    assert [tenant.name for tenant in asked.wanted.tenants] == ["Contoso"]
    assert [item.tenant for item in asked.imports] == [FILES_ONLY]


def test_named_feeds_are_asked_for_and_no_file_is_read(asked: Asked, config: Path) -> None:
    invoke("run", "--config", config, "--feed", "users", "--feed", "audit_exchange")
    assert asked.wanted.feeds == ("users", "audit_exchange")
    assert asked.imports == []


@pytest.mark.parametrize(
    ("begin", "end", "wanted"),
    [
        ("2026-09-01", "2026-09-02T06:30:00Z", (FIRST, FIRST + timedelta(days=1, hours=6.5))),
        ("2026-09-01T02:00:00+02:00", None, (FIRST, None)),
        (None, "2026-09-02", (None, FIRST + timedelta(days=1))),
    ],
)  # fmt: skip
def test_a_time_may_be_a_day_and_either_side_may_be_open(
    asked: Asked, config: Path, begin: str | None, end: str | None, wanted: tuple[datetime | None, datetime | None]
) -> None:
    options = [*(["--from", begin] if begin else []), *(["--to", end] if end else [])]
    assert invoke("run", "--config", config, *options).exit_code == 0
    assert (asked.wanted.begin, asked.wanted.end) == wanted


def test_a_bound_on_time_is_passed_on(asked: Asked, config: Path) -> None:
    invoke("run", "--config", config, "--within", "PT90M")
    assert asked.wanted.within == timedelta(minutes=90)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--feed", "mail"], "'mail' is not one of"),
        (["--from", "yesterday"], "--from 'yesterday'"),
        (["--from", "2026-09-02", "--to", "2026-09-01"], "--to is not after --from"),
        (["--from", "2026-09-02", "--to", "2026-09-02"], "--to is not after --from"),
        (["--within", "an hour"], "--within 'an hour'"),
        (["--tenant", "Fabrikan"], "did you mean Fabrikam?"),
    ],
)
def test_what_cannot_be_meant_is_two_and_nobody_is_asked(
    asked: Asked, config: Path, options: list[str], said: str
) -> None:
    result = invoke("run", "--config", config, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert asked.keywords == {}


@pytest.mark.parametrize(
    ("tenants", "code"),
    [
        ([collected("A"), collected("B")], 0),
        ([collected("A", is_signed_in=False), collected("B", is_signed_in=False)], 3),
        ([collected("A", is_signed_in=False), collected("B")], 4),
        ([collected("A", unseen=[Unseen(None, None, "licence", "buy it")])], 4),
        ([collected("A", quarantined=1)], 4),
        ([collected("A", links=1)], 4),
    ],
)
def test_the_exit_code_says_what_was_not_seen(asked: Asked, config: Path, tenants: list[Collected], code: int) -> None:
    asked.outcome = Outcome((), evaluated(critical=1), tuple(tenants))
    assert invoke("run", "--config", config).exit_code == code
    assert invoke("run", "--config", config, "--fail-on", "high").exit_code == {0: 1, 4: 1, 3: 3}[code]
    asked.outcome = Outcome((), evaluated(low=1), tuple(tenants))
    assert invoke("run", "--config", config, "--fail-on", "high").exit_code == code


def test_findings_do_not_hide_what_was_not_seen(asked: Asked, config: Path) -> None:
    unseen = Unseen(None, None, "licence", "buy it")
    asked.outcome = Outcome((), evaluated(critical=1), (collected("A", unseen=[unseen]),))
    result = invoke("run", "--config", config, "--fail-on", "high")
    assert (result.exit_code, "NOT SEEN  users" in result.stdout) == (1, True)


def test_text_and_json_tell_who_was_not_let_in_and_what_was_not_seen(asked: Asked, config: Path) -> None:
    unseen = Unseen(datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 9, 2, tzinfo=UTC), "licence", "buy it")
    asked.outcome = Outcome((), evaluated(), (collected("A", is_signed_in=False), collected("B", unseen=[unseen])))
    text = invoke("run", "--config", config).stdout
    assert "A: NOT LET IN: the secret is wrong; make a new one" in text
    assert "NOT SEEN  users, 2026-09-01 00:00 to 2026-09-02 00:00 UTC (licence)\n            buy it" in text
    facts = json.loads(invoke("run", "--config", config, "--format", "json").stdout)
    assert [tenant["is_signed_in"] for tenant in facts["tenants"]] == [False, True]
    assert facts["tenants"][1]["collections"]["users"]["unseen"][0]["reason"] == "licence"


def test_an_invalid_configuration_asks_nobody(asked: Asked, config: Path) -> None:
    config.write_text(CONFIGURATION + "  - {id: not-an-id}\n")
    result = invoke("run", "--config", config)
    assert result.exit_code == 2
    assert asked.wanted is pipeline.NOTHING
    assert asked.keywords["evaluate"] is False
    assert "nothing was collected, because the configuration is invalid" in result.stderr


def test_without_credential_and_import_it_says_so(asked: Asked, config: Path) -> None:
    config.write_text(f"tenants: [{{id: {TENANT}}}]\n")
    assert "no tenant has a credential and no standing import is named" in invoke("run", "--config", config).stderr
    assert asked.wanted.tenants == ()
