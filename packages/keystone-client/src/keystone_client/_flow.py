"""The language of flows: what they yield, what they are answered, and how they take their next step.

A flow is a generator that yields what it needs, a request to send or a pause to make, and is sent the answer, or has
the failure thrown into it. Flows have no colour: the drivers of the two clients do nothing else than serve them.
"""

from collections.abc import Callable, Generator
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from ._transport.outgoing import OutgoingRequest

T = TypeVar("T")
S = TypeVar("S")


class Pause(NamedTuple):
    """A wait, in seconds."""

    seconds: float


class Ask(NamedTuple):
    """A question to code of the user; in the async client its answer may have to be awaited.

    Then it ends in a ``TimeoutError`` if it does not come within ``timeout`` seconds; a thread cannot be interrupted.
    """

    question: Callable[[], Any]
    timeout: float | None


class Exclusive(NamedTuple):
    """A flow that never runs twice at once in one client.

    Answered with what it returned, or ``None`` if its turn did not come within ``timeout`` seconds.
    """

    flow: Generator[Any, Any, Any]
    timeout: float | None


Step: TypeAlias = OutgoingRequest | Pause | Ask | Exclusive
Flow: TypeAlias = Generator[Step, Any, T]


class Answer(NamedTuple):
    """What a driver has for a flow: what its step brought, or the failure instead of it."""

    value: Any
    failure: BaseException | None


NOTHING: Final = Answer(None, None)


def advance(flow: Generator[S, Any, Any], answer: Answer) -> S:
    """Give a flow its answer and take its next step; ``StopIteration`` at its end."""
    return flow.send(answer.value) if answer.failure is None else flow.throw(answer.failure)
