"""Public names: all exist, report the module users import them from, and are the same on both clients."""

import importlib
import inspect
import subprocess
import sys
import traceback
from typing import Any

import keystone_client
import pytest
from keystone_client import AsyncKeystoneClient, KeystoneClient
from keystone_client._hints.former_names import ON_CLASSES
from keystone_client_core import RESOURCES

OTHERS = {"base_url", "cid", "close", "create_attachment", "is_authenticated", "login", "logout", "whoami"}
OTHERS |= {
    "batch",
    "download_attachment",
    "from_env",
    "retrieve_choices",
    "retrieve_config",
    "retrieve_health",
    "retrieve_version",
    "with_options",
}
OTHERS |= {f"retrieve_{name}_stats" for name in ("grant", "notification", "publication", "request")}
OTHERS |= {"follow_audit_log", "follow_request_log", "plan"}
OTHERS |= {f"ensure_{name}" for name in ("cluster", "membership", "preference", "publication", "team", "user")}
OTHERS |= {f"http_{method}" for method in ("get", "post", "put", "patch", "delete", "iterate")}
METHODS = {
    "list": ("retrieve", "iterate", "count"),
    "retrieve": ("retrieve",),
    "create": ("create", "check", "bulk_create"),
    "update": ("update", "bulk_update"),
    "delete": ("delete", "bulk_delete"),
}


def public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")} - ON_CLASSES.keys()


def test_the_public_names_are_sorted_and_importable() -> None:
    names = keystone_client.__all__
    assert len(names) == len(set(names))
    assert names == sorted(names)
    for name in names:
        assert getattr(keystone_client, name) is not None


def test_every_public_class_is_listed() -> None:
    classes = {name for name, value in vars(keystone_client).items() if isinstance(value, type) and name[0] != "_"}
    assert classes <= set(keystone_client.__all__)


def test_classes_say_that_they_come_from_where_users_import_them() -> None:
    for name in keystone_client.__all__:
        value = getattr(keystone_client, name)
        if isinstance(value, type):
            assert value.__module__.partition(".")[0] in ("keystone_client", "keystone_client_core")
            assert not value.__module__.startswith("keystone_client.")
            assert getattr(importlib.import_module(value.__module__), name) is value


def test_a_star_import_brings_the_public_names() -> None:
    code = "from keystone_client import *; print(sorted(n for n in dir() if not n.startswith('__')))"
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == str(keystone_client.__all__)


def test_the_version_is_public_and_sent_as_user_agent() -> None:
    from .scripted import Scripted, connect

    wire = Scripted()
    connect("sync", wire).http_get("version")
    assert wire.requests[0].headers["user-agent"] == f"keystone-api-client/{keystone_client.__version__}"


def test_both_clients_have_the_same_public_names() -> None:
    assert public(KeystoneClient) == public(AsyncKeystoneClient)


def shape(function: Any) -> list[tuple[str, Any, Any, str]]:
    """Return the parameters; sync and async transport types are treated as equal."""
    parameters = inspect.signature(function).parameters.values()
    return [(p.name, p.kind, p.default, str(p.annotation).replace("Async", "")) for p in parameters]


@pytest.mark.parametrize("name", ["__init__", *sorted(public(KeystoneClient) - {"cid", "base_url"})])
def test_both_clients_take_the_same_arguments(name: str) -> None:
    assert shape(getattr(KeystoneClient, name)) == shape(getattr(AsyncKeystoneClient, name))


@pytest.mark.parametrize("name", sorted(public(KeystoneClient) - {"cid", "base_url"}))
def test_the_async_client_awaits_or_iterates_where_the_sync_one_returns(name: str) -> None:
    method = getattr(AsyncKeystoneClient, name)
    nothing_is_sent = name in ("batch", "from_env", "with_options") or name.startswith("check_")
    plain = name.startswith("iterate_") or name == "http_iterate" or nothing_is_sent
    assert inspect.iscoroutinefunction(method) is not plain
    assert not inspect.iscoroutinefunction(getattr(KeystoneClient, name))


def test_every_public_method_is_documented_and_alike_in_both_clients() -> None:
    for name in public(KeystoneClient):
        text = inspect.getdoc(getattr(KeystoneClient, name)) or ""
        assert text.splitlines()[0].endswith((".", "``http_get``.")), name
        other = inspect.getdoc(getattr(AsyncKeystoneClient, name)) or ""
        assert other.replace("async for", "for") == text.replace("async for", "for")


@pytest.mark.parametrize("client", [KeystoneClient, AsyncKeystoneClient])
def test_each_resource_has_the_methods_its_endpoints_allow_and_no_others(client: type) -> None:
    allowed = {
        f"{method}_{name}"
        for name, resource in RESOURCES.items()
        for operation in resource.operations
        for method in METHODS[operation]
    }
    by_hand = {"bulk_create_attachment", "check_attachment"}  # no bulk methods: files are sent singly or in a batch
    assert public(client) == allowed - by_hand | OTHERS


@pytest.mark.parametrize("client", [KeystoneClient, AsyncKeystoneClient])
@pytest.mark.parametrize("name", RESOURCES)
def test_a_resource_without_single_records_takes_no_key(client: type, name: str) -> None:
    parameters = inspect.signature(getattr(client, f"retrieve_{name}")).parameters
    assert ("pk" in parameters) is ("retrieve" in RESOURCES[name].operations)


def test_all_seventeen_resources_are_there() -> None:
    retrieving = {name for name in public(KeystoneClient) - OTHERS if name.startswith("retrieve_")}
    listed = {name.removeprefix("retrieve_") for name in retrieving}
    assert listed == set(RESOURCES)
    assert len(listed) == 17


@pytest.mark.parametrize("client", [KeystoneClient, AsyncKeystoneClient])
@pytest.mark.parametrize("name", ["create_cluster", "create_user", "http_get", "close", "follow_audit_log"])
def test_a_qualified_method_name_has_the_client_class_not_a_base_class(client: type, name: str) -> None:
    method = getattr(client, name)
    assert method.__qualname__ == f"{client.__name__}.{name}"


def test_an_incomplete_call_names_the_client_class_not_a_base_class(colour: str) -> None:
    from .scripted import connect

    client = connect(colour)
    kind = type(client.client).__name__
    for name in ("delete_cluster", "http_get", "retrieve_choices"):
        with pytest.raises(TypeError, match=rf"^{kind}\.{name}\(\) missing"):
            getattr(client, name)()


@pytest.mark.parametrize("name", [name for name in keystone_client.__all__ if name.endswith("Error")])
def test_a_traceback_names_an_error_as_it_is_imported(name: str) -> None:
    kind = getattr(keystone_client, name)
    error = kind.__new__(kind)
    assert traceback.format_exception_only(error)[-1].startswith(f"keystone_client.{name}")
