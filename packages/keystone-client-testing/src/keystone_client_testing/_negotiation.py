"""Whether an endpoint answers in a form the caller takes: the ``Accept`` header, ``?format=`` and format suffixes.

Source: DRF's content negotiation, as seen on the wire.
"""

from . import _sessions
from ._call import Call
from ._decode import speaks
from ._routes import Match
from ._wire import detail


def negotiate(call: Call, match: Match) -> None:
    """Check that the endpoint has what the caller asks for.

    Args:
        call: the request.
        match: where it leads.

    Raises:
        RefusedError: 404 for a format the endpoint has not, 406 where nothing it answers is accepted.
    """
    wanted = match.format or call.query.get("format")
    if wanted not in (None, "", match.route.format):
        _sessions.recognise(call)
        raise detail(404, "Not found.")
    asked = [item.partition(";")[0].strip().lower() for item in call.headers.get("accept", "*/*").split(",")]
    if not any(speaks(known, item) for known in match.route.media for item in asked):
        _sessions.recognise(call)
        raise detail(406, "Could not satisfy the request Accept header.")
