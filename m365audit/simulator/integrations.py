"""Owns which apps exist in the demo's world and what each tenant granted them. Must never say what they did with it."""

from __future__ import annotations

from dataclasses import dataclass

from m365audit.simulator.people import Tenant, fixed_id

GRAPH = "00000003-0000-0000-c000-000000000000"
EXCHANGE = "00000002-0000-0ff1-ce00-000000000000"
MANAGEMENT = "c5393580-f805-4401-95e8-94b7a6ef2fc2"
MICROSOFT_TENANT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
SALSOFT_TENANT = "5a150f70-0000-4000-8000-00000000000a"

ROLE_IDS = {
    "Mail.Read": "810c84a8-4a9e-49e6-bf7d-12d183f40d01",
    "Mail.Send": "b633e1c5-b582-4048-a93e-9f11b44c7e96",
    "Calendars.Read": "798ee544-9d2d-430c-a058-570e29e34338",
    "Calendars.ReadWrite": "ef54d2bf-783f-4e0f-bca1-3210c0444d99",
    "Contacts.Read": "089fe4d0-434a-44c5-8827-41ba8a0b17f5",
    "Presence.Read.All": "a70e0c2d-e793-494c-94c4-118fa0a67f42",
    "CallRecords.Read.All": "45bbb07e-7321-4fd7-a8f6-3ff27e6a81c8",
    "Chat.Read.All": "6b7d71aa-70aa-4810-a8d9-5d9fb2830017",
    "OnlineMeetingTranscript.Read.All": "a4a80d8d-d283-4bd8-8504-555ec3870630",
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
    "Application.Read.All": "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
    "AuditLog.Read.All": "b0afded3-3588-46d8-8b3d-9842eff778da",
    "AuditLogsQuery.Read.All": "5e1e9171-754d-478c-812c-f1755a9a4c2d",
    "DelegatedPermissionGrant.Read.All": "81b4724a-58aa-41c1-8a55-84ef97466587",
    "Directory.Read.All": "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
    "GroupMember.Read.All": "98830695-27a2-44f7-8c18-0c3ebc9698f6",
    "Organization.Read.All": "498476ce-e0fe-48b0-b801-37ba7e2685c6",
    "Policy.Read.All": "246dd0d5-5bd0-4def-940b-0421030a5b68",
    "Policy.Read.PermissionGrant": "9e640839-a198-48fb-8b9a-013fd6f6cbcd",
    "ResourceSpecificPermissionGrant.ReadForTeam.All": "ad4600ae-d900-42cb-a9a2-2415d05593d0",
    "RoleManagement.Read.Exchange": "c769435f-f061-4d0b-8ff1-3d39870e5f85",
    "Team.ReadBasic.All": "2280dda6-0bfd-44ee-a2f4-cb867cfc4c1e",
}
"""Ids of Microsoft Graph's app roles (application permissions) that are granted somewhere in this world."""

SCOPE_IDS = {
    "Mail.Read": "570282fd-fa5c-430d-a7fd-fc8dc98a9dca",
    "Mail.ReadWrite": "024d486e-b451-40bb-833d-3e66d98c5c73",
    "Mail.Send": "e383f46e-2787-4529-855e-0e479a3ffac0",
    "Files.Read": "10465720-29dd-4523-a11a-6a75c743c9d9",
    "IMAP.AccessAsUser.All": "652390e4-393a-48de-9484-05f9b1212954",
    "User.Read": "e1fe6dd8-ba31-4d61-89e7-88639da4683d",
    "offline_access": "7427e0e9-2fba-42fe-b0c0-848c9e6a8182",
}
"""Ids of Microsoft Graph's scopes (delegated permissions) that are granted somewhere in this world."""

EXCHANGE_ROLE_IDS = {"full_access_as_app": "dc890d15-9560-4a4c-9b7f-a736ec74ec40"}
MANAGEMENT_ROLE_IDS = {"ActivityFeed.Read": "594c1fb6-4f81-4475-ae41-0c394909246c"}
RESOURCE_ROLES = {GRAPH: ROLE_IDS, EXCHANGE: EXCHANGE_ROLE_IDS, MANAGEMENT: MANAGEMENT_ROLE_IDS}
RESOURCE_NAMES = {
    GRAPH: "Microsoft Graph",
    EXCHANGE: "Office 365 Exchange Online",
    MANAGEMENT: "Office 365 Management APIs",
}
"""What Microsoft's own APIs declare, and what they are called, by application id."""

APP_MAIL_READ = "Application Mail.Read"
"""A role inside Exchange that opens mailboxes to an app; Entra shows nothing of it."""


@dataclass(frozen=True, slots=True)
class App:
    """One application, the same in every tenant.

    Attributes:
        id: application (client) id.
        name: display name; a hostile app chooses its own.
        owner_tenant: tenant in which it is registered.
        publisher: verified publisher, empty when not verified.
    """

    id: str
    name: str
    owner_tenant: str
    publisher: str = ""
    address: str = "203.0.113.20"

    def sp_id(self, tenant: Tenant) -> str:
        """Return the object id of its service principal in that tenant."""
        return fixed_id(tenant.key, "service-principal", self.id)


CRM = App("c0ffee00-0000-4000-8000-000000000001", "SalSoft CRM connector", SALSOFT_TENANT, "SalSoft", "203.0.113.21")
FORMS = App("c0ffee00-0000-4000-8000-000000000002", "SalSoft website forms", SALSOFT_TENANT, "SalSoft", "203.0.113.22")
ADDIN = App("c0ffee00-0000-4000-8000-000000000003", "SalSoft Outlook add-in", SALSOFT_TENANT, "SalSoft", "203.0.113.23")
TELEPHONY = App(
    "3c300000-0000-4000-8000-000000000004",
    "3CX connector",
    "3c300000-0000-4000-8000-00000000000a",
    "3CX",
    "198.51.100.9",
)
CALLING = App(
    "ca110000-0000-4000-8000-000000000009",
    "Teams call reports",
    "ca110000-0000-4000-8000-00000000000a",
    "Belhuis Telecom",
    "198.51.100.61",
)
ARCHIVE = App(
    "a5c41e00-0000-4000-8000-00000000000a",
    "Nightly mail archive",
    "a5c41e00-0000-4000-8000-00000000000b",
    "Bewaarplaats",
    "203.0.113.77",
)
SHADOW = App(
    "0bad0000-0000-4000-8000-000000000005",
    '=HYPERLINK("https://files.example/?q=1","PDF")<script>alert(1)</script>\u202egpj.exe',
    "0bad0000-0000-4000-8000-00000000000a",
    address="2001:db8::bad",
)
NOTETAKER = App("0bad0000-0000-4000-8000-000000000006", "Notes for Meetings", "0bad0000-0000-4000-8000-00000000000b")
MIGRATOR = App("0bad0000-0000-4000-8000-000000000007", "Mail migration 2019", "33333333-3333-4333-8333-333333333333")
IMPOSTOR = App(
    "0bad0000-0000-4000-8000-000000000008",
    "Microsoft Graph Contacts Sync",
    "0bad0000-0000-4000-8000-00000000000c",
    address="192.0.2.66",
)
SYNC = App(
    "00000014-0000-0000-c000-000000000000",
    "Microsoft.Azure.SyncFabric",
    MICROSOFT_TENANT,
    "Microsoft",
    "192.0.2.10",
)


@dataclass(frozen=True, slots=True)
class RoleGrant:
    """An app role assignment that stands at the snapshot."""

    app: App
    permission: str
    since: str
    resource: str = GRAPH


@dataclass(frozen=True, slots=True)
class ScopeGrant:
    """A delegated permission grant that stands at the snapshot; ``principal`` None means all users."""

    app: App
    scopes: tuple[str, ...]
    principal: str | None = None


@dataclass(frozen=True, slots=True)
class TeamGrant:
    """A resource-specific grant inside one team, named by its group; no list of the whole tenant shows it."""

    app: App
    permission: str
    team: str


@dataclass(frozen=True, slots=True)
class ExchangeRole:
    """A role inside Exchange that an app was assigned; Entra does not show it."""

    app: App
    role: str


@dataclass(frozen=True, slots=True)
class Holdings:
    """What one tenant granted, as observed at the snapshot."""

    apps: tuple[App, ...]
    roles: tuple[RoleGrant, ...]
    scopes: tuple[ScopeGrant, ...] = ()
    teams: tuple[TeamGrant, ...] = ()
    exchange: tuple[ExchangeRole, ...] = ()


def _roles(app: App, since: str, *permissions: str) -> tuple[RoleGrant, ...]:
    return tuple(RoleGrant(app, p, since) for p in permissions)


def holdings(tenant: Tenant) -> Holdings:
    """Return the grants of one tenant as they stood when its directory was exported."""
    return {"contoso": _contoso, "fabrikam": _fabrikam, "tailspin": _tailspin}[tenant.key]()


def _contoso() -> Holdings:
    return Holdings(
        apps=(SYNC, CRM, FORMS, ADDIN, TELEPHONY, CALLING, ARCHIVE, SHADOW),
        roles=(
            *_roles(CRM, "2025-08-28T08:00:00Z", "Mail.Read", "Calendars.Read", "Presence.Read.All"),
            *_roles(CALLING, "2025-09-03T08:00:00Z", "CallRecords.Read.All"),
            *_roles(FORMS, "2025-08-28T08:10:00Z", "Mail.Send"),
            *_roles(
                TELEPHONY,
                "2025-09-02T08:00:00Z",
                "Presence.Read.All",
                "Calendars.Read",
                "CallRecords.Read.All",
                "User.Read.All",
            ),
            *_roles(TELEPHONY, "2026-09-08T14:20:00Z", "Calendars.ReadWrite"),
        ),
        scopes=(
            ScopeGrant(ADDIN, ("Mail.Read", "Mail.ReadWrite", "Mail.Send", "User.Read", "offline_access")),
            ScopeGrant(ARCHIVE, ("IMAP.AccessAsUser.All", "offline_access"), "noreply"),
            ScopeGrant(SHADOW, ("Mail.Read", "Files.Read", "User.Read", "offline_access"), "f.meijer"),
            ScopeGrant(SHADOW, ("Mail.Read", "Files.Read", "User.Read", "offline_access"), "g.bos"),
        ),
    )


def _fabrikam() -> Holdings:
    return Holdings(
        apps=(SYNC, CRM, FORMS, ADDIN, TELEPHONY, NOTETAKER),
        roles=(
            *_roles(CRM, "2025-10-01T08:00:00Z", "Mail.Read", "Calendars.Read"),
            *_roles(FORMS, "2025-10-01T08:10:00Z", "Mail.Send"),
            *_roles(TELEPHONY, "2025-10-02T08:00:00Z", "Calendars.Read", "Contacts.Read", "User.Read.All"),
            *_roles(ADDIN, "2026-09-03T08:00:00Z", "Mail.Read"),
            *_roles(NOTETAKER, "2026-08-20T15:00:00Z", "Chat.Read.All", "OnlineMeetingTranscript.Read.All"),
        ),
        scopes=(ScopeGrant(ADDIN, ("Mail.Read", "User.Read", "offline_access")),),
        teams=(TeamGrant(NOTETAKER, "ChannelMessage.Read.Group", "verkoop"),),
        exchange=(ExchangeRole(NOTETAKER, APP_MAIL_READ),),
    )


def _tailspin() -> Holdings:
    return Holdings(
        apps=(SYNC, CRM, FORMS, MIGRATOR, IMPOSTOR),
        roles=(
            *_roles(CRM, "2025-12-20T08:00:00Z", "Mail.Read", "Calendars.Read"),
            *_roles(FORMS, "2025-12-20T08:10:00Z", "Mail.Send", "Mail.Read"),
            *_roles(IMPOSTOR, "2026-09-02T02:13:00Z", "Contacts.Read"),
            RoleGrant(MIGRATOR, "full_access_as_app", "2019-03-04T10:00:00Z", EXCHANGE),
        ),
    )
