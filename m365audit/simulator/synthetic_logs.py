"""Owns the log records of a synthetic tenant, in Microsoft's shapes. Must never know what is collected of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from m365audit.simulator.integrations import EXCHANGE, GRAPH
from m365audit.simulator.people import fixed_id
from m365audit.simulator.served import Record, ServedAudit
from m365audit.simulator.synthetic_times import TICKS, happenings, moment_of, written

KINDS: Final = ("interactiveUser", "nonInteractiveUser", "servicePrincipal", "managedIdentity")
_AUDITED: Final = (
    ("Audit.Exchange", "Exchange", 50, "MailItemsAccessed"),
    ("Audit.SharePoint", "SharePoint", 6, "FileAccessed"),
    ("Audit.AzureActiveDirectory", "AzureActiveDirectory", 15, "UserLoggedIn"),
    ("Audit.General", "MicrosoftTeams", 25, "MessagesListed"),
    ("Audit.General", "PowerApps", 45, "LaunchPowerApp"),
)
"""Content type, workload, record type and operation of what the unified audit log holds: every audit feed has some."""


@dataclass(slots=True)
class Span:
    """What the records of one tenant are made of.

    Attributes:
        seed: of the world; with the tenant's id it decides every id.
        tenant: tenant id.
        begin: first moment of the logs.
        now: the simulated clock's first moment; what is late shows after it.
        count: records of each feed.
        users: object ids.
        apps: application ids.
        rng: what decides the rest.
    """

    seed: str
    tenant: str
    begin: datetime
    now: datetime
    count: int
    users: Sequence[str]
    apps: Sequence[str]
    rng: random.Random

    def id(self, feed: str, number: int) -> str:
        """Return the id of a record."""
        return fixed_id(self.seed, self.tenant, feed, str(number))

    def times(self) -> list[int]:
        """Return when the records of one feed happened."""
        return happenings(self.rng, self.begin, self.now - timedelta(hours=1), self.count)

    def arrival(self, number: int, when: datetime) -> datetime:
        """Return when a record shows: after minutes, one in 19 up to a day later, one in 23 only after ``now``."""
        if number % 23 == 22:  # noqa: PLR2004  # two primes: seldom both
            return self.now + timedelta(hours=1, minutes=self.rng.randrange(600))
        wait = timedelta(hours=20) if number % 19 == 18 else timedelta(minutes=5 + self.rng.randrange(40))  # noqa: PLR2004
        return min(when + wait, self.now - timedelta(minutes=10))


def sign_ins(span: Span) -> list[Record]:
    """Return the four kinds of sign-ins together, in beta's shape."""
    return [_sign_in(span, kind, number, ticks) for kind in KINDS for number, ticks in enumerate(span.times())]


def _sign_in(span: Span, kind: str, number: int, ticks: int) -> Record:
    app, user = span.apps[number % len(span.apps)], span.users[number % len(span.users)]
    is_user = kind.endswith("User")
    who: Record = {"userId": user, "userPrincipalName": f"{user[:8]}@synthetic.example"}
    return {
        "id": span.id(kind, number),
        "createdDateTime": written(ticks),
        "appId": app,
        "appDisplayName": f"app {app[:8]}",
        "ipAddress": f"203.0.113.{number % 250}",
        "isInteractive": kind == "interactiveUser",
        "correlationId": span.id(f"{kind}-correlation", number),
        "conditionalAccessStatus": "notApplied",
        "resourceDisplayName": "Microsoft Graph",
        "resourceId": GRAPH,
        "status": {"errorCode": 0 if number % 9 else 50126},
        "location": {"city": "Utrecht", "state": "Utrecht", "countryOrRegion": "NL"},
        "signInEventTypes": [kind],
        **(who if is_user else {"servicePrincipalId": fixed_id(span.tenant, app), "userId": ""}),
    }


def directory_audits(span: Span) -> list[Record]:
    """Return audit events of the directory."""
    return [_directory_audit(span, number, ticks) for number, ticks in enumerate(span.times())]


def _directory_audit(span: Span, number: int, ticks: int) -> Record:
    actor, target = (span.users[(number + step) % len(span.users)] for step in (0, 1))
    correlation = span.id("directory", number)
    return {
        "id": f"Directory_{correlation}_{correlation[:5].upper()}_{1000 + number}",
        "category": "UserManagement",
        "correlationId": correlation,
        "result": "success",
        "resultReason": "",
        "activityDisplayName": "Update user",
        "activityDateTime": written(ticks),
        "loggedByService": "Core Directory",
        "operationType": "Update",
        "initiatedBy": {"app": None, "user": {"id": actor, "userPrincipalName": f"{actor[:8]}@synthetic.example"}},
        "targetResources": [{"id": target, "displayName": None, "type": "User", "modifiedProperties": []}],
        "additionalDetails": [],
    }


def audit_log(span: Span) -> list[ServedAudit]:
    """Return the unified audit log: late, out of order, one record in 13 twice; times there are whole seconds."""
    served: list[ServedAudit] = []
    for content_type, workload, kind, operation in _AUDITED:
        for number, ticks in enumerate(span.times()):
            when = moment_of(ticks // TICKS * TICKS)
            record = _audit(span, workload, kind, operation, number, when)
            arrival = span.arrival(number, when).replace(second=0, microsecond=0) + timedelta(minutes=1)
            served.append(ServedAudit(content_type, arrival, record))
            if number % 13 == 12:  # noqa: PLR2004  # a prime
                served.append(ServedAudit(content_type, arrival + timedelta(minutes=7), record, "again"))
    return sorted(served, key=lambda a: (a.arrived_at, a.content_type, a.blob, a.record["Id"]))


def background(span: Span) -> list[ServedAudit]:
    """Return content from before the logs begin, every 90 minutes of the week that the Management API keeps.

    A subscription does not say since when it is on; a collector believes that it was on before only where it brought
    something then.
    """
    served = []
    end = span.begin - timedelta(hours=2)
    for content_type, workload, kind, operation in _AUDITED[:4]:
        when, number = span.now - timedelta(days=8), 1_000_000
        while when < end:
            record = _audit(span, workload, kind, operation, number, when)
            served.append(ServedAudit(content_type, when + timedelta(minutes=70), record))
            when, number = when + timedelta(minutes=90), number + 1
    return served


def _audit(span: Span, workload: str, kind: int, operation: str, number: int, when: datetime) -> Record:  # noqa: PLR0917
    app, user = span.apps[number % len(span.apps)], span.users[number % len(span.users)]
    name = f"{user[:8]}@synthetic.example"
    return {
        "CreationTime": f"{when:%Y-%m-%dT%H:%M:%S}",
        "Id": span.id(workload, number),
        "Operation": operation,
        "OrganizationId": span.tenant,
        "RecordType": kind,
        "ResultStatus": "Succeeded",
        "UserKey": user,
        "UserType": 0,
        "Version": 1,
        "Workload": workload,
        "UserId": name,
        "AppAccessContext": {"APIId": GRAPH, "ClientAppId": app, "UniqueTokenId": span.id("token", number)[:22]},
        **({"ClientAppId": app, "AppId": EXCHANGE, "MailboxOwnerUPN": name} if workload == "Exchange" else {}),
    }


def calls(span: Span) -> dict[str, list[Record]]:
    """Return call records, calls over the telephone network and over a trunk: a third each."""
    thirds: dict[str, list[Record]] = {"callRecords": [], "pstnCalls": [], "directRoutingCalls": []}
    shapes = {"callRecords": _call, "pstnCalls": _pstn, "directRoutingCalls": _direct}
    for number, ticks in enumerate(span.times()):
        name = tuple(thirds)[number % 3]
        times = {"startDateTime": written(ticks), "endDateTime": written(ticks + 90 * TICKS)}
        thirds[name].append({"id": span.id(name, number), **times, **shapes[name](span, number)})
    return thirds


def _call(span: Span, number: int) -> Record:
    user = span.users[number % len(span.users)]
    return {
        "version": 1,
        "type": "groupCall",
        "modalities": ["audio"],
        "lastModifiedDateTime": None,
        "organizer": {"user": {"id": user, "displayName": None}},
        "organizer_v2": {"id": user, "identity": {"user": {"id": user}}},
    }


def _pstn(span: Span, number: int) -> Record:
    return {
        "callId": span.id("pstn-call", number),
        "userId": span.users[number % len(span.users)],
        "duration": 90,
        "charge": 0.0,
        "callType": "user_out",
        "callerNumber": "+31205550100",
        "calleeNumber": f"+3120555{number % 10000:04d}",
        "usageCountryCode": "NL",
        "tenantCountryCode": "NL",
    }


def _direct(span: Span, number: int) -> Record:
    return {
        "correlationId": span.id("direct-call", number),
        "userId": span.users[number % len(span.users)],
        "duration": 90,
        "callType": "ByotIn",
        "successfulCall": True,
        "callerNumber": f"+3110555{number % 10000:04d}",
        "calleeNumber": "+31205550100",
        "mediaPathLocation": "EUWE",
        "signalingLocation": "EUNO",
        "finalSipCode": 0,
        "trunkFullyQualifiedDomainName": "sbc.synthetic.example",
    }
