"""Owns how the customer's side is put into files: register, policy, configuration. Must never decide what they say."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from m365audit.simulator.consent_records import POLICY, Document, records
from m365audit.simulator.people import Tenant


class _PlainYaml(yaml.SafeDumper):
    """Writes no anchors: the register does not accept aliases."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def write_documents(folder: Path, tenants: Iterable[Tenant], configuration: Document) -> Path:
    """Write register, policy and configuration below ``folder``; return the configuration's file.

    Raises:
        OSError: the folder cannot be written.
    """
    for tenant in tenants:
        for name, record in records(tenant).items():
            _write_yaml(folder / "consent" / tenant.key / name, record)
    _write_yaml(folder / "policy.yaml", POLICY)
    _write_yaml(folder / "m365audit.yaml", configuration)
    return folder / "m365audit.yaml"


def _write_yaml(path: Path, document: Document) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.dump(document, Dumper=_PlainYaml, sort_keys=False, allow_unicode=True, width=110)
    path.write_text(text, encoding="utf-8")
