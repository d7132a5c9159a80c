"""The product that a consent record is about: its apps, its telephones, its website. Never looks at another file."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from m365audit.config.shapes import Guid, Strict, Text, fault
from m365audit.config.spelling import shown
from m365audit.register.processes import Country

_HOST = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*\Z")


def _trunk(text: str) -> str:
    """Return the fully qualified domain name of a session border controller in lower case."""
    if not _HOST.match(text):
        fault("bad_trunk", f"{shown(text)} is not a trunk's domain name", "write it like sbc.contoso.example")
    return text.lower()


def _origin(text: str) -> str:
    scheme, _, host = text.partition("://")
    if scheme.lower() not in {"http", "https"} or not _HOST.match(host.partition(":")[0]):
        fault(
            "bad_origin", f"{shown(text)} is not the address of a website", "write it like https://www.contoso.example"
        )
    return text.lower()


class Telephony(Strict):
    """What an integration with telephones is made of: which exchange, in which country, over which trunks."""

    system: Text = Field(examples=["3CX"])
    pbx_host_country: Country | None = None
    trunks: tuple[Annotated[str, AfterValidator(_trunk)], ...] = ()


class Website(Strict):
    """The website that an integration works for."""

    origin: Annotated[str, AfterValidator(_origin)] = Field(examples=["https://www.contoso.example"])


class Integration(Strict):
    """The product that uses the data, and the apps by which it does."""

    kind: Literal["crm", "telephony", "website", "mail_addin", "other"] = Field(examples=["crm"])
    name: Text = Field(examples=["SalSoft CRM connector"])
    app_ids: Annotated[tuple[Guid, ...], Field(min_length=1)] = Field(
        examples=["[c0ffee00-0000-4000-8000-000000000001]"]
    )
    publisher: Text | None = None
    owner_tenant_id: Guid | None = None
    credential: Literal["certificate", "secret", "federated", "managed_identity"] | None = None
    telephony: Telephony | None = None
    website: Website | None = None
