"""Hands the catalogue out as rows for the store's tables; list columns are lists, unknown is None."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from m365audit.catalogue.files import listed, table

if TYPE_CHECKING:
    from collections.abc import Iterator

Row = dict[str, Any]


def endpoint_rows() -> Iterator[Row]:
    """Calls of the areas that are told apart exactly.

    Keys: template, method, workload, operation, resource_kind, resource_segment (1-based; 0 = the actor),
    permissions_application, permissions_delegated (lists). A template that ends in ``/**`` or ``/**/name`` is open:
    it holds for whatever lies below and is not written out. One that begins with ``/**/`` names a word that is of
    the workload wherever it stands below a coarse rule.
    """
    for row in table("endpoints"):
        segment = row["resource_segment"]
        yield {
            "template": row["template"],
            "method": row["method"],
            "workload": row["workload"] or None,
            "operation": row["operation"] or None,
            "resource_kind": row["resource_kind"] or None,
            "resource_segment": int(segment) if segment else None,
            "permissions_application": listed(row["permissions_application"]),
            "permissions_delegated": listed(row["permissions_delegated"]),
        }


def audit_operation_rows() -> Iterator[Row]:
    """Operations of the unified audit log.

    Keys: audit_workload (the record's ``Workload``), audit_operation (folded, see ``folded_operation_sql``),
    record_type (int or None = any), protocol (None = any; a row with one says which permissions that protocol takes),
    workload, operation, resource_kind, decided_by (``thread``: the record's chat or channel fields tell the workload),
    permissions_application, permissions_delegated (lists), note.
    """
    for row in table("audit_operations"):
        yield {
            **{key: row[key] or None for key in row},
            "record_type": int(row["record_type"]) if row["record_type"] else None,
            "permissions_application": listed(row["permissions_application"]),
            "permissions_delegated": listed(row["permissions_delegated"]),
        }


def audit_workload_rows() -> Iterator[Row]:
    """Services whose every audited operation has one workload. Keys: audit_workload, workload."""
    yield from (dict(row) for row in table("audit_workloads"))


def record_type_rows() -> Iterator[Row]:
    """Record types of the audit log. Keys: record_type (int), name, feed (one of the ``audit_*`` feeds)."""
    yield from (
        {"record_type": int(r["value"]), "name": r["name"], "feed": r["feed"]} for r in table("audit_record_types")
    )


def permission_reach_rows() -> Iterator[Row]:
    """What permissions reach. Keys: resource_app_id, permission, kind, workload, operations (list).

    One row per permission and workload; a permission that reaches no workload has none.
    """
    seen: set[tuple[str, str, str, str]] = set()
    for row in table("permissions"):
        for workload in row["workloads"].split():
            key = (row["resource_app_id"], row["name"], row["kind"], workload)
            if key not in seen:
                seen.add(key)
                yield {
                    "resource_app_id": key[0],
                    "permission": key[1],
                    "kind": key[2],
                    "workload": workload,
                    "operations": row["operations"].split(),
                }


def permission_id_rows() -> Iterator[Row]:
    """Ids of app roles and scopes. Keys: resource_app_id, kind, permission_id, permission, api."""
    for row in table("permissions"):
        if row["id"]:
            yield {
                "resource_app_id": row["resource_app_id"],
                "kind": row["kind"],
                "permission_id": row["id"],
                "permission": row["name"],
                "api": row["api"],
            }


def first_party_rows() -> Iterator[Row]:
    """Microsoft's own apps, owner tenant confirmed. Keys: app_id, app_name, owner_tenant_id."""
    for row in table("first_party_apps"):
        yield {"app_id": row["app_id"], "app_name": row["name"], "owner_tenant_id": row["owner_tenant_id"]}


def workload_feed_rows() -> Iterator[Row]:
    """Which log shows the use of which workload. Keys: workload, feed.

    Graph calls show in ``graph_activity`` only; what comes in by another door shows in the workload's own audit feed.
    """
    yield from (dict(row) for row in table("workload_feeds"))


def full_mailbox_permission_rows() -> Iterator[Row]:
    """Permissions that reach mailboxes whole. Keys: resource_app_id, permission, kind, listed_on (day), reason."""
    yield from (dict(row) for row in table("full_mailbox_permissions"))


def auditor_permission_rows() -> Iterator[Row]:
    """How the names of permissions say what an auditor may hold. Keys: what, name_part, opens.

    ``reading``: a pattern that the whole name of a permission to read matches. ``role``: a beginning that may not be
    held whatever follows. ``name``: a beginning and what it opens, of several the longest counts; ``opens`` is empty
    for one that may be held although a shorter beginning may not.
    """
    yield from (dict(row) for row in table("auditor_permissions"))


def microsoft_tenant_rows() -> Iterator[Row]:
    """Microsoft's tenants. Keys: tenant_id, name."""
    yield from (dict(row) for row in table("microsoft_tenants"))
