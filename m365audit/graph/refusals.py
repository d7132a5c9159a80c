"""Owns what Microsoft's refusals mean: status, code and words → what to do, as one table with its sources.

A status alone means little: 403 is a missing permission, a missing licence, a limit or a broken gateway.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from m365audit.graph.values import GapReason

Meaning = GapReason | Literal["busy", "broken", "stale_link", "not_found"]
"""A gap's reason; or ``busy``, ``broken``: ask again; ``stale_link``: begin again; ``not_found``: this one is gone."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One row: matches when status, code and words all do.

    Attributes:
        statuses: of which the answer has one; empty for every one that is no success.
        codes: of which the answer has one, in any case; empty for any.
        words: pattern somewhere in the message; empty for any.
        meaning: what it means.
        says: what happened, in plain words.
        todo: the next step.
        source: where this is known from.
    """

    statuses: tuple[int, ...]
    codes: tuple[str, ...]
    words: str
    meaning: Meaning
    says: str
    todo: str = ""
    source: str = ""


_GRANT: Final = "grant the permission and an administrator's approval; `m365audit doctor` names it"
_NO_LICENCE: Final = "Microsoft keeps this log for this tenant only with Microsoft Entra ID P1 or P2"
_BUY: Final = "buy the licence, or accept the gap"
_AUDIT_OFF: Final = "unified auditing is switched off in this tenant"
_SWITCH_ON: Final = "switch it on: Set-AdminAuditLogConfig -UnifiedAuditLogIngestionEnabled $true"
_LINK: Final = "the window is begun again"
_SKIP: Final = r"skip\s?-?token|page token|\$skiptoken"

REFUSALS: Final[tuple[Refusal, ...]] = (
    # Limits, under three names.
    Refusal((), ("AF429",), "", "busy", "Microsoft limits the requests",
            source="troubleshooting page of the Management Activity API: the limit arrives as 403"),
    Refusal((429,), (), "", "busy", "Microsoft limits the requests", source="learn.microsoft.com/graph/throttling"),
    Refusal((), ("TooManyRequests", "activityLimitReached"), "", "busy", "Microsoft limits the requests",
            source="learn.microsoft.com/graph/errors"),
    # Links that died.
    Refusal((400, 404, 410), ("DirectoryPageTokenNotFoundException", "Directory_ExpiredPageToken", "AF20031"), "",
            "stale_link", "a link to the next page is no longer valid", _LINK,
            "zerotrustassessment #860, #1217, #1236; Management Activity API reference for AF20031"),
    Refusal((400, 410), (), _SKIP, "stale_link", "a link to the next page is no longer valid", _LINK,
            "msgraph-sdk-powershell #1388, microsoft-graph-docs #8612"),
    # Not bought.
    Refusal((400, 403), ("Authentication_RequestFromNonPremiumTenantOrB2CTenant",), "", "licence",
            _NO_LICENCE, _BUY,
            "learn.microsoft.com/graph/api/signin-list; fact sheet"),
    Refusal((400, 403), (), r"premium licen[sc]e", "licence",
            _NO_LICENCE, _BUY,
            "the sentence that accompanies the code above; wazuh and Microsoft-Extractor-Suite #202"),
    # Switched off.
    Refusal((), ("AuditingDisabledTenant", "AF20011"), "", "disabled", _AUDIT_OFF,
            _SWITCH_ON,
            "CIPP; Management Activity API reference for AF20011"),
    Refusal((400, 403), (), r"AuditingDisabledTenant", "disabled", _AUDIT_OFF,
            _SWITCH_ON,
            "CIPP: Graph's audit queries wrap the code into the message of an UnknownError"),
    Refusal((400, 401, 403, 404, 500), (), r"\btenant\b.{0,80}\bdoes not exist", "disabled",
            _AUDIT_OFF,
            _SWITCH_ON,
            "wazuh #34320; troubleshooting page of the Management Activity API"),
    Refusal((), ("AF20022", "AF20023"), "", "disabled", "the subscription to this content is not running",
            "the collector starts it; the first content comes within 12 hours", "Management Activity API reference"),
    # Too late.
    Refusal((), ("AF20030", "AF20051", "AF20055"), "", "expired", "Microsoft no longer keeps what was asked for",
            "it keeps this content for 7 days; collect more often", "Management Activity API reference"),
    # Not allowed.
    Refusal((), ("Authorization_RequestDenied", "Authentication_MSGraphPermissionMissing", "AF10001"), "", "permission",
            "the auditor does not have the permission for this", _GRANT,
            "learn.microsoft.com/graph/errors; Management Activity API reference for AF10001"),
    # Gone.
    Refusal((), ("AF20050",), "", "not_found", "this content is gone", source="Management Activity API reference"),
    Refusal((404, 410), (), "", "not_found", "what was asked for is not there"),
    # Broken on Microsoft's side.
    Refusal((), ("AF50000",), "", "broken", "Microsoft's service failed", source="Management Activity API reference"),
    Refusal((403,), ("UnknownError", "(none)"), "", "broken", "a gateway refused without saying why",
            source="gateways answer 403 with HTML or an empty UnknownError"),
    Refusal((407,), (), "", "broken", "the proxy wants a login",
            "put its user and password into HTTPS_PROXY", "RFC 9110, section 15.5.8"),
    Refusal((408, 500, 502, 503, 504, 509), (), "", "broken", "Microsoft's service failed",
            source="learn.microsoft.com/graph/best-practices-concept"),
    # Whatever else says no.
    Refusal((403,), (), "", "permission", "the auditor is not allowed to ask for this", _GRANT),
    Refusal((), (), "", "error", "Microsoft refused the request"),
)  # fmt: skip
"""First match wins. ``(none)`` stands for an answer that has neither code nor message."""

_CODE: Final = re.compile(r"[A-Za-z0-9_.\-]{1,80}", re.ASCII)


class _Error(msgspec.Struct):
    code: str | int | None = None
    message: str | None = None


class _Envelope(msgspec.Struct):
    error: _Error | str | None = None
    message: str | None = msgspec.field(name="Message", default=None)


def error_of(body: bytes) -> tuple[str, str]:
    """Return code and message of an error's body; empty where it has none or is not JSON.

    The code is safe to show; the message is Microsoft's words about our request, for matching only.
    """
    try:
        found = msgspec.json.decode(body, type=_Envelope)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return "", ""
    error = found.error if isinstance(found.error, _Error) else _Error(code=found.error)
    code = str(error.code or "")
    return (code if _CODE.fullmatch(code) else ""), error.message or found.message or ""


def meaning_of(status: int, code: str, message: str) -> Refusal:
    """Return what an answer that is no success means."""
    code = code.casefold() or ("" if message else "(none)")
    for row in REFUSALS:
        if row.statuses and status not in row.statuses:
            continue
        if row.codes and code not in (each.casefold() for each in row.codes):
            continue
        if not row.words or re.search(row.words, message, re.IGNORECASE):
            return row
    return REFUSALS[-1]
