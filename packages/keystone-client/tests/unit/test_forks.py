"""A forked child has connections and locks of its own, and closes what it inherited."""

import os
import subprocess
import sys

import pytest
from keystone_client_testing import FakeKeystone

FORK = """
import os, signal, sys, threading, anyio
from keystone_client import AsyncKeystoneClient, KeystoneClient, ClosedError

url = sys.argv[1]
client, other = KeystoneClient(url), AsyncKeystoneClient(url)
client.login("admin", "quickstart")
iteration = client.iterate_user(page_size=1)
next(iteration); next(iteration)

def hold():                                   # locks, as another thread of the parent may
    with client._session._lock, client._driver.connections._permits.lock, client._driver.turn.lock:
        held.set()
        over.wait(30)

held, over = threading.Event(), threading.Event()
thread = threading.Thread(target=hold)
thread.start()
assert held.wait(30)
child = os.fork()
if child == 0:
    signal.alarm(30)                          # nobody else would end it
    try:
        next(iteration)
    except ClosedError as error:
        assert "parent process" in str(error)
    assert client.whoami()["username"] == "admin"
    client.login("admin", "quickstart")
    assert anyio.run(other.whoami) is None
    print("child", flush=True)
    os._exit(0)
over.set()
thread.join(30)
assert os.waitpid(child, 0)[1] == 0
assert client.whoami()["username"] == "admin"
assert len(list(iteration)) > 0
client.close()
print("parent")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_a_forked_child_has_connections_and_locks_of_its_own() -> None:
    fake = FakeKeystone()
    for number in range(5):
        fake.add.user(username=f"user{number}")
    with fake.serve() as url:
        done = subprocess.run(
            [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK, url],
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert (done.stdout.split(), done.returncode) == (["child", "parent"], 0), done.stderr


FORK_OF_TASKS = """
import asyncio, gc, os, sys, warnings
from keystone_client import AsyncKeystoneClient

def sockets():
    links = (f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd"))
    return sum(os.readlink(link).startswith("socket:") for link in links if os.path.islink(link))

client = AsyncKeystoneClient(sys.argv[1])
loop = asyncio.new_event_loop()
before = sockets()
loop.run_until_complete(client.retrieve_version())
assert sockets() == before + 1
child = os.fork()
if child == 0:
    gc.collect()
    os._exit(sockets() - before)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
loop.run_until_complete(client.close())
loop.close()
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="only Linux tells what a process has open")
def test_a_forked_child_closes_the_connections_of_an_async_client_of_its_parent() -> None:
    with FakeKeystone().serve() as url:
        done = subprocess.run(
            [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK_OF_TASKS, url],
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert (done.stdout.split(), done.returncode) == (["0"], 0), done.stderr
