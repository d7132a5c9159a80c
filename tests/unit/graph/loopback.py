"""A TLS server on loopback that writes exactly the bytes it is told to, and can cut the connection anywhere."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

RESET = b"\0reset\0"
"""Told instead of an answer's rest: the connection is torn down."""

SILENCE = b"\0silence\0"
"""Told instead of an answer's rest: nothing more comes."""


@dataclass
class Loopback:
    """A running server.

    Attributes:
        told: what to write for each request; the last for ever.
        heads: heads of the requests that came.
        bodies: their bodies.
        ports: the client's port of each.
        port: where the server listens.
        host: what it is called.
    """

    told: list[bytes]
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    port: int = 0
    host: str = "127.0.0.1"

    @property
    def origin(self) -> str:
        """Return the server's https origin."""
        return f"https://{self.host}:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer every request of a connection as told."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                text = head.decode("latin-1")
                self.heads.append(text)
                length = next(
                    (
                        int(line.split(":")[1])
                        for line in text.lower().splitlines()
                        if line.startswith("content-length")
                    ),
                    0,
                )
                self.bodies.append(await reader.readexactly(length))
                self.ports.append(writer.get_extra_info("peername")[1])
                told = self.told[min(len(self.heads), len(self.told)) - 1]
                part, mark, _ = told.partition(RESET)
                part, silence, _ = part.partition(SILENCE)
                writer.write(part)
                await writer.drain()
                if silence:
                    await asyncio.Event().wait()
                if mark:
                    writer.transport.abort()
                    return
                if b"Connection: close" in part:
                    break
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()


Signed = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def certified(name: str, *, by: Signed | None = None, days: int = 90) -> Signed:
    """Return a certificate for this machine's address and its key; an authority when nobody signs it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer, issuer_key = (by[0].subject, by[1]) if by else (subject, key)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=100))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
    )
    return builder.sign(issuer_key, SHA256()), key


def identity(folder: Path, *, days: int = 90) -> tuple[ssl.SSLContext, Path]:
    """Return a server's side of TLS, and the file of the authority that vouches for it."""
    authority = certified("authority")
    own, key = certified("server", by=authority, days=days)
    chain, ca_file = folder / "server.pem", folder / "ca.pem"
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain.write_bytes(pem + own.public_bytes(Encoding.PEM))
    ca_file.write_bytes(authority[0].public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context, ca_file


@asynccontextmanager
async def listening(context: ssl.SSLContext, *told: bytes) -> AsyncIterator[Loopback]:
    """Serve until the block ends."""
    loopback = Loopback(list(told))
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(loopback.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    loopback.port = server.sockets[0].getsockname()[1]
    try:
        yield loopback
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def page(body: bytes = b'{"value": []}', *headers: str) -> bytes:
    """Return a whole answer of status 200."""
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", "Content-Type: application/json", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body
