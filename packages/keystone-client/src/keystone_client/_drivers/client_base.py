"""The part that both clients have in common: what a client is made of, and copies of it with other options."""

from typing import Any, NoReturn, Self

from .._config.call_options import CallOptions, changed_options
from .._config.options import Options
from .._protocol.call import Call
from .._protocol.session_state import SessionState


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
    def _ensure(self) -> Any:
        """The flow of ``ensure_x``, imported at its first use."""
        from .._flows.ensure import ensure

        return ensure

    @property
    def _follower(self) -> Any:
        """The flow that follows a log, imported at its first use."""
        from .._listing import follow

        return follow

    def _copy(self, **options: Any) -> Self:
        """Return a copy that shares the driver and makes its calls with other options."""
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        copy._options = changed_options(self._options, **options)
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
