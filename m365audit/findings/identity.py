"""Makes a finding's id from its subject. Counts, times, names, severities and texts never take part in it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Final

_KIND: Final = "m365audit.finding/1"
_GUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_LENGTH: Final = 26


def finding_id(rule: str, rule_key_version: int, tenant: str, subject: Mapping[str, str | None]) -> str:
    """Return the id of the finding that ``rule`` makes about ``subject`` in ``tenant``.

    The same subject always gives the same id: neither the order of its keys nor the case of a GUID matters.

    Args:
        rule: the rule's key name (its oldest alias, else its id).
        rule_key_version: rises when the rule's identity means something else.
        tenant: tenant id.
        subject: the identity columns and their values; None is a value of its own.
    """
    key = {
        "k": _KIND,
        "rule": rule,
        "rule_key_version": rule_key_version,
        "tenant": _folded(tenant),
        "subject": {name: _folded(value) for name, value in subject.items()},
    }
    digest = hashlib.sha256(canonical_json(key).encode("utf-8", "surrogatepass")).digest()
    return "F1-" + base64.b32encode(digest).decode("ascii")[:_LENGTH]


def canonical_json(value: object) -> str:
    """Return JSON with sorted keys, no white space, no escapes that are not needed."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _folded(value: str | None) -> str | None:
    return value.lower() if value is not None and _GUID.fullmatch(value) else value
