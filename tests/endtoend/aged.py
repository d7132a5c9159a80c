"""Evidence of three ages, each with marks of its own: too old to be kept, with an address too old, and new."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from landed import USER, Desk, audit, call, group_page, sign_in

OLD: Final = "2025-03-01T10:15:00Z"
MIDDLE: Final = "2026-04-01T10:15:00Z"
NEW: Final = "2026-06-10T10:15:00Z"
GONE: Final = (
    "old-marker-call", "old-marker-sign-in", "old-marker-audit", "old.marker@contoso.example", "198.51.100.201",
)  # fmt: skip
"""What no file may hold once what is too old was removed."""


def evidence(desk: Desk) -> list[Path]:
    """Write files of old, of mixed and of new records."""
    me = "https://graph.microsoft.com/v1.0/me/messages"
    return [
        desk.write("old_calls.json", [call("old-marker-call", OLD, ipAddress="198.51.100.201")]),
        desk.write("old_groups.json", group_page([USER, "0e0e0e0e-0000-4000-8000-000000000001"]), at=OLD),
        desk.write("older_groups.json", group_page(["0ddba11a-0000-4000-8000-000000000002"]),
                   at="2025-02-01T00:00:00Z"),
        desk.write("mixed_signs.ndjson", [
            sign_in("old-marker-sign-in", OLD, ipAddress="198.51.100.201"),
            sign_in("middle", MIDDLE, ipAddress="203.0.113.141"),
            sign_in("new", NEW, ipAddress="192.0.2.55"),
        ]),
        desk.write("mixed_calls.json", [
            call("m1", MIDDLE, ipAddress="203.0.113.141", userId=USER, requestUri=me, scopes="Mail.Read"),
            call("n1", NEW, ipAddress="203.0.113.142"), call("n2", NEW),
        ]),
        desk.write("mixed_audits.ndjson", [
            audit("old-marker-audit", OLD[:-1], UserId="old.marker@contoso.example"),
            audit("middle-audit", MIDDLE[:-1], ClientIPAddress="2001:db8:77:1::beef"), audit("new-audit", NEW[:-1]),
        ]),
    ]  # fmt: skip
