"""Azurite, Microsoft's storage emulator from npm, over TLS on loopback; and what is needed to fill it."""

from __future__ import annotations

import base64
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient
from places import REPOSITORY

ACCOUNT: Final = "contosologs"
_STARTED: Final = re.compile(rb"successfully listens on (https://\S+)")


@dataclass(frozen=True, slots=True)
class Azurite:
    """A running emulator.

    Attributes:
        url: of the account.
        connection: with the account's key, for who fills it.
        ca_file: whom to trust.
    """

    url: str
    connection: str
    key: str
    ca_file: Path

    def container(self, name: str) -> ContainerClient:
        """Return a container that can be written to."""
        service = BlobServiceClient.from_connection_string(self.connection, connection_verify=str(self.ca_file))
        return service.get_container_client(name)


def program() -> str:
    """Return where Azurite is; skip the test when it is nowhere."""
    installed = REPOSITORY / "tests" / "azurite" / "node_modules" / ".bin" / "azurite-blob"
    found = str(installed) if installed.exists() else shutil.which("azurite-blob")
    if found is None:
        pytest.skip("no Azurite here: run `npm ci --ignore-scripts` in tests/azurite")
    return found


@contextmanager
def running(folder: Path, cert: Path, key: Path, ca_file: Path) -> Iterator[Azurite]:
    """Run an emulator that keeps everything in memory and tells nobody; it ends with the block."""
    account_key = base64.b64encode(os.urandom(64)).decode()
    command = [
        program(), "--inMemoryPersistence", "--disableTelemetry", "--silent", "--skipApiVersionCheck", "--blobPort",
        "0", "--oauth", "basic", "--cert", str(cert), "--key", str(key),
    ]  # fmt: skip
    environment = os.environ | {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{account_key}", "NODE_NO_WARNINGS": "1"}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            origin = next((found[1].decode() for line in process.stdout if (found := _STARTED.search(line))), None)
            assert origin, "Azurite did not start"
            url = f"{origin}/{ACCOUNT}"
            connection = (
                f"DefaultEndpointsProtocol=https;AccountName={ACCOUNT};AccountKey={account_key};BlobEndpoint={url};"
            )
            yield Azurite(url, connection, account_key, ca_file)
        finally:
            process.send_signal(signal.SIGKILL)
