"""Log in again when the session is over, with credentials from the user's provider.

When several calls find at once that the session is over, one of them logs in and the others wait for it. They see by
the number of renewals that a login was tried since they sent their request, and do not try again.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from typing import Any, TypeVar

import httpx

from .._flow import Exclusive, Flow
from .call_state import CallState
from .responses import is_json
from .retries import Failure
from .session_state import SessionState

T = TypeVar("T")

_ASKING: ContextVar[tuple[SessionState, ...]] = ContextVar("asking", default=())


@contextmanager
def asking(session: SessionState) -> Iterator[None]:
    """Mark the calls that providers and hooks make during a login that others wait for; they must not wait, too."""
    token = _ASKING.set((*_ASKING.get(), session))
    try:
        yield
    finally:
        _ASKING.reset(token)


def must_log_in_first(session: SessionState) -> bool:
    """Return whether a call has to log in before it sends anything; not the calls that are made during that login."""
    return session.login_pending and session.renew is not None and not is_within_renewal(session)


def is_within_renewal(session: SessionState) -> bool:
    """Return whether a provider or a hook makes this call during a login that others wait for."""
    return session in _ASKING.get()


def is_over(session: SessionState, failure: Failure) -> bool:
    """Return whether a failure says that the session is over and there is a provider to log in again with."""
    if session.renew is None or not isinstance(failure, httpx.Response) or failure.status_code != 401:
        return False
    return is_json(failure) and not is_within_renewal(session)


def renewal(session: SessionState, renewals: int, login: Callable[[], Any]) -> Flow[bool]:
    """Log in again, unless another call has tried since. It must run alone (``Exclusive``).

    A cancelled renewal does not count as one, so that the next call in line tries it.

    Args:
        session: The state of the client whose session is over.
        renewals: The number of renewals when the request was sent that found the session over.
        login: Returns the call to log in with.

    Returns:
        Whether there is a session now.
    """
    renew = session.renew
    if session.renewals == renewals and renew is not None:
        try:
            with asking(session):
                yield from renew(login())
        except Exception as error:
            session.renewals += 1
            session.failed_login = another(error)
            raise
        session.renewals += 1
        session.login_pending, session.failed_login = False, None
    return session.has_session


def another(error: Exception) -> Exception:
    """Return a copy of an exception without its traceback, or itself if the class of a user does not allow copies."""
    try:
        return copy(error)
    except Exception:  # noqa: BLE001 - whatever the constructor of that class raises
        return error


def in_turn(call: CallState, flow: Flow[T], where: str) -> Flow[T]:
    """Run a login or logout of the caller after a login that calls may be making by themselves at this moment.

    Otherwise the answer to that one could replace the session that the caller began or ended.
    """
    if call.session.renew is None or is_within_renewal(call.session):
        return (yield from flow)
    done = yield Exclusive(_within_turn(call.session, flow), call.deadline.time_left)
    if done is None:
        flow.close()
        raise call.too_late(where)
    result: T = done[0]
    return result


def _within_turn(session: SessionState, flow: Flow[T]) -> Flow[tuple[T]]:
    """Return the result in a tuple, which tells ``None`` from a turn that did not come."""
    with asking(session):
        return ((yield from flow),)
