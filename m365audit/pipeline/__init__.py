"""The way, on one page: tenants, files → landing → tables → verdicts → rules → findings → database and report.

The only room that knows all others. What an arrow does is in the room it leads to.
"""

from __future__ import annotations

from collections.abc import Sequence

from m365audit import __version__
from m365audit.config import LoadedPolicy, Settings
from m365audit.pipeline import judging
from m365audit.pipeline.collecting import NOTHING, WITHIN, Wanted, collect
from m365audit.pipeline.judging import REPORT_NAME, load_register, named_groups
from m365audit.pipeline.taking_in import take_in
from m365audit.pipeline.values import Collected, Evaluation, Import, Outcome, Reporter, Step, Work, now
from m365audit.store import ledger, spool
from m365audit.store.database import FEW_ROWS_IN_A_GROUP, ROWS_IN_A_GROUP, open_store

__all__ = [
    "NOTHING",
    "REPORT_NAME",
    "WITHIN",
    "Collected",
    "Evaluation",
    "Import",
    "Outcome",
    "Reporter",
    "Step",
    "Wanted",
    "load_register",
    "run",
]


def run(
    settings: Settings, policy: LoadedPolicy, imports: Sequence[Import], reporter: Reporter, *, command: str,
    wanted: Wanted = NOTHING, evaluate: bool = True,
) -> Outcome:  # fmt: skip
    """Collect from tenants, import files, and unless told otherwise judge everything and publish.

    Args:
        settings: the configuration.
        policy: the policy and its problems; an invalid one stops the judging, not the collecting.
        imports: what to import, in this order; empty to judge again what is there.
        reporter: told how it goes on.
        command: what the user typed, for the record of runs.
        wanted: what to collect; nothing by default.
        evaluate: False to land only.

    Raises:
        StoreBusyError: another run is at work.
        StoreError: the store cannot be used.
        EvidenceError: a path that was named does not exist.
    """
    rows = FEW_ROWS_IN_A_GROUP if wanted.tenants else ROWS_IN_A_GROUP
    with open_store(settings.state, rows_in_a_group=rows) as connection:
        work = Work(connection, settings, policy, reporter)
        spool.clear_leftovers(settings.state)
        run_id = ledger.begin_run(connection, command, __version__, now())
        collected = collect(work, wanted, run_id, named_groups(settings, policy) if wanted.tenants else {})
        landed = tuple(take_in(work, imports))
        evaluation = judging.evaluate(work, run_id) if evaluate else None
        if evaluation is None:
            ledger.end_run(connection, run_id, "landed", now(), ("", "not_read"))
        return Outcome(landed, evaluation, collected)
