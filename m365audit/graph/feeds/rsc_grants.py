"""Permissions that apps hold inside single teams (resource-specific grants); no list of the tenant shows them.

One request for each team, so that a large tenant is read in turns: which teams are looked at changes from day to day,
and the pull says how many were. Chats have such grants as well; to list chats takes Chat.ReadBasic.All, and an auditor
holds no permission on chats: what is granted inside them stays unseen, and is said to be.
Sources: learn.microsoft.com/graph/api/team-list-permissiongrants, learn.microsoft.com/graph/api/team-list.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph.generated.teams.teams_request_builder import TeamsRequestBuilder

from m365audit.graph.failures import NotFoundError
from m365audit.graph.feeds import permissions
from m365audit.graph.feeds.collection import Client, Collection
from m365audit.graph.feeds.composing import read, text_of, with_members
from m365audit.graph.feeds.listing import ANY_SIZE, in_turn, side_by_side, spoken, whole
from m365audit.graph.values import Ended, Page, Task

MOST: Final = 5_000
"""Teams that one pull looks at: about three minutes at Microsoft's 30 requests a second."""

_LIMITS: Final = ("teams",)
_GRANTS: Final = "/teams/{id}/permissionGrants"
_CHATS: Final = "grants inside chats are not read: to list chats takes a permission that an auditor must not hold"


async def pull(client: Client, task: Task) -> AsyncIterator[Page | Ended]:
    """Read the grants of all teams, or of as many as one day allows, in an order that changes every day.

    Raises:
        CollectionError: the teams could not be listed, or one of them not be read.
    """
    began_at, before = client.now(), client.requests
    teams = await _teams(client, task)
    chosen = in_turn(teams, began_at)[:MOST]
    gone = 0
    async for team, found in side_by_side(chosen, lambda team: _grants(client, task, team)):
        gone += found is None
        if found:
            grants = [with_members(record, {"teamId": team}) for record in found]
            yield Page(task, grants, source=f"GET {_GRANTS}")
    is_whole = len(chosen) == len(teams)
    detail = f"{_said(len(chosen) - gone, len(teams) - gone)}; {_CHATS}"
    yield Ended(task, None, None if is_whole else "throttled", detail, began_at, client.requests - before)


async def _teams(client: Client, task: Task) -> list[str]:
    query = TeamsRequestBuilder.TeamsRequestBuilderGetQueryParameters(select=["id", "displayName"])
    info = client.sdk.teams.to_get_request_information(RequestConfiguration(query_parameters=query))
    found = await whole(client, task, lambda _: info, source="/teams", limits=_LIMITS, sizes=ANY_SIZE)
    return [each for each in dict.fromkeys(text_of(read(record), "id") for record in found) if each]


async def _grants(client: Client, task: Task, team: str) -> list[bytes] | None:
    """Return the grants of one team; None when the team is gone meanwhile."""
    info = client.sdk.teams.by_team_id(team).permission_grants.to_get_request_information()
    try:
        return await whole(client, task, lambda _: info, source=_GRANTS, limits=_LIMITS, sizes=ANY_SIZE)
    except NotFoundError:
        return None


def _said(read_now: int, known: int) -> str:
    if read_now == known:
        return f"every team was looked at ({known:,})"
    return f"{read_now:,} of {spoken(known, 'team')} were looked at, others will be tomorrow"


COLLECTION: Final = Collection(
    name="rsc_grants",
    feeds=("rsc_grants",),
    kind="rsc_grants",
    permissions=(permissions.TEAMS, permissions.TEAM_GRANTS),
    licence=(),
    window=None,
    reach=None,
    key="id",
    limits="30 requests a second for each app and tenant (learn.microsoft.com/graph/throttling-limits, Teams); one "
    "request for each team",
    unassessable="what apps may read inside single teams, where owners of teams let them in",
    pull=pull,
)
