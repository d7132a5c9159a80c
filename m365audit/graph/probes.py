"""Asks each log for one record, to know whether it is there: with the requests that reading it makes, and only GETs.

Must never keep what comes back: whether there was something is all that is learned.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from types import MappingProxyType
from typing import Final

import msgspec
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph.generated.audit_logs.directory_audits.directory_audits_request_builder import DirectoryAuditsRequestBuilder
from msgraph.generated.audit_logs.sign_ins.sign_ins_request_builder import SignInsRequestBuilder
from msgraph.generated.communications.call_records.call_records_request_builder import CallRecordsRequestBuilder
from msgraph.generated.security.audit_log.queries.queries_request_builder import QueriesRequestBuilder

from m365audit.config import StorageSettings
from m365audit.graph.blobs import Container
from m365audit.graph.documents import array_of, page_of
from m365audit.graph.failures import CollectionError, NotFoundError, SignInError
from m365audit.graph.feeds.collection import Client, Collection
from m365audit.graph.feeds.graph_activity import files_of
from m365audit.graph.feeds.subscriptions import address
from m365audit.graph.moments import literal
from m365audit.graph.values import Window

Probe = Callable[[Client], Awaitable[bool]]
"""Says whether there was a record; raises what reading would."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What asking came to: state of a reading, what to say about it, what to do."""

    state: str
    detail: str = ""
    todo: str = ""


DAY: Final = timedelta(days=1)
CONTENT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "audit_exchange": "Audit.Exchange",
        "audit_sharepoint": "Audit.SharePoint",
        "audit_entra": "Audit.AzureActiveDirectory",
        "audit_general": "Audit.General",
    }
)
"""Collection → type of content that the Management Activity API has it under."""

_MANAGEMENT: Final = ("management",)
_CALLS: Final = ("call_records",)
_STATES: Final[Mapping[str, str]] = MappingProxyType(
    {"licence": "licence", "permission": "permission", "disabled": "disabled"}
)
_STORAGE_SECONDS: Final = 20
_NETWORK: Final = "look at the network, any proxy, and the account's firewall"
_SETTING: Final = "look at the diagnostic setting in Entra: MicrosoftGraphActivityLogs must go to this account"
_NOTHING: Final = "it answers; nothing happened in the last day"


async def seen(client: Client, collection: Collection) -> Seen | None:
    """Return what became of asking one log of Graph for a record; None where there is no such question."""
    if collection.name == "audit_queries" and not client.cloud.has_audit_queries:
        return Seen("absent", "this cloud has no audit log queries")
    if collection.name == "call_records" and not client.cloud.has_call_records:
        return Seen("absent", "this cloud has no call records")
    if collection.name == "graph_activity":
        return None if client.storage is None else await _storage(client, client.storage)
    probe = _PROBES.get(collection.name)
    return None if probe is None else await _tried(probe, client)


async def audit_log(client: Client, wanted: Iterable[str]) -> dict[str, Seen]:
    """Return what became of asking the unified audit log, by collection; off is off for all of them."""
    names = [name for name in CONTENT if name in set(wanted)]
    if not names or client.cloud.manage is None:
        return dict.fromkeys(names, Seen("absent", "this cloud has no Management Activity API"))
    try:
        answer = await client.get(address(client, "subscriptions/list"), limits=_MANAGEMENT)
        on = _subscribed(array_of(answer))
    except CollectionError as error:
        return dict.fromkeys(names, _refused(error))
    waiting = Seen(
        "not_started", "auditing is on; the first run subscribes, and the first content comes within 12 hours"
    )
    return {name: await _tried(partial(_content, name), client) if CONTENT[name] in on else waiting for name in names}


async def _tried(probe: Probe, client: Client) -> Seen:
    try:
        return Seen("readable") if await probe(client) else Seen("empty", _NOTHING)
    except CollectionError as error:
        return _refused(error)


def _refused(error: CollectionError) -> Seen:
    is_no_answer = isinstance(error, SignInError) and not error.is_refused
    state = "error" if is_no_answer else _STATES.get(error.reason, "error")
    return Seen(state, error.message, error.hint)


class _Subscription(msgspec.Struct, rename="camel"):
    content_type: str = ""
    status: str = ""


def _subscribed(records: Iterable[bytes]) -> set[str]:
    try:
        found = [msgspec.json.decode(record, type=_Subscription) for record in records]
    except msgspec.MsgspecError:
        return set()
    return {each.content_type for each in found if each.status.casefold() == "enabled"}


async def _content(name: str, client: Client) -> bool:
    now = client.now()
    window = {"startTime": literal((now - DAY).replace(microsecond=0)), "endTime": literal(now.replace(microsecond=0))}
    answer = await client.get(
        address(client, "subscriptions/content", contentType=CONTENT[name], **window), limits=_MANAGEMENT
    )
    return bool(array_of(answer))


async def _sign_ins(event_type: str, client: Client) -> bool:
    since = literal((client.now() - DAY).replace(microsecond=0))
    query = SignInsRequestBuilder.SignInsRequestBuilderGetQueryParameters(
        filter=f"createdDateTime ge {since} and signInEventTypes/any(t: t eq '{event_type}')", top=1
    )
    info = client.sdk.audit_logs.sign_ins.to_get_request_information(RequestConfiguration(query_parameters=query))
    answer = await client.send(info, limits=("reports",), is_beta=True)
    return bool(page_of(answer)[0])


async def _directory_audits(client: Client) -> bool:
    since = literal((client.now() - DAY).replace(microsecond=0))
    query = DirectoryAuditsRequestBuilder.DirectoryAuditsRequestBuilderGetQueryParameters(
        filter=f"activityDateTime ge {since}", top=1
    )
    builder = client.sdk.audit_logs.directory_audits
    info = builder.to_get_request_information(RequestConfiguration(query_parameters=query))
    answer = await client.send(info, limits=("reports",))
    return bool(page_of(answer)[0])


async def _audit_queries(client: Client) -> bool:
    """Look at the queries that were made before: whether one may be made shows there as well."""
    query = QueriesRequestBuilder.QueriesRequestBuilderGetQueryParameters(top=1)
    builder = client.sdk.security.audit_log.queries
    info = builder.to_get_request_information(RequestConfiguration(query_parameters=query))
    try:
        answer = await client.send(info, limits=("audit_queries",))
    except NotFoundError:  # some tenants have them in beta only
        answer = await client.send(info, limits=("audit_queries",), is_beta=True)
    page_of(answer)
    return True


async def _call_records(client: Client) -> bool:
    """Ask all three parts: one that is refused makes the whole a gap."""
    now = client.now().replace(microsecond=0)
    builder = client.sdk.communications.call_records
    query = CallRecordsRequestBuilder.CallRecordsRequestBuilderGetQueryParameters(
        filter=f"startDateTime ge {literal(now - DAY)}"
    )
    info = builder.to_get_request_information(RequestConfiguration(query_parameters=query))
    answers = [await client.send(info, limits=_CALLS)]
    for name in ("getPstnCalls", "getDirectRoutingCalls"):
        # The SDK's own address leaves out the comma between the two times.
        times = f"fromDateTime={literal(now - DAY)},toDateTime={literal(now)}"
        place = f"{client.cloud.graph}/v1.0/communications/callRecords/microsoft.graph.callRecords.{name}({times})"
        answers.append(await client.get(place, limits=_CALLS))
    return any(page_of(answer)[0] for answer in answers)


async def _storage(client: Client, settings: StorageSettings) -> Seen:
    """Look which hours of Graph activity lie in the storage account, and whether they may be read."""
    window = Window(client.now() - 2 * DAY, client.now())
    try:
        async with asyncio.timeout(_STORAGE_SECONDS):
            token, ca_file = client.storage_token, client.cloud.ca_file
            async with Container(settings, token, ca_file=ca_file) as container:
                hours = await files_of(container, client.tenant, window)
                if hours:
                    await container.read(hours[max(hours)][0].name, 0, 1)  # owners may list, and not read
    except TimeoutError:
        return Seen("error", f"the storage account did not answer within {_STORAGE_SECONDS} seconds", _NETWORK)
    except CollectionError as error:
        return _refused(error)
    if not hours:
        return Seen("unseen", "the storage account has no hour of the last two days", _SETTING)
    return Seen("readable", f"{len(hours)} hours of the last two days, the newest {literal(max(hours))}")


_PROBES: Final[Mapping[str, Probe]] = MappingProxyType(
    {
        "sign_ins_interactive": partial(_sign_ins, "interactiveUser"),
        "sign_ins_non_interactive": partial(_sign_ins, "nonInteractiveUser"),
        "sign_ins_service_principal": partial(_sign_ins, "servicePrincipal"),
        "sign_ins_managed_identity": partial(_sign_ins, "managedIdentity"),
        "directory_audits": _directory_audits,
        "audit_queries": _audit_queries,
        "call_records": _call_records,
    }
)
