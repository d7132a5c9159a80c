"""Owns the key that persons' tokens are made with: one file in the private folder, made once, never shown or logged."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from m365audit.errors import StoreError
from m365audit.store.database import make_private

_BYTES: Final = 32
_NAME: Final = "people.key"


def person_key(state: Path) -> bytes:
    """Return the key of this installation, made when there is none yet. Without it no token can be tied to a person.

    Raises:
        StoreError: the file is there and is no key: a new one would give everybody a new token.
    """
    folder = make_private(state / "keys")
    path = folder / _NAME
    try:
        # Made whole under another name first: two runs at once must end with one key.
        own = folder / f".{_NAME}.{os.getpid()}.{secrets.token_hex(4)}"
        if not path.exists():
            with os.fdopen(os.open(own, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
                out.write(secrets.token_bytes(_BYTES))
            try:
                os.link(own, path)
            except FileExistsError:
                pass
            finally:
                own.unlink()
        key = path.read_bytes()
    except OSError as error:
        raise StoreError(f"the key {path} cannot be read or made: {error.strerror}", hint="mend its folder") from error
    if len(key) != _BYTES:
        raise StoreError(f"{path} is not a key of {_BYTES} bytes", hint="restore it from a backup of the state folder")
    return key
