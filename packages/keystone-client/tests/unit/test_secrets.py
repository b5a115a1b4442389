"""Passwords, tokens, cookies and CSRF values appear in requests and nowhere else.

Every operation that handles one meets every kind of failure, in both colours; whatever a program could print, store or
send on of the failure is searched: text, attributes, pickles, log records, and the local variables that traceback tools
print. Each secret stands in the global variables of this module only: the frames of a test are not the client's.
"""

import copy
import io
import pickle
import socket
import ssl
import threading
import traceback
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import httpx
import pytest
from keystone_client import (
    AsyncKeystoneClient,
    BulkError,
    FieldError,
    KeystoneClient,
    KeystoneError,
    RetryPolicy,
    TransportError,
    Wanted,
)
from keystone_client_testing import FakeKeystone
from rich.console import Console
from rich.traceback import Traceback

from .scripted import URL, Player, Reply, Scripted, answer, cookies, failure, zipped
from .sockets import serving
from .test_unreachable import AUTHORITY, TRUSTED

PASSWORD, TOKEN, SESSION_ID, CSRF = SECRETS = ("pa55-w0rd", "t0k3n-t0k3n", "s3ss10n-1d", "csrf-v4lue")
USER: Any = {"username": "b", "password": PASSWORD, "first_name": "B", "last_name": "B", "email": "b@c.de"}
BAD_USER: Any = {**USER, "nope": 1}
LOGIN = {"username": "ada", "password": PASSWORD}


class BrokenError(Exception):
    """An unexpected error."""


def in_the_middle(*_: object) -> None:
    raise BrokenError


OPERATIONS: dict[str, Callable[[Any], Any]] = {
    "login": lambda client: client.login("ada", PASSWORD),
    "provider": lambda client: client.login(provider=lambda: ("ada", PASSWORD)),
    "logout": lambda client: client.logout(),
    "whoami": lambda client: client.whoami(),
    "post": lambda client: client.http_post("x", json=LOGIN),
    "form": lambda client: client.http_put("x", data=LOGIN),
    "create": lambda client: client.create_user(**USER),
    "update": lambda client: client.update_user(1, {"password": PASSWORD}),
    "bulk create": lambda client: client.bulk_create_user([USER]),
    "bulk update": lambda client: client.bulk_update_user({1: {"password": PASSWORD}}),
    "batch": lambda client: in_a_batch(client, lambda job: job.create_user(**USER)),
    "ensure": lambda client: client.ensure_user(**USER),
    "plan": lambda client: client.plan(Wanted("user", [USER])),
    "listing": lambda client: client.retrieve_cluster(),
    "delete": lambda client: client.delete_cluster(1),
}
REFUSED: dict[str, Callable[[Any], Any]] = {
    "login": lambda client: client.login("", PASSWORD),
    "provider": lambda client: client.login(provider=lambda: ("ada", PASSWORD, "x")),
    "provided": lambda client: client.login(provider=lambda: ("", PASSWORD)),
    "post": lambda client: client.http_post("..", json=LOGIN),
    "not JSON": lambda client: client.http_post("x", json={**LOGIN, "x": {1, 2}}),
    "option": lambda client: client.http_post("x", json=LOGIN, data=LOGIN),
    "header": lambda client: client.http_get("x", headers={"cookie": SESSION_ID}),
    "create": lambda client: client.create_user(**BAD_USER),
    "update": lambda client: client.update_user(None, {"password": PASSWORD}),
    "blank": lambda client: client.update_user(1, {"password": f" {PASSWORD}"}),
    "bulk create": lambda client: client.bulk_create_user([USER, BAD_USER]),
    "bulk update": lambda client: client.bulk_update_user({0: {"password": PASSWORD}}),
    "ensure": lambda client: client.ensure_user(**BAD_USER),
    "plan": lambda client: client.plan(Wanted("user", [USER]), [USER]),
    "progress": lambda client: client.bulk_create_user([USER], on_progress=in_the_middle),
    "batch": lambda client: in_a_batch(client, lambda job: job.create_user(**BAD_USER)),
    "batch update": lambda client: in_a_batch(client, lambda job: job.update_user(0, {"password": PASSWORD})),
}
FAILURES: dict[str, Reply] = {
    **{
        str(status): cookies(f"sessionid={SESSION_ID}; Path=/", status=status, body={"detail": "No.", "step": 1})
        for status in (301, 400, 401, 403, 404, 422, 429, 500, 503)
    },
    "read": failure(httpx.ReadError),
    "timeout": failure(httpx.ReadTimeout),
    "connect": failure(httpx.ConnectError),
    "local": failure(httpx.LocalProtocolError),
    "protocol": failure(httpx.RemoteProtocolError),
    "unpacked": zipped(b"garbage"),
    "html": answer(200, b"<title>Proxy</title>"),
    "unexpected": in_the_middle,  # type: ignore[dict-item]  # it never answers
}


def in_a_batch(client: Any, act: Callable[[Any], object]) -> Any:
    if isinstance(client, AsyncKeystoneClient):
        return in_an_async_batch(client, act)
    with client.batch() as job:
        act(job)
    return None


async def in_an_async_batch(client: Any, act: Callable[[Any], object]) -> None:
    async with client.batch() as job:
        act(job)


async def awaited(result: Awaitable[Any]) -> Any:
    return await result


def outcome(colour: str, client: Any, act: Callable[[Any], Any]) -> BaseException | None:
    """Return the result or error of a call; no frame of the test keeps its arguments."""
    try:
        if colour == "sync":
            act(client)
        else:
            anyio.run(awaited, act(client), backend="trio" if colour == "trio" else "asyncio")
    except (KeystoneError, BrokenError) as error:
        return error
    return None


def client_of(colour: str, wire: Any, **options: Any) -> Any:
    kind: Any = KeystoneClient if colour == "sync" else AsyncKeystoneClient
    client = kind(URL, transport=wire, retry=RetryPolicy(2), **options)
    client._driver.sleep = Player(client)._sleep if colour == "async" else list[float]().append
    return client


def traces(error: BaseException) -> dict[str, str]:
    """Return what a failure shows, by the kind of reader."""
    seen = {"text": f"{error} {error!r} {error.args!r}", "locals": ""}
    with_locals = traceback.TracebackException.from_exception(error, capture_locals=True, compact=False)
    seen["locals"] = "".join(with_locals.format())
    links, known = [error], list[BaseException]()
    while links:
        link = links.pop()
        known.append(link)
        links += [each for each in (link.__cause__, link.__context__) if each is not None and each not in known]
        seen["text"] += f" {link} {link!r} {link.args!r}"
        if not isinstance(link, BulkError):  # it returns the records that were not written: they belong to the caller
            seen["attributes"] = seen.get("attributes", "") + f" {vars(link)!r} {messages(link)}"
            seen["pickle"] = seen.get("pickle", "") + str(pickle.dumps(link)) + str(pickle.dumps(copy.copy(link)))
        seen["frames"] = seen.get("frames", "") + frames(link)
    return seen


def frames(error: BaseException) -> str:
    """The local variables of all frames but those of the tests, one level deep."""
    shown = []
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if "tests" not in frame.f_code.co_filename:
            for value in frame.f_locals.values():
                shown.append(repr(value))
                if isinstance(value, httpx.Request | httpx.Response):
                    continue  # masked in its repr; a request must exist until it is sent
                shown += [repr(vars(value))] if hasattr(value, "__dict__") and not isinstance(value, type) else []
    return "\n".join(shown)


def messages(error: BaseException) -> str:
    """Return the headers and bodies of the request and response of an error."""
    carried = [getattr(error, name, None) for name in ("_request", "response")]
    carried += [getattr(each, "_request", None) for each in carried]
    return str([(each.headers.raw, each.content) for each in carried if each is not None])


def rich(error: BaseException) -> str:
    told = io.StringIO()
    trace = Traceback.from_exception(
        type(error), error, error.__traceback__, show_locals=True, locals_max_string=999, locals_max_length=99
    )
    Console(file=told, width=400, color_system=None).print(trace)
    return told.getvalue()


def found(seen: dict[str, str]) -> dict[str, list[str]]:
    return {where: hits for where, text in seen.items() if (hits := [secret for secret in SECRETS if secret in text])}


@pytest.mark.parametrize("failed", FAILURES)
@pytest.mark.parametrize("way", ["session", "token"])
def test_no_failure_reveals_a_secret(colour: str, way: str, failed: str, caplog: pytest.LogCaptureFixture) -> None:
    greeting = cookies(f"csrftoken={CSRF}; Path=/", f"sessionid={SESSION_ID}; Path=/")
    for name, act in OPERATIONS.items():
        wire = Scripted(greeting, FAILURES[failed])
        client = client_of(colour, wire, token=TOKEN if way == "token" else None)
        with caplog.at_level(1), warnings.catch_warnings(record=True) as warned:
            outcome(colour, client, lambda client: client.http_get("version"))
            error = outcome(colour, client, act)
        if error is not None:
            assert found(traces(error)) == {}, (name, failed)
        told = [f"{record.__dict__} {record.getMessage()}" for record in caplog.records if record.name == "kclient"]
        said = {"log": "\n".join(told), "warnings": str([str(each.message) for each in warned])}
        said["client"] = f"{client!r} {client} {vars(client)!r} {vars(client._session)!r}"
        said["url"] = str([request.url for request in wire.requests])
        assert told
        assert found(said) == {}, (name, failed)
        sent = str([(request.headers.raw, request.content) for request in wire.requests])
        assert (TOKEN if way == "token" else SESSION_ID) in sent


@pytest.mark.parametrize("name", REFUSED)
def test_refused_input_reveals_no_secret(colour: str, name: str) -> None:
    fake = FakeKeystone(URL)
    client = fake.client() if colour == "sync" else fake.async_client()
    error = outcome(colour, client, REFUSED[name])
    assert error is not None
    assert found(traces(error)) == {}


CONSTRUCTIONS: dict[str, Callable[[Any], Any]] = {
    "url": lambda kind: kind(f"http://ada:{PASSWORD}@keystone.test", token=TOKEN),
    "token": lambda kind: kind(URL, token=f"{TOKEN} {TOKEN}"),
    "later option": lambda kind: kind(URL, token=TOKEN, headers={"X-Key": PASSWORD}, page_size=0),
    "proxy": lambda kind: kind(URL, token=TOKEN, proxy=f"nowhere://ada:{PASSWORD}@proxy.test"),
    "certificate": lambda kind: kind(URL, token=TOKEN, proxy=f"http://ada:{PASSWORD}@proxy.test", verify="nowhere.pem"),
    "header": lambda kind: kind(URL, headers={"X-Key": f"{PASSWORD}\n"}),
    "ours": lambda kind: kind(URL, headers={"Authorization": TOKEN}),
}


@pytest.mark.parametrize("name", CONSTRUCTIONS)
@pytest.mark.parametrize("kind", [KeystoneClient, AsyncKeystoneClient])
def test_an_error_of_a_constructor_reveals_no_secret(kind: Any, name: str) -> None:
    error = outcome("sync", kind, CONSTRUCTIONS[name])
    assert isinstance(error, KeystoneError)
    assert found(traces(error)) == {}


@pytest.mark.parametrize("missing", ["KEYSTONE_URL", "KEYSTONE_USERNAME", "KEYSTONE_PASSWORD", ""])
@pytest.mark.parametrize("kind", [KeystoneClient, AsyncKeystoneClient])
def test_an_invalid_environment_reveals_no_secret(kind: Any, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"URL": URL, "USERNAME": "ada", "PASSWORD": PASSWORD, "TOKEN": TOKEN}.items():
        if name != "TOKEN" or not missing:
            monkeypatch.setenv(f"KEYSTONE_{name}", value)
    monkeypatch.delenv(missing or "KEYSTONE_NOTHING", raising=False)
    error = outcome("sync", kind, lambda kind: kind.from_env())
    assert isinstance(error, FieldError)
    assert found(traces(error)) == {}


@pytest.mark.parametrize("reply", [answer(400, {"detail": "No."}), failure(httpx.ConnectError)])
def test_a_failed_login_from_the_environment_reveals_no_secret(
    colour: str, reply: Reply, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"URL": URL, "USERNAME": "ada", "PASSWORD": PASSWORD}.items():
        monkeypatch.setenv(f"KEYSTONE_{name}", value)
    kind: Any = KeystoneClient if colour == "sync" else AsyncKeystoneClient
    client = kind.from_env(transport=Scripted(reply), retry=None)
    assert found({"client": f"{client!r} {vars(client)!r}"}) == {}
    error = outcome(colour, client, lambda client: client.whoami())
    assert error is not None
    assert found(traces(error)) == {}


def test_a_client_is_neither_pickled_nor_copied_with_its_session(colour: str) -> None:
    client = client_of(colour, Scripted(), token=TOKEN)
    for act in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="make a new one"):
            act(client)


def test_over_a_real_connection_no_transport_frame_reveals_a_secret(colour: str) -> None:
    """httpx and what is below it hold headers and bodies in their variables."""
    fake = FakeKeystone()
    fake.fail("POST", error="reset", times=9)
    fake.fail("PATCH", error="cut", times=9)
    with fake.serve() as url:
        kind: Any = KeystoneClient if colour == "sync" else AsyncKeystoneClient
        client = kind(url, token=TOKEN, retry=None)
        for name in ("login", "create", "update", "post"):
            error = outcome(colour, client, OPERATIONS[name])
            assert error is not None
            told = {"rich": rich(error)} if name == "login" else {}  # slow
            assert found(traces(error) | told) == {}, name
        close = client.close()
        if colour == "async":
            anyio.run(awaited, close)


def test_over_tls_no_frame_reveals_a_secret(runner: str) -> None:
    """The frames of TLS, and of the library that runs the tasks, have the part of the body that they send."""
    kind: Any = KeystoneClient if runner == "sync" else AsyncKeystoneClient
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("127.0.0.1").configure_cert(context)
    ended = threading.Event()

    def deaf(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True):
            ended.wait(30)

    with serving(deaf) as port:
        options: dict[str, Any] = {"retry": None, "timeout": 0.3, "verify": TRUSTED, "trust_env": False}
        client = kind(f"https://127.0.0.1:{port}", token=TOKEN, **options)
        error = outcome(runner, client, lambda client: client.http_post("x", json=[PASSWORD] * 1_000_000))
        ended.set()
    assert isinstance(error, TransportError)
    assert "could not be sent" in str(error)
    assert found(traces(error)) == {}


def test_local_variables_of_the_caller_are_not_cleared() -> None:
    def mine(done: int, total: int) -> None:
        kept = "my own value"
        raise BrokenError(kept)

    with FakeKeystone(URL).client() as client, pytest.raises(BulkError) as caught:
        client.bulk_create_user([USER], on_progress=mine)
    assert caught.value.__cause__ is not None
    *_, (last, _) = traceback.walk_tb(caught.value.__cause__.__traceback__)
    assert last.f_locals["kept"] == "my own value"
