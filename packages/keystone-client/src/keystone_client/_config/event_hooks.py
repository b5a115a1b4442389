"""Check the ``event_hooks`` of the constructor. ``_protocol/call.py`` calls them, once per try."""

from collections.abc import Callable, Mapping, Sequence
from inspect import iscoroutinefunction
from typing import Any, Final, NamedTuple

from keystone_client_core import FieldError, brief

_HOOKS: Final = 'give {"request": [function], "response": [function]}, as httpx takes them'


class EventHooks(NamedTuple):
    """The user's functions to call with each request before it is sent, and with each response."""

    request: Sequence[Callable[..., Any]] = ()
    response: Sequence[Callable[..., Any]] = ()


def checked_hooks(event_hooks: object) -> EventHooks:
    """Return the functions to call with each request and each response.

    Raises:
        FieldError: It is not a mapping of ``"request"`` and ``"response"`` to lists of functions.
    """
    given = {} if event_hooks is None else event_hooks
    if not isinstance(given, Mapping) or not set(given) <= set(EventHooks._fields):
        raise FieldError(f"event_hooks={brief(event_hooks)}: {_HOOKS}", field="event_hooks")
    for name, hooks in given.items():
        if not isinstance(hooks, list | tuple) or not all(map(callable, hooks)):
            raise FieldError(f"event_hooks[{name!r}]={brief(hooks)}: {_HOOKS}", field="event_hooks")
    return EventHooks(*(tuple(given.get(name, ())) for name in EventHooks._fields))


def refuse_async_hooks(hooks: EventHooks) -> None:
    """Refuse functions that the sync client cannot await: nothing in them would ever run.

    Raises:
        FieldError: There is one.
    """
    for hook in (*hooks.request, *hooks.response):
        if iscoroutinefunction(hook) or iscoroutinefunction(type(hook).__call__):
            advice = "this client cannot await it: write `def`, or use AsyncKeystoneClient"
            raise FieldError(f"event_hooks: {brief(hook)} is async: {advice}", field="event_hooks")
