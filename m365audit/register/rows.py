"""The register as rows for the store: records, apps, versions, segments, entries. Never one of an invalid register."""

from __future__ import annotations

from datetime import datetime

from m365audit.config.adequacy import shipped_adequacy
from m365audit.config.durations import iso
from m365audit.register.document import ConsentRecord
from m365audit.register.integration import Integration
from m365audit.register.processes import Process, ResourceList, Transfer
from m365audit.register.reading import Register
from m365audit.register.state import ending_of, process_names, timeline, versions

Row = dict[str, object]

TABLES = ("register_records", "register_apps", "register_versions", "register_segments", "register_entries")


def register_rows(register: Register) -> dict[str, list[Row]]:
    """Return the rows of every register table; all empty when the register is invalid.

    Times are ISO 8601 text with ``Z``; GUIDs and user principal names are lower case; ``version`` and ``entry`` are
    positions in the record's history, from 0.
    """
    rows: dict[str, list[Row]] = {table: [] for table in TABLES}
    for record in register.records if register.is_valid else ():
        rows["register_records"].append(_record_row(record))
        rows["register_apps"] += [
            {"tenant_id": record.tenant, "record": record.record, "app_id": app_id}
            for app_id in record.integration.app_ids
        ]
        rows["register_versions"] += _version_rows(record)
        rows["register_segments"] += _segment_rows(record)
        rows["register_entries"] += _entry_rows(record)
    return rows


def _record_row(record: ConsentRecord) -> Row:
    return {
        "tenant_id": record.tenant,
        "record": record.record,
        "integration_kind": record.integration.kind,
        "integration_name": record.integration.name,
        "controller": record.controller,
        "processor": record.processor,
        **_integration_columns(record.integration),
        "file": record.file,
    }


def _integration_columns(integration: Integration) -> Row:
    telephony, website = integration.telephony, integration.website
    return {
        "publisher": integration.publisher,
        "owner_tenant_id": integration.owner_tenant_id,
        "credential": integration.credential,
        "telephony_system": telephony and telephony.system,
        "pbx_host_country": telephony and telephony.pbx_host_country,
        "trunks": list(telephony.trunks) if telephony else [],
        "website_origin": website and website.origin,
    }


def _version_rows(record: ConsentRecord) -> list[Row]:
    rows = []
    for version, entry in versions(record).items():
        for process in entry.processes:
            ending = ending_of(record, process.id, version)
            rows.append(
                {
                    "tenant_id": record.tenant,
                    "record": record.record,
                    "process": process.id,
                    "version": version,
                    **_process_columns(process, entry.effective_from),
                    "policy_version": entry.policy_version,
                    "notice_sha256": entry.notice_sha256,
                    "effective_from": iso(entry.effective_from),
                    "effective_until": iso(entry.effective_until),
                    "recorded_at": iso(entry.recorded_at),
                    "ended_at": None if ending is None else iso(ending.ended_at),
                    "ended_by": None if ending is None else ending.ended_by,
                }
            )
    return rows


def _process_columns(process: Process, begins: datetime) -> Row:
    listed = process.resources if isinstance(process.resources, ResourceList) else ResourceList()
    return {
        "workload": process.workload,
        "operations": list(process.operations),
        "permissions": [{"name": entry.name, "kind": entry.kind, "api": entry.api} for entry in process.permissions],
        "covers_all": process.resources == "all",
        "resource_ids": list(listed.ids or ()),
        "resource_groups": list(listed.groups or ()),
        "regions": _countries(process.regions, begins),
        "purpose": process.purpose,
        "legal_basis": process.legal_basis,
        **_agreed_columns(process),
    }


def _agreed_columns(process: Process) -> Row:
    """Return what the process says beside its reach; what it does not say is None, not empty."""
    return {
        "data_categories": _listed(process.data_categories),
        "data_subjects": _listed(process.data_subjects),
        "legitimate_interest_ref": process.legitimate_interest_ref,
        "consent_store": process.consent_store,
        "recipients": _listed(process.recipients),
        "transfers": [_transfer(transfer) for transfer in process.transfers or ()],
        "retention": process.retention,
    }


def _listed(texts: tuple[str, ...] | None) -> list[str] | None:
    return None if texts is None else list(texts)


def _transfer(transfer: Transfer) -> Row:
    return {
        "country": transfer.country,
        "recipient": transfer.recipient,
        "tool": transfer.tool,
        "ref": transfer.ref,
        "sha256": transfer.sha256,
        "valid_until": _iso_or_none(transfer.valid_until),
    }


def _countries(regions: tuple[str, ...] | None, begins: datetime) -> list[str] | None:
    """Return the recorded regions as country codes, EU and EEA written out as they were when the entry begins to hold.

    None when none are recorded.
    """
    if regions is None:
        return None
    groups = shipped_adequacy().groups(begins)
    return sorted({country for region in regions for country in groups.get(region, {region})})


def _segment_rows(record: ConsentRecord) -> list[Row]:
    return [
        {
            "tenant_id": record.tenant,
            "record": record.record,
            "process": process,
            "valid_from": _iso_or_none(segment.valid_from),
            "valid_to": _iso_or_none(segment.valid_to),
            "version": segment.version,
            "period_reason": segment.period_reason,
        }
        for process in process_names(record)
        for segment in timeline(record, process)
    ]


def _entry_rows(record: ConsentRecord) -> list[Row]:
    return [
        {
            "tenant_id": record.tenant,
            "record": record.record,
            "entry": position,
            "event": entry.event,
            "recorded_at": iso(entry.recorded_at),
            "effective_from": iso(entry.effective_from),
            "entry_hash": record.entry_hashes[position],
        }
        for position, entry in enumerate(record.history)
    ]


def _iso_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)
