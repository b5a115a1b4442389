"""Answer likely mistakes in the use of a client with what to write instead.

Names that do not exist, arguments that a method does not have, ``with`` on the client that needs ``async with``. Python
itself names what is wrong there, and close matches by spelling (``count_cluster`` for ``get_cluster``); these messages
say what does what the caller wants. Type checkers must not see these methods: they would accept the mistakes.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar, cast

from keystone_client_core import RESOURCES, Resource, brief

from .former_names import ATTRIBUTES, FormerAttributes, former_call, retired_attribute

Method = TypeVar("Method", bound=Callable[..., Any])

VERBS: Final[Mapping[str, str]] = {
    verb: ours
    for ours, verbs in {
        "retrieve": "get list find fetch read search query select load show filter all lookup",
        "create": "add new post insert make put save register",
        "update": "patch edit set change modify",
        "delete": "remove destroy drop del",
        "iterate": "iter stream each paginate",
        "count": "number total len size",
        "bulk_create": "import bulk_add create_many add_many bulk_insert",
        "bulk_update": "update_many bulk_patch",
        "bulk_delete": "delete_many remove_many bulk_remove",
    }.items()
    for verb in verbs.split()
}
"""The verbs of other clients, and those of this one."""

PLAIN: Final[Mapping[str, str]] = {
    **{verb: f"http_{verb}" for verb in ("get", "post", "put", "patch", "delete")},
    "request": "http_get",
    "log_in": "login",
    "signin": "login",
    "authenticate": "login",
    "log_out": "logout",
    "me": "whoami",
    "aclose": "close",
    "url": "base_url",
}

ARGUMENTS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("order_by", "ordering", "sort", "sort_by", "_order"), "order="),
    **dict.fromkeys(("query", "q", "_search"), "search="),
    **dict.fromkeys(("filter", "where", "params", "conditions"), "filters="),
    **dict.fromkeys(("id", "key"), "pk="),
    **dict.fromkeys(("max", "max_results", "first", "top", "_limit"), "limit="),
    **dict.fromkeys(("per_page", "size", "chunk_size"), "page_size="),
    "page": "limit=, or after= where you iterate: listings fetch every page",
    "offset": "limit=, or after= where you iterate: listings fetch every page",
}
"""The names that other clients give to the arguments of a listing."""


class Hints(FormerAttributes):
    """Base class of both clients: explains attributes that do not exist."""

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            """Refuse a name that does not exist, and suggest the one that is probably meant."""
            if name in ATTRIBUTES:
                raise retired_attribute(type(self), name)
            hint = "" if name.startswith("_") else _hint(type(self), name)
            error = AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{hint}")
            error.name = name  # without `obj`, Python adds no suggestion of its own
            raise error


class _WrongWithError(TypeError, AttributeError):
    """A TypeError as Python raises it; an AttributeError, so that ``hasattr`` still tells the two clients apart."""


class _Refused:
    """Stands for a special method that is not there: looking it up raises an error that names what to write."""

    def __init__(self, right: str, other: str) -> None:
        """Take the right statement, and the client that the wrong one is for."""
        self._right, self._other = right, other

    def __get__(self, client: object, kind: type) -> NoReturn:
        """Refuse to be looked up."""
        name, right = kind.__name__, self._right
        raise _WrongWithError(f"{name} is used in `{right}`: write {right} {name}(...), or take {self._other}")


class NeedsWith(Hints):
    """Makes ``async with`` on the client for threads an error that says to write ``with``."""

    if not TYPE_CHECKING:
        __aenter__ = _Refused("with", "AsyncKeystoneClient for `async with`")


class NeedsAsyncWith(Hints):
    """Makes ``with`` on the client for tasks an error that says to write ``async with``."""

    if not TYPE_CHECKING:
        __enter__ = _Refused("async with", "KeystoneClient for `with`")


def hinted(method: Method) -> Method:
    """Decorate a method, so that an argument it does not have is answered with the one to use."""
    wrapper = _hinted_async(method) if iscoroutinefunction(method) else _hinted(method)
    return cast(Method, wraps(method)(wrapper))


def _hinted(method: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except TypeError as error:
            explained = _explained(error, method, len(args), kwargs)
            if explained is error:
                raise
            raise explained from None

    return call


def _hinted_async(method: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return await method(*args, **kwargs)
        except TypeError as error:
            explained = _explained(error, method, len(args), kwargs)
            if explained is error:
                raise
            raise explained from None

    return call


def _explained(error: TypeError, method: Callable[..., Any], positional: int, given: Mapping[str, object]) -> TypeError:
    """Return the error to raise: the same, unless the method was given an argument that it does not have."""
    if error.__traceback__ is None or error.__traceback__.tb_next is not None:
        return error  # it comes from within the method
    former = former_call(method, positional, given)
    if former is not None:
        return former
    code = method.__code__
    known = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    unknown = [name for name in given if name not in known]
    if not unknown:
        return error
    name = method.__name__
    advice = "; ".join(_advice(RESOURCES[name.partition("_")[2]], {each: given[each] for each in unknown}, known))
    return TypeError(f"{name}() takes no {', '.join(unknown)}: {advice}. It takes {', '.join(known)}")


def _advice(resource: Resource, unknown: Mapping[str, object], known: tuple[str, ...]) -> Iterator[str]:
    """Yield what to write instead of the arguments that do not exist: others, and one mapping with all fields."""
    fields = []
    for argument, value in unknown.items():
        field = resource.fields.get(argument.partition("__")[0])
        other = _other(argument, known) if field is None or argument == "id" else None
        if other is not None:
            yield other
        elif field is None:
            fields.append("...")
        else:
            fields.append(f"{argument!r}: {'...' if field.write_only else brief(value)}")
    if fields:
        shown = ", ".join(dict.fromkeys(fields))
        yield f"fields go into data={{{shown}}}" if "data" in known else f"conditions go into filters={{{shown}}}"


def _other(argument: str, known: tuple[str, ...]) -> str | None:
    """Return the argument that is meant by one that is no field; ``None`` if it is like none."""
    if argument in ARGUMENTS:
        return f"write {ARGUMENTS[argument]}"
    from difflib import get_close_matches

    close = get_close_matches(argument, known, 1)
    return f"did you mean {close[0]}=" if close else None


def _hint(kind: type, name: str) -> str:
    """Return what to write instead of a name that does not exist; empty if nothing is close."""
    there = {each for each in dir(kind) if not each.startswith("_")}
    meant = list(_meant(name.lower()))
    found = next((each for each in meant if each in there), None)
    if found is not None:
        return f". Did you mean {found!r}?"
    nouns = {noun for each in meant if (noun := each.partition("_")[2]) in RESOURCES}
    others = sorted(each for each in there if each.endswith(tuple(f"_{noun}" for noun in nouns)))
    if others:  # the server has no endpoint for it
        return f". There are {', '.join(others)}"
    from difflib import get_close_matches

    close = get_close_matches(name, there, 1, 0.7)
    return f". Did you mean {close[0]!r}?" if close else ""


def _meant(name: str) -> Iterator[str]:
    """Yield the names of this client that a name of another client stands for."""
    if name in PLAIN:
        yield PLAIN[name]
    for noun in _singular(name):
        if noun in RESOURCES:
            yield f"retrieve_{noun}"
    for verb in ("", *VERBS, *set(VERBS.values())):
        if verb and name.startswith(f"{verb}_"):
            for noun in _singular(name[len(verb) + 1 :]):
                yield f"{VERBS.get(verb, verb)}_{noun}"


def _singular(noun: str) -> Iterator[str]:
    yield noun
    if noun.endswith("ies"):
        yield f"{noun[:-3]}y"
    yield noun.removesuffix("s")
