"""Microsoft's own calls as data, and what the verdict's page says of each; knows nothing of the catalogue.

``sample_calls.csv``: every documented call of the audited workloads, collected from Microsoft's client libraries by
``tools/collect_sample_calls.py``. ``request_lines.csv``: request lines of the reference's pages and of Graph
Explorer's sample queries, as they are written there. Sources and licences stand in NOTICE.
"""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent / "unit" / "catalogue"
HOST = "https://graph.microsoft.com"
ID = "44444444-4444-4444-8444-444444444444"
AUDITED = ("mail", "calendar", "contacts", "teams_chat", "teams_channel", "teams_meeting", "presence", "telephony")
_MAIL_SENDS = frozenset({"sendmail", "send", "reply", "replyall", "forward"})
_MESSAGE_SENDS = frozenset({"messages", "replies", "forwardtochat", "replywithquote"})
_POSTS_THAT_READ = frozenset(
    {"getschedule", "findmeetingtimes", "getmailtips", "getpresencesbyuserid", "getstaffavailability"}
)


class Sample(NamedTuple):
    """One of Microsoft's calls and what it is."""

    version: str
    method: str
    uri: str
    document: str
    workload: str
    operation: str


def operation(workload: str, method: str, path: str) -> str:
    """Return the operation of a documented call by the verdict page's table (*What a logged call is*)."""
    last = re.split(r"[(?]", path.rstrip("/").rsplit("/", 1)[-1])[0].rpartition(".")[2].lower()
    if method == "GET" or (method == "POST" and last in _POSTS_THAT_READ):
        return "read"
    if method == "POST" and last in {"mail": _MAIL_SENDS, "teams_chat": _MESSAGE_SENDS,
                                     "teams_channel": _MESSAGE_SENDS}.get(workload, ()):  # fmt: skip
        return "send"
    in_teams = workload in {"teams_chat", "teams_channel", "teams_meeting", "presence"}
    return "delete" if method == "DELETE" and not in_teams else "write"


def real(version: str, path: str) -> str:
    """Return the URI as a log has it: placeholders filled, host and version in front where they are missing."""
    filled = re.sub(r"\{[^}]*\}", ID, path).replace("/...", f"/childFolders/{ID}")
    if filled.startswith("http"):
        return filled
    return HOST + filled if filled.startswith(f"/{version}/") else f"{HOST}/{version}/{filled.lstrip('/')}"


@cache
def samples() -> tuple[Sample, ...]:
    """Return all of Microsoft's calls, in a fixed order."""
    with (HERE / "sample_calls.csv").open(encoding="utf-8", newline="") as file:
        collected = [
            Sample(row["version"], row["method"], real(row["version"], row["path"]), row["document"], row["workload"],
                   operation(row["workload"], row["method"], row["path"]))
            for row in csv.DictReader(file)
        ]  # fmt: skip
    with (HERE / "request_lines.csv").open(encoding="utf-8", newline="") as file:
        written = [Sample(**{**row, "uri": real(row["version"], row["uri"])}) for row in csv.DictReader(file)]
    return (*collected, *written)
