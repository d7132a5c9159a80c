"""Which column of a Log Analytics table, or of a table made like one, is which field of Microsoft's own record.

Holds facts only. A field is followed by the columns that may hold it, best first; ``a.b`` is a field inside another.
Sources: the tables' reference pages of Azure Monitor and the metadata of Microsoft Graph. ``TenantId`` and
``ResourceId`` are no field: there they mean the workspace and the log, not the tenant and the API.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Schema:
    """How the rows of one family of tables become records.

    Attributes:
        name: what the family is called in messages.
        fields: field → columns that may hold it, in order of preference.
        structured: fields that are objects or arrays; plain text in them says nothing.
        times: fields that are times.
        operation: what the envelope of a storage export calls it; empty when such records have no envelope.
    """

    name: str
    fields: Mapping[str, tuple[str, ...]]
    structured: frozenset[str]
    times: frozenset[str]
    operation: str = ""


def _fields(text: str, **others: str) -> dict[str, tuple[str, ...]]:
    """Return fields of which the column is the name itself, and those with columns of their own."""
    fields = {name: (name.lower(),) for name in text.split()}
    return fields | {name.replace("__", "."): tuple(columns.lower().split()) for name, columns in others.items()}


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


SIGN_INS: Final = Schema(
    "sign-ins",
    _fields(
        """id appDisplayName appId authenticationDetails authenticationMethodsUsed authenticationProcessingDetails
        authenticationProtocol authenticationRequirement authenticationRequirementPolicies autonomousSystemNumber
        clientAppUsed clientCredentialType conditionalAccessStatus correlationId crossTenantAccessType deviceDetail
        federatedCredentialId flaggedForReview homeTenantId homeTenantName incomingTokenType ipAddress
        ipAddressFromResourceProvider isInteractive isTenantRestricted managedIdentityType mfaDetail
        networkLocationDetails originalRequestId originalTransferMethod processingTimeInMilliseconds
        resourceDisplayName resourceOwnerTenantId resourceServicePrincipalId resourceTenantId riskDetail riskEventTypes
        riskEventTypes_v2 riskLevelAggregated riskLevelDuringSignIn riskState servicePrincipalCredentialKeyId
        servicePrincipalCredentialThumbprint servicePrincipalId servicePrincipalName sessionId sessionLifetimePolicies
        signInEventTypes signInIdentifier signInIdentifierType tokenIssuerName tokenIssuerType uniqueTokenIdentifier
        userAgent userDisplayName userId userPrincipalName userType status""",
        createdDateTime="createdDateTime timeGenerated",
        appliedConditionalAccessPolicies="conditionalAccessPolicies appliedConditionalAccessPolicies",
        location="locationDetails",
        location__countryOrRegion="location_countryOrRegion locationDetails_countryOrRegion location",
        location__city="location_city locationDetails_city",
        location__state="location_state locationDetails_state",
        resourceId="resourceIdentity",
        status__errorCode="status_errorCode resultType",
        status__failureReason="status_failureReason resultDescription",
        status__additionalDetails="status_additionalDetails",
    ),
    _names("""appliedConditionalAccessPolicies authenticationDetails authenticationProcessingDetails
        authenticationRequirementPolicies deviceDetail location mfaDetail networkLocationDetails riskEventTypes
        riskEventTypes_v2 sessionLifetimePolicies signInEventTypes status"""),
    frozenset(("createdDateTime",)),
    "Sign-in activity",
)
AUDITS: Final = Schema(
    "directory audits",
    _fields(
        "id additionalDetails category correlationId initiatedBy loggedByService result targetResources",
        activityDateTime="activityDateTime timeGenerated",
        activityDisplayName="activityDisplayName operationName",
        operationType="aadOperationType operationType",
        resultReason="resultReason resultDescription",
        initiatedBy__user__id="initiatedBy_user_id",
        initiatedBy__user__userPrincipalName="initiatedBy_user_userPrincipalName",
        initiatedBy__user__displayName="initiatedBy_user_displayName",
        initiatedBy__user__ipAddress="initiatedBy_user_ipAddress",
        initiatedBy__app__appId="initiatedBy_app_appId",
        initiatedBy__app__displayName="initiatedBy_app_displayName",
        initiatedBy__app__servicePrincipalId="initiatedBy_app_servicePrincipalId",
    ),
    frozenset(("additionalDetails", "initiatedBy", "targetResources")),
    frozenset(("activityDateTime",)),
    "Audit activity",
)
CALLS: Final = Schema(
    "Microsoft Graph activity",
    _fields(
        """apiVersion appId atContent atContentH atContentP clientAuthMethod clientRequestId durationMs
        identityProvider ipAddress location operationId requestId requestMethod requestUri responseSizeBytes
        responseStatusCode roles scopes servicePrincipalId signInActivityId timeGenerated tokenIssuedAt userAgent userId
        wids C_Idtyp UserPrincipalObjectID C_DeviceId C_Iat C_Sid""",
        tenantId="aadTenantId",
    ),
    frozenset(),
    frozenset(("timeGenerated",)),
    "Microsoft Graph Activity",
)
OFFICE: Final = Schema(
    "OfficeActivity",
    _fields(
        """Operation OrganizationId RecordType ResultStatus UserKey UserType Version ClientIP UserId AppId ClientAppId
        AppAccessContext ApplicationId ApplicationDisplayName ClientInfoString ClientProcessName ClientVersion
        ClientAppName CorrelationId ExternalAccess InternalLogonType LogonUserSid LogonUserDisplayName MailboxGuid
        MailboxOwnerSid MailboxOwnerUPN OrganizationName OriginatingServer SessionId OperationProperties OperationCount
        Folders Folder Item AffectedItems DestFolder Parameters ModifiedProperties ExtendedProperties
        ModifiedObjectResolvedName Actor ActorContextId ActorIpAddress TargetContextId IntraSystemId InterSystemsId
        SupportTicketId ItemType ListId ListItemUniqueId WebId SourceFileExtension SourceFileName
        DestinationFileExtension DestinationFileName UserAgent TeamName TeamGuid ChannelName ChannelGuid ChannelType
        ChatThreadId ChatName MessageId Members CommunicationType AADGroupId TabType AddOnName AddOnGuid AddonType
        UserDomain MachineDomainInfo MachineId EventSource TokenObjectId TokenTenantId""",
        Id="officeId sourceRecordId id",
        CreationTime="timeGenerated creationTime",
        Workload="officeWorkload workload",
        ClientIPAddress="client_IPAddress clientIPAddress",
        LogonType="logon_Type logonType",
        ObjectId="officeObjectId objectId",
        SiteUrl="site_Url siteUrl",
        Site="site_ site",
        SourceRelativeUrl="sourceRelativeUrl",
        DestinationRelativeUrl="destinationRelativeUrl",
        EventData="event_Data eventData",
        Target="aadTarget target",
        AzureActiveDirectoryEventType="azureActiveDirectory_EventType azureActiveDirectoryEventType",
        TargetUserOrGroupName="targetUserOrGroupName",
        TargetUserOrGroupType="targetUserOrGroupType",
        CrossMailboxOperation="cross_MailboxOperations crossMailboxOperation",
    ),
    _names("""AppAccessContext OperationProperties Folders Folder Item AffectedItems DestFolder Parameters
        ModifiedProperties ExtendedProperties Actor Target Members"""),
    frozenset(("CreationTime",)),
)
TABLES: Final[Mapping[str, tuple[Schema, str]]] = {
    "signinlogs": (SIGN_INS, "SignInLogs"),
    "aadnoninteractiveusersigninlogs": (SIGN_INS, "NonInteractiveUserSignInLogs"),
    "noninteractiveusersigninlogs": (SIGN_INS, "NonInteractiveUserSignInLogs"),
    "aadserviceprincipalsigninlogs": (SIGN_INS, "ServicePrincipalSignInLogs"),
    "serviceprincipalsigninlogs": (SIGN_INS, "ServicePrincipalSignInLogs"),
    "aadmanagedidentitysigninlogs": (SIGN_INS, "ManagedIdentitySignInLogs"),
    "managedidentitysigninlogs": (SIGN_INS, "ManagedIdentitySignInLogs"),
    "auditlogs": (AUDITS, "AuditLogs"),
    "microsoftgraphactivitylogs": (CALLS, "MicrosoftGraphActivityLogs"),
    "officeactivity": (OFFICE, ""),
}
"""Log Analytics table, or log category (lower case) → its schema, and the category of the same log's storage export."""

OTHER_COLUMNS: Final = _names(
    """type category tenantid aadtenantid sourcesystem timegenerated operationname resourceid tablename
    isinteractive _itemid _resourceid level officetenantid"""
)
KNOWN_COLUMNS: Final = OTHER_COLUMNS | {
    column for schema in (SIGN_INS, AUDITS, CALLS, OFFICE) for columns in schema.fields.values() for column in columns
}
