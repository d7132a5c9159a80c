"""Reads a certificate with its key from PEM or PKCS #12 (PFX), and says what is wrong with it; signs nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

from m365audit.graph.failures import SignInError
from m365audit.graph.secret_files import read_private, refused

_BEGIN: Final = b"-----BEGIN "
_BEGIN_CERTIFICATE: Final = b"-----BEGIN CERTIFICATE-----"
_KEY_MARKS: Final = (b"PRIVATE KEY-----",)
_OTHER_WAY_IN: Final = "name the right password in `password_file` or `password_env`"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with its key, ready to sign in with.

    Attributes:
        pem: key, certificate and chain, decrypted, the certificate of the key first.
        chain: the certificates in that order.
        key: the private key.
        expires_at: end of the certificate's life.
    """

    pem: bytes = field(repr=False)
    chain: tuple[x509.Certificate, ...]
    key: RSAPrivateKey = field(repr=False)
    expires_at: datetime


def read_certificate(path: Path, password: bytes | None) -> Certificate:
    """Return the certificate in a file, PEM or PKCS #12, with its key.

    Raises:
        SignInError: the file or its permissions, no key, no certificate, a key that is not the certificate's, a key
            that Microsoft does not take, a wrong password, or a certificate that has expired.
    """
    content = read_private(path)
    parse = _from_pem if _BEGIN in content else _from_pfx
    key, certificates = parse(path, content, password)
    if not isinstance(key, RSAPrivateKey):
        raise refused(path, "the key is not an RSA key", "Microsoft takes RSA keys only: make one of 2048 bits or more")
    own = [entry for entry in certificates if entry.public_key() == key.public_key()]
    if not own:
        raise refused(path, "the key is not the certificate's", "put a certificate and the key that it was made for")
    # A chain is often written upside down; whoever signs in with the file takes its first certificate.
    chain = (own[0], *(entry for entry in certificates if entry != own[0]))
    _check_life(path, own[0])
    text = [key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())]
    text += [entry.public_bytes(Encoding.PEM) for entry in chain]
    return Certificate(b"".join(text), chain, key, own[0].not_valid_after_utc)


def _check_life(path: Path, certificate: x509.Certificate) -> None:
    end = certificate.not_valid_after_utc
    if end <= datetime.now(UTC):
        todo = "make a new certificate, register it with the application, and put it here"
        raise refused(path, f"the certificate expired on {end:%Y-%m-%d}", todo)


_Parsed = tuple[PrivateKeyTypes, list[x509.Certificate]]


def _from_pem(path: Path, content: bytes, password: bytes | None) -> _Parsed:
    if not any(mark in content for mark in _KEY_MARKS):
        raise refused(path, "there is no private key in it", "put the key and the certificate into one PEM file")
    if _BEGIN_CERTIFICATE not in content:
        raise refused(path, "there is no certificate in it", "put the key and the certificate into one PEM file")
    is_encrypted = b"ENCRYPTED" in content
    if is_encrypted and password is None:
        raise refused(path, "the key is protected by a password", "name it in `password_file` or `password_env`")
    try:
        key = load_pem_private_key(_key_block(content), password if is_encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _unreadable(path, is_encrypted=is_encrypted) from None
    try:
        return key, x509.load_pem_x509_certificates(content)
    except ValueError:
        raise refused(path, "the certificate in it is damaged", "export key and certificate again") from None


def _key_block(content: bytes) -> bytes:
    """Return the file from its private key on; ``EC PARAMETERS`` and certificates may stand before it."""
    at = content.index(_KEY_MARKS[0])
    return content[content.rindex(_BEGIN, 0, at) :]


def _from_pfx(path: Path, content: bytes, password: bytes | None) -> _Parsed:
    try:
        key, certificate, others = load_key_and_certificates(content, password)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        what = "is no PEM and no PKCS #12 (PFX) file, or its password is another one"
        raise refused(path, what, f"check the file, and {_OTHER_WAY_IN}") from None
    if key is None:
        raise refused(path, "there is no private key in it", "export the certificate together with its key")
    if certificate is None:
        raise refused(path, "there is no certificate for the key in it", "export the certificate together with its key")
    return key, [certificate, *others]


def _unreadable(path: Path, *, is_encrypted: bool) -> SignInError:
    if is_encrypted:
        return refused(path, "the key cannot be decrypted with the given password", _OTHER_WAY_IN)
    return refused(path, "the private key in it is damaged", "export key and certificate again")
