"""What plans of passing faults promise: a collector that is merely careful loses nothing in two pulls."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from m365audit.simulator.service import Simulator, random_plan, running, writes

from .asking import ask_token, client
from .small_world import ONE, TWO, small_world

TRIES = 9
LISTINGS = ("/v1.0/auditLogs/directoryAudits?$top=9", "/v1.0/users?$top=7", "/v1.0/organization")
PATHS = ("*/auditlogs/directoryaudits", "*/users", "*/organization", "*/oauth2/v2.0/token")


class AgainError(Exception):
    """An answer that is worth another try."""


class StaleError(Exception):
    """A next link is dead."""


@dataclass
class Careful:
    """The least that a sound collector does."""

    http: httpx.Client
    simulator: Simulator
    tenant: str
    token: str = ""
    found: dict[str, Any] = field(default_factory=dict)

    def pull(self, path: str) -> set[str]:
        """Return the ids of a listing, begun again when its links die."""
        for _ in range(TRIES):
            try:
                return {record["id"] for page in self.pages(f"{self.simulator.graph}{path}") for record in page}
            except StaleError:
                continue
        raise AssertionError("links die for ever")

    def pages(self, url: str) -> Iterator[list[dict[str, Any]]]:
        """Yield page after page."""
        link: str | None = url
        while link:
            page = self.page(link)
            yield page["value"]
            link = page.get("@odata.nextLink")

    def page(self, url: str) -> dict[str, Any]:
        """Return one page, asked for until it comes whole."""
        for _ in range(TRIES):
            try:
                return self.once(url)
            except (AgainError, httpx.TransportError):
                continue
        raise AssertionError(f"no answer for {url}; {self.simulator.faults}")

    def once(self, url: str) -> dict[str, Any]:
        """Ask once."""
        self.token = self.token or self.sign_in()
        with self.http.stream("GET", url, headers={"Authorization": f"Bearer {self.token}"}) as answer:
            body = whole(answer, b"".join(answer.iter_raw()))
        if answer.status_code == 401:
            self.token = self.sign_in(claims_of(answer))
            raise AgainError
        if answer.status_code in {400, 410} and "skiptoken" in url:
            raise StaleError
        page = parsed(body)
        if answer.status_code != 200 or not isinstance(page, dict) or not isinstance(page.get("value"), list):
            raise AgainError
        return page

    def sign_in(self, claims: str = "") -> str:
        """Return a new token."""
        answer = ask_token(self.http, self.simulator, tenant=self.tenant, **({"claims": claims} if claims else {}))
        if answer.status_code != 200:
            raise AgainError
        token: str = answer.json()["access_token"]
        return token


def claims_of(answer: httpx.Response) -> str:
    match = re.search('claims="([^"]+)"', answer.headers.get("WWW-Authenticate", ""))
    return base64.b64decode(match[1]).decode() if match else ""


def whole(answer: httpx.Response, sent: bytes) -> bytes:
    if answer.headers.get("Content-Encoding") != "gzip":
        return sent
    unpacker = zlib.decompressobj(31)
    try:
        body = unpacker.decompress(sent)
    except zlib.error as error:
        raise AgainError from error
    if not unpacker.eof or unpacker.unused_data:
        raise AgainError
    return body


def parsed(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError as error:
        raise AgainError from error


@pytest.mark.parametrize("block", range(6))
def test_passing_faults_lose_nothing(block: int) -> None:
    with running(small_world(records=30)) as simulator, client(simulator) as http:
        truth = {
            "directoryAudits": {f"audit-{n}" for n in range(30)},
            "users": {f"user-{n}" for n in range(30)},
            "organization": set(),
        }
        for seed in range(block * 12, block * 12 + 12):
            simulator.faults.clear()
            simulator.simulation.challenged.clear()
            simulator.faults.add(*random_plan(seed, [ONE], gaps=0, paths=PATHS))
            collector = Careful(http, simulator, ONE)
            for path in LISTINGS:
                name = path.split("?")[0].rpartition("/")[2]
                found = collector.pull(path) | collector.pull(path)
                assert found == truth[name], f"seed {seed}:\n{simulator.faults}"
            other = Careful(http, simulator, TWO)
            assert len(other.pull(LISTINGS[0])) == 4
            assert not [request for request in simulator.log if request.tenant == TWO and request.status != 200]
        assert len({fault.kind for fault in simulator.faults.met}) > 11, "the plans were met"
        assert writes(simulator.log) == []
