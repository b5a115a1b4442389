"""How a test directs a fake: faults, held transactions, rate limits, health, and complaints at the end."""

from contextlib import AbstractContextManager
from typing import Any

from .._server.endpoints import ALL_CHECKS
from .._world.faults import Fault
from .._world.state import World
from .._world.transactions import HeldTransaction
from .fault_arguments import check_fault
from .report import complaints


class Controls:
    """The methods of ``FakeKeystone`` that plan what goes wrong, and report what did not."""

    world: World

    @property
    def unused_faults(self) -> list[Fault]:
        """The planned faults that have not hit as often as planned."""
        return self.world.faults.unused

    def complaints(self, *, strict: bool = False) -> list[str]:
        """Return what a test should fail for when it ends, even if the code under test caught every exception.

        Args:
            strict: also requests to unknown paths, and query parameters the server would ignore.

        Returns:
            One line for each planned fault that has not hit as often as planned and, if asked, for each such request.
        """
        return complaints(self.unused_faults, self.world.journal, strict)

    def verify(self, *, strict: bool = False) -> None:
        """Raise an error if there are complaints; see ``complaints``.

        Raises:
            AssertionError: there are complaints; the message has all of them.
        """
        if found := self.complaints(strict=strict):
            raise AssertionError("\n".join(found))

    def fail(
        self,
        method: str | None = None,
        path: str | None = None,
        *,
        status: int | None = None,
        error: str | None = None,
        when: str = "before",
        times: int | None = 1,
        user: str | None = None,
        delay: float = 0,
        route: str | None = None,
        skip: int = 0,
        retry_after: int | None = None,
        json: Any = None,
        visible_after: float | None = None,
    ) -> None:
        """Plan a fault for the next requests that match.

        Args:
            method: HTTP method, in any case; any by default.
            path: what the path below the base URL starts with, by whole segments; ``*`` is any one segment.
            status: answer this status, with the body the server gives it.
            error: ``connect``, ``timeout``, ``reset``, ``cut``, ``html`` (a page of a proxy; with a ``status`` if you
                like), ``expired`` (the session of the request has ended; with ``when="after"`` it ends once the request
                is answered), or ``database`` (the server has lost its database: what needs it answers 500).
            when: ``before`` the request is handled, or ``after``: then the write happened and the answer is lost.
            times: for how many requests; ``None`` for all from now on, until ``heal``.
            user: only for requests of this login name; an empty text for anonymous requests.
            delay: latency in seconds; in process it moves the clock and costs no time. Where the client does not wait
                so long, the request times out: ``before`` it was handled, or ``after``.
            route: the endpoint, like ``/users/teams/`` (the listing alone) or ``/users/teams/{id}/``.
            skip: how many matching requests are spared first: ``skip=1`` hits the second page.
            retry_after: the ``Retry-After`` header of a status, in seconds; 60 for 429 by default.
            json: the body of a status, if not the usual one.
            visible_after: with ``when="after"``: the server is still at work when the client gives up, and others see
                what it writes only so many seconds later, on ``clock``; see ``hold``.

        Raises:
            ValueError: an argument makes no sense.
        """
        fault = Fault(method, path, route, user, status, error, False, delay, retry_after, json, visible_after)
        if visible_after is not None:
            self._check_concurrent("visible_after=")
        with self.world.lock:
            self.world.faults.add(check_fault(fault, when), times, skip)

    def hold(self) -> AbstractContextManager[HeldTransaction]:
        """Return a block whose writes belong to another writer's open transaction.

        Records that are written inside, by ``add`` or by requests, get their ids at once, and so do their audit rows.
        From the end of the block they are invisible, until ``commit()`` of the object that the block yields makes them
        visible, or ``rollback()`` discards them. Other writers get higher ids meanwhile. An exception in the block
        rolls the transaction back.

        A write that meets it, at the same record or a unique value, would wait on a real server; here the transaction
        commits first, and the write follows: with 500 where another has taken the unique value.

        Raises:
            ValueError: a server on SQLite has no concurrent transactions.
        """
        self._check_concurrent("hold()")
        return self.world.transactions.hold(self.world)

    def _check_concurrent(self, what: str) -> None:
        if (database := self.world.database).serial_writes:
            reason = f"on {database.name} writes come one after the other"
            raise ValueError(f"{what} needs a fake with database='postgresql': {reason}")

    def heal(self) -> None:
        """Forget every planned fault: none hits any more, and none is reported as unused."""
        with self.world.lock:
            self.world.faults.clear()

    def throttle(self, user: str | None = None, anon: str | None = None) -> None:
        """Set the server's rate limits, like ``300/min``; ``None`` for no limit.

        Args:
            user: for each user.
            anon: for each anonymous address.
        """
        with self.world.lock:
            self.world.throttle.set("user", user)
            self.world.throttle.set("anon", anon)

    def health(self, **errors: str | None) -> None:
        """Set what the server's checks of its own health find; those that are not named are well.

        Args:
            errors: by check, what is wrong, like ``Redis="Unavailable: Connection Error"``; ``None`` for nothing. The
                checks are ``SMTP``, ``Database``, ``Storage``, ``Redis`` and ``Celery``, and ``LDAP``, which a server
                has only where one is configured: it is among the checks once it is named.

        Raises:
            ValueError: there is no such check, or an error is not a text.
        """
        for name, error in errors.items():
            if name not in ALL_CHECKS:
                raise ValueError(f"there is no check {name!r}: one of {', '.join(ALL_CHECKS)}")
            if error is not None and (not isinstance(error, str) or not error):
                raise ValueError(f"{name}={error!r}: say what is wrong as text, or None for nothing")
        with self.world.lock:
            self.world.health = {name: error or "" for name, error in errors.items()}
