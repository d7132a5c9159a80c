"""Owns the simulator's certificates: an authority of its own and what it signs. Must never touch the host's trust."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Flaw = Literal["expired", "wrong_name", "self_signed"]
"""What may be wrong with a server's certificate."""

_NAMES: Final = ("localhost", "127.0.0.1", "::1")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Identity:
    """A private key and the certificates that vouch for it, as PEM."""

    key: bytes
    chain: bytes


class Authority:
    """A certificate authority that lives as long as the simulator."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("m365audit simulator authority")
        self._certificate = _authority_certificate(self._key, self._name)

    @property
    def pem(self) -> bytes:
        """The authority's certificate, for ``ca_file``."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def server(self, flaw: Flaw | None = None) -> Identity:
        """Return a server's identity for loopback names, or one with that flaw."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        ends = now - _DAY if flaw == "expired" else now + 30 * _DAY
        names = ("graph.example",) if flaw == "wrong_name" else _NAMES
        subject = _name("m365audit simulator")
        issuer = subject if flaw == "self_signed" else self._name
        signer = key if flaw == "self_signed" else self._key
        signed = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 2 * _DAY)
            .not_valid_after(ends)
            .add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
            .sign(signer, hashes.SHA256())
        )
        return Identity(_private(key), signed.public_bytes(serialization.Encoding.PEM))


def server_context(identity: Identity, folder: Path) -> ssl.SSLContext:
    """Return the context for a server; the key passes through a file of mode 600 in ``folder``, then is deleted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    together = folder / "server.pem"
    together.touch(mode=0o600)
    together.write_bytes(identity.key + identity.chain)
    try:
        context.load_cert_chain(together)
    finally:
        together.unlink()
    return context


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _authority_certificate(key: ec.EllipticCurvePrivateKey, name: x509.Name) -> x509.Certificate:
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 2 * _DAY)
        .not_valid_after(now + 30 * _DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
