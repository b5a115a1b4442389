"""Sequences of several requests: accounts that delete themselves, and creates after a job that was undone."""

from collections.abc import Iterator
from itertools import count
from typing import Any

from .ids import NEWEST
from .pair import NOBODY, PASSWORD, Ask, path_of
from .traffic import Step, Traffic

KIND = "own account"
_NUMBERS = count(1)
_UNDONE = ("team", "cluster", "grant", "publication", "request", "comment")


def newest(traffic: Traffic) -> Iterator[Step]:
    """Read the last row of each log: this reveals a drift of their ids."""
    for log in ("audit_log", "request_log"):
        yield Step(Ask("logs", "admin", "GET", path_of(log), NEWEST))


def undone(traffic: Traffic) -> Iterator[Step]:
    """Send a job that is undone, by a dry run or a mistake at its end, and create what it would have created."""
    draw = traffic.draw
    resources = draw.sample(_UNDONE, 3)
    actions = [_action(traffic, resource) for resource in resources]
    job: dict[str, Any] = {"actions": actions, "dry_run": True}
    if draw.random() < 0.5:
        bad = draw.choice([{"method": "POST", "path": "/users/teams/", "payload": {}}, _protected(traffic)])
        job = {"actions": [*actions, bad]}
    yield Step(Ask("batch", "admin", "POST", "/batch/", body={"json": {"job": job}}))
    for resource in resources:
        body = traffic.body(resource, odd=0)
        yield Step(Ask("create", "admin", "POST", path_of(resource), body={"json": body}))


def _action(traffic: Traffic, resource: str) -> dict[str, Any]:
    return {"method": "POST", "path": path_of(resource), "payload": traffic.body(resource, odd=0)}


def _protected(traffic: Traffic) -> dict[str, Any]:
    """Return a delete the database refuses while anything points at the record."""
    return {"method": "DELETE", "path": path_of("cluster", traffic.key("cluster"))}


def departure(traffic: Traffic) -> Iterator[Step]:
    """Create one or two accounts, and let the first delete itself in one of the possible ways."""
    ways = [_by_session]
    if traffic.pair.tokens.for_anyone:
        ways += [_by_token, _by_token, _by_both]
    way = traffic.draw.choice(ways)
    names = [f"leaver{next(_NUMBERS)}" for _ in range(2 if way is _by_both else 1)]
    keys = []
    for name in names:
        body = {"username": name, "password": PASSWORD, "is_staff": traffic.draw.random() < 0.8}
        yield Step(Ask("create", "admin", "POST", path_of("user"), body={"json": body}))
        keys.append(max(traffic.pair.keys("user")))
    yield from way(traffic, names, keys)


def _by_session(traffic: Traffic, names: list[str], keys: list[int]) -> Iterator[Step]:
    yield _delete(traffic, keys[0], names[0])
    yield Step(Ask(KIND, names[0], "GET", "/authentication/whoami/"))


def _by_token(traffic: Traffic, names: list[str], keys: list[int]) -> Iterator[Step]:
    yield _delete(traffic, keys[0], NOBODY, names[0])
    yield Step(Ask(KIND, NOBODY, "GET", "/authentication/whoami/", token=names[0]))


def _by_both(traffic: Traffic, names: list[str], keys: list[int]) -> Iterator[Step]:
    """Use the session of one account and the token of the other, and delete either."""
    yield _delete(traffic, traffic.draw.choice(keys), names[0], names[1])
    yield Step(Ask(KIND, NOBODY, "GET", "/authentication/whoami/", token=names[1]))
    yield Step(Ask(KIND, names[0], "GET", "/authentication/whoami/"))


def _delete(traffic: Traffic, key: int, who: str, token: str = "") -> Step:
    path = path_of("user", key)
    if traffic.draw.random() < 0.6:
        return Step(Ask(KIND, who, "DELETE", path, token=token))
    job: dict[str, Any] = {"actions": [{"method": "DELETE", "path": path}]}
    if traffic.draw.random() < 0.3:
        job["dry_run"] = True
    return Step(Ask(KIND, who, "POST", "/batch/", body={"json": {"job": job}}, token=token))
