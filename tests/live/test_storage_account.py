"""Graph activity logs from a storage account: files that grow, come late, shrink, or may not be read."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import jwt
import pytest
from aiohttp import web
from azure.storage.blob import ContainerSasPermissions, generate_container_sas
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from m365audit.config import StorageSettings
from m365audit.graph.blobs import Container
from m365audit.graph.clouds import CLOUDS, Cloud
from m365audit.graph.failures import CollectionError
from m365audit.graph.feeds import graph_activity
from m365audit.graph.feeds.collection import Client
from m365audit.graph.values import Ended, Page, Task, Window
from m365audit.simulator.service.tls import Authority, server_context

from .azurite import ACCOUNT, Azurite, running

TENANT = "11111111-1111-4111-8111-111111111111"
DAY = datetime(2026, 7, 16, tzinfo=UTC)
HOUR = DAY + timedelta(hours=13)
WINDOW = Window(HOUR, HOUR + timedelta(hours=1))
CONTAINER = "insights-logs-microsoftgraphactivitylogs"
_numbers = itertools.count()


@dataclass
class StorageClient:
    """As much of a tenant's client as files in storage need."""

    storage: StorageSettings | None
    cloud: Cloud
    tenant: str = TENANT
    at: datetime = HOUR + timedelta(hours=2)
    tokens: int = 0

    def now(self) -> datetime:
        """Return the time that the test wants."""
        return self.at

    async def storage_token(self) -> str:
        """Return a token that Azurite takes for one of Entra's."""
        self.tokens += 1
        now = int(time.time())
        claims = {"aud": "https://storage.azure.com", "iss": "https://sts.windows.net/x/", "nbf": now - 60}
        return jwt.encode(claims | {"iat": now - 60, "exp": now + 3_600}, "k" * 32, algorithm="HS256")


@dataclass
class Got:
    """What one pull brought."""

    pages: list[Page] = field(default_factory=list)
    ends: list[Ended] = field(default_factory=list)

    @property
    def records(self) -> list[bytes]:
        """The records of all pages."""
        return [record for page in self.pages for record in page.records]

    @property
    def cursors(self) -> tuple[tuple[str, int], ...]:
        """The cursors that would be kept."""
        return tuple({page.next_cursor[0]: page.next_cursor for page in self.pages if page.next_cursor}.values())


def pull(client: StorageClient, cursors: Sequence[tuple[str, int]] = (), window: Window = WINDOW) -> Got:
    """Make one pull."""
    got = Got()

    async def everything() -> None:
        task = Task(1, client.tenant, "graph_activity", window, tuple(cursors))
        async for event in graph_activity.pull(cast(Client, client), task):
            got.pages.append(event) if isinstance(event, Page) else got.ends.append(event)

    asyncio.run(everything())
    return got


def line(number: int, width: int = 40) -> bytes:
    """Return one record."""
    return json.dumps({"time": "2026-07-16T13:05:00Z", "n": number, "filling": "x" * width}).encode()


def lines(*numbers: int) -> bytes:
    """Return records as Azure writes them."""
    return b"".join(line(number) + b"\r\n" for number in numbers)


def path_of(hour: datetime, tenant: str = TENANT) -> str:
    """Return the name of an hour's file."""
    return f"tenantId={tenant}/y={hour:%Y}/m={hour:%m}/d={hour:%d}/h={hour:%H}/m=00/PT1H.json"


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """One emulator for this file."""
    folder = tmp_path_factory.mktemp("azurite")
    authority = Authority()
    identity = authority.server()
    for name, content in (("cert", identity.chain), ("key", identity.key), ("ca", authority.pem)):
        (folder / f"{name}.pem").write_bytes(content)
    with running(folder, folder / "cert.pem", folder / "key.pem", folder / "ca.pem") as emulator:
        yield emulator


@dataclass
class Place:
    """A container of a test's own, and the client that reads it."""

    azurite: Azurite
    name: str
    client: StorageClient

    def append(self, data: bytes, name: str = path_of(HOUR)) -> None:
        """Write to an append blob, as a diagnostic setting does."""
        blob = self.azurite.container(self.name).get_blob_client(name)
        if not blob.exists():
            blob.create_append_blob()
        if data:
            blob.append_block(data)

    def replace(self, data: bytes, name: str = path_of(HOUR)) -> None:
        """Write a file anew."""
        blob = self.azurite.container(self.name).get_blob_client(name)
        blob.delete_blob()
        self.append(data, name)


@pytest.fixture
def place(azurite: Azurite) -> Place:
    """Return an empty container."""
    name = f"{CONTAINER}-{next(_numbers)}"
    azurite.container(name).create_container()
    storage = StorageSettings.model_construct(account_url=azurite.url, container=name)
    return Place(azurite, name, StorageClient(storage, replace(CLOUDS["global"], ca_file=azurite.ca_file)))


def test_whole_lines_are_read_and_the_rest_next_time(place: Place) -> None:
    place.append(lines(1, 2) + line(3)[:20])
    first = pull(place.client)
    assert first.records == [line(1), line(2)]
    assert place.client.tokens >= 1
    place.append(line(3)[20:] + b"\r\n" + lines(4))
    second = pull(place.client, first.cursors)
    assert second.records == [line(3), line(4)]
    assert pull(place.client, second.cursors).records == []
    page = second.pages[0]
    assert (page.enveloped, page.covered_hour, page.source) == (True, HOUR, f"{place.name}/{path_of(HOUR)}")
    assert [(end.window, end.reason) for end in second.ends] == [(WINDOW, None)]


def test_a_line_feed_alone_and_empty_lines_and_a_byte_order_mark(place: Place) -> None:
    place.append(b"\xef\xbb\xbf" + line(1) + b"\n\r\n\n" + line(2) + b"\r\n")
    assert pull(place.client).records == [line(1), line(2)]


def test_ranges_that_cut_lines_anywhere_lose_and_double_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.append(lines(*range(20)))
    for size in (101, 500):
        monkeypatch.setattr(graph_activity, "LARGEST_RANGE", size)
        got = pull(place.client)
        assert got.records == [line(n) for n in range(20)]
        positions = [page.next_cursor[1] for page in got.pages if page.next_cursor]
        assert positions == sorted(set(positions))
        assert positions[-1] == len(lines(*range(20)))


def test_going_on_at_any_cursor_reads_exactly_the_rest(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.append(lines(*range(10)))
    monkeypatch.setattr(graph_activity, "LARGEST_RANGE", 100)
    for page in pull(place.client).pages:
        assert page.next_cursor
        rest = pull(place.client, [page.next_cursor])
        assert rest.records == [line(n) for n in range(10)][-len(rest.records) :] or not rest.records
        assert page.next_cursor[1] + sum(len(record) + 2 for record in rest.records) == len(lines(*range(10)))


def test_what_grows_while_it_is_read_is_read_up_to_its_listed_size(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.append(lines(1, 2))
    read = Container.read

    async def growing(self: Container, name: str, offset: int, length: int) -> bytes:
        await asyncio.to_thread(place.append, lines(3) + line(4)[:9])
        return await read(self, name, offset, length)

    monkeypatch.setattr(Container, "read", growing)
    first = pull(place.client)
    monkeypatch.setattr(Container, "read", read)
    assert first.records == [line(1), line(2)]
    assert pull(place.client, first.cursors).records == [line(3)]


def test_a_file_that_shrank_is_read_from_its_beginning(place: Place) -> None:
    place.append(lines(*range(9)))
    before = pull(place.client)
    name, _ = before.cursors[0]
    after = pull(place.client, [(name, 10_000)])
    assert after.records == before.records
    assert after.ends[0].restarts == 1


def test_a_file_with_other_lines_under_the_same_name_is_read_from_its_beginning(place: Place) -> None:
    place.append(lines(*range(9)))
    name, _ = pull(place.client).cursors[0]
    after = pull(place.client, [(name, 33)])
    assert len(after.records) == 9
    assert after.ends[0].restarts == 1


def test_a_file_made_anew_is_another_file(place: Place) -> None:
    place.append(lines(1, 2, 3))
    before = pull(place.client)
    time.sleep(1.1)
    place.replace(lines(7, 8, 9, 10))
    assert pull(place.client, before.cursors).records == [line(n) for n in (7, 8, 9, 10)]


def test_a_last_line_without_an_end_is_taken_when_nothing_can_come_any_more(place: Place) -> None:
    place.append(lines(1) + line(2))
    assert pull(place.client).records == [line(1)]
    place.client.at = HOUR + timedelta(days=3)
    late = pull(place.client)
    assert late.records == [line(1), line(2)]
    assert pull(place.client, late.cursors).records == []


def test_hours_are_told_apart_and_what_has_no_file_is_a_gap(place: Place) -> None:
    hours = [DAY + timedelta(hours=n) for n in (0, 1, 5)]
    for n, hour in enumerate(hours):
        place.append(lines(n), path_of(hour))
    place.append(lines(99), path_of(DAY - timedelta(hours=1)))
    place.append(lines(99), path_of(DAY, "22222222-2222-4222-8222-222222222222"))
    got = pull(place.client, window=Window(DAY, DAY + timedelta(days=1)))
    assert sorted(got.records) == [line(n) for n in range(3)]
    whole = [end.window for end in got.ends if end.reason is None]
    assert whole == [Window(hour, hour + timedelta(hours=1)) for hour in hours]
    gaps = [(end.window.begin, end.window.end, end.reason) for end in got.ends if end.window and end.reason]
    assert gaps == [
        (DAY + timedelta(hours=2), DAY + timedelta(hours=5), "disabled"),
        (DAY + timedelta(hours=6), DAY + timedelta(hours=24), "disabled"),
    ]


def test_a_window_may_begin_and_end_within_an_hour(place: Place) -> None:
    place.append(lines(1), path_of(DAY))
    minute = timedelta(minutes=1)
    got = pull(place.client, window=Window(DAY + 20 * minute, DAY + 80 * minute))
    assert [(end.window, end.reason) for end in got.ends] == [
        (Window(DAY + 20 * minute, DAY + 60 * minute), None),
        (Window(DAY + 60 * minute, DAY + 80 * minute), "disabled"),
    ]


@pytest.mark.parametrize(
    "root", ["resourceId=/tenants/{}/providers/Microsoft.aadiam/", "resourceId=/TENANTS/{}/PROVIDERS/MICROSOFT.AADIAM/"]
)
def test_the_paths_of_microsofts_pages_are_read_too(place: Place, root: str) -> None:
    place.append(lines(1), root.format(TENANT) + path_of(HOUR).split("/", 1)[1])
    assert pull(place.client).records == [line(1)]


def test_names_that_are_no_hours_are_passed_over(place: Place) -> None:
    place.append(lines(1))
    place.append(lines(2), f"tenantId={TENANT}/y=2026/m=07/d=16/h=99/m=00/PT1H.json")
    place.append(lines(3), f"tenantId={TENANT}/y=2026/m=07/d=16/readme.txt")
    assert pull(place.client).records == [line(1)]


def refused(client: StorageClient) -> CollectionError:
    """Return why a pull came to nothing."""
    with pytest.raises(CollectionError) as raised:
        pull(client)
    return raised.value


def test_a_container_that_is_not_there_means_that_nothing_was_written_yet(place: Place) -> None:
    place.client.storage = StorageSettings.model_construct(account_url=place.azurite.url, container="nothing-here")
    error = refused(place.client)
    assert error.reason == "disabled"
    assert "no diagnostic setting has written yet" in str(error)


def test_a_container_without_the_tenants_folder(place: Place) -> None:
    place.append(lines(1), path_of(HOUR, "22222222-2222-4222-8222-222222222222"))
    assert refused(place.client).reason == "disabled"


def test_no_account_is_no_log() -> None:
    assert refused(StorageClient(None, CLOUDS["global"])).reason == "disabled"


def signed(place: Place, folder: Path, *, read: bool, hours: int = 1) -> StorageSettings:
    """Return settings with a signature that permits listing, and reading or not."""
    signature = generate_container_sas(
        ACCOUNT, place.name, account_key=place.azurite.key, permission=ContainerSasPermissions(read=read, list=True),
        expiry=datetime.now(UTC) + timedelta(hours=hours),
    )  # fmt: skip
    file = folder / "sas.txt"
    file.write_text(f"?{signature}\n", encoding="utf-8")
    file.chmod(0o600)
    return StorageSettings.model_construct(account_url=place.azurite.url, container=place.name, sas_file=file)


def test_who_may_list_but_not_read_lacks_the_role(place: Place, tmp_path: Path) -> None:
    place.append(lines(1))
    place.client.storage = signed(place, tmp_path, read=False)
    error = refused(place.client)
    assert error.reason == "permission"
    assert "Storage Blob Data Reader is missing" in str(error)


def test_a_signature_from_a_file_lets_in_until_it_ends(place: Place, tmp_path: Path) -> None:
    place.append(lines(1))
    place.client.storage = signed(place, tmp_path, read=True)
    assert pull(place.client).records == [line(1)]
    assert place.client.tokens == 0
    place.client.storage = signed(place, tmp_path, read=True, hours=-1)
    error = refused(place.client)
    assert error.reason == "permission"
    assert "sig=" not in f"{error} {error.hint}"


def test_a_connection_string_from_a_file(place: Place, tmp_path: Path) -> None:
    place.append(lines(1))
    file = tmp_path / "connection.txt"
    file.write_text(place.azurite.connection, encoding="utf-8")
    file.chmod(0o600)
    place.client.storage = StorageSettings.model_construct(connection_string_file=file, container=place.name)
    assert pull(place.client).records == [line(1)]
    file.chmod(0o644)
    assert "can be read by others" in str(refused(place.client))
    file.write_text("nonsense", encoding="utf-8")
    file.chmod(0o600)
    assert "no connection string" in str(refused(place.client))


def test_an_account_that_nobody_answers_for(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("m365audit.graph.blobs._OPTIONS", {"retry_total": 0})
    place.client.storage = StorageSettings.model_construct(account_url="https://127.0.0.1:9/x", container=CONTAINER)
    assert refused(place.client).reason == "error"


@pytest.mark.parametrize("status", [302, 307, 308])
def test_the_token_goes_to_the_configured_account_only(tmp_path: Path, status: int) -> None:
    authority = Authority()
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(authority.pem)
    asked: list[tuple[int, str]] = []

    async def everything() -> None:
        context = server_context(authority.server(), tmp_path)
        ports: list[int] = []

        async def answer(request: web.Request) -> web.Response:
            asked.append((ports.index(request.url.port or 0), request.headers.get("Authorization", "")))
            return web.Response(status=status, headers={"Location": f"https://127.0.0.1:{ports[1]}{request.path_qs}"})

        async with _server(answer, context) as first, _server(answer, context) as second:
            ports.extend([first, second])
            storage = StorageSettings.model_construct(account_url=f"https://127.0.0.1:{first}/x", container=CONTAINER)
            client = StorageClient(storage, replace(CLOUDS["global"], ca_file=ca_file))
            with pytest.raises(CollectionError):
                async for _ in graph_activity.pull(cast(Client, client), Task(1, TENANT, "graph_activity", WINDOW)):
                    pass

    asyncio.run(everything())
    assert asked
    assert all(server == 0 and authorization.startswith("Bearer ") for server, authorization in asked)


class _server:  # noqa: N801 - reads like the function that it would be
    """Serve one handler for everything on a port of its own."""

    def __init__(self, handler: Any, context: Any) -> None:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", handler)
        self._runner = web.AppRunner(app)
        self._context = context

    async def __aenter__(self) -> int:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._context)
        await site.start()
        return int(self._runner.addresses[0][1])

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()


steps = st.lists(st.one_of(st.just(0), st.integers(1, 150)), min_size=1, max_size=12)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=steps, size=st.sampled_from([50, 90, 4 << 20]))
def test_however_a_file_grows_every_line_comes_exactly_once(place: Place, steps: list[int], size: int) -> None:
    """A step of 0 is a pull, any other appends so many bytes, wherever that cuts."""
    hour = path_of(HOUR, tenant := f"33333333-3333-4333-8333-{next(_numbers):012}")
    client = replace(place.client, tenant=tenant)
    whole = lines(*range(12))
    at = 0
    cursors: Sequence[tuple[str, int]] = ()
    records: list[bytes] = []
    place.append(b"", hour)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graph_activity, "LARGEST_RANGE", size)
        for step in (*steps, len(whole), 0):
            if step:
                place.append(whole[at : at + step], hour)
                at += step
                continue
            got = pull(client, cursors)
            records += got.records
            cursors = got.cursors or cursors
    assert records == [line(n) for n in range(12)]
