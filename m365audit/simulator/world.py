"""Owns the demo's world as files: three tenants' exports, their register and configuration, and the truth about them.

Deterministic: the same seed writes the same bytes; no clock and no network is ever asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from m365audit.simulator import expected_findings, story_contoso, story_fabrikam, story_tailspin
from m365audit.simulator.consent_records import configuration
from m365audit.simulator.diary import Diary
from m365audit.simulator.documents_written import write_documents
from m365audit.simulator.everyday import everyday_records
from m365audit.simulator.exports_written import ExportFolder
from m365audit.simulator.people import Tenant
from m365audit.simulator.truth import OUT_OF_SCOPE, Truth, VerdictCount

SEED = 20260901
_AUDIT_FEEDS = {"MessagesListed": "audit_teams"}
"""Feeds of audited operations; what is not here is Exchange's."""
_WORKLOAD_FEEDS = {
    "AzureActiveDirectory": "audit_entra",
    "Exchange": "audit_exchange",
    "MicrosoftTeams": "audit_teams",
    "SharePoint": "audit_sharepoint",
}
"""Feeds of what no story tells: accesses to a workload that nobody audits, and sign-ins, which are none."""
_SIGN_IN_FEEDS = {
    "SignInLogs": "sign_ins_interactive",
    "NonInteractiveUserSignInLogs": "sign_ins_non_interactive",
    "ServicePrincipalSignInLogs": "sign_ins_service_principal",
    "ManagedIdentitySignInLogs": "sign_ins_managed_identity",
}


@dataclass(frozen=True, slots=True)
class World:
    """A written world.

    Attributes:
        folder: where it lies.
        config: its ``m365audit.yaml``; one ``run`` with it imports everything.
        tenants: who lives there.
        truth: what an audit must come to.
        files: export files written.
        bytes: size of the export files.
    """

    folder: Path
    config: Path
    tenants: tuple[Tenant, ...]
    truth: Truth
    files: int
    bytes: int


def write_world(folder: Path, *, seed: int = SEED) -> World:
    """Write exports, register, policy and configuration below ``folder`` and return what they must lead to.

    Args:
        folder: created when it does not exist; files of the same name are overwritten.
        seed: another seed moves times and ids, never the story.

    Raises:
        OSError: the folder cannot be written.
    """
    diaries = tell_stories(seed)
    exports = [ExportFolder(folder, diary.tenant) for diary in diaries]
    for export, diary in zip(exports, diaries, strict=True):
        export.write(diary)
    imports = {d.tenant.key: (d.tenant, e.imports) for d, e in zip(diaries, exports, strict=True)}
    tenants = tuple(diary.tenant for diary in diaries)
    return World(
        folder=folder,
        config=write_documents(folder, tenants, configuration(imports)),
        tenants=tenants,
        truth=truth_of(diaries),
        files=sum(export.files for export in exports),
        bytes=sum(export.bytes for export in exports),
    )


def tell_stories(seed: int = SEED) -> list[Diary]:
    """Return what happened in each tenant."""
    return [story.tell(seed) for story in (story_contoso, story_fabrikam, story_tailspin)]


def truth_of(diaries: Iterable[Diary]) -> Truth:
    """Return what an audit of the exports of these diaries must come to."""
    verdicts: Counter[tuple[str, str, str | None, str, tuple[str, ...]]] = Counter()
    lines: Counter[tuple[str, str]] = Counter()
    sign_ins: Counter[tuple[str, str]] = Counter()
    changes: dict[str, int] = {}
    for diary in diaries:
        tenant = diary.tenant.id
        for call in diary.calls:
            app = call.app.id if call.app else None
            verdicts[tenant, "graph_activity", app, call.expected.verdict, call.expected.reasons] += 1
            lines[tenant, "graph_activity"] += call.copies
        for audited in diary.audited:
            feed, expected = _AUDIT_FEEDS.get(audited.operation, "audit_exchange"), audited.expected
            verdicts[tenant, feed, audited.app.id, expected.verdict, expected.reasons] += 1
            lines[tenant, feed] += 1
        for record in everyday_records(diary):
            feed = _WORKLOAD_FEEDS[record["Workload"]]
            lines[tenant, feed] += 1
            if feed != "audit_entra":
                verdicts[tenant, feed, None, OUT_OF_SCOPE.verdict, OUT_OF_SCOPE.reasons] += 1
        sign_ins.update((tenant, _SIGN_IN_FEEDS[s.kind]) for s in diary.sign_ins)
        changes[tenant] = len(diary.changes)
    return Truth(
        verdicts=tuple(VerdictCount(*key, events=events) for key, events in verdicts.items()),
        findings=expected_findings.findings(),
        quiet=expected_findings.quiet(),
        lines={**lines, **sign_ins, **{(t, "directory_audits"): n for t, n in changes.items()}},
        sign_ins=dict(sign_ins),
        directory_changes=changes,
    )
