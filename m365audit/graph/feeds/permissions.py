"""Owns the read permissions that listings of the present state need, each with the id of its app role on Graph.

Names and ids: Microsoft's published permission data (microsoftgraph/microsoft-graph-devx-content). Never a permission
to write, and none that reads what people write, say or keep.
"""

from __future__ import annotations

from typing import Final

from m365audit.graph.feeds.collection import Permission

ORGANIZATION: Final = Permission("graph", "Organization.Read.All", "498476ce-e0fe-48b0-b801-37ba7e2685c6")
"""Also opens ``subscribedSkus``, for which LicenseAssignment.Read.All would do: one permission less to ask for."""

APPLICATIONS: Final = Permission("graph", "Application.Read.All", "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30")
DIRECTORY: Final = Permission("graph", "Directory.Read.All", "7ab1d382-f21e-4acd-a863-ba3e13f7da61")
"""The least that Microsoft's data names for ``oauth2PermissionGrants``."""

USERS: Final = Permission("graph", "User.Read.All", "df021288-bdef-4463-88db-98f22de89214")
"""User.ReadBasic.All does not show the age group and what goes with it."""

GROUP_MEMBERS: Final = Permission("graph", "GroupMember.Read.All", "98830695-27a2-44f7-8c18-0c3ebc9698f6")
"""Not Group.Read.All, which opens the conversations, calendars and files of groups as well."""

POLICIES: Final = Permission("graph", "Policy.Read.All", "246dd0d5-5bd0-4def-940b-0421030a5b68")
GRANT_POLICIES: Final = Permission("graph", "Policy.Read.PermissionGrant", "9e640839-a198-48fb-8b9a-013fd6f6cbcd")
TEAMS: Final = Permission("graph", "Team.ReadBasic.All", "2280dda6-0bfd-44ee-a2f4-cb867cfc4c1e")
TEAM_GRANTS: Final = Permission(
    "graph", "ResourceSpecificPermissionGrant.ReadForTeam.All", "ad4600ae-d900-42cb-a9a2-2415d05593d0"
)
EXCHANGE_ROLES: Final = Permission("graph", "RoleManagement.Read.Exchange", "c769435f-f061-4d0b-8ff1-3d39870e5f85")
