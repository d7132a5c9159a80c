"""Reads the files of one container of a storage account: what there is, and bytes of it. Must never write to one.

Azure's library speaks; what it may say is decided here: one account, one scope of token, no redirects, few bytes at a
time.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

from azure.core.credentials import AccessToken, AccessTokenInfo, AzureSasCredential, TokenRequestOptions
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.storage.blob.aio import BlobPrefix, BlobServiceClient

from m365audit.config import StorageSettings
from m365audit.graph.failures import CollectionError, NotFoundError
from m365audit.graph.secret_files import read_private
from m365audit.graph.values import GapReason

LARGEST_RANGE: Final = 4 << 20
"""Bytes that are asked for at once; files may have gigabytes."""

_TOKEN_SECONDS: Final = 600
"""How soon the credential is asked again; it knows itself when a new token is due."""

_OPTIONS: Final[dict[str, Any]] = {
    "permit_redirects": False,
    "retry_total": 4,
    "initial_backoff": 1,
    "increment_base": 2,
    "connection_timeout": 15,
    "read_timeout": 60,
    "max_single_get_size": LARGEST_RANGE,
    "max_chunk_get_size": LARGEST_RANGE,
}
_REASONS: Final[dict[int, GapReason]] = {401: "permission", 403: "permission", 429: "throttled", 503: "throttled"}


@dataclass(frozen=True, slots=True)
class Blob:
    """A file as the listing shows it; ``size`` is what may be read of it, it may grow meanwhile."""

    name: str
    size: int
    created_at: datetime


class _StorageToken:
    """The tenant's credential as Azure's library wants it.

    Gives a token for storage whatever scope is asked for: a server's challenge may name any, and would get it.
    """

    def __init__(self, token: Callable[[], Awaitable[str]]) -> None:
        self._token = token

    async def get_token(self, *_: str, **__: Any) -> AccessToken:
        """Return a token."""
        return AccessToken(await self._token(), int(time.time()) + _TOKEN_SECONDS)

    async def get_token_info(self, *_: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """Return a token; the newer form of the same question."""
        del options
        return AccessTokenInfo(await self._token(), int(time.time()) + _TOKEN_SECONDS)

    async def close(self) -> None:
        """Nothing: the credential is the tenant client's."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class Container:
    """One container, open for reading; an async context manager.

    Args:
        settings: which one, and how to be let in.
        token: gives a token for storage; asked only when the settings name neither a signature nor a connection.
        ca_file: certificates to trust instead of the system's.

    Attributes:
        name: of the container.
        requests: made so far, repeated ones included.

    Raises:
        SignInError: a file with a secret is missing, or others can read it.
        CollectionError: the connection string is none.
    """

    def __init__(
        self, settings: StorageSettings, token: Callable[[], Awaitable[str]], *, ca_file: Path | None = None
    ) -> None:
        self.name = settings.container
        self.requests = 0
        options = _OPTIONS | {"raw_request_hook": self._count}
        if ca_file is not None:
            options["connection_verify"] = str(ca_file)
        self._service = _open(settings, token, options)
        self._container = self._service.get_container_client(self.name)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._service.close()

    async def folders(self, prefix: str) -> list[str]:
        """Return the folders directly below ``prefix``, with it, each with a slash at its end.

        Raises:
            CollectionError: there is no such container, or it may not be listed.
        """
        try:
            found = self._container.walk_blobs(name_starts_with=prefix or None, delimiter="/")
            return [str(entry.name) async for entry in found if isinstance(entry, BlobPrefix)]
        except AzureError as error:
            raise self._failure(error) from None

    async def blobs(self, prefix: str) -> AsyncIterator[Blob]:
        """Yield the files below ``prefix``.

        Raises:
            CollectionError: it may not be listed.
        """
        try:
            async for entry in self._container.list_blobs(name_starts_with=prefix):
                yield Blob(str(entry.name), int(entry.size), entry.creation_time)
        except AzureError as error:
            raise self._failure(error) from None

    async def read(self, name: str, offset: int, length: int) -> bytes:
        """Return bytes of a file; fewer than asked when it ends before.

        Raises:
            NotFoundError: the file is gone.
            CollectionError: it may not be read, or does not reach as far as ``offset``.
        """
        try:
            downloader = await self._container.download_blob(name, offset=offset, length=length)
            return bytes(await downloader.readall())
        except AzureError as error:
            raise self._failure(error) from None

    def _count(self, _: Any) -> None:
        self.requests += 1

    def _failure(self, error: AzureError) -> CollectionError:
        """Return what an error of the library means; never its own words, which may hold addresses with signatures."""
        if isinstance(error, HttpResponseError) and error.status_code:
            code = str(getattr(error, "error_code", "") or "")[:80]
            return _refusal(self.name, error.status_code, code, isinstance(error, ResourceNotFoundError))
        if isinstance(error, ServiceRequestError | ServiceResponseError):
            what = "the storage account could not be reached, or went silent"
            return CollectionError("error", what, hint="check account_url, the network and the account's firewall")
        return CollectionError("error", f"reading the storage account failed ({type(error).__name__})")


def _open(settings: StorageSettings, token: Callable[[], Awaitable[str]], options: dict[str, Any]) -> BlobServiceClient:
    if settings.connection_string_file is not None:
        text = read_private(settings.connection_string_file).decode("utf-8", "replace").strip()
        try:
            return BlobServiceClient.from_connection_string(text, **options)
        except ValueError:
            todo = "copy it from the storage account's access keys"
            message = f"{settings.connection_string_file} holds no connection string"
            raise CollectionError("error", message, hint=todo) from None
    credential: Any = _StorageToken(token)
    if settings.sas_file is not None:
        signature = read_private(settings.sas_file).decode("utf-8", "replace").strip()
        credential = AzureSasCredential(signature.removeprefix("?"))
    return BlobServiceClient(str(settings.account_url), credential=credential, **options)


def _refusal(container: str, status: int, code: str, is_missing: bool) -> CollectionError:  # noqa: FBT001
    """Return what a refusal means; codes: learn.microsoft.com/rest/api/storageservices/blob-service-error-codes."""
    if code in {"ContainerNotFound", "ContainerBeingDeleted"}:
        what = f"there is no container {container}: no diagnostic setting has written yet"
        todo = "send MicrosoftGraphActivityLogs to this storage account, in Entra's diagnostic settings"
        return CollectionError("disabled", what, hint=todo, status=status, code=code)
    if is_missing:
        return NotFoundError("expired", "the file is gone", status=status, code=code)
    if code == "AuthorizationPermissionMismatch":
        what = "Storage Blob Data Reader is missing: being the account's owner does not let anybody read its files"
        todo = "give the auditor the role Storage Blob Data Reader on the container"
        return CollectionError("permission", what, hint=todo, status=status, code=code)
    reason = _REASONS.get(status, "error")
    what = f"the storage account refused ({status}{' ' if code else ''}{code})"
    todo = "check the role Storage Blob Data Reader, the signature's end and the account's firewall"
    return CollectionError(reason, what, hint=todo if reason == "permission" else "", status=status, code=code)
