"""The names of the official client up to 0.10, and what became of each.

That client has the same import name, so its programs meet this one. Two arguments of the constructor still work, with a
``DeprecationWarning``, until 2.0. Everything else that went fails with a message that says what to write instead. The
tables here are the only place for these names; ``docs/migrating.md`` shows them with examples.

Arguments are looked at before the method is called. The signatures stay as they are, so that type checkers, ``help()``
and completion know nothing of names that are gone.
"""

import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from inspect import iscoroutinefunction, unwrap
from types import CodeType
from typing import Any, Final, NoReturn, TypeVar, cast

Method = TypeVar("Method", bound=Callable[..., Any])

RENAMED: Final = {"base_url": "url", "verify_ssl": "verify"}
"""Arguments of the constructor that work until 2.0, and their names now."""

_NO_REDIRECTS = "leave it out, redirects are not followed; to follow one, http_get() its Location"

RETIRED_OPTIONS: Final = {"follow_redirects": _NO_REDIRECTS, "max_redirects": _NO_REDIRECTS}
"""Arguments of the constructor that are gone, and what to do instead."""

ON_CLASSES: Final[Mapping[str, str]] = {
    "normalize_url": "leave it out, the client normalises URLs; or write keystone_client_core.parse_base_url()",
    "LOGIN_ENDPOINT": 'write login(), or "authentication/login/"',
    "LOGOUT_ENDPOINT": 'write logout(), or "authentication/logout/"',
    "IDENTITY_ENDPOINT": 'write whoami(), or "authentication/whoami/"',
    "CSRF_COOKIE": 'leave it out, requests have the token; or write "csrftoken"',
    "CSRF_HEADER": 'leave it out, requests have the token; or write "X-CSRFToken"',
    "CID_HEADER": 'write cid= for the constructor, client.cid, or "X-KEYSTONE-CID"',
}
"""Attributes of the classes that are gone, and what to write instead."""

ATTRIBUTES: Final[Mapping[str, str]] = {
    **ON_CLASSES,
    "schema": 'write endpoints as text, http_get("allocations/requests"), or retrieve_request()',
    "send_request": "write http_get(), http_post(), http_put(), http_patch() or http_delete()",
    "get_application_headers": "leave it out, requests have these headers; give others as headers=",
    **{f"{verb}_research_group": f"write {verb}_team()" for verb in ("create", "retrieve", "update", "delete")},
}
"""Attributes and methods of the clients that are gone, and what to write instead."""

MODULES: Final[Mapping[str, str]] = {
    "client": "write `from keystone_client import KeystoneClient, AsyncKeystoneClient`",
    "http": "write `from keystone_client import KeystoneClient, AsyncKeystoneClient`, which have http_get() and so on",
    "log": "write `from keystone_client_core import ContextAdapter, ContextFilter`",
    "schema": 'write endpoints as text, http_get("allocations/requests"), or retrieve_request()',
}
"""Modules that are gone, and what to write instead."""

_FILES = "create_attachment(request=..., file=...)"
_TIMEOUT = "client.with_options(timeout=...).{method}(...)"
_LISTING = ("filters", "search", "order")

SIGNATURES: Final[Mapping[str, tuple[str, ...]]] = {
    "login": ("username", "password", "timeout"),
    "logout": ("timeout",),
    "is_authenticated": ("timeout",),
    "whoami": ("timeout",),
    "http_get": ("endpoint", "params", "timeout"),
    "http_post": ("endpoint", "json", "files", "timeout"),
    "http_put": ("endpoint", "json", "files", "timeout"),
    "http_patch": ("endpoint", "json", "files", "timeout"),
    "http_delete": ("endpoint", "timeout"),
    "create": ("data", "files"),
    "retrieve": ("pk", *_LISTING, "timeout"),
    "update": ("pk", "data", "files"),
    "delete": ("pk", "raise_not_exists"),
}
"""The arguments of each method in their order, as they were. The last four are those of ``create_x`` and so on."""

GONE: Final[Mapping[str, Mapping[str, str]]] = {
    **{method: {"timeout": _TIMEOUT} for method in ("login", "logout", "is_authenticated", "whoami")},
    "create": {"data": "{method}(**record)", "files": _FILES, "timeout": _TIMEOUT},
    "retrieve": {"timeout": _TIMEOUT},
    "update": {"files": _FILES, "timeout": _TIMEOUT},
    "delete": {"timeout": _TIMEOUT},
}
"""The arguments of methods that are gone, and what to write instead."""


def explains_former_calls(method: Method) -> Method:
    """Decorate a method so that a call as the official client took it fails with what to write instead."""
    most = _code_of(method).co_argcount
    gone = frozenset(GONE.get(_verb(method), ()))

    def refuse(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        error = former_call(method, len(args), kwargs)
        if error is not None:
            raise error

    # The condition stands in both, because each call goes through it.
    def call(*args: Any, **kwargs: Any) -> Any:
        if len(args) > most or not gone.isdisjoint(kwargs):
            refuse(args, kwargs)
        return method(*args, **kwargs)

    async def call_async(*args: Any, **kwargs: Any) -> Any:
        if len(args) > most or not gone.isdisjoint(kwargs):
            refuse(args, kwargs)
        return await method(*args, **kwargs)

    wrapper = wraps(method)(call_async if iscoroutinefunction(method) else call)
    return cast(Method, wrapper)


def _code_of(function: Callable[..., Any]) -> CodeType:
    """Return the code of a function itself, below what decorates it: only that has the arguments."""
    code: CodeType = getattr(unwrap(function), "__code__")  # noqa: B009 - a callable need not have one; ours has
    return code


def _verb(method: Callable[..., Any]) -> str:
    name = method.__name__
    return name if name in SIGNATURES else name.partition("_")[0]


def former_call(method: Callable[..., Any], given: int, named: Iterable[str]) -> TypeError | None:
    """Return the error that says for each former argument what to write; ``None`` if there are no such arguments.

    Args:
        method: The method that was called.
        given: The number of its positional arguments, the client included.
        named: The names of the others.
    """
    verb = _verb(method)
    former = list(SIGNATURES.get(verb, ()))
    positional = former[_code_of(method).co_argcount - 1 : given - 1]
    gone = GONE.get(verb, {})
    by_name = [f"{each}=..." for each in positional if each not in gone]
    advice = [gone[each] for each in (*positional, *named) if each in gone]
    if by_name:
        before = () if verb == "retrieve" else former[: former.index(positional[0])]
        advice.insert(0, "{method}(" + ", ".join([*before, *by_name]) + ")")
    if not advice:
        return None
    advised = " and ".join(dict.fromkeys(advice)).format(method=method.__name__)
    return TypeError(f"{method.__qualname__}() is no longer called like this: write {advised}")


def understands_former_arguments(init: Callable[..., None]) -> Callable[..., None]:
    """Decorate a constructor: take the arguments that were renamed, and name what is wrong with unknown ones."""
    code = _code_of(init)
    known = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]

    @wraps(init)
    def call(self: object, *args: Any, **options: Any) -> None:
        unknown = [name for name in options if name not in known]
        if unknown:
            kind = type(self).__name__
            options = {**options}
            _refuse_unknown(kind, [name for name in unknown if name not in RENAMED], known)
            _rename(kind, options, "url" if args else None)
        init(self, *args, **options)

    return call


def _rename(kind: str, options: dict[str, Any], positional: str | None) -> None:
    for former, name in RENAMED.items():
        if former not in options:
            continue
        if name in options or name == positional:
            raise TypeError(f"{kind}() takes {name}= or {former}=, its name up to 0.10, not both: write {name}=")
        options[name] = options.pop(former)
        # stack: this function, ``call`` above, ``redacted``, and the caller
        warnings.warn(f"{kind}({former}=) ends with 2.0: write {name}=", DeprecationWarning, stacklevel=4)


def _refuse_unknown(kind: str, unknown: list[str], known: Iterable[str]) -> None:
    if not unknown:
        return
    from difflib import get_close_matches  # takes 6 ms, and only an error needs it

    wrong = []
    for name in unknown:
        near = " or ".join(f"{match}=" for match in get_close_matches(name, known))
        wrong.append(f"{name}= ({RETIRED_OPTIONS.get(name) or (f'did you mean {near}?' if near else 'unknown')})")
    raise TypeError(f"{kind}() takes no {', no '.join(wrong)}")


def retired_attribute(kind: type, name: str) -> AttributeError:
    """Return the error for an attribute that is gone."""
    return AttributeError(f"{kind.__name__}.{name} is gone: {ATTRIBUTES[name]}")


class _Retired:
    """An attribute of a class that is gone: looking it up is an ``AttributeError`` that says what to write."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> NoReturn:
        raise retired_attribute(owner, self._name)


class FormerAttributes:
    """A base of the clients that explains attributes which are gone.

    Those that were looked up on the classes have to be there, and are hidden from ``dir()`` of a client only. A
    metaclass could hide them from ``dir()`` of the classes too, but then no client could be combined with ``abc.ABC``
    or a ``Protocol``.
    """

    def __dir__(self) -> list[str]:
        """Leave out the names that are gone, so that nothing offers them for completion."""
        return [name for name in super().__dir__() if name not in ATTRIBUTES]


for _name in ON_CLASSES:
    setattr(FormerAttributes, _name, _Retired(_name))  # hidden from type checkers


def retired_module(name: str) -> ImportError:
    """Return the error for the import of a module that is gone."""
    return ImportError(f"keystone_client.{name} is gone: {MODULES[name]}", name=f"keystone_client.{name}")
