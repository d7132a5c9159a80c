"""Owns the demo's world as a running Microsoft 365 would hold it, the auditor's keys included. Must never serve it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from m365audit.simulator.auditor import registration
from m365audit.simulator.diary import OBSERVED, Diary, at
from m365audit.simulator.people import Tenant
from m365audit.simulator.served import (
    COLLECTIONS,
    CONTENT_TYPES,
    Record,
    ServedClient,
    ServedPerson,
    ServedTenant,
    ServedWorld,
)
from m365audit.simulator.served_audit import audit_log
from m365audit.simulator.served_directory import PLANS, directory, members, team_grants
from m365audit.simulator.served_logs import (
    arrivals,
    call_records,
    direct_routing_calls,
    directory_audits,
    pstn_calls,
    sign_ins,
)

_A_YEAR: Final = timedelta(days=365)
_ROLE_ON_AUDITOR: Final = {"admin": ("m365audit.reviewer",)}


@dataclass(frozen=True, slots=True)
class Keyring:
    """What the auditor signs in with.

    Attributes:
        files: content of each credential file, by its name.
        certificates: PEM of the certificate that the tenant registered, by tenant id.
    """

    files: Mapping[str, bytes]
    certificates: Mapping[str, str]


def new_keys(tenants: Sequence[Tenant], today: datetime) -> Keyring:
    """Return credentials for every tenant that are good on the day when they are used.

    Secrets depend on the names alone. Keys of certificates are made anew each time: the one thing in this world that
    no seed decides. Libraries and TLS hold a certificate's end against the host's clock, never the simulated one: so
    it lives for a year from today at least, whatever the invented directory tells of its end.

    Args:
        tenants: who needs them.
        today: the host's time.
    """
    files: dict[str, bytes] = {}
    certificates: dict[str, str] = {}
    for tenant in tenants:
        registered = registration(tenant)
        if registered.credential == "secret_file":
            files[registered.file] = registered.secret.encode() + b"\n"
            continue
        ends_at = max(datetime.fromisoformat(registered.ends_at), today + _A_YEAR)
        key, certificate = _certificate(registered.app.name, ends_at)
        files[registered.file] = key + certificate
        certificates[tenant.id] = certificate.decode()
    return Keyring(files, certificates)


def _certificate(name: str, ends_at: datetime) -> tuple[bytes, bytes]:
    """Return a new key and its self-signed certificate, as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2026, 8, 20, 9, tzinfo=UTC))
        .not_valid_after(ends_at)
        .sign(key, hashes.SHA256())
    )
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return encoded, certificate.public_bytes(serialization.Encoding.PEM)


def served_world(diaries: Sequence[Diary], keys: Keyring) -> ServedWorld:
    """Return the tenants of the diaries as the API shows them; its clock starts at ``OBSERVED``."""
    return ServedWorld.of(*(_tenant(diary, keys) for diary in diaries), now=OBSERVED)


def _tenant(diary: Diary, keys: Keyring) -> ServedTenant:
    tenant = diary.tenant
    registered = registration(tenant)
    client = ServedClient(
        secret=registered.secret if registered.credential == "secret_file" else None,
        certificate=keys.certificates.get(tenant.id),
        roles=registered.permissions,
        manage_roles=("ActivityFeed.Read",),
    )
    audit = audit_log(diary)
    subscribed = dict.fromkeys(CONTENT_TYPES.values(), at(1) - timedelta(days=12))
    served = ServedTenant(
        id=tenant.id,
        name=tenant.name,
        clients={registered.app.id: client},
        people={
            p.upn: ServedPerson(p.id, p.name, p.upn, _ROLE_ON_AUDITOR.get(k, ())) for k, p in tenant.people.items()
        },
        plans=list(PLANS[tenant.key]),
        collections={name: [] for name in COLLECTIONS} | _collections(diary),
        members=members(tenant, diary.held),
        arrivals=arrivals(diary),
        audit=audit,
        is_audit_enabled=bool(audit),
        subscriptions=subscribed if audit else {},
    )
    served.grants_below.update(team_grants(tenant, diary.held))
    return served


def _collections(diary: Diary) -> dict[str, list[Record]]:
    has_telephony = any("callRecords" in call.path for call in diary.calls)
    return {
        **directory(diary.tenant, diary.held),
        "signIns": sign_ins(diary),
        "directoryAudits": directory_audits(diary),
        "callRecords": call_records(diary),
        "pstnCalls": pstn_calls(diary.tenant) if has_telephony else [],
        "directRoutingCalls": direct_routing_calls(diary.tenant) if has_telephony else [],
    }
