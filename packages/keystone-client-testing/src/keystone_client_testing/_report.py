"""What a test should hear about when it is over, even if the code under test swallowed it. Reads; changes nothing."""

from collections.abc import Iterator

from . import _filters, _routes
from ._decode import parse_query
from ._faults import Fault
from ._journal import Entry, Journal
from ._wire import PageError, decode_path

_OF_LISTS = frozenset({"_limit", "_offset", "_order", "_search", "format"})


def complaints(unused: list[Fault], journal: Journal, strict: bool) -> list[str]:
    """Return what went unnoticed.

    Args:
        unused: planned faults with hits left.
        journal: every request of the test.
        strict: whether unknown paths and query parameters the server ignores are complained about.

    Returns:
        One line for each complaint.
    """
    found = [f"a planned fault never hit as often as planned: {_shown(fault)}" for fault in unused]
    for entry in journal if strict else ():
        found += _of_request(entry)
    return found


def _shown(fault: Fault) -> str:
    named = {name: value for name, value in fault._asdict().items() if value not in (None, False, 0)}
    return ", ".join(f"{name}={value!r}" for name, value in named.items())


def _of_request(entry: Entry) -> Iterator[str]:
    match = _routes.find(decode_path(entry.path))
    if match is None:
        yield f"{entry.method} {entry.path}: the server has no such path"
        return
    known = _known(entry.path, match)
    for name in _names(entry.query):
        if name not in known:
            yield f"{entry.method} {entry.path}: the server ignores the query parameter {name!r}"


def _known(path: str, match: _routes.Match) -> frozenset[str]:
    if counted := _routes.counted(path):
        return frozenset(_filters.rules(counted))
    resource = match.route.resource
    return _OF_LISTS | frozenset(_filters.rules(resource)) if resource else frozenset({"format"})


def _names(query: str) -> list[str]:
    try:
        return sorted({name for name, _ in parse_query(query)})
    except PageError:
        return []  # too many parameters: the server has refused the request
