"""Owns the privacy policy of the demo's world, as its ``policy.yaml`` holds it. Must never look at logs."""

from __future__ import annotations

from typing import Any, Final

PRIVACY_STATEMENT: Final = "https://salsoft.example/privacy"
PRESENT: Final = "2025-08-07"
OLD: Final = "2024-05-01"
"""Versions of the policy's text; the present one changed what people had agreed to."""

NOTICE_SHA256: Final = "5d41402abc4b2a76b9719d911017c592ae2e2f1c7d3a4e0f9a1b2c3d4e5f6071"
"""Hash of the notice that was shown when the present version came into force."""

_CLAUSES = (
    "Introduction", "Data collected", "Ways of collecting", "Legal basis", "Use of data", "Sharing", "Security",
    "Retention", "Rights", "International transfers", "Cookies", "Third-party integrations", "Breach notification",
    "Children", "Changes of the policy", "Contact and response time",
)  # fmt: skip

POLICY: Final[dict[str, Any]] = {
    "versions": [
        {"version": OLD, "effective_from": "2024-05-01", "url": PRIVACY_STATEMENT},
        {
            "version": PRESENT,
            "effective_from": PRESENT,
            "text_sha256": NOTICE_SHA256,
            "url": PRIVACY_STATEMENT,
            "is_material": True,
        },
    ],
    "workloads": [
        "mail",
        "calendar",
        "contacts",
        "teams_chat",
        "teams_channel",
        "teams_meeting",
        "presence",
        "telephony",
    ],
    "categories": [
        {"category": "contact_information", "group": "personal", "workloads": ["contacts"], "clause": "2"},
        {"category": "crm_interaction", "group": "technical", "clause": "2"},
    ],
    "mfa": {"required": True, "clause": "7"},
    "regions": {"primary": "EU", "allowed": ["EU"], "clause": "10"},
    "breach": {"authority_hours": 72, "clause": "13"},
    "age": {"minimum": 16, "clause": "14"},
    "response": {"days": 30, "clause": "16"},
    "clauses": [{"number": str(number), "title": title} for number, title in enumerate(_CLAUSES, start=1)],
}
"""As much of a policy as the demo's rules and controls look at."""
