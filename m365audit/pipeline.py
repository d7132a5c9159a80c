"""The way, on one page: files → landing → tables → verdicts → rules → findings → published database and report.

The only module that knows all rooms. One function per arrow; what an arrow does is in the room it leads to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Protocol

from m365audit import __version__, catalogue, exports, findings, register, report, rules
from m365audit.config import LoadedPolicy, Settings
from m365audit.errors import EvidenceError
from m365audit.model import LOG_FEEDS, STATE_FEEDS, PreparedFile
from m365audit.store import arrivals, candidate, landing, ledger, publish, spool
from m365audit.store.arrivals import Arrival, Landed
from m365audit.store.database import make_private, open_store
from m365audit.store.published import PublishedReader
from m365audit.store.sandbox import LockedDatabase

if TYPE_CHECKING:
    import duckdb

REPORT_NAME = "report.html"
_BATCH = 200
"""Files that are landed together: enough to share a transaction's cost, few enough to lose little when killed."""


class Reporter(Protocol):
    """Told how the work goes on; the command line shows it."""

    def file(self, landed: Landed, number: int, total: int) -> None:
        """One file has been dealt with."""

    def skipped(self, path: Path, reason: str) -> None:
        """A file in a named folder was not looked at."""

    def stage(self, name: str) -> None:
        """A stage of the evaluation begins."""


@dataclass(frozen=True, slots=True)
class Import:
    """One thing to import: a file or folder, for a tenant.

    Attributes:
        path: the file or folder.
        tenant: tenant id.
        kind: None means recognised by content.
        observed_at: when listings were taken; None means each file's own time.
        window: the files hold everything between these times, says the user.
    """

    path: Path
    tenant: str
    kind: str | None = None
    observed_at: datetime | None = None
    window: tuple[datetime, datetime] | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an evaluation came to.

    Attributes:
        published: the published database.
        report: the report beside it.
        verdicts: verdict → number of access events.
        findings: open findings by severity.
        not_evaluated: rule checks (one per rule and tenant) that could not speak.
        not_judged: why nothing was judged; empty when it was.
    """

    published: Path
    report: Path
    verdicts: dict[str, int]
    findings: dict[str, int]
    not_evaluated: int
    not_judged: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to: the files that it read, and the evaluation when there was one."""

    landed: tuple[Landed, ...]
    evaluation: Evaluation | None

    @property
    def is_partial(self) -> bool:
        """Something offered was not, or not wholly, taken in."""
        return any(file.outcome in {"partial", "refused"} for file in self.landed)


def run(
    settings: Settings, policy: LoadedPolicy, imports: Sequence[Import], reporter: Reporter, *, command: str,
    evaluate: bool = True,
) -> Outcome:  # fmt: skip
    """Import files, and unless told otherwise judge everything and publish.

    Args:
        settings: the configuration.
        policy: the policy and its problems; an invalid one stops the judging, not the collecting.
        imports: what to import, in this order; empty to judge again what is there.
        reporter: told how it goes on.
        command: what the user typed, for the record of runs.
        evaluate: False to land only.

    Raises:
        StoreBusyError: another run is at work.
        StoreError: the store cannot be used.
        EvidenceError: a path that was named does not exist.
    """
    with open_store(settings.state) as connection:
        spool.clear_leftovers(settings.state)
        run_id = ledger.begin_run(connection, command, __version__, _now())
        landed = tuple(_land_all(connection, settings, policy, imports, reporter))
        evaluation = _evaluate(connection, settings, policy, run_id, reporter) if evaluate else None
        if evaluation is None:
            ledger.end_run(connection, run_id, "landed", _now(), ("", "not_read"))
        return Outcome(landed, evaluation)


def load_register(settings: Settings, policy: LoadedPolicy) -> register.Register:
    """Read the consent register with the catalogue's knowledge of permissions."""
    return register.load_register(
        settings.register_folder, policy=policy.policy, permissions=catalogue.permission_names()
    )


def _now() -> datetime:
    return datetime.now(UTC)


# --- files → landing -------------------------------------------------------------------------------------------------


def _land_all(
    connection: duckdb.DuckDBPyConnection, settings: Settings, policy: LoadedPolicy, imports: Sequence[Import],
    reporter: Reporter,
) -> Iterator[Landed]:  # fmt: skip
    """Land everything, a batch of files at a time; a batch that is durable stays so whatever comes after."""
    wanted: list[tuple[Path, Import]] = []
    for item in imports:
        try:
            wanted += [(file, item) for file in exports.find_files([item.path], on_skip=reporter.skipped)]
        except EvidenceError as error:
            (missing,) = _arrivals(connection, [(item.path, item)], settings, policy)
            yield arrivals.record_refusal(connection, missing, error.message)
    done = 0
    for batch in (wanted[start : start + _BATCH] for start in range(0, len(wanted), _BATCH)):
        with _workdir(settings.state) as workdir:
            for landed in _land_batch(connection, batch, settings, policy, workdir):
                done += 1
                reporter.file(landed, done, len(wanted))
                yield landed


@contextmanager
def _workdir(state: Path) -> Iterator[Path]:
    """A private folder for files that live as long as the run; what a killed run left in it goes first."""
    folder = state / "work"
    rmtree(folder, ignore_errors=True)
    try:
        yield make_private(folder)
    finally:
        rmtree(folder, ignore_errors=True)


def _land_batch(
    connection: duckdb.DuckDBPyConnection, batch: Sequence[tuple[Path, Import]], settings: Settings,
    policy: LoadedPolicy, workdir: Path,
) -> list[Landed]:  # fmt: skip
    """Land a batch of files and return what became of each, in order."""
    offered = _arrivals(connection, batch, settings, policy)
    results: dict[int, Landed] = {}
    waiting = list(zip(offered, (item for _, item in batch), strict=True))
    while waiting:
        # The same bytes a second time wait until the first are landed: then they are known.
        first = {(arrival.tenant, arrival.sha256): arrival.source_id for arrival, _ in reversed(waiting)}
        now = [pair for pair in waiting if first[pair[0].tenant, pair[0].sha256] == pair[0].source_id]
        waiting = [pair for pair in waiting if pair not in now]
        results |= _land_distinct(connection, now, workdir)
    return [results[arrival.source_id] for arrival in offered]


def _land_distinct(
    connection: duckdb.DuckDBPyConnection, files: Sequence[tuple[Arrival, Import]], workdir: Path
) -> dict[int, Landed]:
    """Land files of which no two have the same bytes."""
    results = arrivals.find_known(connection, [arrival for arrival, _ in files])
    families: dict[tuple[str, str, bool, bool], list[landing.Ready]] = {}
    for arrival, item in files:
        if arrival.source_id not in results:
            try:
                ready = landing.Ready(arrival, _prepare(arrival, item.kind, workdir, is_careful=False))
                families.setdefault(ready.family, []).append(ready)
            except EvidenceError as error:
                results[arrival.source_id] = arrivals.record_refusal(connection, arrival, _in_words(error))
    for family in families.values():
        results |= _land_family(connection, family, workdir)
    return results


def _land_family(connection: duckdb.DuckDBPyConnection, files: list[landing.Ready], workdir: Path) -> dict[int, Landed]:
    """Land files together; when DuckDB stumbles over one, each by itself, and that one record by record checked."""
    try:
        landed = landing.land(connection, files, is_careful=files[0].prepared.is_temporary)
        return {file.arrival.source_id: result for file, result in zip(files, landed, strict=True)}
    except landing.UnreadableRecordsError as error:
        if len(files) > 1:
            return {
                source: result for file in files for source, result in _land_family(connection, [file], workdir).items()
            }
        return {files[0].arrival.source_id: _land_carefully(connection, files[0], workdir, error)}


def _land_carefully(
    connection: duckdb.DuckDBPyConnection, file: landing.Ready, workdir: Path, first: landing.UnreadableRecordsError
) -> Landed:
    try:
        prepared = _prepare(file.arrival, file.prepared.kind, workdir, is_careful=True)
        return landing.land(connection, [landing.Ready(file.arrival, prepared)], is_careful=True)[0]
    except (landing.UnreadableRecordsError, EvidenceError):
        return arrivals.record_refusal(connection, file.arrival, f"could not be read: {first.message}")


def _prepare(arrival: Arrival, kind: str | None, workdir: Path, *, is_careful: bool) -> PreparedFile:
    """Prepare a file from its bytes in the spool, under the name that the user knows.

    Raises:
        EvidenceError: it cannot be evidence.
    """
    if arrival.unreadable:
        raise EvidenceError(arrival.unreadable)
    prepared = exports.prepare(Path(arrival.spool), workdir=workdir, kind=kind, careful=is_careful)
    return replace(prepared, path=arrival.path, covered_hour=exports.covered_hour(Path(arrival.path)))


def _in_words(error: EvidenceError) -> str:
    return f"{error.message}; {error.hint}" if error.hint else error.message


def _arrivals(
    connection: duckdb.DuckDBPyConnection, batch: Sequence[tuple[Path, Import]], settings: Settings,
    policy: LoadedPolicy,
) -> list[Arrival]:  # fmt: skip
    """Take the bytes of files into the spool, and note the circumstances of each."""
    numbers = arrivals.next_source_ids(connection, len(batch))
    offered = []
    for number, (file, item) in zip(numbers, batch, strict=True):
        unreadable = ""
        try:
            kept = spool.spool(file, item.tenant, settings.state)
        except EvidenceError as error:
            kept, unreadable = spool.Spooled(Path(), "", 0, _now()), _in_words(error)
        offered.append(
            Arrival(
                number,
                str(file),
                item.tenant,
                kept.sha256,
                kept.size,
                str(kept.path) if kept.sha256 else "",
                imported_at=_now(),
                observed_at=item.observed_at or min(kept.modified_at, _now()),
                has_said_time=item.observed_at is not None,
                settle_after=policy.policy.settle_after,
                hour=datetime.fromisoformat(hour) if (hour := exports.covered_hour(file)) else None,
                window=item.window,
                unreadable=unreadable,
            )
        )
    return offered


# --- landing → published ---------------------------------------------------------------------------------------------


def _evaluate(
    connection: duckdb.DuckDBPyConnection, settings: Settings, policy: LoadedPolicy, run_id: str, reporter: Reporter
) -> Evaluation:
    consents = load_register(settings, policy)
    not_judged = _why_not(policy, consents)
    fresh = publish.new_candidate_path(settings.publish)
    with _workdir(settings.state) as workdir:
        given = _inputs(connection, settings, policy, consents, not_judged)
        candidate.build(connection, fresh, given, workdir=workdir, progress=reporter.stage)
        reporter.stage("rules")
        results = _run_rules(fresh, workdir)
        ledger_rows = _track(connection, fresh, results)
        state = "valid" if consents.is_valid else "absent" if consents.is_absent else "invalid"
        outcome = "not_judged" if not_judged else "judged"
        ledger.end_run(connection, run_id, outcome, _now(), (consents.hash, state))
        ledger.write_results(connection, fresh, ledger_rows, _outcome_rows(results), workdir=workdir)
        reporter.stage("report")
        page, verdicts = _show(fresh)
        publish.put_in_place(fresh, settings.publish / publish.PUBLISHED_NAME)
        publish.write_in_place(page, settings.publish / REPORT_NAME)
        # Last, because a run that is killed before this finds the same changes again; after it they are old.
        ledger.save_findings(connection, ledger_rows, workdir=workdir)
        ledger.note_register(connection, register.register_rows(consents)["register_entries"], _now())
    return Evaluation(
        settings.publish / publish.PUBLISHED_NAME,
        settings.publish / REPORT_NAME,
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


def _inputs(
    connection: duckdb.DuckDBPyConnection, settings: Settings, policy: LoadedPolicy, consents: register.Register,
    not_judged: str,
) -> candidate.EvaluationInputs:  # fmt: skip
    rules_of_policy = policy.policy
    names = {tenant.id: tenant.name for tenant in settings.tenants}
    tenants = {**dict.fromkeys(ledger.tenants_with_evidence(connection)), **names}
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
