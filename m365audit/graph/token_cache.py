"""Owns where a person's login is kept between runs: in the platform's keyring, else encrypted in the state folder.

The file in the state folder is worth nothing without its key, ``state/keys/login.key``: whoever gets a copy or a backup
of one of the two reads nothing. Whoever can read as the auditor's own account, or as root, has both, and so has the
login until it is revoked; only a keyring that is locked protects from that.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

import msal_extensions  # type: ignore[import-untyped]
from cryptography.fernet import Fernet, InvalidToken
from msal_extensions.persistence import BasePersistence, PersistenceNotFound  # type: ignore[import-untyped]

from m365audit.graph.failures import SignInError
from m365audit.graph.secret_files import read_private, refused

_FOLDER_MODE: Final = 0o700
_FILE_MODE: Final = 0o600
_KEYRING_FAULTS: Final = (ImportError, OSError, RuntimeError, ValueError, AttributeError)
"""What building a keyring's persistence ends with where there is none (GLib's errors are RuntimeErrors)."""


class EncryptedFile(BasePersistence):  # type: ignore[misc]
    """A file that is encrypted with a key of its own, for machines that have no keyring (msal-extensions has none)."""

    is_encrypted = True

    def __init__(self, file: Path, key: Path) -> None:
        self._file = file
        self._fernet = Fernet(_key(key))

    def save(self, content: str) -> None:
        """Write the content, as a whole or not at all."""
        _write(self._file, self._fernet.encrypt(content.encode()))

    def load(self) -> str:
        """Return the content.

        Raises:
            PersistenceNotFound: nothing was saved yet.
            SignInError: somebody else's file, readable by others, or written with another key.
        """
        if not self._file.exists():
            raise PersistenceNotFound(location=str(self._file))
        try:
            return self._fernet.decrypt(read_private(self._file)).decode()
        except InvalidToken:
            raise refused(self._file, "was written with another key, or is damaged", "log in again") from None

    def time_last_modified(self) -> float:
        """Return when the content was saved.

        Raises:
            PersistenceNotFound: nothing was saved yet.
        """
        try:
            return self._file.stat().st_mtime
        except FileNotFoundError:
            raise PersistenceNotFound(location=str(self._file)) from None

    def get_location(self) -> str:
        """Return the file."""
        return str(self._file)


class Kept:
    """Where one tenant's login is kept.

    Attributes:
        file: own, encrypted file.
        signal: what stands in its place when the keyring has the login; empty.
    """

    def __init__(self, state: Path, tenant: str) -> None:
        folder = state / "login"
        self.file = folder / f"{tenant}.cache"
        self.signal = folder / f"{tenant}.keyring"
        self._key = state / "keys" / "login.key"

    @property
    def exists(self) -> bool:
        """Whether somebody logged in here."""
        return self.file.exists() or self.signal.exists()

    def found(self) -> msal_extensions.PersistedTokenCache:
        """Return the login that is kept.

        Raises:
            SignInError: it is in a keyring that cannot be reached from here, or the key cannot be read.
        """
        if self.file.exists():
            return _cache(EncryptedFile(self.file, self._key))
        keyring = _keyring(self.signal)
        if keyring is None:
            todo = "run `m365audit login` in the session in which the auditor runs (a service has no desktop's keyring)"
            raise SignInError("the login is in a keyring that cannot be reached from here", hint=todo, is_refused=False)
        return _cache(keyring)

    def keep(self, content: str) -> None:
        """Keep a new login; what was kept before is forgotten."""
        self.forget()
        _private_folder(self.signal.parent)
        keyring = _keyring(self.signal)
        (EncryptedFile(self.file, self._key) if keyring is None else keyring).save(content)

    def forget(self) -> bool:
        """Delete the login; return whether there was one. The key stays: other tenants' logins need it."""
        there_was = self.exists
        keyring = _keyring(self.signal) if self.signal.exists() else None
        if keyring is not None:
            keyring.save("{}")
        for path in (self.file, self.signal):
            path.unlink(missing_ok=True)
            path.with_name(f"{path.name}.lockfile").unlink(missing_ok=True)
        return there_was


def _cache(persistence: BasePersistence) -> msal_extensions.PersistedTokenCache:
    return msal_extensions.PersistedTokenCache(persistence)


def _keyring(signal: Path) -> BasePersistence | None:
    """Return the platform's protected storage: DPAPI, Keychain or libsecret; None where it cannot be used."""
    try:
        return msal_extensions.build_encrypted_persistence(str(signal))
    except _KEYRING_FAULTS:
        return None


def _key(path: Path) -> bytes:
    """Return the key, made when there is none yet."""
    _private_folder(path.parent)
    with contextlib.suppress(FileExistsError):
        _create(path, Fernet.generate_key())
    key = read_private(path).strip()
    try:
        Fernet(key)
    except ValueError:
        raise refused(path, "is not a key", "delete it, and log in again") from None
    return key


def _private_folder(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=_FOLDER_MODE)  # the state folder, before the first run
    path.mkdir(exist_ok=True, mode=_FOLDER_MODE)
    path.chmod(_FOLDER_MODE)


def _create(path: Path, content: bytes) -> None:
    """Write a file that nobody else can read, and that was not there."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), _FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _write(path: Path, content: bytes) -> None:
    _private_folder(path.parent)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    _create(beside, content)
    beside.replace(path)
