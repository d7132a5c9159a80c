"""The privacy policy as rows of the evaluation's inputs. Never judges anything itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time

from m365audit import controls
from m365audit.config import LoadedPolicy, load_adequacy
from m365audit.config.clocks import load_clocks
from m365audit.config.durations import iso

Rows = Iterable[Mapping[str, object]]
RENEWAL = "policy.renewal"
"""Clock that says until when records have to stand on a version that is material."""


def policy_tables(loaded: LoadedPolicy) -> dict[str, Rows]:
    """Return the policy's facts, its weaknesses, and the law's tables by date that stand beside it.

    Raises:
        ConfigurationError: a table by date beside the policy cannot be read.
    """
    dated = controls.policy_rows(loaded, load_adequacy(loaded.folder), load_clocks(loaded.folder))
    return {**dated, "policy_versions": _versions(loaded), "policy_categories": _categories(loaded)}


def _versions(loaded: LoadedPolicy) -> list[dict[str, object]]:
    clocks = load_clocks(loaded.folder)
    rows: list[dict[str, object]] = []
    for known in loaded.policy.versions:
        begin = datetime.combine(known.effective_from, time(), UTC) if known.effective_from else None
        clock = clocks.find(RENEWAL, begin) if begin else None
        rows.append(
            {
                "version": known.version,
                "effective_from": begin and iso(begin),
                "renew_by": iso(clock.after(begin)) if clock and begin else None,
                "text_sha256": known.text_sha256,
                "url": known.url,
                "is_material": known.is_material,
            }
        )
    return rows


def _categories(loaded: LoadedPolicy) -> list[dict[str, object]]:
    return [{"category": entry.category, "workloads": list(entry.workloads)} for entry in loaded.policy.categories]
