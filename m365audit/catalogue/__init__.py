"""The permission catalogue: what a logged call is, which permissions allow it, what a permission reaches.

Owns the reading of ``config/catalogue/*.csv`` and the grammar of Microsoft Graph URLs. Judges nothing, touches no
database: it hands out rows, SQL text and answers. The facts' sources stand in ``config/catalogue/SOURCES.md``.
"""

from m365audit.catalogue.permissions import PermissionNames, permission_names, role_name
from m365audit.catalogue.rows import (
    audit_operation_rows,
    audit_workload_rows,
    auditor_permission_rows,
    endpoint_rows,
    first_party_rows,
    full_mailbox_permission_rows,
    microsoft_tenant_rows,
    permission_id_rows,
    permission_reach_rows,
    record_type_rows,
    workload_feed_rows,
)
from m365audit.catalogue.templates import match_shapes
from m365audit.catalogue.urls import LONGEST_LITERAL, folded_operation_sql, path_sql, segment_sql, shape_sql

__all__ = [
    "LONGEST_LITERAL",
    "PermissionNames",
    "audit_operation_rows",
    "audit_workload_rows",
    "auditor_permission_rows",
    "endpoint_rows",
    "first_party_rows",
    "folded_operation_sql",
    "full_mailbox_permission_rows",
    "match_shapes",
    "microsoft_tenant_rows",
    "path_sql",
    "permission_id_rows",
    "permission_names",
    "permission_reach_rows",
    "record_type_rows",
    "role_name",
    "segment_sql",
    "shape_sql",
    "workload_feed_rows",
]
