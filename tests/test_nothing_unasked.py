"""No side effects: an import opens nothing, and a call opens one connection to one server.

A child process reports every file, socket, thread and process by an audit hook, and every read of the environment.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

WATCHED = """
import json, os, sys, threading

seen = {"files": [], "sockets": [], "processes": [], "environment": [], "threads": []}

def hook(event, args):
    if event == "open" and isinstance(args[0], str) and not args[0].endswith((".py", ".pyc")):
        seen["files"].append(args[0])
    elif event in ("socket.connect", "socket.bind", "socket.sendto"):
        seen["sockets"].append([event, list(args[1])])
    elif event in ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.posix_spawn"):
        seen["processes"].append(event)

def watch(look):
    def looked(self, key):
        frame = sys._getframe(1)
        while frame.f_globals["__name__"] in ("os", "_collections_abc"):
            frame = frame.f_back
        if frame.f_globals["__name__"].startswith("keystone_client"):
            seen["environment"].append(key)
        return look(self, key)
    return looked

os._Environ.__getitem__ = watch(os._Environ.__getitem__)
sys.addaudithook(hook)
start = threading.Thread.start
threading.Thread.start = lambda thread: (seen["threads"].append(thread.name), start(thread))[1]
"""
REPORT = "\nprint(json.dumps(seen))\n"
QUIET: dict[str, list[Any]] = {"files": [], "sockets": [], "processes": [], "environment": [], "threads": []}


def report(code: str, **environment: str) -> dict[str, list[Any]]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", WATCHED + code + REPORT],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"} | environment,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[Any]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    "package",
    ["keystone_client_core", "keystone_client", "keystone_client_testing", "keystone_client_testing.plugin"],
)
def test_importing_a_package_opens_nothing_and_starts_nothing(package: str) -> None:
    everything = f"import {package} as p\nfor name in getattr(p, '__all__', ()): getattr(p, name)"
    assert report(everything) == QUIET


TALK = """
sys.modules["trio"] = None  # httpcore imports it where it is installed, and trio asks ldconfig for a library
from keystone_client import AsyncKeystoneClient, KeystoneClient
URL = os.environ["SERVER"]
with KeystoneClient(URL) as client:
    client.login("admin", "quickstart")
    client.create_cluster(name="sync")
    client.retrieve_cluster()
async def talk():
    async with AsyncKeystoneClient(URL) as client:
        await client.login("admin", "quickstart")
        await client.bulk_create_cluster([{"name": "async"}])
        await client.retrieve_cluster()
import anyio
anyio.run(talk)
"""


def test_a_call_opens_no_file_and_no_other_connection_and_netrc_is_not_read(tmp_path: Path) -> None:
    from keystone_client_testing import FakeKeystone

    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login ada password s3cret\n")
    (tmp_path / ".netrc").chmod(0o600)
    with FakeKeystone().serve() as url:
        found = report(TALK, SERVER=url, HOME=str(tmp_path), NETRC=str(tmp_path / ".netrc"))
    port = int(url.rstrip("/").rpartition(":")[2])
    assert found["files"] == found["processes"] == found["threads"] == []
    assert found["sockets"] == [["socket.connect", ["127.0.0.1", port]]] * len(found["sockets"])
    assert len(found["sockets"]) == 2
    assert set(found["environment"]) <= {"SSL_CERT_FILE", "SSL_CERT_DIR"}


SEARCHES = """
import anyio, json, sys
from keystone_client import AsyncKeystoneClient, KeystoneClient
from keystone_client_testing import FakeKeystone

class Finder:
    searched = []

    def find_spec(self, name, path=None, target=None):
        self.searched.append(name)

async def main(url):
    async with AsyncKeystoneClient(url) as client:
        for round in range(2):
            if round == 1:
                sys.meta_path.insert(0, Finder())  # asked for each module that is not loaded yet
            await client.http_get("version")
            await client.retrieve_version()

with FakeKeystone().serve() as url:
    anyio.run(main, url)
    with KeystoneClient(url) as client:
        by_tasks = list(Finder.searched)
        client.http_get("version")
        client.retrieve_version()
        Finder.searched.clear()
        client.http_get("version")
        client.retrieve_version()
print(json.dumps(by_tasks + Finder.searched))
"""


def test_a_call_imports_nothing_once_an_earlier_one_has_been_made() -> None:
    command = [sys.executable, "-W", "error", "-c", SEARCHES]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []


LAZY = """
import json, sys
import keystone_client
early = [name for name in ("anyio", "asyncio", "keystone_client._async_client") if name in sys.modules]
assert "AsyncKeystoneClient" in dir(keystone_client)
from keystone_client import AsyncKeystoneClient
assert AsyncKeystoneClient is keystone_client.AsyncKeystoneClient
assert AsyncKeystoneClient.__module__ == "keystone_client"
assert AsyncKeystoneClient.create_team.__qualname__ == "AsyncKeystoneClient.create_team"
assert keystone_client.KeystoneClient.create_team.__qualname__ == "KeystoneClient.create_team"
import pickle
assert pickle.loads(pickle.dumps(AsyncKeystoneClient)) is AsyncKeystoneClient
print(json.dumps(early))
"""


def test_the_async_client_is_loaded_when_somebody_asks_for_it() -> None:
    command = [sys.executable, "-W", "error", "-c", LAZY]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []
