"""The privacy policy as rows of the evaluation's inputs. Never judges anything itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time

from m365audit.config import LoadedPolicy
from m365audit.config.clocks import load_clocks
from m365audit.config.durations import iso

Rows = Iterable[Mapping[str, object]]
RENEWAL = "policy.renewal"
"""Clock that says until when records have to stand on a version that is material."""


def policy_tables(loaded: LoadedPolicy) -> dict[str, Rows]:
    """Return the versions of the policy's text, and the categories of data that it lists.

    Raises:
        ConfigurationError: the table of clocks beside the policy cannot be read.
    """
    return {"policy_versions": _versions(loaded), "policy_categories": _categories(loaded)}


def _versions(loaded: LoadedPolicy) -> list[dict[str, object]]:
    clocks = load_clocks(loaded.folder)
    rows: list[dict[str, object]] = []
    for known in loaded.policy.versions:
        begin = known.effective_from and datetime.combine(known.effective_from, time(), UTC)
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
