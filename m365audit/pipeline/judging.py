"""Landing → published: tables, verdicts, rules, findings, then database and report in place of the old ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

from m365audit import catalogue, controls, findings, register, report, rules
from m365audit.config import LoadedPolicy, Settings
from m365audit.model import LOG_FEEDS, STATE_FEEDS
from m365audit.pipeline.circumstances import circumstances
from m365audit.pipeline.completeness import check_journal
from m365audit.pipeline.controlling import control_catalogue, run_controls
from m365audit.pipeline.moment import present_moment
from m365audit.pipeline.policy_tables import policy_tables
from m365audit.pipeline.reviewing import rows_of
from m365audit.pipeline.values import Evaluation, Work, now
from m365audit.store import candidate, ledger, publish, suppression, verifying
from m365audit.store.person_key import person_key
from m365audit.store.published import PublishedReader
from m365audit.store.sandbox import LEAN_MEMORY, LockedDatabase

REPORT_NAME: Final = "report.html"


def load_register(settings: Settings, policy: LoadedPolicy) -> register.Register:
    """Read the consent register with the catalogue's knowledge of permissions."""
    return register.load_register(
        settings.register_folder, policy=policy.policy, permissions=catalogue.permission_names()
    )


def named_groups(settings: Settings, policy: LoadedPolicy) -> dict[str, tuple[str, ...]]:
    """Return the ids of the groups that each tenant's consent records name: only their members have to be known."""
    found: dict[str, set[str]] = {}
    for version in register.register_rows(load_register(settings, policy)).get("register_versions", ()):
        groups = version.get("resource_groups")
        found.setdefault(str(version["tenant_id"]), set()).update(groups if isinstance(groups, list | tuple) else ())
    return {tenant: tuple(sorted(groups)) for tenant, groups in found.items()}


def evaluate(work: Work, run_id: str) -> Evaluation:
    """Build every table, judge, run the rules, publish database and report; return what it came to.

    Raises:
        StoreError: a query of the product failed, or the folders cannot be written.
    """
    connection, folder = work.connection, work.settings.publish
    check_journal(work.settings)
    consents = load_register(work.settings, work.policy)
    not_judged = _why_not(work.policy, consents)
    fresh = publish.new_candidate_path(folder)
    with work.folder() as workdir:
        given = _inputs(work, consents, not_judged)
        candidate.build(connection, fresh, given, workdir=workdir, progress=work.reporter.stage)
        work.reporter.stage("rules")
        results, promised = _run_rules(fresh, workdir)
        state = "valid" if consents.is_valid else "absent" if consents.is_absent else "invalid"
        outcome = "not_judged" if not_judged else "judged"
        ledger.end_run(connection, run_id, outcome, now(), (consents.hash, state))
        published = folder / publish.PUBLISHED_NAME
        ledger.write_results(
            connection, fresh, map(asdict, results.outcomes), results.aliases, before=published, workdir=workdir,
            decided=lambda ask: rows_of(work.settings, now(), ask),
        )  # fmt: skip
        work.reporter.stage("controls")
        run_controls(fresh, workdir, promised, work.settings, now())
        ledger.describe(connection, fresh, "controls")
        work.reporter.stage("report")
        page, verdicts, severities = _show(work.settings, fresh, workdir)
        publish.put_in_place(fresh, published)
        publish.write_in_place([page], folder / REPORT_NAME)
        verifying.note_publication(
            work.settings.state / verifying.NOTE_NAME,
            {publish.PUBLISHED_NAME: published, REPORT_NAME: folder / REPORT_NAME},
        )
        # Last, because a run that is killed before this finds the same changes again; after it they are old.
        ledger.save_findings(connection, published)
        ledger.note_register(connection, register.register_rows(consents)["register_entries"], now())
    return Evaluation(
        published,
        folder / REPORT_NAME,
        verdicts,
        severities,
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
    state = work.settings.state
    consent_tables = {} if not_judged else suppression.masked_tables(state, register.register_rows(consents))
    tables: dict[str, Iterable[Mapping[str, object]]] = {
        **_catalogue_tables(),
        **consent_tables,
        "configured_tenants": [
            {"tenant_id": tenant, "name": name, "not_evaluated_reason": not_judged or None}
            for tenant, name in sorted(tenants.items())
        ],
        "policy_workloads": [{"workload": workload} for workload in rules_of_policy.workloads],
        "policy_settings": [
            {
                "membership_before_first_seconds": int(rules_of_policy.membership_before_first.total_seconds()),
                "consent_record_within_seconds": int(rules_of_policy.consent_record_within.total_seconds()),
                "record_ending_notice_seconds": int(rules_of_policy.record_ending_notice.total_seconds()),
                "credential_notice_seconds": int(rules_of_policy.credential_notice.total_seconds()),
                "collection_pause_seconds": int(rules_of_policy.collection_pause.total_seconds()),
                "name": rules_of_policy.name,
                "version": ", ".join(rules_of_policy.version_names) or None,
            }
        ],
        **policy_tables(work.policy),
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
        "auditor_permissions": catalogue.auditor_permission_rows(),
    }


def _run_rules(fresh: Path, workdir: Path) -> tuple[rules.RuleResults, controls.Catalogue]:
    """Run the rules; return what they came to, and the controls, which are proven before anything runs."""
    with LockedDatabase(fresh, is_read_only=False, spill=workdir, memory=LEAN_MEMORY) as locked:
        loaded = rules.load_rules(locked)
        promised = control_catalogue(loaded)
        return rules.run_rules(locked, loaded, findings.with_finding_ids), promised


def _show(settings: Settings, fresh: Path, workdir: Path) -> tuple[bytes, dict[str, int], dict[str, int]]:
    """Render the report of a candidate, and count its verdicts and its open findings by severity."""
    with LockedDatabase(fresh, is_read_only=True, spill=workdir, memory=LEAN_MEMORY) as locked:
        people = report.People(person_key(settings.state))
        document = report.build_document(
            PublishedReader(locked), now=present_moment(settings), people=people, language=settings.report.language,
            time_zone=settings.report.time_zone, circumstances=circumstances(settings, fresh),
        )  # fmt: skip
        page = report.render_html(document)
        verdicts = dict(locked.execute("SELECT verdict, count(*) FROM verdicts GROUP BY ALL ORDER BY ALL"))
        severities = dict(
            locked.execute("SELECT severity, count(*) FROM findings WHERE state = 'open' GROUP BY ALL ORDER BY ALL")
        )
    return page, verdicts, severities
