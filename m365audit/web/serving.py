"""Owns the server: the socket, the one-time link, how it stops. Knows no page."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import sys
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from aiohttp import web

from m365audit.errors import ConfigurationError
from m365audit.web import guards
from m365audit.web.application import application
from m365audit.web.desk import Desk
from m365audit.web.place import Place, Wanted, place_of

_STOPPING_SECONDS: Final = 2.0
_KEEP_ALIVE_SECONDS: Final = 30.0
Tell = Callable[[str], None]


def serve(make: Callable[[Place], Desk], wanted: Wanted, tls: ssl.SSLContext | None, *, has_sign_in: bool, tell: Tell,
          opens_browser: bool) -> None:  # fmt: skip
    """Serve until Ctrl-C or SIGTERM.

    Args:
        make: makes the desk, once it is known by which address the page is reached.
        wanted: what to listen on.
        tls: what does TLS here; None where nothing or a proxy does.
        has_sign_in: people sign in with Entra.
        tell: shows a line to whoever started it.
        opens_browser: show the page in this machine's browser, where there is one.

    Raises:
        ConfigurationError: the port cannot be had.
    """
    asyncio.run(_serve(make, wanted, tls, has_sign_in=has_sign_in, tell=tell, opens_browser=opens_browser))


async def _serve(make: Callable[[Place], Desk], wanted: Wanted, tls: ssl.SSLContext | None, *, has_sign_in: bool,
                 tell: Tell, opens_browser: bool) -> None:  # fmt: skip
    stop = _stop_event()
    listening = _listen(wanted)
    port = int(listening.getsockname()[1])
    desk = make(place_of(wanted, port, has_sign_in=has_sign_in))
    runner = web.AppRunner(
        application(desk), access_log=None, handle_signals=False, shutdown_timeout=_STOPPING_SECONDS,
        keepalive_timeout=_KEEP_ALIVE_SECONDS, max_line_size=guards.LONGEST_LINE,
        max_field_size=guards.LONGEST_FIELD, max_headers=guards.MOST_HEADERS, lingering_time=1.0,
    )  # fmt: skip
    await runner.setup()
    try:
        await web.SockSite(runner, listening, ssl_context=tls).start()
        with TemporaryDirectory(prefix="m365audit-") as folder:
            _announce(desk, tell, Path(folder) if opens_browser else None)
            _offer_new_links(desk, tell)
            await stop.wait()
    finally:
        await runner.cleanup()
        desk.pool.shutdown(wait=False, cancel_futures=True)
    tell("stopped")


def _stop_event() -> asyncio.Event:
    """Return what is set by Ctrl-C and SIGTERM: both are the usual way to stop, no failure."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError, RuntimeError, ValueError):  # Windows; not the main thread
            loop.add_signal_handler(number, stop.set)
    return stop


def _listen(wanted: Wanted) -> socket.socket:
    try:
        found = socket.getaddrinfo(wanted.host, wanted.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listening = socket.socket(family, kind, protocol)
        if os.name == "posix":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        raise ConfigurationError(
            f"nothing can be served at {wanted.host} port {wanted.port}: {error.strerror or error}",
            hint="choose another port with --port; 0 takes any that is free",
        ) from error
    listening.setblocking(False)  # noqa: FBT003 - the socket's own
    return listening


def _announce(desk: Desk, tell: Tell, folder: Path | None) -> None:
    """Say how to get in; the link is shown once and nowhere else."""
    if not desk.place.is_loopback:
        tell(f"the review page is at {desk.place.origin}/sign-in; Ctrl-C stops it")
        return
    link = _link(desk)
    tell(f"the review page: {link}")
    tell("the link works once, within ten minutes; Enter shows a new one, Ctrl-C stops" if sys.stdin.isatty() else
         "the link works once, within ten minutes; Ctrl-C stops")  # fmt: skip
    if folder is not None:
        _show(link, folder)


def _link(desk: Desk) -> str:
    return f"{desk.place.origin}/enter?t={desk.sessions.new_link()}"


def _offer_new_links(desk: Desk, tell: Tell) -> None:
    """Let Enter on the terminal make a new link: a session ends some time, and a second browser may be wanted."""
    if not desk.place.is_loopback or not sys.stdin.isatty():
        return
    loop = asyncio.get_running_loop()

    def again() -> None:
        if os.read(sys.stdin.fileno(), 1024):
            tell(f"the review page: {_link(desk)}")
        else:
            loop.remove_reader(sys.stdin)

    with suppress(NotImplementedError, PermissionError):
        loop.add_reader(sys.stdin, again)


def _show(link: str, folder: Path) -> None:
    """Open the link by way of a private file: what stands on a command line, every user of the machine can read."""
    has_screen = sys.platform in {"darwin", "win32"} or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    if not has_screen:
        return
    file = folder / "open.html"
    file.touch(mode=0o600)
    address = escape(link, quote=True)
    file.write_text(f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={address}">')
    with suppress(webbrowser.Error):
        webbrowser.open(file.as_uri())
