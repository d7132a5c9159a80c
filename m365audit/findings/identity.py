"""Makes a finding's id from its subject. Counts, times, names, severities and texts never take part in it.

The same id twice: ``finding_id`` says what it is, ``with_finding_ids`` is what makes a million of them, in SQL.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

from m365audit.store.json_text import json_object, json_string, literal

_KIND: Final = "m365audit.finding/1"
_GUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_LENGTH: Final = 26
_BASE32: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_HEX_OF_A_GROUP: Final = 10
_SIGNS_OF_A_GROUP: Final = 8
"""Ten hexadecimal digits are eight signs of base 32: 40 bits, which a BIGINT holds."""


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


def with_finding_ids(rule: str, rule_key_version: int, columns: Sequence[str], relation: str) -> str:
    """Return a SELECT of everything in ``relation`` and, as ``finding_id``, what ``finding_id`` says of each row.

    Args:
        rule: the rule's key name.
        rule_key_version: as for ``finding_id``.
        columns: the identity columns, VARCHAR.
        relation: name of a table with ``tenant_id`` and the identity columns.
    """
    key = json_object({
        "k": literal(canonical_json(_KIND)),
        "rule": literal(canonical_json(rule)),
        "rule_key_version": literal(str(rule_key_version)),
        "subject": json_object({name: json_string(_folded_sql(f'"{name}"')) for name in columns}),
        "tenant": json_string(_folded_sql("tenant_id")),
    })  # fmt: skip
    signs = " || ".join(_sign_sql("key_digest", position) for position in range(_LENGTH))
    return (
        f"SELECT * EXCLUDE (key_digest), 'F1-' || {signs} AS finding_id "  # noqa: S608  (names are the rules' columns)
        f"FROM (SELECT *, sha256({key}) AS key_digest FROM {relation})"
    )


def _folded_sql(expression: str) -> str:
    is_guid = f"regexp_full_match({expression}, '(?i){_GUID.pattern}')"
    return f"(CASE WHEN {is_guid} THEN lower({expression}) ELSE {expression} END)"


def _sign_sql(digest: str, position: int) -> str:
    group, sign = divmod(position, _SIGNS_OF_A_GROUP)
    number = f"CAST('0x' || substr({digest}, {1 + group * _HEX_OF_A_GROUP}, {_HEX_OF_A_GROUP}) AS BIGINT)"
    return f"substr('{_BASE32}', 1 + (({number} >> {5 * (_SIGNS_OF_A_GROUP - 1 - sign)}) & 31), 1)"


def canonical_json(value: object) -> str:
    """Return JSON with sorted keys, no white space, no escapes that are not needed."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _folded(value: str | None) -> str | None:
    return value.lower() if value is not None and _GUID.fullmatch(value) else value
