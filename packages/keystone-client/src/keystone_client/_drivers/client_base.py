"""The part of the two clients that has no colour: what a client is made of, and copies of it with other options."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Self

import httpx

from .._config.call_options import NOT_GIVEN, CallOptions, NotGiven, changed_options
from .._config.options import Options
from .._config.retry_policy import RetryPolicy
from .._protocol.call import Call
from .._protocol.session_state import SessionState
from .._redaction import redacted

if TYPE_CHECKING:
    from uuid import UUID  # 7 ms to import


class ClientBase:
    """The base class of both clients.

    A client has a driver, which owns the session and the connections, and the options of its calls. A copy with other
    options shares the driver.
    """

    _session: SessionState
    _options: CallOptions
    _owns_driver: bool

    def _use(self, driver: Any, options: Options) -> None:
        """Take a driver and the options of calls."""
        self._driver = driver
        self._run = driver.run
        self._session = driver.session
        self._options = options.of_calls()
        self._owns_driver = True

    def _call(self) -> Call:
        """Return a new call."""
        return Call(self._session, self._options)

    @property
    def _bulk(self) -> Any:
        """The flows of bulk operations, imported at their first use: most programs need none, and it takes time."""
        from .._bulk import operations

        return operations

    @property
    def _follower(self) -> Any:
        """The flow that follows a log, imported at its first use."""
        from .._listing import follow

        return follow

    @redacted
    def with_options(
        self,
        *,
        timeout: float | httpx.Timeout | NotGiven | None = NOT_GIVEN,
        headers: Mapping[str, str] | None = None,
        retry: RetryPolicy | NotGiven | None = NOT_GIVEN,
        cid: "UUID | str | NotGiven | None" = NOT_GIVEN,
    ) -> Self:
        """Return a copy of this client that makes its calls with other options; nothing is sent.

        The copy shares the session, the connections and the throttle of the client: ``login``, ``logout`` and
        ``close()`` of the client hold for both, and closing the copy does nothing. Iterations and batches that began
        before keep the options they began with.

        Args:
            timeout: As in the constructor, ``None`` for no limit; that of this client if left out.
            headers: Headers to send in addition to those of this client, or in place of the ones of the same name.
            retry: As in the constructor, ``None`` for no retries; that of this client if left out.
            cid: The correlation id, a UUID; ``None`` for a new one; that of this client if left out.

        Returns:
            The copy.

        Raises:
            FieldError: An option has a wrong type or value, or a header is the client's to set.
            InvalidCIDError: The correlation id is not a UUID.
        """
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        copy._options = changed_options(self._options, timeout=timeout, headers=headers, retry=retry, cid=cid)
        copy._owns_driver = False
        return copy

    @property
    def cid(self) -> str:
        """The correlation id that is sent with every request and appears in the server's logs."""
        return self._options.cid

    @property
    def base_url(self) -> str:
        """The base URL, ending in one slash."""
        return self._session.base_url

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r}, cid={self.cid!r})"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied: a session should not be stored, and connections cannot be."""
        raise TypeError("a Keystone client can be neither pickled nor copied: it holds a session; make a new one")
