"""Flows: the client's logic, written once for threads and for tasks.

The idea. What the client does (build a request, retry, renew a session, walk a listing) is the same in both clients;
they differ only in how they wait. So the logic is in generators that never wait themselves. A flow yields a *step*,
something that takes time: a request to send, a pause. A *driver* carries the step out, with a thread or with a task,
and sends the result back into the flow, or throws the exception into it. What the flow returns is the result of the
call. This is the shape of ``httpx.Auth.auth_flow``. Flows call each other with ``yield from``. Only ``_drivers``,
``_transport`` and the public methods, which do no more than start a flow, know threads from tasks.

Rejected:

- The logic twice, by hand: a behaviour that one client has and the other has not is a bug, and two texts drift apart.
- The logic once, as async code from which the sync code is generated: every change is there twice for readers and in
  searches. The public methods are made that way, because they must be there twice.

What must never be done in a flow: to sleep, to send, to start a thread or a task. A flow asks for that with a step, and
takes clock and random numbers from its session. An interrupt or a cancellation arrives at a ``yield`` like any other
failure, and a flow may be closed there: what must be known or undone afterwards has to be in place before the step, or
in a ``finally``.
"""

from collections.abc import Callable, Generator
from typing import Any, NamedTuple, TypeAlias, TypeVar

from ._transport.outgoing import OutgoingRequest

T = TypeVar("T")


class Pause(NamedTuple):
    """A step: wait for some seconds. Answered with ``None``."""

    seconds: float


class Ask(NamedTuple):
    """A step: call a function of the user. Answered with what it returns.

    In the async client that may have to be awaited. If it takes longer than ``timeout`` seconds then, the failure is a
    ``TimeoutError``; a plain function cannot be interrupted and has no time limit.
    """

    question: Callable[[], Any]
    timeout: float | None


class Exclusive(NamedTuple):
    """A step: run a flow that must not run twice at once in one client.

    Answered with what the flow returns, or ``None`` if its turn did not come within ``timeout`` seconds.
    """

    flow: Generator[Any, Any, Any]
    timeout: float | None


Step: TypeAlias = OutgoingRequest | Pause | Ask | Exclusive
Flow: TypeAlias = Generator[Step, Any, T]
