"""A fake Keystone for tests: the real server's behaviour, in memory, behind three doors.

Loads its parts when they are first used: pytest imports this package in every run of an environment that has it.

The floors, from top to bottom; a module imports only from its own floor and from those below it, and
``lint-imports`` checks that:

- ``plugin`` (the pytest fixtures) and ``__main__`` (the command line)
- ``_fake``: ``FakeKeystone``, what a test author holds
- ``doors`` (httpx, respx, a loopback server, clients), ``_seeding`` (``fake.add``) and ``_controls`` (``fake.fail`` and
  the like), which know nothing of each other
- ``_server``: how a request is answered; ``_server.engine`` is the way in
- ``_parsing``: what a body or a query string says
- ``_world``: what is remembered, without any behaviour of the server
- ``_wire``: a request and an answer, without any HTTP library
"""

TYPE_CHECKING = False  # type checkers know the name; importing typing for it would cost milliseconds
if TYPE_CHECKING:
    from ._fake import FakeKeystone
    from ._world.changes import Change
    from ._world.faults import Fault
    from ._world.journal import Entry, Journal
    from ._world.state import WorldSnapshot
    from ._world.transactions import HeldTransaction

__version__ = "1.0.0"

__all__ = ["Change", "Entry", "FakeKeystone", "Fault", "HeldTransaction", "Journal", "WorldSnapshot"]

_HOME_OF = {
    "Change": "_world.changes",
    "Entry": "_world.journal",
    "FakeKeystone": "_fake",
    "Fault": "_world.faults",
    "HeldTransaction": "_world.transactions",
    "Journal": "_world.journal",
    "WorldSnapshot": "_world.state",
}


def __getattr__(name: str) -> object:
    """Load a public name on its first use."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
