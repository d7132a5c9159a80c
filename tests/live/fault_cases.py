"""Owns the table of faults: each line of the catalogue with where it strikes and what must come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from m365audit.simulator.service import FOR_EVER, Fault
from m365audit.simulator.service.fault_answers import RETRY_AFTERS

SIGN_INS: Final = "*/auditlogs/signins"
AUDITS: Final = "*/auditlogs/directoryaudits"
CONTENT: Final = "*/subscriptions/content"
BLOBS: Final = "*/activity/feed/audit/*"
USERS: Final = "*/users"
LOGIN: Final = "*/oauth2/v2.0/token"
LOGS: Final = ("sign_ins_interactive", "directory_audits")
EXCHANGE: Final = ("audit_exchange", "directory_audits")
STATE: Final = ("users", "directory_audits")
REPAIRED: Final = "repaired"


@dataclass(frozen=True, slots=True)
class Case:
    """A fault of one tenant, and what must come of it.

    Attributes:
        name: its line in the catalogue, and what happens.
        fault: what happens; of a tenant that is chosen later.
        feeds: that are collected; the last one is never struck, unless the fault is the whole tenant's.
        ends: ``repaired``, or the reason of the gap.
        is_whole_tenants: the tenant's other feeds are not seen either.
        link: name of a hostile link that goes into the fault.
    """

    name: str
    fault: Fault
    feeds: tuple[str, ...] = LOGS
    ends: str = REPAIRED
    is_whole_tenants: bool = False
    link: str = ""

    @property
    def struck(self) -> tuple[str, ...]:
        """The feeds that may have a gap."""
        return self.feeds if self.is_whole_tenants else self.feeds[:-1]

    def of(self, tenant: str, links: Mapping[str, Any]) -> Fault:
        """Return its fault, of one tenant."""
        detail = {**self.fault.detail, **({"link": links[self.link]} if self.link else {})}
        return replace(self.fault, tenant=tenant, detail=detail)


def _case(line: str, kind: str, where: str = SIGN_INS, count: int = 1, /, ends: str = REPAIRED, **detail: Any) -> Case:
    said = "_".join(_spoken(value) for value in detail.values())[:40]
    times = "_for_ever" if count == FOR_EVER else f"_{count}_times" if count > 1 else ""
    place = where.strip("*/").replace("/", "_")
    feeds = {CONTENT: EXCHANGE, BLOBS: EXCHANGE, USERS: STATE, AUDITS: LOGS[::-1]}.get(where, LOGS)
    name = "_".join(filter(None, (line, kind, said, "of", place))) + times
    return Case(name, Fault(kind, where, count=count, detail=detail), feeds, ends)


def _spoken(value: object) -> str:
    text = value.decode("ascii") if isinstance(value, bytes) else str(value)
    return "".join(each if each.isalnum() or each in ".-" else f"({ord(each):x})" for each in text)


def _each(line: str, kind: str, name: str, *values: Any, where: str = SIGN_INS, ends: str = REPAIRED) -> list[Case]:
    return [_case(line, kind, where, 1, ends=ends, **{name: value}) for value in values]


LIMITS: Final[list[Case]] = [
    *_each("A1", "throttled", "retry_after", *RETRY_AFTERS, "2.128", "1e3", "-0", "12abc", "NaN", "9" * 500),
    *_each("A1", "throttled", "retry_after", "fraction", "huge", where=CONTENT),
    _case("A2", "throttled_without_header", SIGN_INS, 5),
    _case("A2", "throttled_without_header", USERS, 3),
    _case("A2", "throttled_without_header", SIGN_INS, FOR_EVER, ends="throttled"),
    *_each("A1", "throttled", "retry_after", "integer", "fraction", "date", where=LOGIN),
    _case("A2", "throttled_without_header", LOGIN, 3),
    *_each("A3", "unavailable", "status", 500, 502, 503, 504),
    _case("A3", "unavailable", LOGIN, 2, status=503),
    _case("A3", "unavailable", SIGN_INS, 7, status=503),
    _case("A3", "unavailable", CONTENT, 3, status=504),
    _case("A3", "unavailable", SIGN_INS, FOR_EVER, ends="error", status=502),
    _case("A4", "throttled_as_forbidden", CONTENT, 2, retry_after="fraction"),
    _case("A4", "throttled_as_forbidden", BLOBS, 2),
    _case("A4", "throttled_as_forbidden", CONTENT, FOR_EVER, ends="throttled"),
]

WIRE: Final[list[Case]] = [
    *_each("A5", "aborted", "at", "before", "head", "body", "end", 1, 17, 300),
    *_each("A5", "aborted", "at", "body", where=BLOBS),
    *(_case("A5", "aborted", SIGN_INS, 1, at=at, ending="close") for at in ("before", "head", "body")),
    _case("A5", "aborted", SIGN_INS, FOR_EVER, ends="error", at="body"),
    *_each("A6", "wrong_length", "by", 1, 7, 4096, -1, -7),
    *_each("A6", "chunked_without_end", "percent", 0, 50, 100),
    *_each("A6", "wrong_length", "by", -7, where=BLOBS),
    *_each(
        "A7", "bad_gzip", "flaw", "truncated", "truncated_trailer", "bad_crc", "bad_size", "extra_member",
        "trailing_bytes", "not_gzip", "deflate_as_gzip", "no_header",
    ),
    *_each("A8", "truncated_json", "percent", 1, 60, 99),
    *_each("A8", "truncated_json", "percent", 60, where=USERS),
    _case("A8", "html"),
    _case("A8", "html", USERS),
    _case("A8", "html", CONTENT),
    _case("A8", "empty_body"),
    _case("A8", "empty_body", CONTENT),
    _case("A8", "html", SIGN_INS, FOR_EVER, ends="error"),
    _case("A8", "empty_body", CONTENT, FOR_EVER, ends="error"),
    _case("A8", "html", USERS, FOR_EVER, ends="error"),
    *_each("A8", "not_json", "body", b"null", b"7", b"\x00\x00"),
    *_each("A8", "not_json", "body", b"{}", b"[]", b'{"value":null}', ends="error"),
    _case("A8", "not_json", SIGN_INS, FOR_EVER, ends="error", body=b"null"),
    *_each("A8", "not_json", "body", b"{}", b"[]", where=USERS, ends="error"),
    *_each("A8", "not_json", "body", b"{}", where=CONTENT, ends="error"),
]  # fmt: skip

PAGES: Final[list[Case]] = [
    _case("A9", "empty_pages", SIGN_INS, 5),
    _case("A9", "empty_pages", USERS, 3),
    _case("A9", "empty_pages", CONTENT, 3),
    _case("A9", "empty_pages", SIGN_INS, FOR_EVER, ends="error"),
    *(_case("A11", "link_loop", SIGN_INS, FOR_EVER, ends="error", form=form) for form in ("same", "pair", "growing")),
    *(_case("A11", "link_loop", CONTENT, FOR_EVER, ends="error", form=form) for form in ("same", "pair", "growing")),
    _case("A11", "link_loop", AUDITS, FOR_EVER, ends="error", form="growing"),
    *_each("A11", "link_loop", "form", "same", "pair", "growing"),
    *_each("A12", "skip_token_expired", "status", 400, 410),
    _case("A12", "skip_token_expired", SIGN_INS, 1, status=400, all=True),
    _case("A12", "skip_token_expired", SIGN_INS, 3, status=400),
    _case("A12", "skip_token_expired", SIGN_INS, FOR_EVER, status=400),
    *(
        replace(_case("A13", "hostile_link", ends="error"), name=f"A13_hostile_link_{link}", link=link)
        for link in (
            "other_server", "other_server_plain", "no_tls", "other_port", "user", "user_here", "backslash_user",
            "decimal_ip", "ip_six", "lookalike_cyrillic", "double_slash", "path_only", "tab_in_host", "origin_prefix",
            "number", "list", "empty", "very_long",
        )
    ),
    _case("A13", "hostile_link", CONTENT, FOR_EVER, ends="error", what="content_uri"),
    _case("A13", "hostile_link", CONTENT, FOR_EVER, ends="error", what="next_page_uri"),
    *_each("A22", "redirected", "status", 301, 302, 307, 308, ends="error"),
    *_each("A22", "redirected", "status", 302, where=BLOBS, ends="error"),
    *_each("B3", "repeated_records", "percent", 100, 30),
    *_each("B3", "repeated_records", "percent", 100, where=CONTENT),
]  # fmt: skip

ACCESS: Final[list[Case]] = [
    _case("A14", "token_expired"),
    replace(_case("A14", "token_expired", SIGN_INS, 3, ends="permission"), is_whole_tenants=True),
    _case("A14", "token_expired", CONTENT),
    replace(_case("A14", "unauthorized", SIGN_INS, FOR_EVER, ends="permission"), is_whole_tenants=True),
    _case("A15", "claims_challenge"),
    _case("A16", "permission_removed", SIGN_INS, FOR_EVER, ends="permission"),
    _case("A16", "permission_removed", USERS, FOR_EVER, ends="permission"),
    _case("A17", "licence_missing", SIGN_INS, FOR_EVER, ends="licence"),
    replace(_case("A17", "audit_disabled", "*", FOR_EVER, ends="disabled"), feeds=EXCHANGE),
    *(
        replace(_case("A18", "login_refused", "*", FOR_EVER, ends="permission", code=code), is_whole_tenants=True)
        for code in (7000222, 700016, 90002, 700027, 7000215, 7000112, 53003)
    ),
    replace(
        _case("A18", "login_refused", "*", FOR_EVER, ends="permission", code=7000222, status=200), is_whole_tenants=True
    ),
    _case("A20", "proxy_refuses"),
    _case("A20", "proxy_refuses", SIGN_INS, FOR_EVER, ends="error"),
    _case("A23", "content_expired", BLOBS, FOR_EVER, ends="expired"),
    _case("A24", "subscription_disabled", CONTENT, ends="disabled"),
]

GROUPS: Final = {"limits": LIMITS, "wire": WIRE, "pages": PAGES, "access": ACCESS}
