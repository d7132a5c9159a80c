"""Spells the keys of a record as Microsoft's own API does, so that the store sees one spelling.

PowerShell writes ``AppId`` for Graph's ``appId``, some vendors ``appid``. Must never touch a value, never drop a
key, and never rename one onto another that is there too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from m365audit.exports.pieces import JsonObject, Record

_ENVELOPE = """time resourceId operationName operationVersion category tenantId resultType resultSignature
resultDescription durationMs callerIpAddress correlationId identity location properties"""

_ACTIVITY = """apiVersion appId clientAuthMethod clientRequestId identityProvider ipAddress operationId requestId
requestMethod requestUri responseSizeBytes responseStatusCode roles scopes servicePrincipalId signInActivityId
timeGenerated tokenIssuedAt userAgent userId wids atContentH atContentP"""

_SIGN_IN = """id createdDateTime userDisplayName userPrincipalName appDisplayName clientAppUsed
conditionalAccessStatus isInteractive originalRequestId resourceDisplayName resourceTenantId homeTenantId
homeTenantName resourceServicePrincipalId riskDetail riskLevelAggregated riskLevelDuringSignIn riskState
riskEventTypes riskEventTypes_v2 status errorCode failureReason additionalDetails deviceDetail deviceId displayName
operatingSystem browser isCompliant isManaged trustType city state countryOrRegion geoCoordinates latitude longitude
altitude appliedConditionalAccessPolicies enforcedGrantControls enforcedSessionControls result mfaDetail authMethod
authDetail authenticationDetails authenticationStepDateTime authenticationMethod authenticationMethodDetail succeeded
authenticationStepResultDetail authenticationStepRequirement authenticationRequirement
authenticationRequirementPolicies authenticationProtocol authenticationProcessingDetails
authenticationContextClassReferences clientCredentialType crossTenantAccessType flaggedForReview incomingTokenType
isTenantRestricted managedIdentityType networkLocationDetails privateLinkDetails processingTimeInMilliseconds
servicePrincipalName servicePrincipalCredentialKeyId servicePrincipalCredentialThumbprint sessionLifetimePolicies
signInEventTypes signInIdentifier signInIdentifierType tokenIssuerName tokenIssuerType uniqueTokenIdentifier userType
autonomousSystemNumber federatedCredentialId signInTokenProtectionStatus originalTransferMethod agent"""

_AUDIT = """activityDateTime activityDisplayName initiatedBy user app loggedByService operationType resultReason
targetResources modifiedProperties newValue oldValue type groupType key value"""

_DIRECTORY = """accountEnabled addIns alternativeNames appDescription applicationTemplateId appOwnerOrganizationId
appRoleAssignmentRequired appRoles allowedMemberTypes description isEnabled origin deletedDateTime
disabledByMicrosoftStatus homepage info keyCredentials keyId startDateTime endDateTime usage
customKeyIdentifier passwordCredentials hint secretText loginUrl logoutUrl notes notificationEmailAddresses
oauth2PermissionScopes adminConsentDescription adminConsentDisplayName userConsentDescription
userConsentDisplayName preferredSingleSignOnMode replyUrls servicePrincipalNames servicePrincipalType signInAudience
tags tokenEncryptionKeyId verifiedPublisher verifiedPublisherId addedDateTime publisherName clientId consentType
principalId principalDisplayName principalType resourceId scope startTime expiryTime appRoleId creationTimestamp
mail mailNickname mailEnabled securityEnabled groupTypes visibility membershipRule isAssignableToRole members
transitiveMembers owners givenName surname jobTitle department officeLocation mobilePhone businessPhones
preferredLanguage usageLocation onPremisesSyncEnabled proxyAddresses verifiedDomains name isDefault isInitial
privacyProfile statementUrl contactEmail privacyStatementUrl web spa publicClient redirectUris publisherDomain
ageGroup consentProvidedForMinor legalAgeGroupClassification grantControls builtInControls authenticationStrength
conditions includeUsers excludeUsers includeApplications excludeApplications clientAppTypes signInRiskLevels
userRiskLevels platforms locations tenantType countryLetterCode
technicalNotificationMails assignedPlans assignedLicenses externalUserState"""

_CALLS = """modalities lastModifiedDateTime version organizer organizer_v2 participants participants_v2 sessions
segments caller callee identity joinWebUrl callId callType usageCountryCode tenantCountryCode calleeNumber
callerNumber duration charge currency connectionCharge conferenceId licenseCapability inventoryType operator
callDurationSource destinationContext destinationName inviteDateTime failureDateTime successfulCall mediaPathLocation
signalingLocation finalSipCode callEndSubReason finalSipCodePhrase trunkFullyQualifiedDomainName mediaBypassEnabled
associatedIdentity"""

_AUDIT_RECORD = """CreationTime Id Operation OrganizationId RecordType ResultStatus UserKey UserType Version Workload
ClientIP ClientIPAddress ObjectId UserId AppId ClientAppId HostAppId AppAccessContext AADSessionId APIId ClientAppName
CorrelationId UniqueTokenId IssuedAtTime ClientInfoString ClientProcessName ClientVersion ExternalAccess
InternalLogonType LogonType LogonUserSid MailboxGuid MailboxOwnerSid MailboxOwnerUPN OrganizationName
OriginatingServer SessionId OperationProperties OperationCount Folders FolderItems InternetMessageId ImmutableId
SizeInBytes ClientRequestId Subject Sensitivity Path Item Items AffectedItems ParentFolder Attachments Parameters
Name Value ModifiedProperties NewValue OldValue ExtendedProperties Actor ActorContextId ActorIpAddress Target
TargetContextId InterSystemsId IntraSystemId SupportTicketId AzureActiveDirectoryEventType ApplicationId
ApplicationDisplayName UserAgent ErrorNumber LogonError DeviceProperties ItemType ListId ListItemUniqueId Site SiteUrl
SourceFileExtension SourceFileName SourceRelativeUrl DestinationFileName DestinationRelativeUrl EventSource EventData
WebId TargetUserOrGroupName TargetUserOrGroupType TeamName TeamGuid ChannelName ChannelGuid ChatThreadId ChatName
MessageId Messages Members UPN Role CommunicationType TokenObjectId TokenTenantId AuthType TokenType"""

_LOWER_CASE_FIRST = {
    name.lower(): name for text in (_ENVELOPE, _ACTIVITY, _SIGN_IN, _AUDIT, _DIRECTORY, _CALLS) for name in text.split()
}
_PASCAL_CASE = {name.lower(): name for name in _AUDIT_RECORD.split()}
_NAMES: Final[Mapping[str, Mapping[str, str]]] = {"audit_records": _PASCAL_CASE}

_RawObject = dict[str, msgspec.Raw]
_read_object = msgspec.json.Decoder(_RawObject).decode
_read_array = msgspec.json.Decoder(list[msgspec.Raw]).decode


def is_canonical(value: JsonObject, kind: str) -> bool:
    """Say whether the record's own keys (and those under ``properties``) are spelled as the store expects."""
    names = _NAMES.get(kind, _LOWER_CASE_FIRST)
    if any(_spelled(key, names) != key for key in value):
        return False
    inner = value.get("properties")
    return not isinstance(inner, dict) or all(_spelled(key, names) == key for key in inner)


def spelled(record: Record, kind: str) -> bytes:
    """Return the record's bytes with canonical keys; the very same bytes when they are canonical already."""
    if is_canonical(record.value, kind):
        return record.raw
    return _respell(record.raw, _NAMES.get(kind, _LOWER_CASE_FIRST))


def _spelled(key: str, names: Mapping[str, str]) -> str:
    name = names.get(key.lower(), key)
    # Audit records really hold both ClientIP and ID, Id: there only all-lower-case keys are a vendor's work.
    is_theirs = names is _PASCAL_CASE and not key.islower()
    return key if is_theirs else name


def _respell(raw: bytes, names: Mapping[str, str]) -> bytes:
    first = raw.lstrip()[:1]
    if first == b"[":
        return b"[" + b",".join(_respell(bytes(item), names) for item in _read_array(raw)) + b"]"
    if first != b"{":
        return raw
    members = _read_object(raw)
    result: _RawObject = {}
    for key, item in members.items():
        name = _spelled(key, names)
        is_free = name == key or (name not in members and name not in result)
        result[name if is_free else key] = msgspec.Raw(_respell(bytes(item), names))
    return msgspec.json.encode(result)
