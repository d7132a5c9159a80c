"""Owns how the customer's side is put into files: register, policy, configuration. Must never decide what they say."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from m365audit.simulator.agreed_policy import POLICY
from m365audit.simulator.consent_records import Document, records
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
            write_yaml(folder / "consent" / tenant.key / name, record)
    return write_settings(folder, configuration)


def write_settings(folder: Path, configuration: Document) -> Path:
    """Write policy and configuration; return the configuration's file.

    Raises:
        OSError: the folder cannot be written.
    """
    write_yaml(folder / "policy.yaml", POLICY)
    write_yaml(folder / "m365audit.yaml", configuration)
    return folder / "m365audit.yaml"


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read; it is never there with other rights, not for a moment.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(content)


def write_yaml(path: Path, document: Document) -> None:
    """Write one document.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.dump(document, Dumper=_PlainYaml, sort_keys=False, allow_unicode=True, width=110)
    path.write_text(text, encoding="utf-8")
