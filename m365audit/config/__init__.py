"""``m365audit.yaml`` and ``policy.yaml`` as frozen values, with every mistake named by file, line and key."""

from __future__ import annotations

from typing import Any

from m365audit.config.adequacy import Adequacy, Country, load_adequacy
from m365audit.config.clocks import Clock, Clocks, load_clocks, months_after
from m365audit.config.credentials import (
    AzureCliCredential,
    CertificateCredential,
    Credential,
    LoginCredential,
    ManagedIdentityCredential,
    SecretFileCredential,
    WorkloadIdentityCredential,
)
from m365audit.config.durations import iso, parse_duration, parse_period, parse_time
from m365audit.config.policy import LoadedPolicy, Policy, load_policy
from m365audit.config.reporting import ReportSettings
from m365audit.config.review import ROLES, PersonSettings, ReviewSettings, SignInSettings
from m365audit.config.settings import (
    CloudEndpoints,
    LoadedSettings,
    Settings,
    StandingImport,
    TenantSettings,
    load_settings,
    settings_file,
)
from m365audit.config.storage import StorageSettings

__all__ = [
    "ROLES",
    "Adequacy",
    "AzureCliCredential",
    "CertificateCredential",
    "Clock",
    "Clocks",
    "CloudEndpoints",
    "Country",
    "Credential",
    "LoadedPolicy",
    "LoadedSettings",
    "LoginCredential",
    "ManagedIdentityCredential",
    "PersonSettings",
    "Policy",
    "ReportSettings",
    "ReviewSettings",
    "SecretFileCredential",
    "Settings",
    "SignInSettings",
    "StandingImport",
    "StorageSettings",
    "TenantSettings",
    "WorkloadIdentityCredential",
    "iso",
    "json_schemas",
    "load_adequacy",
    "load_clocks",
    "load_policy",
    "load_settings",
    "months_after",
    "parse_duration",
    "parse_period",
    "parse_time",
    "settings_file",
]


def json_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schemas of this room's files by name; the register adds its own (``record_schema``)."""
    return {
        "settings": Settings.model_json_schema(),
        "policy": Policy.model_json_schema(),
        "clocks": Clocks.model_json_schema(),
        "adequacy": Adequacy.model_json_schema(),
    }
