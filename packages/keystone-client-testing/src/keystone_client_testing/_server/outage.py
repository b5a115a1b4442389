"""A server whose database is down: requests that need it are answered with Django's page 500, others as usual."""

from .call import Call

_LOGIN = "/authentication/login/"


def needs_database(call: Call) -> bool:
    """Tell whether a request cannot be answered without the database.

    Every endpoint loads the user of a session or a token first, also ``/version/`` and ``/health/json/``. Without
    either, only a login looks anything up: all others answer without records, or refuse callers they do not know.

    Args:
        call: the request.

    Returns:
        Whether it does.
    """
    scheme, *rest = call.headers.get("authorization", "").split() or [""]
    with_token = scheme.lower() == "token" and len(rest) == 1
    return with_token or "sessionid" in call.cookies or (call.method == "POST" and call.path == _LOGIN)
