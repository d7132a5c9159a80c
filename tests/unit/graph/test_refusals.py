"""What Microsoft's refusals mean: the same status is a limit, a licence, a permission or a broken gateway."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from m365audit.graph.refusals import REFUSALS, error_of, meaning_of


@pytest.mark.parametrize(
    ("status", "code", "message", "meaning"),
    [
        (429, "", "", "busy"),
        (429, "Authorization_RequestDenied", "", "busy"),
        (403, "AF429", "Too many requests", "busy"),
        (403, "af429", "", "busy"),
        (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "", "licence"),
        (403, "x", "Neither tenant is B2C or tenant doesn't have premium license", "licence"),
        (403, "Authorization_RequestDenied", "Insufficient privileges", "permission"),
        (403, "Authentication_MSGraphPermissionMissing", "", "permission"),
        (401, "AF10001", "The permission set () sent in the request did not include the expected", "permission"),
        (403, "Forbidden", "no", "permission"),
        (403, "", "no", "permission"),
        (403, "UnknownError", "", "broken"),
        (403, "", "", "broken"),
        (400, "", "Tenant 11111111-1111-4111-8111-111111111111 does not exist.", "disabled"),
        (401, "AF20011", "", "disabled"),
        (400, "AuditingDisabledTenant", "", "disabled"),
        (400, "UnknownError", '{"code":"AuditingDisabledTenant","message":"Auditing is disabled."}', "disabled"),
        (400, "AF20022", "No subscription found", "disabled"),
        (400, "AF20023", "", "disabled"),
        (400, "AF20051", "", "expired"),
        (400, "AF20055", "", "expired"),
        (400, "AF20030", "", "expired"),
        (400, "AF20024", "The subscription is already enabled.", "error"),
        (400, "BadRequest", "Invalid Skip Token: skip token is null or not provided.", "stale_link"),
        (400, "Request_BadRequest", "Skiptoken is expired", "stale_link"),
        (400, "Directory_ExpiredPageToken", "", "stale_link"),
        (404, "DirectoryPageTokenNotFoundException", "", "stale_link"),
        (410, "resyncRequired", "The $skiptoken is gone", "stale_link"),
        (400, "BadRequest", "Invalid page size specified: '1000'.", "error"),
        (400, "BadRequest", "Could not find a property named 'signInEventTypes'", "error"),
        (404, "UnknownError", "", "not_found"),
        (404, "Request_ResourceNotFound", "", "not_found"),
        (410, "", "", "not_found"),
        (500, "", "", "broken"),
        (502, "", "", "broken"),
        (503, "serviceNotAvailable", "", "broken"),
        (504, "", "", "broken"),
        (408, "", "", "broken"),
        (407, "", "", "broken"),
        (400, "AF50000", "An internal error occurred. Retry the request.", "broken"),
        (401, "InvalidAuthenticationToken", "", "error"),
        (415, "", "", "error"),
        (501, "", "", "error"),
        (302, "", "", "error"),
    ],
)
def test_status_code_and_words_together_tell(status: int, code: str, message: str, meaning: str) -> None:
    assert meaning_of(status, code, message).meaning == meaning


def test_every_row_says_something_and_what_is_known_says_from_where() -> None:
    for row in REFUSALS:
        assert row.says
        assert row.source or not (row.codes or row.words)


def test_every_row_can_be_reached() -> None:
    """A row behind a broader one would never speak."""
    samples = {
        "skip": "skip token", "premium": "premium license", "tenant": "Tenant x does not exist",
        "AuditingDisabledTenant": "AuditingDisabledTenant",
    }  # fmt: skip
    for row in REFUSALS:
        message = next((text for word, text in samples.items() if word in row.words), "said")
        statuses = row.statuses or (400, 418)
        codes = row.codes or ("Other",)
        found = [meaning_of(s, "" if c == "(none)" else c, "" if c == "(none)" else message)
                 for s in statuses for c in codes]  # fmt: skip
        assert row in found


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"error": {"code": "A", "message": "b", "innerError": {"code": "C"}}}', ("A", "b")),
        (b'{"error": {"code": "A"}}', ("A", "")),
        (b'{"error": {"code": null, "message": null}}', ("", "")),
        (b'{"error": {"code": 42, "message": "b"}}', ("42", "b")),
        (b'{"error": "invalid_grant"}', ("invalid_grant", "")),
        (b'{"Message": "Authorization has been denied for this request."}',
         ("", "Authorization has been denied for this request.")),
        (b'{"error": {"code": "a b\\u001b[31m", "message": "b"}}', ("", "b")),
        (b'{"error": {"code": "' + b"A" * 81 + b'", "message": "b"}}', ("", "b")),
        (b"<html>Forbidden</html>", ("", "")),
        (b"", ("", "")),
        (b"\0\0\0", ("", "")),
        (b"[]", ("", "")),
        (b'{"error": []}', ("", "")),
        (b"[" * 100_000, ("", "")),
        (b'{"error": {"code": "\xff"}}', ("", "")),
    ],
)  # fmt: skip
def test_errors_are_read_in_every_form(body: bytes, expected: tuple[str, str]) -> None:
    assert error_of(body) == expected


@settings(deadline=None)
@given(st.binary() | st.recursive(st.text() | st.integers(), lambda x: st.dictionaries(
    st.sampled_from(["error", "code", "message", "Message"]), x)).map(lambda x: json.dumps(x).encode()))  # fmt: skip
def test_no_body_breaks_the_reading_of_errors(body: bytes) -> None:
    code, message = error_of(body)
    assert meaning_of(400, code, message).says
