"""Names what a file is when it is not evidence the product reads, and the next step for whoever exported it.

Must never say that a file is evidence; that is decided in ``kinds``.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from m365audit.exports.kinds import SIGN_IN_CATEGORIES, is_audit_record, text_of
from m365audit.exports.pieces import JsonObject


class Foreign(NamedTuple):
    """What a file is instead, as the end of "this is …", and what to do."""

    what: str
    hint: str


_DECOMPRESS = "unpack it and import the exported files inside"
_EXPORT_JSON = "export the log itself as JSON, or as CSV from Purview"

_MAGIC: Final = (
    (b"%PDF", Foreign("a PDF document", _EXPORT_JSON)),
    (b"PK\x03\x04", Foreign("a ZIP archive or an Office document", _DECOMPRESS)),
    (b"PK\x05\x06", Foreign("an empty ZIP archive", "export it again")),
    (b"SQLite format 3\x00", Foreign("an SQLite database", _EXPORT_JSON)),
    (b"\x89PNG", Foreign("an image (PNG)", _EXPORT_JSON)),
    (b"\xff\xd8\xff", Foreign("an image (JPEG)", _EXPORT_JSON)),
    (b"GIF8", Foreign("an image (GIF)", _EXPORT_JSON)),
    (b"PAR1", Foreign("a Parquet file", _EXPORT_JSON)),
    (b"7z\xbc\xaf\x27\x1c", Foreign("a 7-Zip archive", _DECOMPRESS)),
    (b"Rar!", Foreign("a RAR archive", _DECOMPRESS)),
    (b"BZh", Foreign("a bzip2 file", "decompress it, or pack it with gzip")),
    (b"\xfd7zXZ", Foreign("an xz file", "decompress it, or pack it with gzip")),
    (b"\x28\xb5\x2f\xfd", Foreign("a Zstandard file", "decompress it, or pack it with gzip")),
    (b"\xd0\xcf\x11\xe0", Foreign("an old Office document", _EXPORT_JSON)),
    (b"ElfFile\x00", Foreign("a Windows event log", "export the cloud logs; device logs are not read")),
    (b"!BDN", Foreign("an Outlook mailbox (PST)", "mail itself is never read; export the audit log")),
    (b"-----BEGIN ", Foreign("a key or certificate", "remove it from the export folder")),
    (b"#< CLIXML", Foreign("PowerShell CLIXML", "export with ConvertTo-Json instead of Export-Clixml")),
)
_CLIXML = re.compile(rb"\s*(<\?xml[^>]*>\s*)?<Objs\s", re.IGNORECASE)
_HTML = re.compile(
    rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<(!doctype html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
_XML = re.compile(rb"\s*<(\?xml|[A-Za-z])")
_FORMAT_LIST = re.compile(rb"\s*\w+\s+: .*\r?\n\s*\w+\s+:", re.ASCII)
_TAR_AT, _TAR = 257, b"ustar"
_DUCKDB_AT, _DUCKDB = 8, b"DUCK"

_TABLES: Final = (
    (
        frozenset(("file id", "custodian", "compound path")),
        Foreign("an eDiscovery export of items, not an audit log", "export the results of Purview's *Audit* search"),
    ),
    (
        frozenset(("authentication date", "request id")),
        Foreign(
            "the portal's table of authentication details, not of sign-ins",
            "import the table beside it, without AuthDetails",
        ),
    ),
    (
        frozenset(("timegenerated",)),
        Foreign("a table of Log Analytics of which nothing is read", "query a table of sign-ins, audits or activity"),
    ),
)

_LOG_ANALYTICS = Foreign(
    "a row of a Log Analytics table of which nothing is read", "query a table of sign-ins, audits or activity"
)
_SHAPES: Final = (
    (
        frozenset(("contenturi", "contentid")),
        Foreign(
            "a content list of the Management Activity API, not its content", "fetch each contentUri and import those"
        ),
    ),
    (
        frozenset(("filterstartdatetime", "recordtypefilters")),
        Foreign("an audit-query job, not its records", "fetch /security/auditLog/queries/{id}/records"),
    ),
    (
        frozenset(("requiredresourceaccess", "signinaudience")),
        Foreign("an app registration: what an app asks for, not what it was granted", "export /servicePrincipals"),
    ),
)
_NO_HOLDER = Foreign(
    "a list of permissions that names no service principal holding them",
    "export /servicePrincipals/{id}/appRoleAssignments as Graph returns it",
)


def foreign_bytes(head: bytes) -> Foreign | None:
    """Return what the file is when its first bytes give it away as no log."""
    for magic, foreign in _MAGIC:
        if head.startswith(magic):
            return foreign
    if head[_TAR_AT : _TAR_AT + len(_TAR)] == _TAR:
        return Foreign("a tar archive", _DECOMPRESS)
    if head[_DUCKDB_AT : _DUCKDB_AT + len(_DUCKDB)] == _DUCKDB:
        return Foreign("a DuckDB database", _EXPORT_JSON)
    return None


def foreign_text(head: bytes) -> Foreign:
    """Return what a text is that is neither JSON nor a table with audit data."""
    if _CLIXML.match(head):
        return Foreign("PowerShell CLIXML", "export with ConvertTo-Json instead of Export-Clixml")
    if _HTML.match(head):
        return Foreign("an HTML page, probably an error or sign-in page", "open it to see why, then export again")
    if _XML.match(head):
        return Foreign("XML", _EXPORT_JSON)
    if _FORMAT_LIST.match(head):
        return Foreign(
            "PowerShell's list for the screen", "export with ConvertTo-Json -Depth 20 instead of Format-List"
        )
    if b"\x00" in head:
        return Foreign("binary data of an unknown format", _EXPORT_JSON)
    return Foreign("text that is neither JSON nor a CSV with a column AuditData", _EXPORT_JSON)


def foreign_table(columns: frozenset[str]) -> Foreign | None:
    """Return what a table with these lower-case column names is, None when it is not a known one."""
    return next((foreign for needed, foreign in _TABLES if needed <= columns), None)


def foreign_record(value: JsonObject) -> Foreign | None:
    """Return what the object is when it surely is no evidence, or none that the product reads yet."""
    keys = {key.lower(): key for key in value}
    error = value.get(keys.get("error", ""))
    if isinstance(error, dict) and len(keys) <= 2:  # noqa: PLR2004 - the error, and perhaps its context
        return _error_body(error)
    if "TimeGenerated" in value and "properties" not in keys:
        return _LOG_ANALYTICS
    if is_audit_record(frozenset(keys)):
        return None
    shape = next((foreign for needed, foreign in _SHAPES if needed <= keys.keys()), None)
    return shape or _foreign_type(value) or _foreign_category(value, keys)


def foreign_leftover(value: JsonObject) -> Foreign | None:
    """Return what an object is that was not recognised as evidence; shapes that evidence shares count here only."""
    keys = {key.lower(): key for key in value}
    if "resourcedisplayname" in keys and ("approleid" in keys or "roleid" in keys):
        return _NO_HOLDER
    if "properties" in keys and "category" in keys:
        return _other_category(value, keys)
    return None


def foreign_context(context: str) -> Foreign | None:
    """Return what a page is by its ``@odata.context``, for pages whose records do not tell."""
    if context.endswith(("#applications", "#applications/$entity")):
        return Foreign("app registrations: what apps ask for, not what they were granted", "export /servicePrincipals")
    return None


def _error_body(error: JsonObject) -> Foreign:
    code = error.get("code")
    said = f" ({str(code)[:60]})" if code else ""
    return Foreign(f"an error answer of an API{said}, not data", "solve what it says, then export again")


def _foreign_type(value: JsonObject) -> Foreign | None:
    name = str(value.get("@odata.type", "")).lower()
    if name.endswith("auditlogquery"):
        return Foreign("an audit-query job, not its records", "fetch /security/auditLog/queries/{id}/records")
    return None


def _foreign_category(value: JsonObject, keys: dict[str, str]) -> Foreign | None:
    category = text_of(value, keys, "category")
    is_ours = category in SIGN_IN_CATEGORIES or category in {"auditlogs", "microsoftgraphactivitylogs"}
    if "properties" not in keys or is_ours or not category.endswith("logs"):
        return None
    return _other_category(value, keys)


def _other_category(value: JsonObject, keys: dict[str, str]) -> Foreign:
    shown = str(value[keys["category"]])[:60]
    return Foreign(f"a storage export of {shown}, which is not supported yet", "leave it out")
