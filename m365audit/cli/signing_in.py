"""The command that lets a person sign in, for audits with a person's own rights."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from m365audit.cli.options import config_option
from m365audit.cli.session import check_state_is_known, load, tenant_id_of
from m365audit.cli.streams import say
from m365audit.config import LoginCredential, Settings
from m365audit.errors import ConfigurationError

_LOCKED_OUT: Final = 3


@click.command(short_help="Sign in as a person, for a tenant whose credential says so.")
@click.option("--tenant", "wanted", required=True, metavar="NAME", help="Which tenant: id or name.")
@click.option(
    "--device-code", is_flag=True, help="Sign in with a code in a browser anywhere: for machines that have none."
)
@click.option("--forget", "is_forgotten", is_flag=True, help="Delete what is kept of the login.")
@config_option()
def login(wanted: str, *, device_code: bool, is_forgotten: bool, config_path: Path | None) -> None:
    """Sign in as a person; later runs audit with that person's rights, until the login ends or is revoked.

    For a tenant with `credential: {kind: login, client_id: ...}`. The application has to allow public client flows,
    and http://localhost as redirect address of the platform "Mobile and desktop applications".

    An audit with a certificate sees the same every day; one with a person's rights sees what that person may see. The
    login is kept encrypted: in this account's keyring where there is one, else in the state folder, where it is safe
    from who reads a copy of state/login alone, and not from who can read all that the auditor's account can.
    """
    loaded, _ = load(config_path)
    check_state_is_known(loaded)
    settings = loaded.settings
    tenant = tenant_id_of(settings, wanted)
    credential = _credential_of(settings, tenant)
    from m365audit.graph.clouds import cloud_of  # noqa: PLC0415 - goes with it
    from m365audit.graph.failures import SignInError  # noqa: PLC0415 - goes with it
    from m365audit.graph.login import forget, log_in  # noqa: PLC0415 - costs a second

    if is_forgotten:
        was_there = forget(tenant, state=settings.state)
        say("the login is deleted; to end what was handed out, revoke the account's sessions in Entra"
            if was_there else "nobody was logged in")  # fmt: skip
        return
    cloud = cloud_of(settings.cloud)
    try:
        person = log_in(
            credential, tenant, cloud.login, cloud.scope("graph"),
            ca_file=cloud.ca_file, state=settings.state, device_code=device_code, tell=say,
        )  # fmt: skip
    except SignInError as error:
        say(f"error: {error}")
        sys.exit(_LOCKED_OUT)
    say(f"signed in as {person.name or 'a person without a name'}; the login is kept in {person.place}")


def _credential_of(settings: Settings, tenant: str) -> LoginCredential:
    found = settings.tenant(tenant)
    if found is None or not isinstance(found.credential, LoginCredential):
        hint = "write `credential: {kind: login, client_id: …}`; with any other kind nobody has to log in"
        raise ConfigurationError("the tenant's credential is not of the kind login", hint=hint)
    return found.credential
