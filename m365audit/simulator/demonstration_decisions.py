"""Owns what the demo's people decided: who they are, about which finding, why. Data only; must never write anything.

The people are invented and say so: their ids begin with ``demo:``, their names end in "(demo)", their reasons begin
with "Demo:". They answer to nobody's account, so whoever tries the demo may approve what they asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from m365audit.simulator.people import CONTOSO_ID, FABRIKAM_ID, TAILSPIN_ID

Who = Literal["dpo", "analyst", "risk_owner"]
PEOPLE: Final[dict[Who, str]] = {"dpo": "Dana (demo)", "analyst": "Alex (demo)", "risk_owner": "Robin (demo)"}
"""Role → name; the id is ``demo:`` and the role."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that one of them did.

    Attributes:
        who: role of who did it.
        what: a decision, ``approve``, ``assess``, ``request`` or ``attest``.
        tenant: tenant id.
        about: rule of the finding and words of its title; for other things kind and reference.
        reason: why, in words.
        breach: answer to whether it is a breach of personal data.
        owner: who sees to it, or bears the risk.
        until: how long after now it ends.
        evidence: what proves it.
        received: how long ago a request came in.
    """

    who: Who
    what: str
    tenant: str
    about: tuple[str, str]
    reason: str
    breach: str | None = None
    owner: str | None = None
    until: timedelta | None = None
    evidence: tuple[str, ...] = ()
    received: timedelta = timedelta()


_WITHDRAWN: Final = ("used-after-end", "calendar")
_SCANNER: Final = ("legacy-protocol-sign-in", "Authenticated SMTP")
_ARCHIVE: Final = ("sign-in-without-mfa", "a5c41e00")
_CALENDAR: Final = ("operation-beyond-record", "calendar")
_ADDIN: Final = ("record-on-old-policy", "addin")

STEPS: Final[Sequence[Step]] = (
    Step("dpo", "request", CONTOSO_ID, ("access", "DEMO-REQUEST-1"),
         "Demo: a former employee asks what is known about them", received=timedelta(days=12)),
    Step("analyst", "confirmed", CONTOSO_ID, _SCANNER,
         "Demo: the scanner in the hall sends mail in the old way; seen in its settings", breach="no"),
    Step("risk_owner", "accepted", CONTOSO_ID, _SCANNER,
         "Demo: the scanner is replaced next week; until then it may send from its own network only",
         owner="it-operations", until=timedelta(days=9), evidence=("DEMO-TICKET-12",)),
    Step("analyst", "false_positive", CONTOSO_ID, _ARCHIVE,
         "Demo: the archive signs in from the office, where the second factor is asked at the door",
         evidence=("DEMO-TICKET-14",)),
    Step("dpo", "approve", CONTOSO_ID, _ARCHIVE,
         "Demo: I have seen the policy for the office network and agree"),
    Step("analyst", "confirmed", CONTOSO_ID, _CALENDAR,
         "Demo: the telephone system writes absences into calendars since its last update", breach="no"),
    Step("analyst", "remediating", CONTOSO_ID, _CALENDAR,
         "Demo: the supplier switches the option off, the permission is taken away then",
         owner="telephony-admin", until=timedelta(days=10)),
    Step("dpo", "attest", CONTOSO_ID, ("C07-1", "certificate"),
         "Demo: ISO 27001 certificate of the CRM's hosting", until=timedelta(days=200)),
    Step("dpo", "attest", TAILSPIN_ID, ("C10-5", "contract"),
         "Demo: hosting contract, annex 2, list of data centres", until=timedelta(days=25)),
    Step("dpo", "confirmed", FABRIKAM_ID, _WITHDRAWN,
         "Demo: consent was withdrawn, and the connector went on reading calendars", breach="yes"),
    Step("dpo", "assess", FABRIKAM_ID, _WITHDRAWN,
         "Demo: calendars of some staff, no special categories seen, connector is blocked now"),
    Step("analyst", "explained", CONTOSO_ID, _ADDIN,
         "Demo: the annex for the new policy is signed and not yet written into the record",
         evidence=("DEMO-TICKET-17",)),
)  # fmt: skip
"""In the order in which they are taken, when the demo ends; the last waits for a second person: who tries the demo."""
