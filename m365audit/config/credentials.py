"""How the auditor signs in: references to secrets, never secrets. Signs in to nothing itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema

from m365audit.config.shapes import Guid, Refusal, Strict, fault
from m365audit.config.spelling import shown

SECRET = Refusal(
    "secret_value",
    "a secret does not belong into this file",
    "put it into a file that only the auditor can read and name that file, e.g. {kind: secret_file, file: …}",
)
SECRET_KEYS: Final = (
    "secret",
    "client_secret",
    "password",
    "passphrase",
    "token",
    "key",
    "private_key",
    "certificate",
    "api_key",
)


def _path(value: object, info: ValidationInfo) -> Path:
    """Return a path as it stands from the folder of the configuration file."""
    if isinstance(value, Path):
        text = str(value)
    elif isinstance(value, str) and value.strip():
        text = value
    else:
        fault("bad_path", f"{shown(value)} is not a path", "write a path, e.g. ./state")
    try:
        expanded = Path(text).expanduser()
    except RuntimeError:
        fault("bad_path", f"{shown(text)}: there is no such home folder", "write the path out")
    base: Path = (info.context or {}).get("base", Path())
    return Path(os.path.normpath(base / expanded))


FilePath = Annotated[Path, BeforeValidator(_path), WithJsonSchema({"type": "string", "minLength": 1})]


class _Credential(Strict):
    refused: ClassVar[Mapping[str, Refusal]] = dict.fromkeys(SECRET_KEYS, SECRET)


class CertificateCredential(_Credential):
    """A certificate with its key, both in one PEM file."""

    kind: Literal["certificate"]
    client_id: Guid = Field(examples=["22222222-2222-4222-8222-222222222222"])
    file: FilePath = Field(examples=["key-and-cert.pem"])


class SecretFileCredential(_Credential):
    """A client secret, alone in a file."""

    kind: Literal["secret_file"]
    client_id: Guid = Field(examples=["22222222-2222-4222-8222-222222222222"])
    file: FilePath = Field(examples=["client-secret.txt"])


class ManagedIdentityCredential(_Credential):
    """The identity of the Azure machine the auditor runs on."""

    kind: Literal["managed_identity"]
    client_id: Guid | None = None


class WorkloadIdentityCredential(_Credential):
    """A federated token that the platform keeps in a file."""

    kind: Literal["workload_identity"]
    client_id: Guid = Field(examples=["22222222-2222-4222-8222-222222222222"])
    token_file: FilePath = Field(examples=["/var/run/secrets/azure/tokens/azure-identity-token"])


class AzureCliCredential(_Credential):
    """Whoever is signed in to the Azure command line."""

    kind: Literal["azure_cli"]


Credential = Annotated[
    CertificateCredential
    | SecretFileCredential
    | ManagedIdentityCredential
    | WorkloadIdentityCredential
    | AzureCliCredential,
    Field(discriminator="kind"),
]
