"""Owns the speed of collection: a day of sign-ins read live, against curl reading the same pages to a file.

``python -m benchmarks.live`` serves 200,000 sign-ins of 2.7 KB in pages of 1,000 over TLS from another process, without
throttling, and prints in one run: curl, ours until it is durable in the spool, ours until it can be queried, and the
SDK's own model objects on one page. Ratios, because seconds belong to a machine.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

import yaml

from benchmarks.measure import Measurement, measure
from benchmarks.page_server import CLIENT, PAGE, TENANT, Served, page_of, serving
from m365audit import pipeline
from m365audit.config import load_policy, load_settings
from m365audit.pipeline import Wanted
from m365audit.pipeline.spooling import Filled, Spooler

FEED: Final = "sign_ins_interactive"
ASKED: Final = {"durable": 0.3, "queryable": 0.2}
"""Least part of curl's rate."""
LIMIT_MIB: Final = 300
_NO_THROTTLE: Final = 1e6
"""How much quicker than real time the time of Microsoft's limits passes."""

Parts = list[tuple[str, float, float, float]]


def configure(folder: Path, served: Served) -> Path:
    """Write the configuration of the served tenant and return its file."""
    secret = folder / "secret.txt"
    secret.write_text("not a secret", encoding="utf-8")
    secret.chmod(0o600)
    endpoints = dict.fromkeys(("login", "graph", "manage"), served.origin)
    credential = {"kind": "secret_file", "client_id": CLIENT, "file": str(secret)}
    document = {
        "cloud": endpoints | {"ca_file": str(served.ca_file)},
        "tenants": [{"id": TENANT, "name": "Benchmark", "feeds": [FEED], "credential": credential}],
    }
    (folder / "policy.yaml").write_text("schema: m365audit.policy/1\n", encoding="utf-8")
    file = folder / "m365audit.yaml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    return file


def curl(served: Served, file: Path) -> None:
    """Read all pages to a file, one after the other over one connection, as links would have it."""
    glob = served.page(f"[0-{served.pages - 1}]")
    with file.open("wb") as target:
        subprocess.run(["curl", "--silent", "--fail", "--cacert", str(served.ca_file), glob], stdout=target, check=True)


def durable(config: Path, served: Served) -> Parts:
    """Collect, and keep what comes in the spool as a run does; end when it is synced to disk."""
    from m365audit import graph  # noqa: PLC0415 - the imports are not what is measured

    settings = load_settings(config).settings
    shutil.rmtree(settings.state, ignore_errors=True)
    job = graph.Job(settings.tenants[0], (FEED,), begin=served.begin, end=served.begin + timedelta(days=1))
    begin, cpu = time.perf_counter(), time.process_time()
    spooler, records = Spooler(settings.state), 0
    cloud = graph.cloud_of(settings.cloud)
    with (
        closing(spooler),
        closing(
            graph.collect(
                [job], cloud, spooler.keep, state=settings.state, within=timedelta(hours=6), pace=_NO_THROTTLE
            )
        ) as events,
    ):
        for event in events:
            records += event.records if isinstance(event, Filled) else 0
            end = event.ended if isinstance(event, Filled) else event
            if isinstance(end, graph.Ended | graph.SignInFailed) and not _is_whole(end):
                raise SystemExit(f"collection failed: {end}")
    _expect(records, served)
    return [("durable", time.perf_counter() - begin, time.process_time() - cpu, 0.0)]


def queryable(config: Path, served: Served) -> Parts:
    """Make the same run as ``m365audit run`` as far as landing: then every record can be asked for in SQL."""
    from m365audit import graph  # noqa: F401, PLC0415 - the imports are not what is measured

    settings = load_settings(config).settings
    shutil.rmtree(settings.state, ignore_errors=True)
    wanted = Wanted(settings.tenants, begin=served.begin, end=served.begin + timedelta(days=1), pace=_NO_THROTTLE)
    begin, cpu = time.perf_counter(), time.process_time()
    outcome = pipeline.run(
        settings, load_policy(settings.policy), [], _Silent(), command="benchmark", wanted=wanted, evaluate=False
    )
    _expect(sum(each.records for tenant in outcome.collected for each in tenant.collections.values()), served)
    return [("queryable", time.perf_counter() - begin, time.process_time() - cpu, 0.0)]


def model_objects(served: Served) -> Parts:
    """Turn one page into the objects of Microsoft's SDK, which is what its users do with every page."""
    from kiota_serialization_json.json_parse_node_factory import JsonParseNodeFactory  # noqa: PLC0415
    from msgraph.generated.models.sign_in_collection_response import SignInCollectionResponse  # noqa: PLC0415

    async def parse(body: bytes) -> int:
        node = JsonParseNodeFactory().get_root_parse_node("application/json", body)
        found = node.get_object_value(SignInCollectionResponse)
        return len(found.value or [])

    body = page_of(0, PAGE, served.begin)
    assert asyncio.run(parse(page_of(0, 1, served.begin))) == 1  # imports what the objects are made of
    begin, cpu = time.perf_counter(), time.process_time()
    assert asyncio.run(parse(body)) == PAGE
    return [("objects", time.perf_counter() - begin, time.process_time() - cpu, 0.0)]


class _Silent:
    """Hears everything and says nothing (``pipeline.Reporter``)."""

    def __getattr__(self, _: str) -> Callable[..., None]:
        return lambda *_: None


def _is_whole(event: object) -> bool:
    return getattr(event, "reason", "failed") is None


def _expect(records: int, served: Served) -> None:
    if records <= (served.pages - 1) * PAGE:
        raise SystemExit(f"only {records:,} records came")


@dataclass(frozen=True, slots=True)
class Result:
    """Medians of one stage."""

    name: str
    seconds: float
    cpu_s: float
    peak_mib: float


def run(folder: Path, records: int, repeat: int) -> tuple[Served, list[Result]]:
    """Measure everything; each stage in a fresh process, the sequence ``repeat`` times."""
    with serving(folder, records) as served:
        config = configure(folder, served)
        stages: dict[str, Callable[[], object]] = {
            "curl": partial(curl, served, folder / "curl.out"),
            "durable": partial(durable, config, served),
            "queryable": partial(queryable, config, served),
            "objects": partial(model_objects, served),
        }
        found: dict[str, list[Measurement]] = {name: [] for name in stages}
        for _ in range(repeat):
            for name, work in stages.items():
                *parts, whole = measure(name, work)
                timed = parts[0] if parts else whole
                found[name].append(Measurement(name, timed.wall_s, timed.cpu_s, whole.peak_rss_mib))
    return served, [
        Result(name, median(m.wall_s for m in ms), median(m.cpu_s for m in ms), max(m.peak_rss_mib for m in ms))
        for name, ms in found.items()
    ]


def main() -> int:
    """Print the table; 1 when less came out than asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        served, results = run(Path(folder), options.records, options.repeat)
    size = f"{served.bytes / 1e6:,.0f} MB in {served.pages} pages"
    print(f"{options.records:,} sign-ins, {size}; median of {options.repeat}")
    print(
        "{:<11}{:>9}{:>9}{:>11}{:>13}{:>9}{:>9}".format(
            "", "wall s", "cpu s", "peak MiB", "records/s", "ratio", "asked"
        )
    )
    rate_of_curl = options.records / results[0].seconds
    is_met = True
    for result in results:
        count = PAGE if result.name == "objects" else options.records
        ratio, asked = count / result.seconds / rate_of_curl, ASKED.get(result.name)
        is_met = is_met and (asked is None or (ratio >= asked and result.peak_mib <= LIMIT_MIB))
        print(
            f"{result.name:<11}{result.seconds:>9.2f}{result.cpu_s:>9.2f}{result.peak_mib:>11.0f}"
            f"{count / result.seconds:>13,.0f}{ratio:>9.3f}{asked or '':>9}"
        )
    print(f"asked: the ratios, and at most {LIMIT_MIB} MiB: {'met' if is_met else 'NOT MET'}")
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
