"""Complaints for the end of a test: planned faults that never hit, and requests that the server ignores in part.

It reads the journal and the faults, and changes neither.
"""

from collections.abc import Iterator, Mapping

from .._parsing import filters, ordering
from .._parsing.bodies import parse_query
from .._parsing.filter_values import BadValueError, Rule
from .._server import routes
from .._server.route import Match
from .._server.stats import COUNTED
from .._wire import PageError, decode_path
from .._world.database import POSTGRESQL  # which parameters there are does not depend on it
from .._world.faults import Fault
from .._world.journal import Entry, Journal
from .._world.store import Store

_OF_LISTS = frozenset({"_limit", "_offset", "_order", "_search"})


def complaints(unused: list[Fault], journal: Journal, strict: bool) -> list[str]:
    """Return the complaints about a test.

    Args:
        unused: planned faults with hits left.
        journal: every request of the test.
        strict: whether unknown paths and query parameters the server ignores are complained about.

    Returns:
        One line for each complaint.
    """
    found = [f"a planned fault never hit as often as planned: {_described(fault)}" for fault in unused]
    for entry in journal if strict else ():
        found += _of_request(entry)
    return found


def _described(fault: Fault) -> str:
    named = {name: value for name, value in fault._asdict().items() if value not in (None, False, 0)}
    return ", ".join(f"{name}={value!r}" for name, value in named.items())


def _of_request(entry: Entry) -> Iterator[str]:
    match = routes.find(decode_path(entry.path))
    if match is None:
        yield f"{entry.method} {entry.path}: the server has no such path"
        return
    for name, text in sorted(set(_pairs(entry.query))):
        if complaint := _ignored(_rules(entry.path, match), match.route.resource, name, text):
            yield f"{entry.method} {entry.path}: the server ignores {complaint}"


def _rules(path: str, match: Match) -> Mapping[str, Rule]:
    filtered = match.route.resource or COUNTED.get(path, "")
    return filters.rules(filtered, POSTGRESQL) if filtered else {}


def _ignored(rules: Mapping[str, Rule], resource: str, name: str, text: str) -> str:
    """Return what of a parameter the server ignores: its name, its value, or a part of it."""
    if name in rules:
        return f"the value {text!r} of the query parameter {name!r}" if _unread(rules[name], text) else ""
    if not (name == "format" or (resource and name in _OF_LISTS)):
        return f"the query parameter {name!r}"
    if name != "_order":
        return ""
    unknown = [part for part in text.split(",") if not ordering.counts(resource, part)]
    return f"the order by {', '.join(map(repr, unknown))}" if unknown else ""


def _unread(rule: Rule, text: str) -> bool:
    try:
        return text == "" or filters.read_filter(rule, text, Store()) is None
    except (BadValueError, PageError):
        return False  # the server answers with an error, or the value names a record, and this store has none


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_query(query)
    except PageError:
        return []  # too many parameters: the server has refused the request
