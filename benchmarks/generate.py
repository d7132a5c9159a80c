"""Owns the synthetic load: Graph activity logs as large as wished, with the register and configuration to judge them.

Must never depend on the package that is measured. Lines are made of ready bytes with a few holes, because a generator
that is slower than the reader measures itself.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

BEGIN = datetime(2026, 8, 18, tzinfo=UTC)
DAYS = 28
MAILBOXES = 500
RECORDED_MAILBOXES = 450
"""The first so many mailboxes stand in the record of the app whose record lists mailboxes."""
_CHUNK = 4_096
_SCATTER = 0x9E3779B97F4A7C15
_64_BITS = 0xFFFFFFFFFFFFFFFF
"""An odd factor makes of a counter ids that never repeat and look like no counter."""
_TICKS_PER_SECOND = 10_000_000
_TICKS_AT_BEGIN = (BEGIN.replace(tzinfo=None) - datetime(1, 1, 1)).days * 86_400 * _TICKS_PER_SECOND  # noqa: DTZ001


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of call: holes are ``{u}`` for the user's id and ``{m}`` for an opaque item id."""

    method: str
    path: str
    status: int = 200
    version: str = "v1.0"


MAIL = (
    Kind("GET", "/users/{u}/messages?$top=50&$select=id,subject,from,toRecipients,receivedDateTime"),
    Kind("GET", "/users/{u}/messages/{m}"),
    Kind("GET", "/users/{u}/mailFolders/{m}/messages?$filter=receivedDateTime%20ge%202026-08-01T00:00:00Z"),
    Kind("GET", "/users/{u}/messages/{m}/attachments", version="beta"),
    Kind("GET", "/users/{u}/messages/{m}", 404),
    Kind("GET", "/users/{u}/mailFolders/inbox/messages", 403),
)
CALENDAR = (
    Kind("GET", "/users/{u}/calendarView?startDateTime=2026-08-01T00:00:00Z&endDateTime=2026-09-01T00:00:00Z"),
    Kind("GET", "/users/{u}/events/{m}"),
)
SEND = (Kind("POST", "/users/{u}/sendMail", 202),)
PRESENCE = (Kind("GET", "/users/{u}/presence"),)
CHATS = (Kind("GET", "/chats/19:{u}_{u}@unq.gbl.spaces/messages?$top=50"),)
FILES = (Kind("GET", "/users/{u}/drive/items/{m}/children", version="beta"),)
MY_MAIL = (
    Kind("GET", "/me/messages/{m}"),
    Kind("PATCH", "/me/messages/{m}"),
    Kind("POST", "/me/messages/{m}/reply", 202),
)
DIRECTORY = (Kind("GET", "/users/delta?$deltatoken={m}"),)


@dataclass(frozen=True, slots=True)
class LoadApp:
    """One calling app.

    Attributes:
        kinds: its calls, drawn evenly.
        permissions: what its tokens say.
        recorded: (workload, operations) of its processes; none means that no record names it.
        lists_mailboxes: its record names mailboxes, and misses some.
        app_id: set for Microsoft's own.
    """

    name: str
    kinds: tuple[Kind, ...]
    permissions: str
    recorded: tuple[tuple[str, str], ...] = ()
    is_delegated: bool = False
    lists_mailboxes: bool = False
    fixed_id: str = ""

    @property
    def app_id(self) -> str:
        """Return the client id."""
        return self.fixed_id or _guid("app", self.name)


APPS = (
    LoadApp("CRM", (*MAIL, *CALENDAR), "Mail.Read Calendars.Read", (("mail", "read"), ("calendar", "read"))),
    LoadApp("Telephony", PRESENCE, "Presence.Read.All User.Read.All", (("presence", "read"),)),
    LoadApp("Directory sync", DIRECTORY, "Directory.Read.All", fixed_id="00000014-0000-0000-c000-000000000000"),
    LoadApp("Archive", MAIL, "Mail.Read", (("mail", "read"),), lists_mailboxes=True),
    LoadApp(
        "Outlook add-in",
        MY_MAIL,
        "Mail.Read Mail.ReadWrite Mail.Send offline_access openid profile User.Read",
        (("mail", "read write send"),),
        is_delegated=True,
    ),
    LoadApp("Planner", CALENDAR, "Calendars.Read", (("calendar", "read"),)),
    LoadApp("Website", SEND, "Mail.Send", (("mail", "send"),)),
    LoadApp("Backup", FILES, "Files.Read.All Sites.Read.All"),
    LoadApp("Reporting", (*MAIL[:2], *CALENDAR), "Mail.Read Calendars.Read", (("calendar", "read"),)),
    LoadApp("Notes", CHATS, "Chat.Read.All OnlineMeetingTranscript.Read.All"),
    LoadApp("Unknown reader", MAIL[:3], "Mail.Read"),
)
"""Sorted by how much they call: the share of an app falls with its rank (Zipf)."""

PERMISSION_OF = {
    ("mail", "read"): "Mail.Read",
    ("mail", "send"): "Mail.Send",
    ("calendar", "read"): "Calendars.Read",
    ("presence", "read"): "Presence.Read.All",
}

_LINE = (
    b'{"time":"%(t)b","resourceId":"/TENANTS/@TENANT@/PROVIDERS/MICROSOFT.AADIAM","operationName":'
    b'"Microsoft Graph Activity","operationVersion":"@VERSION@","category":"MicrosoftGraphActivityLogs",'
    b'"tenantId":"@TENANT@","resultSignature":"@STATUS@","durationMs":"%(d)d","callerIpAddress":"@IP@",'
    b'"correlationId":"%(r)b","level":"Informational","location":"West Europe","properties":{'
    b'"__UDI_RequiredFields_TenantId":"@TENANT@","__UDI_RequiredFields_UniqueId":"%(r)b",'
    b'"__UDI_RequiredFields_EventTime":%(k)d,"__UDI_RequiredFields_RegionScope":"EU","timeGenerated":"%(t)b",'
    b'"location":"West Europe","requestId":"%(r)b","operationId":"%(r)b","clientRequestId":"%(r)b",'
    b'"apiVersion":"@VERSION@","requestMethod":"@METHOD@","responseStatusCode":@STATUS@,"tenantId":"@TENANT@",'
    b'"durationMs":%(d)d,"responseSizeBytes":%(d)d,"signInActivityId":"%(s)bAAAAAA","appId":"@APP@",'
    b'"identityProvider":"","clientAuthMethod":"@AUTH@","wids":"",'
    b'"C_Idtyp":"@IDTYPE@","C_Iat":"1787050000","ipAddress":"@IP@","userAgent":'
    b'"@AGENT@/4.1 okhttp/4.12.0","requestUri":'
    b'"https://graph.microsoft.com/@VERSION@@PATH@","atContentP":"","atContentH":"","tokenIssuedAt":"%(t)b",'
    b'"roles":"@ROLES@","scopes":"@SCOPES@",@WHO@}}\r\n'
)


def _guid(*parts: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(("m365audit-benchmark", *parts))))


def tenant_id(number: int) -> str:
    """Return the id of the tenant with that number, counted from 1."""
    return _guid("tenant", str(number))


def mailbox_id(tenant: str, number: int) -> str:
    """Return the object id of a mailbox's user."""
    return _guid(tenant, "mailbox", str(number))


def generate_graph_activity(path: Path, lines: int, *, tenants: int = 1, seed: int = 1) -> tuple[Path, ...]:
    """Write MicrosoftGraphActivityLogs lines of about 1.6 KB, in order of time over 28 days.

    Args:
        path: the file; with several tenants ``name-1.json``, ``name-2.json`` … beside it, one for each.
        lines: how many in all, shared evenly.
        tenants: how many tenants.
        seed: the same seed writes the same bytes.

    Returns:
        the files, by number of the tenant.
    """
    shares = [lines // tenants + (n < lines % tenants) for n in range(tenants)]
    paths = [path if tenants == 1 else path.with_name(f"{path.stem}-{n + 1}{path.suffix}") for n in range(tenants)]
    for number, (target, share) in enumerate(zip(paths, shares, strict=True), start=1):
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb", buffering=0) as stream:
            for chunk in _chunks(tenant_id(number), share, random.Random(f"{seed}/{number}")):
                stream.write(chunk)
    return tuple(paths)


def _templates(tenant: str) -> tuple[list[bytes], list[float]]:
    """Return one template for each app and kind of call, and how often each is drawn."""
    templates, weights = [], []
    for rank, app in enumerate(APPS, start=1):
        for kind in app.kinds:
            templates.append(_template(tenant, app, kind))
            refused = 0.1 if kind.status >= 400 else 1.0  # noqa: PLR2004  # HTTP
            weights.append(refused / rank / len(app.kinds))
    return templates, weights


def _template(tenant: str, app: LoadApp, kind: Kind) -> bytes:
    user = '"userId":"%(u)b","UserPrincipalObjectID":"%(u)b","C_Sid":"%(u)b"'
    values = {
        "TENANT": tenant,
        "VERSION": kind.version,
        "STATUS": str(kind.status),
        "METHOD": kind.method,
        "APP": app.app_id,
        "IP": f"203.0.113.{len(app.name)}",
        "AUTH": "0" if app.is_delegated else "2",
        "IDTYPE": "user" if app.is_delegated else "app",
        "AGENT": app.name.replace(" ", "-"),
        "ROLES": "" if app.is_delegated else app.permissions,
        "SCOPES": app.permissions if app.is_delegated else "",
        "WHO": user if app.is_delegated else f'"servicePrincipalId":"{_guid(tenant, "sp", app.name)}"',
        "PATH": kind.path.replace("%", "%%").replace("{u}", "%(u)b").replace("{m}", "%(m)b"),
    }
    line = _LINE.decode()
    for name, value in values.items():
        line = line.replace(f"@{name}@", value)
    return line.encode()


def _item_ids(rng: random.Random, count: int) -> list[bytes]:
    """Return opaque item ids; the last 16 characters of each line's own id make them unique."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return [("AAMkAD" + "".join(rng.choices(alphabet, k=80))).encode() for _ in range(count)]


def _clock() -> tuple[list[bytes], list[bytes]]:
    days = [f"{BEGIN + timedelta(days=d):%Y-%m-%dT}".encode() for d in range(DAYS)]
    seconds = [b"%02d:%02d:%02d." % (s // 3600, s // 60 % 60, s % 60) for s in range(86_400)]
    return days, seconds


def _chunks(tenant: str, lines: int, rng: random.Random) -> Iterator[bytes]:
    """Yield the lines of one tenant in chunks, in order of time."""
    templates, weights = _templates(tenant)
    cumulative = list(itertools.accumulate(weights))
    users = [mailbox_id(tenant, n).encode() for n in range(MAILBOXES)]
    busy = list(itertools.accumulate(1 / (n + 10) for n in range(MAILBOXES)))
    items = _item_ids(rng, 1_024)
    days, seconds = _clock()
    step = DAYS * 86_400 * _TICKS_PER_SECOND // max(lines, 1)
    prefix = b"%08x-" % rng.getrandbits(32)
    for begin in range(0, lines, _CHUNK):
        size = min(_CHUNK, lines - begin)
        drawn = zip(
            range(begin, begin + size),
            rng.choices(templates, cum_weights=cumulative, k=size),
            rng.choices(users, cum_weights=busy, k=size),
            rng.choices(items, k=size),
            strict=True,
        )
        chunk = []
        for number, template, user, item in drawn:
            ticks = number * step
            second, fraction = divmod(ticks, _TICKS_PER_SECOND)
            day, second = divmod(second, 86_400)
            serial = b"%016x" % (number * _SCATTER & _64_BITS)
            values = {
                b"t": b"%b%b%07dZ" % (days[day], seconds[second], fraction),
                b"k": _TICKS_AT_BEGIN + ticks,
                b"r": prefix + b"%b-4%b-8%b-%b" % (serial[:4], serial[4:7], serial[7:10], serial[4:]),
                b"s": serial,
                b"d": 1_000 + number % 90_000,
                b"u": user,
                b"m": item + serial + b"AAA=",
            }
            chunk.append(template % values)
        yield b"".join(chunk)


def main() -> None:
    """Write a file from the command line and say how fast it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--tenants", type=int, default=1)
    options = parser.parse_args()
    begin = time.perf_counter()
    written = generate_graph_activity(options.path, options.lines, tenants=options.tenants)
    took = time.perf_counter() - begin
    size = sum(p.stat().st_size for p in written)
    sys.stderr.write(
        f"{options.lines:,} lines, {size / 1e6:,.0f} MB, {size / options.lines:,.0f} bytes a line, "
        f"{took:.2f} s, {options.lines / took:,.0f} lines/s\n"
    )


if __name__ == "__main__":
    main()
