"""How the auditor signs in: references to secrets, never secrets. Signs in to nothing itself."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema, model_validator

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
_VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]*\Z")


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


def _variable_name(text: str) -> str:
    """Return the name of an environment variable; what stands there instead of a name may be the secret itself."""
    if not _VARIABLE.match(text):
        fault("bad_variable", "this is not the name of an environment variable", "write a name like M365AUDIT_PASSWORD")
    return text


VariableName = Annotated[
    str, AfterValidator(_variable_name), WithJsonSchema({"type": "string", "pattern": "^[A-Z_][A-Z0-9_]*$"})
]


class _Credential(Strict):
    refused: ClassVar[Mapping[str, Refusal]] = dict.fromkeys(SECRET_KEYS, SECRET)


class CertificateCredential(_Credential):
    """A certificate with its key, both in one file: PEM, or PKCS #12 (PFX).

    The file's password, where it has one, stands in a file of its own or in an environment variable.
    ``send_certificate_chain`` is for applications that trust a subject and issuer instead of one certificate.
    """

    kind: Literal["certificate"]
    client_id: Guid = Field(examples=["22222222-2222-4222-8222-222222222222"])
    file: FilePath = Field(examples=["key-and-cert.pem"])
    password_file: FilePath | None = Field(default=None, examples=["pfx-password.txt"])
    password_env: VariableName | None = Field(default=None, examples=["M365AUDIT_PFX_PASSWORD"])
    send_certificate_chain: bool = False

    @model_validator(mode="after")
    def _has_one_password(self) -> Self:
        if self.password_file is not None and self.password_env is not None:
            fault("two_passwords", "password_file and password_env exclude each other", "keep one of them")
        return self


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


class LoginCredential(_Credential):
    """A person who has signed in with ``m365audit login``; what is read is what that person may read."""

    kind: Literal["login"]
    client_id: Guid = Field(examples=["22222222-2222-4222-8222-222222222222"])


Credential = Annotated[
    CertificateCredential
    | SecretFileCredential
    | ManagedIdentityCredential
    | WorkloadIdentityCredential
    | AzureCliCredential
    | LoginCredential,
    Field(discriminator="kind"),
]
