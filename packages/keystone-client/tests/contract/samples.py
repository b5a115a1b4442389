"""Valid fields for each resource that can be created, and a valid change to each, used by the contract tests."""

from collections.abc import Callable
from typing import Any


def team(bench: Any) -> Any:
    return bench.shared("team", lambda: bench.make("team", name=bench.name()))


def user(bench: Any) -> Any:
    return bench.shared("user", lambda: bench.make("user", **user_fields(bench)))


def cluster(bench: Any) -> Any:
    return bench.shared("cluster", lambda: bench.make("cluster", name=bench.name()))


def request(bench: Any) -> Any:
    return bench.shared("request", lambda: bench.make("request", **request_fields(bench)))


def me(bench: Any) -> Any:
    return bench.client.whoami()["id"]


def user_fields(bench: Any) -> dict[str, Any]:
    return {"username": bench.name(), "password": "a long enough secret", "first_name": "Ada"}


def request_fields(bench: Any) -> dict[str, Any]:
    return {"title": bench.name(), "description": "d", "submitter": me(bench), "team": team(bench)}


def grant_fields(bench: Any) -> dict[str, Any]:
    amount = {"amount": "12.50", "start_date": "2026-01-01", "agency": "NSF"}
    return {"title": bench.name(), "team": team(bench), **amount}


FIELDS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "user": user_fields,
    "team": lambda bench: {"name": bench.name()},
    "membership": lambda bench: {"user": user(bench), "team": team(bench), "role": "MB"},
    "cluster": lambda bench: {"name": bench.name(), "access_mode": "WL", "access_teams": [team(bench)]},
    "request": request_fields,
    "allocation": lambda bench: {"cluster": cluster(bench), "request": request(bench), "requested": 10},
    "review": lambda bench: {"request": request(bench), "status": "AP"},
    "comment": lambda bench: {"request": request(bench), "content": bench.name()},
    "attachment": lambda bench: {"request": request(bench), "file": b"some text", "filename": "note.txt"},
    "grant": grant_fields,
    "publication": lambda bench: {"title": bench.name(), "team": team(bench)},
    "preference": lambda bench: {"user": user(bench), "notify_on_expiration": True},
}
"""The fields of a new record of each resource."""

CHANGES: dict[str, dict[str, Any]] = {
    "user": {"last_name": "Lovelace"},
    "team": {"is_active": False},
    "membership": {"role": "AD"},
    "cluster": {"enabled": False},
    "request": {"status": "AP"},
    "allocation": {"awarded": 7},
    "review": {"status": "DC"},
    "comment": {"private": True},
    "attachment": {"name": "renamed.txt"},
    "grant": {"end_date": "2027-01-01"},
    "publication": {"journal": "Nature"},
    "preference": {"notify_on_expiration": False},
}
"""One change for each resource that can be created."""
