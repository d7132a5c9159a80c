"""Owns what codes and refresh tokens stand for until somebody brings them. Must never give a token for one."""

from __future__ import annotations

from dataclasses import dataclass, field

from m365audit.simulator.served import ServedPerson


@dataclass(slots=True)
class Promise:
    """What a code or a refresh token stands for.

    Attributes:
        tenant: tenant id.
        client: client id.
        scope: scopes that were asked for.
        person: who signed in; None while nobody has.
        redirect: where the code went.
        challenge: PKCE challenge (S256).
        nonce: goes into the id token.
        signed_in_at: when the person proved who they are, seconds since 1970; 0 when nobody asked.
        is_declined: the person said no.
    """

    tenant: str
    client: str
    scope: str
    person: ServedPerson | None = None
    redirect: str = ""
    challenge: str = ""
    nonce: str = ""
    signed_in_at: int = 0
    is_declined: bool = False


@dataclass(slots=True)
class SignIns:
    """Codes and refresh tokens that were given out.

    Attributes:
        approves: user principal name of who signs in when asked; None: the tenant's first person.
        waits: a device code is approved only when `approve` is called.
        devices: device code → promise.
        user_codes: what the person types → device code.
        codes: authorization code → promise; each is taken once.
        refreshes: refresh token → promise.
    """

    approves: str | None = None
    waits: bool = False
    devices: dict[str, Promise] = field(default_factory=dict)
    user_codes: dict[str, str] = field(default_factory=dict)
    codes: dict[str, Promise] = field(default_factory=dict)
    refreshes: dict[str, Promise] = field(default_factory=dict)
