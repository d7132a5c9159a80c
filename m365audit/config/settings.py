"""``m365audit.yaml``: what is audited, where things are kept. Never holds a secret, only where one is found."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from m365audit.config.complaints import check
from m365audit.config.credentials import SECRET, SECRET_KEYS, Credential, FilePath
from m365audit.config.privacy import PrivacySettings
from m365audit.config.reporting import ReportSettings
from m365audit.config.review import ReviewSettings, check_people
from m365audit.config.shapes import Guid, Refusal, Strict, Text, Time, fault
from m365audit.config.spelling import nearest, shown, suggestion
from m365audit.config.storage import Endpoint, StorageSettings
from m365audit.config.yamlnodes import Document, KeyPath, read_document, walk
from m365audit.errors import ConfigurationError
from m365audit.model import EXPORT_KINDS, FEEDS, Problem

ENVIRONMENT_VARIABLE: Final = "M365AUDIT_CONFIG"
DEFAULT_FILE: Final = "m365audit.yaml"


class CloudEndpoints(Strict):
    """A cloud given by its addresses instead of its name."""

    login: Endpoint = Field(examples=["https://login.microsoftonline.com"])
    graph: Endpoint = Field(examples=["https://graph.microsoft.com"])
    manage: Endpoint = Field(examples=["https://manage.office.com"])
    ca_file: FilePath | None = None


def _export_kind(text: str) -> str:
    if text not in EXPORT_KINDS:
        fault("unknown_value", f"{shown(text)} is not a kind of export", suggestion(text, EXPORT_KINDS))
    return text


class StandingImport(Strict):
    """A folder or file of exports that every run reads.

    ``from`` and ``to`` say that the files hold everything that the log had between these times; without them only the
    hours that storage paths name, and the extent of the events, count as covered.
    """

    path: FilePath = Field(examples=["/exports/contoso/insights-logs-microsoftgraphactivitylogs"])
    kind: (
        Annotated[str, AfterValidator(_export_kind), WithJsonSchema({"type": "string", "enum": list(EXPORT_KINDS)})]
        | None
    ) = None
    begin: Time | None = Field(default=None, alias="from", examples=["2026-09-01T00:00:00Z"])
    end: Time | None = Field(default=None, alias="to", examples=["2026-09-15T00:00:00Z"])

    @model_validator(mode="after")
    def _is_window(self) -> Self:
        if (self.begin is None) != (self.end is None):
            fault("half_window", "from and to go together", "give both, or neither")
        if self.begin is not None and self.end is not None and self.end <= self.begin:
            fault("empty_window", "to is not after from", "give the first moment, and the first moment after it")
        return self

    @property
    def window(self) -> tuple[datetime, datetime] | None:
        """What the files are said to hold whole: first moment, and first moment after it."""
        return (self.begin, self.end) if self.begin is not None and self.end is not None else None


def _feed(text: str) -> str:
    if text not in FEEDS:
        fault("unknown_value", f"{shown(text)} is not a feed", suggestion(text, FEEDS))
    return text


def _all_feeds(value: object) -> object:
    """Return every feed for the word ``all``."""
    if isinstance(value, str) and value != "all":
        close = nearest(value, ("all", *FEEDS))
        hint = f"; did you mean {close}?" if close == "all" else ""
        fault(
            "wrong_shape", f"{shown(value)} is neither the word all nor a list", f"write all, or [graph_activity]{hint}"
        )
    return FEEDS if value == "all" else value


FeedName = Annotated[str, AfterValidator(_feed)]
Feeds = Annotated[
    tuple[FeedName, ...],
    Field(min_length=1),
    AfterValidator(lambda names: tuple(feed for feed in FEEDS if feed in names)),
    BeforeValidator(_all_feeds),
    WithJsonSchema({"anyOf": [{"const": "all"}, {"type": "array", "items": {"enum": list(FEEDS)}, "minItems": 1}]}),
]


class TenantSettings(Strict):
    """One audited tenant; without ``credential`` it is fed by imports only."""

    id: Guid = Field(examples=["11111111-1111-4111-8111-111111111111"])
    name: Text | None = None
    credential: Credential | None = None
    feeds: Feeds = FEEDS
    imports: tuple[StandingImport, ...] = Field(default=(), alias="import")
    storage: StorageSettings | None = None
    refused: ClassVar[Mapping[str, Refusal]] = dict.fromkeys(SECRET_KEYS, SECRET)

    @property
    def display_name(self) -> str:
        """The name a person knows, or the id."""
        return self.name or self.id


CloudName = Literal["global", "gcc", "usgov", "usgov-dod", "china"]


def _cloud_branch(value: object) -> str:
    """Send mappings to the addresses and everything else to the names."""
    return "CloudEndpoints" if isinstance(value, dict | CloudEndpoints) else "CloudName"


class Settings(Strict):
    """All of ``m365audit.yaml``, paths made absolute to the file's folder."""

    state: FilePath = Field(default=Path("state"), validate_default=True)
    publish: FilePath = Field(default=Path("publish"), validate_default=True)
    register_folder: FilePath = Field(default=Path("consent"), validate_default=True, alias="register")
    policy: FilePath = Field(default=Path("policy.yaml"), validate_default=True)
    cloud: Annotated[
        Annotated[CloudEndpoints, Tag("CloudEndpoints")] | Annotated[CloudName, Tag("CloudName")],
        Discriminator(_cloud_branch),
    ] = "global"
    tenants: tuple[TenantSettings, ...] = Field(default=(), json_schema_extra={"minItems": 1})
    review: ReviewSettings = ReviewSettings()
    report: ReportSettings = ReportSettings()
    privacy: PrivacySettings = PrivacySettings()
    refused: ClassVar[Mapping[str, Refusal]] = dict.fromkeys(SECRET_KEYS, SECRET)

    def tenant(self, tenant_id: str) -> TenantSettings | None:
        """Return a tenant by its id or name, without regard to case; None when there is none."""
        wanted = tenant_id.casefold()
        for entry in self.tenants:
            if wanted in {entry.id, entry.display_name.casefold()}:
                return entry
        return None


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The configuration as far as it can be used, and everything wrong with it.

    Attributes:
        settings: valid parts as written, defaults where a part is broken; evidence can still be imported with it.
        problems: empty when the file is valid.
        file: the file read.
    """

    settings: Settings
    problems: tuple[Problem, ...]
    file: Path

    @property
    def is_valid(self) -> bool:
        """True when nothing at all is wrong."""
        return not any(not problem.is_warning for problem in self.problems)


def settings_file(path: Path | None) -> Path:
    """Return which configuration file is meant: the one named, else the environment's, else the folder's own."""
    if path is not None:
        return path
    return Path(os.environ.get(ENVIRONMENT_VARIABLE) or DEFAULT_FILE)


def load_settings(path: Path | None = None) -> LoadedSettings:
    """Read the configuration.

    Args:
        path: the file from ``--config``; None to look in the environment, then in the current folder.

    Raises:
        ConfigurationError: there is no such file.
    """
    file = settings_file(path)
    if not file.exists():
        hint = "run `m365audit init` to write one, or name it with --config"
        raise ConfigurationError(f"there is no configuration at {file}", hint=hint)
    document = read_document(file)
    base = file.absolute().parent
    settings: Settings | None = None
    if document.is_readable:
        _refuse_secrets(document)
        settings = check(Settings, document, {"base": base})
        _check_tenants(document)
        check_people(document)
        settings = settings or _salvaged(document, base)
        _check_folders(settings, document)
    if settings is None or document.broken:
        settings = _salvaged(document, base)
    problems = sorted(document.problems, key=lambda problem: (problem.line, problem.path, problem.code))
    return LoadedSettings(settings, tuple(problems), file)


def _refuse_secrets(document: Document) -> None:
    """Refuse private keys pasted into any value, without showing them."""
    for path, value in walk(document.value):
        if isinstance(value, str) and "-----BEGIN" in value:
            document.problem(SECRET.code, path, SECRET.what, SECRET.todo)


def _check_tenants(document: Document) -> None:
    """Complain when no tenant is named, or one is named twice."""
    value = document.value
    tenants = value.get("tenants") if isinstance(value, dict) else None
    if tenants is None or tenants == []:
        if not document.is_broken(("tenants",)):
            todo = "add one, e.g. tenants: [{id: 11111111-1111-4111-8111-111111111111}]"
            document.problem("no_tenant", ("tenants",), "no tenant is named", todo)
        return
    first: dict[str, int] = {}
    for index, entry in enumerate(tenants if isinstance(tenants, list) else []):
        name = entry.get("id") if isinstance(entry, dict) else None
        if isinstance(name, str) and first.setdefault(name.lower(), index) != index:
            line = document.line(("tenants", first[name.lower()], "id"))
            what = f"the tenant {shown(name)} is already named on line {line}"
            document.problem("duplicate_tenant", ("tenants", index, "id"), what, "keep one of them")


def _check_folders(settings: Settings, document: Document) -> None:
    """Refuse a private folder inside the published one, or the reverse: one of them is for other people's eyes."""
    state, publish = settings.state, settings.publish
    if state != publish and state not in publish.parents and publish not in state.parents:
        return
    what = "state and publish lie in each other, but state is private and publish is for others to read"
    document.problem("overlapping_folders", ("publish",), what, "give each a folder of its own")
    document.broken.add(("state",))


def _salvaged(document: Document, base: Path) -> Settings:
    """Return the settings without the parts that have a problem; defaults take their place."""
    value = document.value if isinstance(document.value, dict) and () not in document.broken else {}
    kept = {key: inner for key, inner in value.items() if (key,) == ("tenants",) or not _has_problem(document, (key,))}
    tenants = value.get("tenants")
    kept["tenants"] = [
        _without_broken(document, index, tenant)
        for index, tenant in enumerate(tenants if isinstance(tenants, list) else [])
        if isinstance(tenant, dict) and "id" in tenant and not _is_lost(document, index)
    ]
    try:
        return Settings.model_validate(kept, context={"base": base})
    except ValidationError:
        return Settings.model_validate({}, context={"base": base})


def _is_lost(document: Document, index: int) -> bool:
    """Return whether a tenant cannot be kept because its id, or the whole of it, is broken."""
    return document.is_broken(("tenants", index)) or ("tenants", index, "id") in document.broken


def _without_broken(document: Document, index: int, tenant: dict[str, object]) -> dict[str, object]:
    return {key: inner for key, inner in tenant.items() if not _has_problem(document, ("tenants", index, key))}


def _has_problem(document: Document, path: KeyPath) -> bool:
    """Return whether a path, or anything under it, has a problem."""
    return any(broken[: len(path)] == path for broken in document.broken)
