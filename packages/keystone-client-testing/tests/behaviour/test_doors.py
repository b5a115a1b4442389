"""The ways to reach a fake: transport, respx, loopback server, ready-made clients, command line."""

import signal
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import anyio
import httpx
import pytest
import respx
from keystone_client import KeystoneClient
from keystone_client_testing import FakeKeystone

from .children import started
from .conftest import Session


def test_every_door_leads_to_the_same_world(fake: FakeKeystone) -> None:
    with ExitStack() as stack:
        url = stack.enter_context(fake.serve())
        stack.enter_context(fake.mock())
        ways = [
            httpx.Client(base_url=fake.url, transport=fake.transport),
            httpx.Client(base_url=fake.url),
            httpx.Client(base_url=url, trust_env=False),
        ]
        for number, client in enumerate(ways, 1):
            session = Session(stack.enter_context(client))
            session.login()
            assert session("POST", "users/teams/", json={"name": f"Team {number}"}).json()["id"] == number
    assert len(fake.journal.find("POST", "users/teams", status=201)) == 3


def test_uploads_and_answers_survive_every_door(door: Session, fake: FakeKeystone) -> None:
    door.login()
    fake.add.request()
    content = bytes(range(256)) * 100
    body = door("POST", "allocations/attachments/", data={"request": "1"}, files={"file": ("ä.png", content)}).json()
    assert (body["name"], fake.world.store.files[body["file"]]) == ("ä.png", content)
    assert door("GET", "users/users/?username=ä%20b").json()["count"] == 0


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_one_transport_serves_async_clients_too(fake: FakeKeystone, backend: str) -> None:
    async def main() -> int:
        async with httpx.AsyncClient(base_url=fake.url, transport=fake.transport) as client:
            return (await client.get("version/")).status_code

    assert anyio.run(main, backend=backend) == 200


def test_while_the_respx_door_is_open_loopback_passes_and_other_hosts_are_refused_by_name(fake: FakeKeystone) -> None:
    with FakeKeystone().serve() as url, fake.mock():
        assert httpx.get(f"{url}version/", trust_env=False).text == "0.0.0"
        with pytest.raises(AssertionError, match=r"elsewhere\.example is not the fake Keystone"):
            httpx.get("http://elsewhere.example/", trust_env=False)
    assert fake.journal == []


def test_routes_a_test_mocks_itself_still_answer_inside_the_door(fake: FakeKeystone) -> None:
    with fake.mock(), respx.mock(assert_all_called=True) as own:
        own.get("http://elsewhere.example/").respond(204)
        assert httpx.get("http://elsewhere.example/", trust_env=False).status_code == 204
        assert httpx.get(f"{fake.url}version/", trust_env=False).status_code == 200


def test_two_worlds_can_be_open_at_once() -> None:
    one, two = FakeKeystone("http://one.test"), FakeKeystone("http://two.test")
    with one.mock(), two.mock():
        for fake in (one, two):
            assert httpx.get(f"{fake.url}version/", trust_env=False).status_code == 200
    assert (len(one.journal), len(two.journal)) == (1, 1)


def test_the_server_keeps_connections_and_stops_with_clients_still_connected(fake: FakeKeystone) -> None:
    before = threading.active_count()
    with fake.serve() as url:
        client = httpx.Client(base_url=url, trust_env=False)
        assert [client.get("version/").status_code for _ in range(3)] == [200] * 3
    client.close()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}version/", trust_env=False)
    assert threading.active_count() <= before + 1


def test_every_door_leaves_a_path_as_it_came(fake: FakeKeystone) -> None:
    with (
        fake.serve() as url,
        httpx.Client(trust_env=False) as network,
        httpx.Client(transport=fake.transport) as direct,
    ):
        for client, base in ((network, url), (direct, fake.url)):
            assert client.get(f"{base}/version/").status_code == 404


def test_many_threads_share_one_world(fake: FakeKeystone) -> None:
    token = {"Authorization": f"Token {fake.add.token()}"}

    def create(number: int) -> None:
        with httpx.Client(base_url=fake.url, transport=fake.transport, headers=token) as client:
            for step in range(10):
                assert client.post("users/teams/", json={"name": f"{number}-{step}"}).status_code == 201

    threads = [threading.Thread(target=create, args=(number,), daemon=True) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert sorted(fake.world.store.tables["team"]) == list(range(1, 81))


def test_ready_made_clients_are_logged_in_without_a_request(fake: FakeKeystone) -> None:
    bob = fake.add.user(username="bob")
    with fake.client("bob") as client:
        assert fake.journal == []
        user = client.whoami()
        assert user is not None
        assert user["id"] == bob["id"]

    async def main() -> object:
        client = fake.async_client(user=bob)
        found = await client.whoami()
        await client.close()
        return found and found["username"]

    assert anyio.run(main) == "bob"
    with pytest.raises(LookupError, match="no user 'carol'"):
        fake.client("carol")


def test_the_waits_of_a_ready_made_client_cost_no_time_but_move_the_clock(fake: FakeKeystone) -> None:
    fake.fail(path="users", status=429, times=2)
    before = fake.clock.time()
    with fake.client() as client:
        assert client.count_user() == 1
    assert fake.clock.time() - before >= 60


def test_a_client_pages_through_what_a_server_holds(fake: FakeKeystone) -> None:
    for number in range(25):
        fake.add.cluster(name=f"c{number}")
    with fake.serve() as url, KeystoneClient(url, page_size=10, trust_env=False) as client:
        client.login("admin", "quickstart")
        assert [row["id"] for row in client.iterate_cluster()] == list(range(1, 26))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_prints_where_and_stops_on_a_signal(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "keystone_client_testing", "--port", "0", "--demo-data"]
    with started(command) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        assert "admin / quickstart" in line
        url = line.split()[3]
        with KeystoneClient(url, trust_env=False) as client:
            client.login("admin", "quickstart")
            assert client.count_user() == 201
        process.send_signal(number)
        assert process.wait(10) == 0
        assert (process.stdout.read(), process.stderr.read()) == ("stopped\n", "")


@pytest.mark.parametrize(("options", "largest"), [([], 2**31 - 1), (["--database", "sqlite"], 2**63 - 1)])
def test_the_command_takes_the_database_of_the_server(options: list[str], largest: int) -> None:
    command = [sys.executable, "-m", "keystone_client_testing", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        with KeystoneClient(process.stdout.readline().split()[3], trust_env=False) as client:
            schemas = client.http_get("openapi/json/").json()["components"]["schemas"]
        process.send_signal(signal.SIGINT)
    assert schemas["Allocation"]["properties"]["requested"]["maximum"] == largest


def test_demo_data_do_not_fit_into_a_world_that_has_them(
    fake: FakeKeystone, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from keystone_client_testing.__main__ import main

    fake.add.user(username="lberg")
    (tmp_path / "world.json").write_text(fake.dump(), encoding="utf-8")
    assert main(["--world", str(tmp_path / "world.json"), "--demo-data"]) == 1
    assert capsys.readouterr().err == ("cannot add the demo data: the fake has a user with username='lberg' already\n")


def test_a_taken_port_is_a_readable_error(fake: FakeKeystone) -> None:
    with fake.serve() as url:
        port = url.rstrip("/").rpartition(":")[2]
        command = [sys.executable, "-m", "keystone_client_testing", "--port", port]
        result = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert result.returncode == 1
    assert result.stderr.startswith(f"cannot serve on 127.0.0.1:{port}: ")
