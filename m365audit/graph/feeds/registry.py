"""Lists the collections there are, in the order in which they are told of. Must never decide which of them run."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from m365audit.graph.feeds import (
    app_role_assignments,
    applications,
    audit_entra,
    audit_exchange,
    audit_general,
    audit_queries,
    audit_sharepoint,
    call_records,
    delegated_permission_grants,
    directory_audits,
    exchange_role_assignments,
    graph_activity,
    groups,
    organization,
    policies,
    rsc_grants,
    service_principals,
    sign_ins_interactive,
    sign_ins_managed_identity,
    sign_ins_non_interactive,
    sign_ins_service_principal,
    subscribed_skus,
    users,
)
from m365audit.graph.feeds.collection import Collection

_LOGS: Final = (
    sign_ins_interactive.COLLECTION,
    sign_ins_non_interactive.COLLECTION,
    sign_ins_service_principal.COLLECTION,
    sign_ins_managed_identity.COLLECTION,
    directory_audits.COLLECTION,
    audit_exchange.COLLECTION,
    audit_sharepoint.COLLECTION,
    audit_entra.COLLECTION,
    audit_general.COLLECTION,
    audit_queries.COLLECTION,
    call_records.COLLECTION,
    graph_activity.COLLECTION,
)
_STATE: Final = (
    organization.COLLECTION,
    subscribed_skus.COLLECTION,
    service_principals.COLLECTION,
    applications.COLLECTION,
    delegated_permission_grants.COLLECTION,
    app_role_assignments.COLLECTION,
    rsc_grants.COLLECTION,
    exchange_role_assignments.COLLECTION,
    policies.COLLECTION,
    users.COLLECTION,
    groups.COLLECTION,
)

COLLECTIONS: Final[Mapping[str, Collection]] = MappingProxyType({each.name: each for each in (*_LOGS, *_STATE)})
"""Name → collection."""
