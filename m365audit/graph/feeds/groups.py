"""Members of the groups that consent records name, and of the groups inside them; no other group is read.

Each record is the group with all of its members, in the shape that ``$expand=members`` gives to the first twenty.
Sources: learn.microsoft.com/graph/api/group-get, learn.microsoft.com/graph/api/group-list-members. A group whose
membership is hidden shows none without Member.Read.Hidden.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.groups.item.group_item_request_builder import GroupItemRequestBuilder
from msgraph.generated.groups.item.members.members_request_builder import MembersRequestBuilder

from m365audit.graph.failures import NotFoundError
from m365audit.graph.feeds import permissions
from m365audit.graph.feeds.collection import Client, Collection
from m365audit.graph.feeds.composing import read, text_of, with_members
from m365audit.graph.feeds.listing import DIRECTORY, DIRECTORY_LIMITS, SIZES, few, spoken, whole
from m365audit.graph.limits import resource_units
from m365audit.graph.values import Ended, GapReason, Page, Task

SELECTED: Final = (
    "id",
    "displayName",
    "groupTypes",
    "securityEnabled",
    "mailEnabled",
    "membershipRule",
    "visibility",
    "resourceProvisioningOptions",
)
MEMBER_SELECTED: Final = ("id", "displayName", "userPrincipalName")
_GROUP_TYPE: Final = "#microsoft.graph.group"
MOST: Final = 5_000
"""Groups that one pull reads at most: nesting without end is an error, not a task."""


async def pull(client: Client, task: Task) -> AsyncIterator[Page | Ended]:
    """Read the groups that the register names, and what is nested in them, each once.

    Raises:
        CollectionError: members of a group could not be read to the end.
    """
    began_at, before = client.now(), client.requests
    waiting = list(dict.fromkeys(group.lower() for group in client.wanted_groups))
    seen, gone = set(waiting), list[str]()
    while waiting and len(seen) <= MOST:
        group_id = waiting.pop(0)
        try:
            record, nested = await _group(client, task, group_id)
        except NotFoundError:
            gone.append(group_id)
            continue
        yield Page(task, [record], source="GET /groups/{id}/members")
        fresh = [inner for inner in nested if inner not in seen]
        seen.update(fresh)
        waiting += fresh
    reason: GapReason | None = "error" if waiting else None
    detail = _detail(waiting=len(waiting), named=len(client.wanted_groups), gone=gone)
    yield Ended(task, None, reason, detail, began_at, client.requests - before)


async def _group(client: Client, task: Task, group_id: str) -> tuple[bytes, list[str]]:
    """Return a group with its members, and the ids of those that are groups themselves."""
    builder = client.sdk.groups.by_group_id(group_id)
    query = GroupItemRequestBuilder.GroupItemRequestBuilderGetQueryParameters(select=list(SELECTED))
    answer = await client.send(
        builder.to_get_request_information(RequestConfiguration(query_parameters=query)), limits=DIRECTORY
    )

    def build(top: int) -> RequestInformation:
        page = MembersRequestBuilder.MembersRequestBuilderGetQueryParameters(select=list(MEMBER_SELECTED), top=top)
        return builder.members.to_get_request_information(RequestConfiguration(query_parameters=page))

    cost = resource_units("groups/{id}/members", selects=True)
    members = await whole(client, task, build, source="/groups/{id}/members", cost=cost)
    known = map(read, members)
    nested = [text_of(m, "id").lower() for m in known if text_of(m, "@odata.type").lower() == _GROUP_TYPE]
    # The count says that these are all: twenty, alone, is also what $expand cuts a longer list to.
    more: dict[str, bytes | list[bytes]] = {"members": members, "members@odata.count": str(len(members)).encode()}
    return with_members(answer.body, more), [inner for inner in nested if inner]


def _detail(*, waiting: int, named: int, gone: list[str]) -> str:
    if not named:
        return "no consent record names a group, so none was read"
    said = []
    if waiting:
        said.append(f"groups are nested in more than {MOST:,} groups; {waiting:,} were not read")
    if gone:
        said.append(
            f"{spoken(len(gone), 'group')} that a consent record names, or that is nested in one, is gone: {few(gone)}"
        )
    return "; ".join(said)


COLLECTION: Final = Collection(
    name="groups",
    feeds=("groups",),
    kind="groups",
    permissions=(permissions.GROUP_MEMBERS,),
    licence=(),
    window=None,
    reach=None,
    key="id",
    limits=f"{DIRECTORY_LIMITS}; pages of at most {SIZES[0]} members",
    unassessable="whether an access stayed within the group of people that a consent record names",
    pull=pull,
)
