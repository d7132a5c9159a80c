"""How the simulator's own tests ask it: plain httpx over TLS."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from m365audit.simulator.service import Simulator

from .small_world import AUDITOR, ONE, SECRET


@contextmanager
def client(simulator: Simulator, *, timeout: float = 5) -> Iterator[httpx.Client]:
    context = ssl.create_default_context(cafile=str(simulator.ca_file))
    with httpx.Client(verify=context, timeout=timeout, trust_env=False) as http:
        yield http


def ask_token(
    http: httpx.Client, simulator: Simulator, *, tenant: str = ONE, resource: str | None = None, **fields: str
) -> httpx.Response:
    form = {
        "grant_type": "client_credentials",
        "client_id": AUDITOR,
        "client_secret": SECRET,
        "scope": f"{resource or simulator.graph}/.default",
    }
    return http.post(f"{simulator.login}/{tenant}/oauth2/v2.0/token", data=form | fields)


def bearer(
    http: httpx.Client, simulator: Simulator, *, tenant: str = ONE, resource: str | None = None
) -> dict[str, str]:
    token: str = ask_token(http, simulator, tenant=tenant, resource=resource).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


def pages(http: httpx.Client, url: str, headers: dict[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    link: str | None = url
    while link:
        answer = http.get(link, headers=headers)
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
        link = found[-1].get("@odata.nextLink")
    return found


def all_records(http: httpx.Client, url: str, headers: dict[str, str]) -> list[dict[str, Any]]:
    return [record for page in pages(http, url, headers) for record in page["value"]]
