"""Owns how Microsoft's login refuses: AADSTS codes, OAuth errors, wording. Must never decide who is refused."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Final

from m365audit.simulator.service.calls import Answer, json_answer

REFUSALS: Final[dict[int, tuple[int, str, str]]] = {
    16000: (400, "interaction_required", "User account does not exist in tenant and cannot access the application."),
    50012: (401, "invalid_client", "Authentication failed."),
    50027: (401, "invalid_client", "Invalid JWT token. The token is malformed."),
    50034: (400, "invalid_grant", "The user account does not exist in the directory."),
    50055: (400, "invalid_grant", "The password is expired."),
    50057: (400, "invalid_grant", "The user account is disabled."),
    50076: (400, "interaction_required", "You must use multi-factor authentication to access the resource."),
    50126: (400, "invalid_grant", "Error validating credentials due to invalid username or password."),
    50173: (400, "invalid_grant", "The provided grant has expired due to it being revoked."),
    53003: (400, "access_denied", "Access has been blocked by Conditional Access policies."),
    65001: (400, "invalid_grant", "The user or administrator has not consented to use the application."),
    70000: (400, "invalid_grant", "The provided authorization code or refresh token is not valid."),
    70003: (400, "unsupported_grant_type", "The app requested an unsupported grant type."),
    70011: (400, "invalid_scope", "The provided value for the input parameter 'scope' is not valid."),
    70016: (400, "authorization_pending", "OAuth 2.0 device flow error. Authorization is pending."),
    70018: (400, "bad_verification_code", "Invalid verification code."),
    70020: (400, "expired_token", "The provided value for the input parameter 'device_code' has expired."),
    70021: (400, "invalid_client", "No matching federated identity record found for presented assertion."),
    90002: (400, "invalid_request", "Tenant not found. Check to make sure you have the correct tenant ID."),
    90014: (400, "invalid_request", "The required field is missing from the credential."),
    90033: (503, "temporarily_unavailable", "A transient error has occurred. Please try again."),
    501481: (400, "invalid_grant", "The Code_Verifier does not match the code_challenge."),
    700016: (400, "unauthorized_client", "Application was not found in the directory."),
    700024: (401, "invalid_client", "Client assertion is not within its valid time range."),
    700027: (401, "invalid_client", "Client assertion failed signature validation."),
    700082: (400, "invalid_grant", "The refresh token has expired due to inactivity."),
    7000112: (400, "unauthorized_client", "Application is disabled."),
    7000215: (401, "invalid_client", "Invalid client secret provided."),
    7000218: (401, "invalid_client", "The request body must contain 'client_assertion' or 'client_secret'."),
    7000222: (401, "invalid_client", "The provided client secret keys are expired."),
    7000229: (401, "unauthorized_client", "The client application is missing service principal in the tenant."),
}
"""Code → status, OAuth error, sentence."""


def refusal(code: int, at: datetime, detail: str = "") -> Answer:
    """Return the answer of the token endpoint for an AADSTS code."""
    status, error, sentence = REFUSALS.get(code, (400, "invalid_grant", "The request was refused."))
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    stamp = f"{at:%Y-%m-%d %H:%M:%SZ}"
    said = f"AADSTS{code}: {sentence}{' ' + detail if detail else ''}"
    return json_answer(
        {
            "error": error,
            "error_description": f"{said} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}",
            "error_codes": [code],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={code}",
        },
        status=status,
    )
