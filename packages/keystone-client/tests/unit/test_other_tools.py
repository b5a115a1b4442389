"""Tools that patch httpx or httpcore (tracing, mocks, recordings) see the requests of the client."""

from pathlib import Path

import anyio
import respx
import vcr
from keystone_client import AsyncKeystoneClient, KeystoneClient
from keystone_client_testing import FakeKeystone
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pytest_httpx import HTTPXMock

URL = "http://keystone.example/"
CLUSTER = {"id": 1, "name": "Andromeda"}


async def ask_async(url: str) -> list[object]:
    async with AsyncKeystoneClient(url, retry=None) as client:
        return [await client.retrieve_cluster(1), await client.retrieve_cluster(1)]


def ask(url: str) -> list[object]:
    """Retrieve a cluster twice with each client."""
    with KeystoneClient(url, retry=None) as client:
        return [client.retrieve_cluster(1), client.retrieve_cluster(1), *anyio.run(ask_async, url)]


def test_opentelemetry_makes_a_span_of_each_request() -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    fake = FakeKeystone()
    HTTPXClientInstrumentor().instrument(tracer_provider=provider)
    try:
        with fake.serve() as url, KeystoneClient(url) as client:
            client.login("admin", "quickstart")
            client.retrieve_cluster(1)
            anyio.run(_version, url)
    finally:
        HTTPXClientInstrumentor().uninstrument()

    seen = [(span.attributes or {})["http.url"] for span in exporter.get_finished_spans()]
    assert seen == [f"{url}authentication/login/", f"{url}allocations/clusters/1/", f"{url}version/"]


async def _version(url: str) -> None:
    async with AsyncKeystoneClient(url) as client:
        await client.retrieve_version()


def test_pytest_httpx_answers_for_the_server(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(url=f"{URL}allocations/clusters/1/", json=CLUSTER, is_reusable=True)

    assert ask(URL) == [CLUSTER] * 4


def test_respx_answers_for_the_server() -> None:
    with respx.mock() as router:
        route = router.get(f"{URL}allocations/clusters/1/").respond(json=CLUSTER)

        assert ask(URL) == [CLUSTER] * 4

    assert route.call_count == 4


def test_vcrpy_records_and_plays_back(tmp_path: Path) -> None:
    tape = str(tmp_path / "tape.yaml")
    with FakeKeystone().serve() as url, vcr.use_cassette(tape), KeystoneClient(url) as client:
        version = client.retrieve_version()

    with vcr.use_cassette(tape, record_mode="none") as played, KeystoneClient(url, retry=None) as client:
        assert client.retrieve_version() == version  # the server is closed by now
    assert played.play_count == 1
