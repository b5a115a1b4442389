"""How often each kind of request comes in the traffic, and by whom it is sent: by a session, a token, or both."""

from collections.abc import Callable, Iterator, Mapping

from . import edges, jobs, odd, scenes, traffic
from .pair import CAST, NOBODY, Ask
from .traffic import Step, Traffic

WEIGHTS: Mapping[Callable[[Traffic], Step], int] = {
    traffic.lists: 24,
    traffic.searches: 6,
    traffic.details: 12,
    traffic.creates: 16,
    traffic.updates: 14,
    traffic.forms: 8,
    traffic.deletes: 4,
    edges.uploads: 6,
    jobs.jobs: 8,
    edges.stats: 4,
    edges.sessions: 3,
    edges.options: 3,
    edges.edges: 5,
    odd.detail_searches: 5,
    odd.long_lines: 1,
    odd.documents: 1,
}
_BY_TOKEN = 0.1
"""The share of requests that are sent with a token, where there are tokens."""


def burst_of(made_by: Traffic, count: int) -> Iterator[Step]:
    """Yield the requests that fill a world, the scenes, and the given number of random requests."""
    yield from made_by.world()
    yield from scenes.undone(made_by)
    if made_by.draw.random() < 0.4:
        yield from scenes.departure(made_by)
    for _ in range(count):
        step = random_step(made_by)
        yield step._replace(ask=by_token(made_by, step.ask))
    yield from scenes.newest(made_by)


def random_step(made_by: Traffic) -> Step:
    """Return one random request."""
    make = made_by.draw.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    return make(made_by)


def by_token(made_by: Traffic, ask: Ask) -> Ask:
    """Return a request, sometimes with a token instead of its session, or beside the session of another user."""
    draw = made_by.draw
    if draw.random() >= _BY_TOKEN or ask.who == NOBODY:
        return ask
    if not made_by.pair.token(ask.who):
        return ask
    return ask._replace(kind="token", who=draw.choice([NOBODY, NOBODY, *CAST]), token=ask.who)
