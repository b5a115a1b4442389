"""A valid record of each kind that can be created, and a change to it: what the contract suite writes."""

from typing import Any


def team(bench: Any) -> int:
    return bench.shared("team", lambda: bench.make("team", name=bench.name()))


def user(bench: Any) -> int:
    return bench.shared("user", lambda: bench.make("user", **user_fields(bench)))


def cluster(bench: Any) -> int:
    return bench.shared("cluster", lambda: bench.make("cluster", name=bench.name()))


def request(bench: Any) -> int:
    return bench.shared("request", lambda: bench.make("request", **request_fields(bench)))


def me(bench: Any) -> int:
    return bench.client.whoami()["id"]


def user_fields(bench: Any) -> dict[str, Any]:
    return {"username": bench.name(), "password": "a long enough secret", "first_name": "Ada"}


def request_fields(bench: Any) -> dict[str, Any]:
    return {"title": bench.name(), "description": "d", "submitter": me(bench), "team": team(bench)}


def fields(resource: str, bench: Any) -> dict[str, Any]:
    """What a new record is made of."""
    match resource:
        case "user":
            return user_fields(bench)
        case "team":
            return {"name": bench.name()}
        case "membership":
            return {"user": user(bench), "team": team(bench), "role": "MB"}
        case "cluster":
            return {"name": bench.name(), "description": "d", "access_mode": "WL", "access_teams": [team(bench)]}
        case "request":
            return request_fields(bench)
        case "allocation":
            return {"cluster": cluster(bench), "request": request(bench), "requested": 10}
        case "review":
            return {"request": request(bench), "status": "AP"}
        case "comment":
            return {"request": request(bench), "content": bench.name()}
        case "attachment":
            return {"request": request(bench), "file": b"some text", "filename": "note.txt"}
        case "grant":
            amount = {"amount": "12.50", "start_date": "2026-01-01", "agency": "NSF"}
            return {"title": bench.name(), "team": team(bench), **amount}
        case "publication":
            return {"title": bench.name(), "team": team(bench)}
        case "preference":
            return {"user": user(bench), "notify_on_expiration": True}
    raise LookupError(resource)


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
