"""A fake Keystone for tests: the real server's behaviour, in memory, behind three doors."""

from ._fake import FakeKeystone
from ._faults import Fault
from ._journal import Entry, Journal
from ._world import WorldSnapshot

__version__ = "0.1.0"

__all__ = ["Entry", "FakeKeystone", "Fault", "Journal", "WorldSnapshot"]
