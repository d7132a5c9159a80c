"""Owns the connections: TLS that is always verified, the proxy that the environment names, bytes as they come.

Speaks through aiohttp, whose parser and buffers move a page at three times the speed of httpx's own transport
(measured), and is handed to httpx as a transport. Never follows a redirect, never repeats a request, keeps no cookie,
reads no password file, and has no switch for verification.
"""

from __future__ import annotations

import ssl
import sys
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import lru_cache
from pathlib import Path
from typing import Final

import aiohttp
import httpx
from yarl import URL

from m365audit.graph.failures import CollectionError

CONNECT_SECONDS: Final = 15.0
READ_SECONDS: Final = 60.0
"""Longest silence in the middle of an answer."""

_BUFFER: Final = 1 << 20
_MAX_HEADER: Final = 1 << 16  # NextPageUri headers longer than the usual 8 KiB are known
_KEEP_ALIVE_SECONDS: Final = 30.0
_OWN_HEADERS: Final = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return what servers are verified with: ``ca_file`` alone when there is one, else the system's certificates.

    ``SSL_CERT_FILE`` and ``SSLKEYLOGFILE`` of the environment do nothing here: whom to trust is configuration. All who
    trust the same files share one context: a system's 144 authorities cost 29 ms and 0.8 MiB (measured), and each
    tenant needs them twice.

    Raises:
        OSError: the file cannot be read, or holds no certificate.
    """
    paths = ssl.get_default_verify_paths()
    built_in = Path(paths.openssl_cafile), Path(paths.openssl_capath)
    files = built_in if ca_file is None else (ca_file,)
    states = [path.stat() for path in files if ca_file is not None or path.exists()]
    return _context(ca_file, built_in, tuple((state.st_ino, state.st_size, state.st_mtime_ns) for state in states))


@lru_cache(maxsize=4)
def _context(
    ca_file: Path | None, built_in: tuple[Path, Path], _states: tuple[tuple[int, int, int], ...]
) -> ssl.SSLContext:
    """Return a context; another state of the files is another context."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    elif sys.platform in {"win32", "darwin"} or not any(path.exists() for path in built_in):
        context.load_default_certs()
    else:
        file, folder = built_in
        context.load_verify_locations(
            cafile=file if file.exists() else None, capath=folder if folder.exists() else None
        )
    return context


def proxy_for(host: str) -> str | None:
    """Return the proxy that ``HTTPS_PROXY`` (else ``ALL_PROXY``) names, unless ``NO_PROXY`` names the host."""
    proxies = urllib.request.getproxies_environment()
    # typeshed has the next function for macOS only
    if urllib.request.proxy_bypass_environment(host, proxies):  # type: ignore[attr-defined, unused-ignore]
        return None
    return proxies.get("https") or proxies.get("all")


def connections(ca_file: Path | None) -> Callable[[], httpx.AsyncBaseTransport]:
    """Return what opens connections to servers that ``ca_file``, or the system, vouches for.

    Raises:
        CollectionError: the file cannot be read, or holds no certificate.
    """
    try:
        context = tls_context(ca_file)
    except OSError:
        hint = "name a PEM file of certificate authorities in `cloud:`, `ca_file`"
        raise CollectionError("error", f"the ca_file {ca_file} cannot be used", hint=hint) from None
    return lambda: Wire(context)


class DroppedError(aiohttp.ClientError):
    """The connection ended before the answer; said in a way that aiohttp does not answer by asking again itself."""


async def _once(
    request: aiohttp.ClientRequest, handler: Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]
) -> aiohttp.ClientResponse:
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise DroppedError(type(error).__name__) from error


class Wire(httpx.AsyncBaseTransport):
    """Connections to the servers of one tenant's cloud; answers come as undecoded streams."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._session: aiohttp.ClientSession | None = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._context, keepalive_timeout=_KEEP_ALIVE_SECONDS, limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS),
                auto_decompress=False,
                trust_env=False,
                read_bufsize=_BUFFER,
                max_line_size=_MAX_HEADER,
                max_field_size=_MAX_HEADER,
                skip_auto_headers=_OWN_HEADERS,
                middlewares=(_once,),
            )
        return self._session

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return its answer, unread.

        Raises:
            httpx.TransportError: there is no answer.
        """
        body = await request.aread()
        try:
            answer = await self._open().request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=list(request.headers.multi_items()),
                data=body or None,
                allow_redirects=False,
                proxy=proxy_for(request.url.host),
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _translated(error) from error
        headers = [(name, value) for name, value in answer.raw_headers]
        return httpx.Response(answer.status, headers=headers, stream=_Stream(answer))

    async def aclose(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None


class _Stream(httpx.AsyncByteStream):
    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._answer.content.iter_any():
                yield chunk
        except (aiohttp.ClientError, OSError) as error:
            raise _translated(error) from error

    async def aclose(self) -> None:
        # Closes the connection unless the answer was read to its end; then it is kept for the next request.
        self._answer.close() if not self._answer.content.at_eof() else self._answer.release()


_NAMES: Final[tuple[tuple[tuple[type[Exception], ...], type[httpx.TransportError], str], ...]] = (
    (
        (aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError),
        httpx.ProxyError,
        "the proxy refused, or could not be reached",
    ),
    (
        (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError),
        httpx.ConnectError,
        "the server's certificate or its TLS is not acceptable",
    ),
    ((aiohttp.ClientConnectorDNSError,), httpx.ConnectError, "the server's name could not be resolved"),
    ((aiohttp.ConnectionTimeoutError,), httpx.ConnectTimeout, "the server could not be reached in time"),
    ((TimeoutError,), httpx.ReadTimeout, "the server fell silent"),
    ((aiohttp.ClientConnectorError,), httpx.ConnectError, "the server could not be reached"),
    ((aiohttp.ClientPayloadError,), httpx.RemoteProtocolError, "the answer ended before its end"),
    ((aiohttp.ClientResponseError,), httpx.RemoteProtocolError, "the answer is not HTTP"),
    ((ValueError,), httpx.UnsupportedProtocol, "the address, or the proxy's, is of a kind that cannot be used"),
    ((Exception,), httpx.ReadError, "the connection was lost"),
)


def _translated(error: Exception) -> httpx.TransportError:
    """Return httpx's name for an error of aiohttp, without its text: that holds addresses."""
    return next(name(text) for kinds, name, text in _NAMES if isinstance(error, kinds))
