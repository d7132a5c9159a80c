"""Imports files made to overwhelm: how long each takes, how much memory at most, and what becomes of it.

``python -m benchmarks.overwhelm`` makes each file at full size in a temporary folder (up to 1 GB), imports it with the
command line in a process of its own, and prints a table. ``--scale 0.01`` makes them a hundred times smaller.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

TENANT: Final = "11111111-1111-4111-8111-111111111111"
_MIB: Final = 2**20
_RECORD: Final = json.dumps(
    {
        "CreationTime": "2026-05-04T10:15:00", "Id": "%", "Operation": "MailItemsAccessed", "RecordType": 2,
        "Workload": "Exchange", "UserId": "anna@contoso.example", "OperationCount": 4,
        "AppAccessContext": {"ClientAppId": "c0ffee00-0000-4000-8000-000000000001"},
        "Folders": [{"Id": "LgAAAA" * 8, "Path": "\\Inbox", "FolderItems": [{"Size": n} for n in range(4)]}],
    }
)  # fmt: skip

Pieces = Iterator[bytes]


class Measured(NamedTuple):
    """What became of one case."""

    name: str
    size: int
    seconds: float
    peak: int
    code: int
    outcome: str


def _record(number: int) -> bytes:
    return _RECORD.replace("%", f"{number:08}").encode()


def _repeat(piece: bytes, size: float) -> Pieces:
    block = piece * max(1, _MIB // len(piece))
    for _ in range(max(1, int(size // len(block)))):
        yield block


def _one_line(scale: float) -> Pieces:
    yield b'{"CreationTime": "2026-05-04T10:15:00", "Operation": "Send", "Id": "1", "Name": "'
    yield from _repeat(b"x", scale * 2**30)


def _line_among_others(scale: float) -> Pieces:
    yield _record(1) + b"\n"
    yield from _one_line(scale)
    yield b'"}\n' + _record(2) + b"\n"


def _array(scale: float) -> Pieces:
    for number in range(int(scale * 2**30 / len(_RECORD))):
        yield (b"," if number else b"[") + _record(number)
    yield b"]"


def _broken_page(scale: float) -> Pieces:
    yield b'{"@odata.context": "x", "value": ['
    for number in range(int(scale * 2**30 / len(_RECORD))):
        yield (b"," if number else b"") + (_record(number) if number % 1000 else b'{"Id": oops}')


def _text_in_array(scale: float) -> Pieces:
    yield b"[" + _record(1) + b', {"CreationTime": "x", "Operation": "y", "Id": "'
    yield from _repeat(b'\\"{[', scale * 2**30)
    yield b'"}, ' + _record(2) + b"]"


def _empty_arrays(scale: float) -> Pieces:
    yield b"[" + _record(1)
    yield from _repeat(b",[]", scale * 2**30)
    yield b"]"


def _brackets(scale: float) -> Pieces:
    yield b"[" + _record(1) + b","
    yield from _repeat(b"[", scale * 2**30)


def _deep(_: float) -> Pieces:
    deep = b'{"CreationTime": "x", "Operation": "y", "Id": ' + b'[{"a":' * 50_000 + b"1" + b"}]" * 50_000 + b"}"
    yield b"[" + b",".join((_record(1), deep, _record(2))) + b"]"


def _deep_line(_: float) -> Pieces:
    deep = b'{"CreationTime": "x", "Operation": "y", "Id": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    yield b"\n".join((_record(1), _record(2), deep, _record(3)))


def _quarantined(scale: float) -> Pieces:
    for number in range(int(scale * 1_000_000)):
        yield _record(number) + b"\n{broken\n"


def _without_id(scale: float) -> Pieces:
    for number in range(int(scale * 1_000_000)):
        yield _record(number).replace(b'"Id": "%08d"' % number, b'"Name": ""') + b"\n"


def _field(scale: float) -> Pieces:
    row = b'2026-05-04,"' + _record(1).replace(b'"', b'""') + b'"\n'
    yield b"CreationDate,AuditData\n" + row + b'2026-05-04,"{""Id"": ""'
    yield from _repeat(b"y", scale * 200 * _MIB)
    yield b'""}"\n' + row.replace(b"00000001", b"00000002")


def _field_of_lines(scale: float) -> Pieces:
    row = b'2026-05-04,"' + _record(1).replace(b'"', b'""') + b'"\n'
    yield b"CreationDate,AuditData\n" + row + b'2026-05-04,"{""Id"": ""'
    yield from _repeat(b"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\n",
                       scale * 200 * _MIB)  # fmt: skip
    yield b'""}"\n' + row.replace(b"00000001", b"00000002")


def _empty_lines(scale: float) -> Pieces:
    yield from _repeat(b"\n", scale * 10_000_000)


def _record_behind_empty_lines(scale: float) -> Pieces:
    yield from _empty_lines(scale)
    yield _record(1)


CASES: Final[dict[str, Callable[[float], Pieces]]] = {
    "one line of 1 GB": _one_line,
    "a line of 1 GB among others": _line_among_others,
    "one array of 1 GB": _array,
    "a broken page of 1 GB": _broken_page,
    "a text of 1 GB in an array": _text_in_array,
    "1 GB of empty arrays": _empty_arrays,
    "1 GB of open brackets": _brackets,
    "100,000 levels in an array": _deep,
    "100,000 levels in a line": _deep_line,
    "1,000,000 broken records": _quarantined,
    "1,000,000 records without id": _without_id,
    "a CSV field of 200 MB": _field,
    "a CSV field of 200 MB in lines": _field_of_lines,
    "10,000,000 empty lines": _empty_lines,
    "a record behind them": _record_behind_empty_lines,
}
PACKED: Final = {"gzip bomb of 1 GB": "gzip", "zip bomb of 1 GB": "zip"}


def _write(name: str, folder: Path, scale: float) -> Path:
    path = folder / "evidence"
    if PACKED.get(name) == "gzip":
        with gzip.open(path, "wb", compresslevel=6) as out:
            for piece in _repeat(b" ", scale * 2**30):
                out.write(piece)
    elif PACKED.get(name) == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("good.json", _record(1))
            with archive.open("bomb.json", "w") as out:
                for piece in _repeat(b" ", scale * 2**30):
                    out.write(piece)
    else:
        with path.open("wb", buffering=_MIB) as out:
            out.writelines(CASES[name](scale))
    return path


def measure(name: str, scale: float) -> Measured:
    """Make the file of one case, import it, and return what became of it."""
    with tempfile.TemporaryDirectory(prefix="overwhelm-") as text:
        folder = Path(text)
        path = _write(name, folder, scale)
        config = folder / "m365audit.yaml"
        config.write_text(f"tenants:\n  - {{id: {TENANT}}}\n", encoding="utf-8")
        said = folder / "said"
        command = [sys.executable, "-c", "from m365audit.cli import main; main()", "import", str(path),
                   "--tenant", TENANT, "--no-evaluate", "--config", str(config)]  # fmt: skip
        started = time.monotonic()
        with said.open("wb") as out:
            child = os.posix_spawn(
                sys.executable, command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1)]
            )
            _, status, usage = os.wait4(child, 0)
        seconds = time.monotonic() - started
        outcome = " ".join(said.read_text(encoding="utf-8").replace(str(folder) + "/", "").split())
        code = os.waitstatus_to_exitcode(status)
        return Measured(name, path.stat().st_size, seconds, usage.ru_maxrss * 1024, code, outcome)


def main() -> None:
    """Measure every case, or those whose name holds what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    print("| case | file | time | peak memory | exit | outcome |\n|---|---:|---:|---:|---:|---|")
    for name in [*CASES, *PACKED]:
        if re.search(given.only, name):
            done = measure(name, given.scale)
            print(f"| {name} | {done.size / 1e6:,.0f} MB | {done.seconds:.1f} s | {done.peak / _MIB:,.0f} MiB "
                  f"| {done.code} | {done.outcome} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
