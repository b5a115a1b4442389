"""A fake Keystone for tests: the real server's behaviour, in memory, behind three doors.

Loads its parts when they are first used: pytest imports this package in every run of an environment that has it.
"""

TYPE_CHECKING = False  # type checkers know the name; importing typing for it would cost milliseconds
if TYPE_CHECKING:
    from ._changes import Change
    from ._fake import FakeKeystone
    from ._faults import Fault
    from ._journal import Entry, Journal
    from ._transactions import HeldTransaction
    from ._world import WorldSnapshot

__version__ = "0.1.0"

__all__ = ["Change", "Entry", "FakeKeystone", "Fault", "HeldTransaction", "Journal", "WorldSnapshot"]

_HOME_OF = {
    "Change": "_changes",
    "Entry": "_journal",
    "FakeKeystone": "_fake",
    "Fault": "_faults",
    "HeldTransaction": "_transactions",
    "Journal": "_journal",
    "WorldSnapshot": "_world",
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
