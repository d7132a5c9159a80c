"""Owns where the page is served and by which address it is reached; refuses what would let others in unseen."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from m365audit.errors import ConfigurationError

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8365
_LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_EVERY: Final = frozenset({"", "0.0.0.0", "::", "*"})  # noqa: S104 - refused as an address, not bound to
_USUAL: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asked for.

    Attributes:
        host, port: what to listen on; port 0 for any that is free.
        address: https origin that people type, where it is not host and port.
        certificate, key: PEM files for TLS.
        is_behind_proxy: a proxy of the reader's own does TLS.
    """

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    address: str | None = None
    certificate: Path | None = None
    key: Path | None = None
    is_behind_proxy: bool = False

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host in _LOOPBACK_NAMES:
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Place:
    """Where the page is reached.

    Attributes:
        origin: scheme, host and port as a browser writes them, e.g. ``http://127.0.0.1:8365``.
        is_secure: TLS between the browser and us, or our proxy.
        is_loopback: only this machine can reach it, and no proxy on it that others reach.
    """

    origin: str
    is_secure: bool
    is_loopback: bool

    @property
    def host(self) -> str:
        """What the Host header has to be, to the letter."""
        return urlsplit(self.origin).netloc

    @property
    def cookie(self) -> str:
        """Name of the session's cookie; on plain loopback with the port, because cookies do not know ports."""
        if self.is_secure:
            return "__Host-m365audit"
        return f"m365audit-{urlsplit(self.origin).port or 0}"


def check(wanted: Wanted, *, has_sign_in: bool) -> None:
    """Make sure that nobody can come in who was not meant to.

    Raises:
        ConfigurationError: others could reach the page without signing in or without TLS; says what is missing.
    """
    if (wanted.certificate is None) != (wanted.key is None):
        raise ConfigurationError("a certificate and its key go together", hint="give --certificate and --key")
    if wanted.is_behind_proxy and wanted.address is None:
        raise ConfigurationError(
            "behind a proxy, the address that people type is not known", hint="give it: --address https://HOST"
        )
    if wanted.address is not None:
        _check_address(wanted)
    if wanted.is_loopback and not wanted.is_behind_proxy:
        return
    if not has_sign_in:
        raise ConfigurationError(
            "others than this machine's users would reach the page, and nobody would have to sign in",
            hint="configure `review: {sign_in: {tenant, client_id}}`, or leave --host and --behind-proxy out",
        )
    if wanted.certificate is None and not wanted.is_behind_proxy:
        raise ConfigurationError(
            "others than this machine's users would reach the page without TLS",
            hint="give --certificate and --key, or say --behind-proxy where a proxy of yours does TLS",
        )
    if wanted.host in _EVERY and wanted.address is None:
        raise ConfigurationError(
            f"{wanted.host or 'an empty host'} is no address to type", hint="give it: --address https://HOST"
        )


def _check_address(wanted: Wanted) -> None:
    parts = urlsplit(wanted.address or "")
    is_origin = (
        bool(parts.hostname) and parts.path in {"", "/"} and not (parts.query or parts.fragment or "@" in parts.netloc)
    )
    if not is_origin or parts.scheme != "https":
        raise ConfigurationError(
            f"{wanted.address!r} is not an https address", hint="write it like https://audit.contoso.com"
        )
    if wanted.certificate is None and not wanted.is_behind_proxy:
        raise ConfigurationError("an https address needs TLS", hint="give --certificate and --key, or --behind-proxy")


def place_of(wanted: Wanted, port: int, *, has_sign_in: bool) -> Place:
    """Return where the page is reached, once the port is known.

    Entra lets an application on loopback have any port under the name ``localhost`` only.
    """
    is_secure = wanted.certificate is not None or wanted.is_behind_proxy
    if wanted.address is not None:
        parts = urlsplit(wanted.address)
        return Place(
            _origin("https", parts.hostname or "", parts.port or 443),
            is_secure=True,
            is_loopback=wanted.is_loopback and not wanted.is_behind_proxy,
        )
    host = wanted.host
    if has_sign_in and wanted.is_loopback and not is_secure:
        host = "localhost"
    return Place(_origin("https" if is_secure else "http", host, port), is_secure, wanted.is_loopback)


def _origin(scheme: str, host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host.lower()
    return f"{scheme}://{shown}" if port == _USUAL[scheme] else f"{scheme}://{shown}:{port}"


def tls_of(wanted: Wanted) -> ssl.SSLContext | None:
    """Return what does TLS here, None where nothing or a proxy does.

    Raises:
        ConfigurationError: the files are no certificate with its key.
    """
    if wanted.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(wanted.certificate, wanted.key)
    except (ssl.SSLError, OSError) as error:
        reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or "unreadable"
        raise ConfigurationError(
            f"{wanted.certificate} with {wanted.key} cannot be used for TLS: {reason}",
            hint="give PEM files that belong together",
        ) from error
    return context
