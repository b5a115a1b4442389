"""The rate limit: count a request, and refuse it where its caller has made too many."""

from .._wire import detail
from .call import Call


def count_request(call: Call) -> None:
    """Count a request for its user, or for the address of an anonymous caller.

    Args:
        call: the request.

    Raises:
        RefusedError: 429, with the seconds to wait.
    """
    kind, who = ("user", str(call.user["id"])) if call.user else ("anon", call.address)
    wait = call.world.throttle.wait(kind, who, call.world.clock.time())
    if wait is not None:
        text = f"Request was throttled. Expected available in {wait} second{'' if wait == 1 else 's'}."
        raise detail(429, text, (("Retry-After", str(wait)),))
