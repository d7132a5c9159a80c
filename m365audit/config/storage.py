"""Where files of logs lie in Azure: addresses and references to secrets. Opens nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from m365audit.config.credentials import SECRET, SECRET_KEYS, FilePath
from m365audit.config.shapes import Refusal, Strict, fault
from m365audit.config.spelling import shown

GRAPH_ACTIVITY_CONTAINER: Final = "insights-logs-microsoftgraphactivitylogs"
_CONTAINER: Final = re.compile(r"[a-z0-9](-?[a-z0-9]){2,62}")


def _endpoint(text: str) -> str:
    """Return an https address without path, query or user."""
    parts = urlsplit(text)
    todo = "write it like https://graph.microsoft.com"
    try:
        is_bare = not parts.path.strip("/") and not parts.query and not parts.fragment and parts.port != 0
    except ValueError:
        fault("bad_endpoint", f"{shown(text)} has no valid port", todo)
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or not is_bare:
        fault("bad_endpoint", "this is not a bare https address", todo)
    return text.rstrip("/")


Endpoint = Annotated[str, AfterValidator(_endpoint), WithJsonSchema({"type": "string", "pattern": "^https://"})]


def _container(text: str) -> str:
    """Return the name of a container as Azure permits it."""
    if not _CONTAINER.fullmatch(text):
        fault("bad_container", f"{shown(text)} is not the name of a container", f"e.g. {GRAPH_ACTIVITY_CONTAINER}")
    return text


Container = Annotated[str, AfterValidator(_container), WithJsonSchema({"type": "string", "minLength": 3})]


class StorageSettings(Strict):
    """The storage account that a diagnostic setting sends the tenant's Graph activity log to.

    Read with the tenant's own credential, which needs the role Storage Blob Data Reader there; or with a shared access
    signature or a connection string, each alone in a file.
    """

    account_url: Endpoint | None = Field(default=None, examples=["https://contosologs.blob.core.windows.net"])
    container: Container = GRAPH_ACTIVITY_CONTAINER
    sas_file: FilePath | None = None
    connection_string_file: FilePath | None = None
    refused: ClassVar[Mapping[str, Refusal]] = dict.fromkeys((*SECRET_KEYS, "sas", "connection_string"), SECRET)

    @model_validator(mode="after")
    def _names_one_account(self) -> Self:
        if (self.account_url is None) == (self.connection_string_file is None):
            todo = "write account_url: https://ACCOUNT.blob.core.windows.net, and nothing else for the own credential"
            fault("bad_storage", "give either account_url or connection_string_file", todo)
        if self.sas_file is not None and self.account_url is None:
            fault("bad_storage", "sas_file goes with account_url", "a connection string holds its own signature")
        return self
