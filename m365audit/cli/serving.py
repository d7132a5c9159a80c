"""The command that serves the review page."""

from __future__ import annotations

from pathlib import Path

import click

from m365audit import log
from m365audit.cli.options import config_option
from m365audit.cli.session import check_state_is_known, load
from m365audit.cli.streams import say

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command(short_help="Serve the review page: the report, live, and decisions.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8365, show_default=True, help="0 for any that is free.")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="What to listen on.")
@click.option("--address", default=None, metavar="URL", help="https address that people type, where it is another.")
@click.option("--certificate", type=_FILE, default=None, metavar="FILE", help="Certificate for TLS, PEM.")
@click.option("--key", type=_FILE, default=None, metavar="FILE", help="Its private key, PEM.")
@click.option("--behind-proxy", is_flag=True, help="A proxy of yours does TLS in front of it.")
@click.option("--no-open", is_flag=True, help="Do not open a browser.")
@config_option()
def serve(
    *, port: int, host: str, address: str | None, certificate: Path | None, key: Path | None, behind_proxy: bool,
    no_open: bool, config_path: Path | None,
) -> None:  # fmt: skip
    """Serve the review page: the report as it is now, search, evidence, decisions, breach cases and requests.

    Only this machine can reach it, through a link that works once. With `review: {sign_in: …}` in the configuration
    people sign in with Entra; else the operating system's user decides, and every entry says that nobody proved it.
    Others can reach it only with sign-in and TLS: --host with --certificate and --key, or with --behind-proxy.

    A run may go on meanwhile. Ctrl-C stops it.
    """
    loaded, _ = load(config_path)
    check_state_is_known(loaded)
    from m365audit.web import desk_of  # noqa: PLC0415 - the server's libraries cost half a second
    from m365audit.web.place import Wanted, check, tls_of  # noqa: PLC0415 - goes with it
    from m365audit.web.serving import serve as serve_pages  # noqa: PLC0415 - goes with it

    wanted = Wanted(host, port, address, certificate, key, behind_proxy)
    has_sign_in = loaded.settings.review.sign_in is not None
    log.configure("info")
    check(wanted, has_sign_in=has_sign_in)
    serve_pages(
        lambda place: desk_of(loaded.settings, place), wanted, tls_of(wanted), has_sign_in=has_sign_in, tell=say,
        opens_browser=not no_open,
    )  # fmt: skip
