"""Reads the calls that Microsoft documents out of its own client libraries; judges none of them.

The generated libraries (MIT) hold, for every operation of the service, the method, the URL template and the page of the
reference that describes it. What a call's workload is, is said here from its words alone, independently of the
catalogue, so that the two can be compared.
"""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TEMPLATE = re.compile(r'super\(\).__init__\(request_adapter, "\{\+baseurl\}([^"]*)"')
_METHOD = re.compile(r'    async def (get|post|patch|put|delete)\(.*?\n        """\n(.*?)"""', re.DOTALL)
_PAGE = re.compile(r"Find more info here: \S*/graph/api/([a-z0-9_-]+)")
_WORDS = {
    "mail": "messages mailfolders sendmail inferenceclassification mailboxsettings mastercategories getmailtips threads"
    " conversations messagetraces messagerecipients messageevents analyzedemails emailthreats",
    "calendar": "calendar calendars calendargroups calendarview events reminderview findmeetingtimes appointments"
    " getstaffavailability",
    "contacts": "contacts contactfolders people",
    "teams_chat": "chats deletedchats getalltargetedmessages deletetargetedmessage",
    "teams_channel": "channels primarychannel allchannels incomingchannels deletedchannels",
    "teams_meeting": "onlinemeetings adhoccalls virtualevents onlinemeetingconversations getallonlinemeetingmessages",
    "presence": "presence presences getpresencesbyuserid",
    "telephony": "callrecords calls callsettings",
}
_WORKLOAD = {word: workload for workload, words in _WORDS.items() for word in words.split()}
_NOT_DATA = frozenset({"teamtemplates", "teamtemplatedefinition", "serviceannouncement", "filesfolder", "planner"})
"""Templates of teams, notices of the service, and what belongs to files and plans."""


class Call(NamedTuple):
    """One documented call: where it stands and what its words say."""

    version: str
    method: str
    path: str
    document: str
    workload: str


def workload_by_words(path: str) -> str | None:
    """Return the workload of the leftmost telling word of a path, None when it has none."""
    words = [re.split(r"[(?]", part)[0].lower() for part in path.strip("/").split("/") if not part.startswith("{")]
    if not words or not _NOT_DATA.isdisjoint(words) or words[0] == "contacts" or words[:2] == ["admin", "people"]:
        return None  # /contacts are the directory's, /admin/people settings
    return next((_WORKLOAD[word] for word in words if word in _WORKLOAD), None)


def library_calls(wheel: Path) -> Iterator[tuple[str, str, str]]:
    """Yield method, path and page (empty: none named) of every operation of a library's wheel."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if not name.endswith("_request_builder.py"):
                continue
            text = archive.read(name).decode("utf-8")
            template = _TEMPLATE.search(text)
            if template is None:
                continue
            path = re.sub(r"\{\?.*$", "", template[1])
            for method, words in _METHOD.findall(text):
                page = _PAGE.search(words)
                yield method.upper(), unquote(path), page[1] if page else ""


def documented_calls(wheel: Path, version: str) -> Iterator[Call]:
    """Yield the calls of the audited workloads that have a page of their own."""
    for method, path, page in library_calls(wheel):
        workload = workload_by_words(path)
        if page and workload:
            yield Call(version, method, path, page, workload)
