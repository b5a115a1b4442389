"""How often each kind of request comes in the traffic."""

from collections.abc import Callable, Mapping

from . import edges, jobs, traffic
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
}


def random_step(made_by: Traffic) -> Step:
    """Return one random request."""
    make = made_by.draw.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    return make(made_by)
