"""Landing → published: tables, verdicts, rules, findings, then database and report in place of the old ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from m365audit import catalogue, findings, register, report, rules
from m365audit.config import LoadedPolicy, Settings
from m365audit.model import LOG_FEEDS, STATE_FEEDS
from m365audit.pipeline.values import Evaluation, Work, now
from m365audit.store import candidate, ledger, publish
from m365audit.store.published import PublishedReader
from m365audit.store.sandbox import LockedDatabase

if TYPE_CHECKING:
    import duckdb

REPORT_NAME: Final = "report.html"


def load_register(settings: Settings, policy: LoadedPolicy) -> register.Register:
    """Read the consent register with the catalogue's knowledge of permissions."""
    return register.load_register(
        settings.register_folder, policy=policy.policy, permissions=catalogue.permission_names()
    )


def evaluate(work: Work, run_id: str) -> Evaluation:
    """Build every table, judge, run the rules, publish database and report; return what it came to.

    Raises:
        StoreError: a query of the product failed, or the folders cannot be written.
    """
    connection, folder = work.connection, work.settings.publish
    consents = load_register(work.settings, work.policy)
    not_judged = _why_not(work.policy, consents)
    fresh = publish.new_candidate_path(folder)
    with work.folder() as workdir:
        given = _inputs(work, consents, not_judged)
        candidate.build(connection, fresh, given, workdir=workdir, progress=work.reporter.stage)
        work.reporter.stage("rules")
        results = _run_rules(fresh, workdir)
        ledger_rows = _track(connection, fresh, results)
        state = "valid" if consents.is_valid else "absent" if consents.is_absent else "invalid"
        outcome = "not_judged" if not_judged else "judged"
        ledger.end_run(connection, run_id, outcome, now(), (consents.hash, state))
        ledger.write_results(connection, fresh, ledger_rows, _outcome_rows(results), workdir=workdir)
        work.reporter.stage("report")
        page, verdicts = _show(fresh)
        publish.put_in_place(fresh, folder / publish.PUBLISHED_NAME)
        publish.write_in_place(page, folder / REPORT_NAME)
        # Last, because a run that is killed before this finds the same changes again; after it they are old.
        ledger.save_findings(connection, ledger_rows, workdir=workdir)
        ledger.note_register(connection, register.register_rows(consents)["register_entries"], now())
    return Evaluation(
        folder / publish.PUBLISHED_NAME,
        folder / REPORT_NAME,
        verdicts,
        _by_severity(ledger_rows),
        sum(outcome.outcome in {"not_evaluated", "error"} for outcome in results.outcomes),
        not_judged,
    )


def _why_not(policy: LoadedPolicy, consents: register.Register) -> str:
    """Return why nothing can be judged, in words for the report; empty when it can."""
    problems = policy.problems or consents.problems
    if not problems:
        return ""
    what = "privacy policy file" if policy.problems else "consent register"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"the {what} is invalid: {problems[0].what}{more}; run `m365audit register check`"


def _inputs(work: Work, consents: register.Register, not_judged: str) -> candidate.EvaluationInputs:
    """Return the tables beside the evidence: tenants, policy, register and catalogue."""
    rules_of_policy = work.policy.policy
    names = {tenant.id: tenant.name for tenant in work.settings.tenants}
    tenants = {**dict.fromkeys(ledger.tenants_with_evidence(work.connection)), **names}
    consent_tables = {} if not_judged else register.register_rows(consents)
    tables: dict[str, Iterable[Mapping[str, object]]] = {
        **_catalogue_tables(),
        **{name: rows for name, rows in consent_tables.items() if name != "register_entries"},
        "configured_tenants": [
            {"tenant_id": tenant, "name": name, "not_evaluated_reason": not_judged or None}
            for tenant, name in sorted(tenants.items())
        ],
        "policy_workloads": [{"workload": workload} for workload in rules_of_policy.workloads],
        "policy_settings": [
            {
                "membership_before_first_seconds": int(rules_of_policy.membership_before_first.total_seconds()),
                "consent_record_within_seconds": int(rules_of_policy.consent_record_within.total_seconds()),
                "name": rules_of_policy.name,
                "version": ", ".join(rules_of_policy.version_names) or None,
            }
        ],
        "log_feeds": [{"feed": feed} for feed in LOG_FEEDS],
        "state_feeds": [{"feed": feed} for feed in STATE_FEEDS],
    }
    return candidate.EvaluationInputs(tables, catalogue.match_shapes)


def _catalogue_tables() -> dict[str, Iterable[Mapping[str, object]]]:
    return {
        "audit_operations": catalogue.audit_operation_rows(),
        "audit_workloads": catalogue.audit_workload_rows(),
        "audit_record_types": catalogue.record_type_rows(),
        "permission_ids": catalogue.permission_id_rows(),
        "permission_reach": catalogue.permission_reach_rows(),
        "first_party_apps": catalogue.first_party_rows(),
        "microsoft_tenants": catalogue.microsoft_tenant_rows(),
        "workload_feeds": catalogue.workload_feed_rows(),
        "full_mailbox_permissions": catalogue.full_mailbox_permission_rows(),
    }


def _run_rules(fresh: Path, workdir: Path) -> rules.RuleResults:
    with LockedDatabase(fresh, is_read_only=False, spill=workdir) as locked:
        return rules.run_rules(locked, rules.load_rules(locked), findings.finding_id)


def _track(connection: duckdb.DuckDBPyConnection, fresh: Path, results: rules.RuleResults) -> list[dict[str, object]]:
    """Take the findings into their history and return the ledger's new rows."""
    previous = [findings.FindingState(**row) for row in ledger.read_findings(connection)]
    times = ledger.evidence_times(connection, fresh)
    following = findings.next_ledger(
        previous, results.findings, results.outcomes, evidence_time=times, aliases=results.aliases
    )
    return [findings.as_row(state) for state in following.states]


def _outcome_rows(results: rules.RuleResults) -> Iterable[dict[str, object]]:
    for outcome in results.outcomes:
        yield {
            "tenant_id": outcome.tenant_id, "rule": outcome.rule, "outcome": outcome.outcome,
            "reason": outcome.reason, "findings": outcome.findings,
        }  # fmt: skip


def _show(fresh: Path) -> tuple[bytes, dict[str, int]]:
    """Render the report of a candidate, and count its verdicts."""
    with LockedDatabase(fresh, is_read_only=True) as locked:
        page = report.render(report.build_document(PublishedReader(locked)), "html")
        counts = dict(locked.execute("SELECT verdict, count(*) FROM verdicts GROUP BY ALL ORDER BY ALL"))
    return page, counts


def _by_severity(rows: Iterable[dict[str, object]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in rows:
        if row["state"] == "open":
            counts[str(row["severity"])] = counts.get(str(row["severity"]), 0) + 1
    return counts
