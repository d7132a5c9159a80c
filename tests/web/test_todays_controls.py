"""Today's controls are made where a page reads them, and only there; nobody ever sees those of the publication."""

from __future__ import annotations

import re

import pytest

from m365audit.pipeline import controlling
from m365audit.pipeline.controlling import ControlsWanted, open_today_lazily
from m365audit.resources import data_dir
from m365audit.rules.sql_tree import tree
from m365audit.store.published import PublishedReader

from .serving import DPO, NOW, Served


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Something for each time that controls were evaluated."""
    times: list[object] = []
    evaluate = controlling._evaluate_again

    def counting(*given: object) -> None:
        times.append(given)
        evaluate(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(controlling, "_evaluate_again", counting)
    return times


def _controls(page: str) -> set[str]:
    """Return the controls that a page shows."""
    return set(re.findall(r"C\d{2}-\d{1,2}", page))


def _text(query: str) -> str:
    return (data_dir("queries") / "report" / f"{query}.sql").read_text(encoding="utf-8")


def _tenant(served: Served) -> str:
    with open_today_lazily(served.desk.settings, NOW) as today:
        ((tenant,),) = today.database.execute("SELECT min(tenant_id) FROM tenants WHERE is_evaluated")
    return str(tenant)


def test_pages_about_other_things_evaluate_no_control(served: Served, made: list[object]) -> None:
    browser = served.browser(DPO)
    for path in ("/findings", "/cases", "/requests", "/identity", "/about"):
        assert browser.get(path).status_code == 200
    assert not made
    assert browser.get("/controls").status_code == 200
    assert len(made) == 1
    assert browser.get("/controls?outcome=outside").status_code == 200
    assert len(made) == 1


def test_the_report_and_the_controls_show_an_attestation_at_once(served: Served, made: list[object]) -> None:
    browser = served.browser(DPO)
    before = browser.get("/").text
    assert len(made) == 1
    control = min(_controls(browser.get("/controls").text))
    sent = browser.send("/attestations", "/attestations", tenant=_tenant(served), control=control,
                        attestation_kind="document", ref="a-signed-paper.pdf", by_role="dpo",
                        valid_until="2027-01-01")  # fmt: skip
    assert sent.status_code == 303
    evaluated = len(made)
    assert browser.get("/").text != before
    assert len(made) == evaluated + 1


def test_a_reader_never_gives_the_published_controls_for_todays(served: Served) -> None:
    with open_today_lazily(served.desk.settings, NOW) as today:
        reader = controlling.TodaysReader(today.database, today)
        for ask in (reader.rows, reader.batches):
            with pytest.raises(ControlsWanted):
                ask("report-controls", limit=10)
        assert reader.rows("page-clocks") is not None
        today.make_controls()
        ((database,),) = today.database.execute(
            "SELECT DISTINCT database_name FROM duckdb_tables() WHERE table_name = 'controls' AND temporary"
        )
        assert database == "temp"
        assert reader.rows("report-controls", limit=10) == PublishedReader(today.database).rows(
            "report-controls", limit=10
        )


def test_every_query_that_reads_controls_is_known(served: Served) -> None:
    names = sorted(path.stem for path in (data_dir("queries") / "report").glob("*.sql"))
    with open_today_lazily(served.desk.settings, NOW) as today:
        reading = {name for name in names if "controls" in tree(today.database, _text(name)).tables}
    assert reading
    assert {name for name in names if controlling._reads_controls(name)} >= reading
