"""Random traffic: every step is one request, chosen from what users do and from what they should not do.

What is left out, and why, is in ``LEFT_OUT``; a test holds that table and the documentation together.
"""

import random
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from keystone_client_core import RESOURCES, Field

from .pair import CAST, NOBODY, Ask, Pair, path_of
from .values import FILTER_VALUES, GOOD, LIMITS, ODD, OFFSETS, SEARCHES, form_text, piece, word

LEFT_OUT: Mapping[str, str] = {
    "the cast's names, passwords, flags and accounts": "the seven kinds of user must stay; others come and go",
    "order by to-many names": "rows repeat, and many of them share one key: their order is unspecified",
    "order by the changes of an audit row": "the live server writes their keys in another order each time",
    "minute and second of moments the server sets": "two servers need not see the same second",
    "the filter on users' password": "it would tell a part of the hash; the fake keeps none",
    "notifications and task results": "the API cannot make them, so on a fresh server there are none to compare",
    "the order of rows without _order": "the database promises none: such a page is compared without its order",
    "order by the path of a file": "a taken name has a random suffix on either server, and so another place",
    "a job within a job": "its answer is lost: there is nothing to compare",
    "the body of the OpenAPI document": "each describes its server; the fake's answers are held against the live one's",
    "what health checks find": (
        "the fake is well unless `fake.health(...)` says otherwise, and then at once, where a server remembers for a "
        "minute; status and headers of the two long forms are compared"
    ),
    "the order of nested lists": "the database promises none, but for histories, and reads by title or moment",
    "numbers just below 2^63 in bodies": "SQLite takes them, and every sum over such a column is an error from then on",
}
"""What random traffic does not do, with the reason."""

LOOKUPS = ("", "not_eq", "in", "not_in", "isnull", "lt", "lte", "gt", "gte", "contains", "not_contains", "startswith",
           "not_startswith", "endswith", "not_endswith", "year", "month", "day", "week", "week_day", "exact",
           "nope")  # fmt: skip
LOGS = ("audit_log", "request_log", "task_result", "feed_entry")
WRITTEN = tuple(name for name, entry in RESOURCES.items() if "create" in entry.operations and name != "attachment")
_SOLE = frozenset({"username", "password", "is_active", "is_staff"})
STAFFED = ("owner", "OW"), ("priv", "AD"), ("member", "MB")


class Step(NamedTuple):
    """A request, and whether the rows of its answer come in a defined order."""

    ask: Ask
    ordered: bool = True


class Traffic:
    """Makes steps from random numbers and the records of both servers."""

    def __init__(self, draw: random.Random, pair: Pair) -> None:
        self.draw = draw
        self.pair = pair

    def world(self) -> Iterator[Step]:
        """Yield the creates that fill the world: a team with all users in it, and records of every kind."""
        yield self._as_admin("team", {"name": f"{word(self.draw)} {self.draw.randint(1, 10**6)}"})
        team = max(self.pair.keys("team"))
        for who, role in STAFFED:
            yield self._as_admin("membership", {"team": team, "user": self._cast(who), "role": role})
        for resource in ("cluster", "grant", "publication", "request", "request", "allocation", "comment", "review"):
            body = self.body(resource, odd=0)
            yield self._as_admin(resource, {**body, "team": team} if "team" in body else body)

    def _as_admin(self, resource: str, body: Mapping[str, Any]) -> Step:
        return Step(Ask("create", "admin", "POST", path_of(resource), body={"json": body}))

    @staticmethod
    def _cast(who: str) -> int:
        return list(CAST).index(who) + 1

    def who(self) -> str:
        """Return the user to send a request as."""
        return self.draw.choice([*CAST, "admin", "staff", "owner", "member", NOBODY])

    def key(self, resource: str) -> Any:
        """Return the id of a record, mostly of an existing one."""
        known = self.pair.keys(resource)
        if known and self.draw.random() < 0.9:
            return self.draw.choice(known[-40:] if self.draw.random() < 0.7 else known)
        return self.draw.choice([1, 2, 3, 99_999, 0, -1, "abc", "1.5", "01", "1 ", 10**20])

    def value(self, field: Field, odd: float) -> Any:
        """Return a value for a field of a body."""
        if self.draw.random() < odd:
            return self.draw.choice(ODD)
        if field.name == "password":
            return self.draw.choice(["longpassw0rd", "longpassw0rd", "short", "12345678", "password"])
        if field.nullable and self.draw.random() < 0.3:
            return None
        if field.kind in ("key", "keys"):
            known = self.pair.keys(field.target) if field.target else [1, 2, 141]
            many = self.draw.sample(known, min(len(known), self.draw.randint(0, 3)))
            return many if field.kind == "keys" else self.draw.choice(known[-15:] or [1])
        return GOOD[field.kind](self.draw, field)

    def body(self, resource: str, odd: float = 0.06) -> dict[str, Any]:
        """Return a body for a create."""
        fields = [field for field in RESOURCES[resource].fields.values() if field.writable and field.kind != "file"]
        body = {f.name: self.value(f, odd) for f in fields if f.required or self.draw.random() < 0.4}
        if odd and self.draw.random() < 0.1 and body:
            body.pop(self.draw.choice(list(body)))
        if odd and self.draw.random() < 0.05:
            body.update(id=5, junk=1)
        return body

    def filters(self, resource: str) -> list[tuple[str, str]]:
        """Return some filters, good and bad."""
        names = [name for name in RESOURCES[resource].fields if (resource, name) != ("user", "password")]
        good = [name for name in names if RESOURCES[resource].fields[name].filter_kind]
        found = []
        for _ in range(self.draw.choice([0, 1, 1, 1, 2, 3])):
            name, lookup = self.draw.choice(good if self.draw.random() < 0.93 else names), self.draw.choice(LOOKUPS)
            value = self._stored(resource, name) if self.draw.random() < 0.4 else self.draw.choice(FILTER_VALUES)
            found.append((f"{name}__{lookup}" if lookup else name, value))
        return found

    def _stored(self, resource: str, name: str) -> str:
        """Return a value for a filter by what a record has."""
        known = self.pair.keys(resource)
        value = self.pair.fake.world.store.tables[resource][self.draw.choice(known)].get(name) if known else None
        return piece(self.draw, value) if isinstance(value, str | int) else self.draw.choice(FILTER_VALUES)

    def order(self, resource: str) -> str:
        """Return an order, mostly one that leaves no ties."""
        fields = RESOURCES[resource].fields.values()
        names = [field.name for field in fields if field.orderable and field.name not in ("changes", "file")]
        names += ["nope", "_team", "pk"]
        picked = [self.draw.choice(["", "-", " "]) + self.draw.choice(names) for _ in range(self.draw.randint(0, 2))]
        return ",".join([*picked, self.draw.choice(["id", "-id"])])

    def reader(self, resource: str) -> str:
        """Return the user to read as: for logs, mostly one with permission."""
        return self.draw.choice(["admin", "staff"]) if resource in LOGS and self.draw.random() < 0.8 else self.who()

    def pick(self) -> str:
        """Return a resource."""
        return self.draw.choice(list(RESOURCES))


def _listing(traffic: Traffic, kind: str, resource: str, query: list[tuple[str, str]]) -> Step:
    draw = traffic.draw
    growing = resource in ("request_log", "feed_entry")
    if draw.random() < 0.85 or growing:
        query.append(("_order", "-id" if growing else traffic.order(resource)))
    elif draw.random() < 0.5:
        query.append(("_limit", "1000"))
    ordered = any(name == "_order" for name, _ in query)
    if ordered and draw.random() < 0.3:
        query.append(("_limit", draw.choice(LIMITS)))
    if ordered and draw.random() < 0.3:
        query.append(("_offset", draw.choice(OFFSETS)))
    if growing:
        query.append(("_limit", "20"))
    draw.shuffle(query)
    if not ordered and ("_limit", "1000") not in query:
        query.append(("_limit", "1000"))
    return Step(Ask(kind, traffic.reader(resource), "GET", path_of(resource), query), ordered)


def lists(traffic: Traffic) -> Step:
    """List with filters and an order."""
    resource = traffic.pick()
    return _listing(traffic, "logs" if resource in LOGS else "list", resource, traffic.filters(resource))


def searches(traffic: Traffic) -> Step:
    """List with a search, perhaps with a filter."""
    resource = traffic.pick()
    query = [("_search", traffic.draw.choice(SEARCHES)), *traffic.filters(resource)[:1]]
    return _listing(traffic, "search", resource, query)


def details(traffic: Traffic) -> Step:
    """Read one record, sometimes with filters in the URL."""
    resource = traffic.draw.choice([name for name in RESOURCES if name != "feed_entry"])
    query = traffic.filters(resource) if traffic.draw.random() < 0.2 else []
    return Step(Ask("detail", traffic.reader(resource), "GET", path_of(resource, traffic.key(resource)), query))


def creates(traffic: Traffic) -> Step:
    """Create a record, mostly a good one."""
    resource = traffic.draw.choice(WRITTEN)
    odd = traffic.draw.choice([0, 0, 0.1, 0.3])
    body: Any = traffic.body(resource, odd) if traffic.draw.random() < 0.97 else traffic.draw.choice([[], None, "x", 5])
    return Step(Ask("create", traffic.who(), "POST", path_of(resource), body={"json": body}))


def _spared(resource: str, key: Any, body: dict[str, Any]) -> dict[str, Any]:
    cast = resource == "user" and not (isinstance(key, int) and key > len(CAST))
    return {name: value for name, value in body.items() if not (cast and name in _SOLE)}


def _change(traffic: Traffic) -> tuple[str, Any, str, dict[str, Any]]:
    resource = traffic.draw.choice([*WRITTEN, "notification"])
    key, body = traffic.key(resource), traffic.body(resource, traffic.draw.choice([0, 0.1, 0.3]))
    method = traffic.draw.choice(["PATCH", "PATCH", "PUT"])
    body = _spared(resource, key, body)
    if len(body) < len(traffic.body(resource)) and method == "PUT" and resource == "user" and "username" not in body:
        method = "PATCH"
    if method == "PATCH":
        body = dict(traffic.draw.sample(list(body.items()), min(len(body), traffic.draw.randint(0, 3))))
    return resource, key, method, body


def updates(traffic: Traffic) -> Step:
    """Change a record."""
    resource, key, method, body = _change(traffic)
    return Step(Ask("update", traffic.who(), method, path_of(resource, key), body={"json": body}))


def forms(traffic: Traffic) -> Step:
    """Create or change a record by a form or a multipart body."""
    if traffic.draw.random() < 0.5:
        resource = traffic.draw.choice(WRITTEN)
        key, method, body = None, "POST", traffic.body(resource, traffic.draw.choice([0, 0.1]))
    else:
        resource, key, method, body = _change(traffic)
        if resource == "user" and method == "PUT" and not (isinstance(key, int) and key > len(CAST)):
            method = "PATCH"  # a PUT form takes away the flags it leaves out
    form = {name: text for name, value in body.items() if (text := form_text(value)) is not None}
    sent: dict[str, Any] = {"data": form}
    if traffic.draw.random() < 0.3:
        sent["files"] = {"unused": ("a.txt", b"x")}
    return Step(Ask("form", traffic.who(), method, path_of(resource, key), body=sent))


def deletes(traffic: Traffic) -> Step:
    """Delete a record, or try to."""
    resource = traffic.draw.choice([*WRITTEN, "attachment"])
    key = traffic.key(resource)
    if resource == "user" and not (isinstance(key, int) and key > len(CAST)):
        key = 99_999
    return Step(Ask("delete", traffic.who(), "DELETE", path_of(resource, key)))
