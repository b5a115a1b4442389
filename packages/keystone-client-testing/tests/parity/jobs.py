"""Random batch jobs: the requests of the other traffic as actions, references between them, files, mistakes."""

import json
from collections.abc import Callable
from typing import Any

from .edges import NAMES, SINGLE, stats
from .pair import Ask, path_of
from .traffic import Step, Traffic, creates, deletes, details, lists, searches, updates
from .values import word

Action = dict[str, Any]

_TOKENS = ("@ref{a.id}", "@ref{a._team.id}", "@ref{a.nope}", "@ref{nope.id}", "@ref{a}", "@ref{a.id.x}", "@ref{}",
           "x @ref{a.id} y", "@file{up}", "@file{nope}", "@ref{a._history.0.id}", "@ref{a._history.9}", "@ref{!}",
           "@nope{a}")  # fmt: skip
_BAD_ACTIONS: tuple[Any, ...] = (
    {}, [], None, "x", 5, {"method": "GET"}, {"path": "/version/"}, {"method": "get", "path": "/version/"},
    {"method": "GET", "path": "version/"}, {"method": "GET", "path": "/version"}, {"method": "GET", "path": ""},
    {"method": "GET", "path": "/version/", "payload": []}, {"method": "GET", "path": "/version/", "payload": None},
    {"method": "GET", "path": "/version/", "ref": "a b"}, {"method": "GET", "path": "/version/", "ref": ""},
    {"method": "GET", "path": "/version/?a=1", "query_params": {"b": 1}}, {"method": "GET", "path": "/nope/"},
    {"method": "FOO", "path": "/version/"}, {"method": "POST", "path": "/version/"},
    {"method": "GET", "path": "/" + "x" * 2050 + "/"},
)  # fmt: skip
_BAD_JOBS: tuple[Any, ...] = (
    None, {}, [], "x", "{", {"actions": []}, {"actions": {}}, {"actions": None}, {"actions": [], "dry_run": "maybe"},
    {"dry_run": True}, {"actions": [{"method": "GET", "path": "/version/"}], "dry_run": None},
)  # fmt: skip


def jobs(traffic: Traffic) -> Step:
    """Send a job."""
    draw = traffic.draw
    make = draw.choices((_mixed, _chained, _with_file, _with_tokens, _bad), (40, 25, 10, 15, 10))[0]
    return Step(make(traffic))


def _ask(traffic: Traffic, actions: list[Any], files: dict[str, Any] | None = None) -> Ask:
    draw = traffic.draw
    job: dict[str, Any] = {"actions": actions}
    if draw.random() < 0.25:
        job["dry_run"] = True
    who = draw.choice(["admin", "staff", traffic.who()])
    if files or draw.random() < 0.1:
        body: dict[str, Any] = {"data": {"job": json.dumps(job)}, "files": files or {"unused": ("a.txt", b"x")}}
    else:
        body = {"json": {"job": json.dumps(job) if draw.random() < 0.1 else job}}
    return Ask("batch", who, "POST", "/batch/", body=body)


def _mixed(traffic: Traffic) -> Ask:
    """Join unrelated requests."""
    count = traffic.draw.choice([1, 1, 2, 3, 5])
    return _ask(traffic, [_action(traffic) for _ in range(count)])


def _action(traffic: Traffic) -> Action:
    draw = traffic.draw
    if draw.random() < 0.06:
        return {"method": "GET", "path": draw.choice(SINGLE)}
    made_by: Callable[[Traffic], Step] = draw.choice(
        [creates, creates, creates, updates, updates, deletes, details, lists, searches, stats]
    )
    step = made_by(traffic)
    while not step.ordered or step.ask.kind == "logs" or "/logs/" in step.ask.path:
        step = made_by(traffic)
    return _as_action(traffic, step.ask)


def _as_action(traffic: Traffic, ask: Ask) -> Action:
    action: Action = {"method": ask.method, "path": ask.path.replace(" ", "")}
    if isinstance(payload := ask.body.get("json"), dict):
        action["payload"] = payload
    if ask.query:
        action["query_params"] = dict(ask.query)
    if traffic.draw.random() < 0.2:
        action["ref"] = traffic.draw.choice(["a", "b", "ä1", "x_2"])
    return action


def _create(traffic: Traffic, resource: str, **fields: Any) -> Action:
    return {"method": "POST", "path": path_of(resource), "payload": {**traffic.body(resource, odd=0), **fields}}


def _chained(traffic: Traffic) -> Ask:
    """Create a team and records that belong to it, and change or read some of them."""
    draw = traffic.draw
    name = f"{word(draw)} {draw.randint(1, 10**6)}"
    actions = [{**_create(traffic, "team", name=name), "ref": "t"}]
    for resource in draw.sample(["grant", "publication", "request"], draw.randint(1, 3)):
        actions.append({**_create(traffic, resource, team="@ref{t.id}"), "ref": resource})
    if any(action["ref"] == "request" for action in actions):
        actions.append(_create(traffic, "comment", request="@ref{request.id}", content="of @ref{t.name}"))
    actions.append({"method": "PATCH", "path": "/users/teams/@ref{t.id}/", "payload": {"is_active": False}})
    actions.append({"method": draw.choice(["GET", "DELETE"]), "path": "/users/teams/@ref{t.id}/"})
    if draw.random() < 0.2:
        actions.append(_create(traffic, "cluster"))
    return _ask(traffic, actions)


def _with_file(traffic: Traffic) -> Ask:
    """Attach a file within a job, once or twice."""
    draw = traffic.draw
    payload = {"request": traffic.key("request"), "file": draw.choice(["@file{up}", "@file{up}", "@file{nope}", "x"])}
    if draw.random() < 0.4:
        payload["name"] = draw.choice([word(draw), "", *NAMES])
    action = {"method": "POST", "path": path_of("attachment"), "payload": payload}
    name = draw.choice(["a.txt", "b.pdf", "ä.md", "x.exe", "none"])
    return _ask(traffic, [action] * draw.choice([1, 1, 2]), {"up": (name, draw.choice([b"hello", b"", b"x" * 3000]))})


def _with_tokens(traffic: Traffic) -> Ask:
    """Use references, some of them invalid."""
    draw = traffic.draw
    first = {**_create(traffic, draw.choice(["team", "cluster", "grant"])), "ref": "a"}
    token = draw.choice(_TOKENS)
    second = draw.choice(
        [
            _create(traffic, "grant", title=token),
            _create(traffic, "publication", title=f"{token}{token}"),
            {"method": "GET", "path": f"/users/teams/{token}/"},
            {"method": "GET", "path": "/research/grants/", "query_params": {"title": token, "_order": "id"}},
            _create(traffic, "cluster", access_teams=[token]),
        ]
    )
    return _ask(traffic, [first, second])


def _bad(traffic: Traffic) -> Ask:
    """Send an invalid job, or a job with invalid actions."""
    draw = traffic.draw
    if draw.random() < 0.5:
        return Ask("batch", "staff", "POST", "/batch/", body={"json": {"job": draw.choice(_BAD_JOBS)}})
    good = {"method": "GET", "path": "/users/teams/?_order=id"}
    actions = [draw.choice([draw.choice(_BAD_ACTIONS), good]) for _ in range(2)]
    return _ask(traffic, actions)
