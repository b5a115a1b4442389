"""A fake Keystone for tests: the real server's behaviour, in memory, behind three doors.

Loads its parts when they are first used: pytest imports this package in every run of an environment that has it.
"""

TYPE_CHECKING = False  # type checkers know the name; importing typing for it would cost milliseconds
if TYPE_CHECKING:
    from ._fake import FakeKeystone
    from ._world.changes import Change
    from ._world.faults import Fault
    from ._world.journal import Entry, Journal
    from ._world.state import WorldSnapshot
    from ._world.transactions import HeldTransaction

__version__ = "0.1.0"

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
