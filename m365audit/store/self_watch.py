"""What the store keeps of the auditor itself: its way into each tenant, and what happened to it on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that happened to the auditor in one tenant.

    Attributes:
        tenant: tenant id.
        kind: ``link_refused``, ``sign_in_failed`` …
        at: when, by Microsoft's clock where it answered.
        detail: a sentence for people.
        collection: what was being read, None when nothing was.
        target: the place, where one was named.
        run_id: the run.
    """

    tenant: str
    kind: str
    at: datetime
    detail: str
    collection: str | None = None
    target: str | None = None
    run_id: str = ""

    @property
    def event_id(self) -> str:
        """Return an id that the same incident always has."""
        parts = (self.tenant, self.kind, self.at.isoformat(), self.collection or "", self.target or "", self.detail)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def note_event(connection: duckdb.DuckDBPyConnection, incident: Incident) -> None:
    """Keep an incident; the same one once."""
    connection.execute(
        "INSERT INTO collection_events (tenant_id, event_id, occurred_at, kind, collection, target, detail, run_id) "
        "SELECT $tenant, $id, $at, $kind, $collection, $target, $detail, $run "
        "WHERE NOT EXISTS (SELECT 1 FROM collection_events WHERE tenant_id = $tenant AND event_id = $id)",
        {
            "tenant": incident.tenant, "id": incident.event_id, "at": incident.at, "kind": incident.kind,
            "collection": incident.collection, "target": incident.target, "detail": incident.detail,
            "run": incident.run_id,
        },
    )  # fmt: skip


def note_signed_in(
    connection: duckdb.DuckDBPyConnection,
    tenant: str,
    *,
    client_id: str,
    roles: Sequence[str],
    scopes: Sequence[str],
    credential_expires_at: datetime | None,
    at: datetime,
) -> None:
    """Note that the auditor was let in, as whom, and with which permissions.

    Args:
        connection: the working database.
        tenant: tenant id.
        client_id: application id in the token; empty when it does not say.
        roles: application permissions in it.
        scopes: delegated permissions in it.
        credential_expires_at: end of the credential's life; None when nobody can know.
        at: when, by Microsoft's clock.
    """
    _ensure(connection, tenant)
    connection.execute(
        "UPDATE sign_in_states SET is_signed_in = TRUE, client_id = ?, roles = ?, scopes = ?, "
        "credential_expires_at = ?, signed_in_at = ?, is_refused = NULL, code = NULL, message = NULL, hint = NULL "
        "WHERE tenant_id = ?",
        [client_id.lower() or None, sorted(set(roles)), sorted(set(scopes)), credential_expires_at, at, tenant],
    )


def note_sign_in_failed(
    connection: duckdb.DuckDBPyConnection,
    tenant: str,
    *,
    is_refused: bool,
    code: str,
    message: str,
    hint: str,
    at: datetime,
    run_id: str,
) -> None:
    """Note that the auditor was not let in, or that nobody could be asked; what it last held stays known."""
    _ensure(connection, tenant)
    connection.execute(
        "UPDATE sign_in_states SET is_signed_in = FALSE, failed_at = ?, is_refused = ?, code = ?, message = ?, "
        "hint = ? WHERE tenant_id = ?",
        [at, is_refused, code or None, message, hint, tenant],
    )
    kind = "sign_in_failed" if is_refused else "sign_in_impossible"
    note_event(connection, Incident(tenant, kind, at, message, target=code or None, run_id=run_id))


def _ensure(connection: duckdb.DuckDBPyConnection, tenant: str) -> None:
    connection.execute(
        "INSERT INTO sign_in_states (tenant_id, is_signed_in) "
        "SELECT $tenant, FALSE WHERE NOT EXISTS (SELECT 1 FROM sign_in_states WHERE tenant_id = $tenant)",
        {"tenant": tenant},
    )
