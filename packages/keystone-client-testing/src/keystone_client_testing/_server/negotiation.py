"""Whether an endpoint answers in a form the caller takes: the ``Accept`` header, ``?format=`` and format suffixes.

Source: DRF's content negotiation, as seen on the wire.
"""

from collections.abc import Sequence
from functools import lru_cache

from .._parsing.bodies import speaks
from .._wire import VARY, detail
from . import sessions
from .call import Call
from .route import Match


def negotiate(call: Call, match: Match) -> None:
    """Check that the endpoint has what the caller asks for, and choose the content type of the answer.

    Args:
        call: the request.
        match: where it leads.

    Raises:
        RefusedError: 404 for a format the endpoint has not, 406 where nothing it answers is accepted.
    """
    media = match.route.media
    _answer_in(call, match, media[0])
    wanted = match.format or call.query.get("format")
    if wanted not in (None, "", match.route.format):
        sessions.recognise(call)
        raise detail(404, "Not found.")
    chosen = _chosen(media, call.headers.get("accept", "*/*"))
    if not chosen:
        sessions.recognise(call)
        raise detail(406, "Could not satisfy the request Accept header.")
    if chosen != media[0]:
        _answer_in(call, match, chosen)


@lru_cache(1024)
def _chosen(media: Sequence[str], accept: str) -> str:
    """Return the first type of the endpoint that the most exact item of ``Accept`` takes; empty if there is none."""
    asked = [item.partition(";")[0].strip().lower() for item in accept.split(",")]
    found = [(item.count("*"), place) for place, known in enumerate(media) for item in asked if speaks(known, item)]
    return media[min(found)[1]] if found else ""


def _answer_in(call: Call, match: Match, media: str) -> None:
    call.media = f"{media}; charset=utf-8" if match.route.format == "yaml" else media
    if len(match.route.media) > 1:
        call.vary = f"Accept, {VARY}"
