"""The endpoints that are no resource: login, version, config, health, choices, indexes."""

from collections.abc import Callable

from keystone_client_core import CHOICES, RESOURCES

from .._parsing.bodies import Form
from .._parsing.field_values import BLANK, NULL
from .._parsing.uploads import ALLOWED_TYPES, MAX_SIZE
from .._parsing.validation import REQUIRED
from .._wire import HTML_TYPE, RefusedError, Reply, written_json
from .._world.sessions import SESSION_AGE
from . import sessions
from .call import Call
from .render import View, render

VERSION = "0.0.0"
DATABASE = "Database"
DATABASE_DOWN = "Unavailable: Database health check failed"
CHECKS = ("SMTP", DATABASE, "Storage", "Redis", "Celery")
"""The health checks of every server."""
ALL_CHECKS = (*CHECKS, "LDAP")
"""All health checks: LDAP is checked only if it is configured."""
_TIME_TAKEN = 0.001
_PROM = "keystone_health_"
GROUPS = ("users", "allocations", "research", "notifications", "logs")
_PLAIN = ("Content-Type", "text/plain")
_PLAIN_UTF_8 = ("Content-Type", "text/plain; charset=utf-8")


def login(call: Call) -> Reply:
    """Check name and password and start a session."""
    name, password = _credentials(call)
    rows = call.world.store.linked("user", "username", name)
    user = rows[0] if rows else None
    if user is None or not user["is_active"] or not user["password"].matches(password):
        raise RefusedError(400, {"non_field_errors": ["Invalid username or password."]})
    user = call.world.store.update("user", user["id"], {"last_login": call.world.clock.now()})
    sessions.start_session(call, user)
    call.user = user
    return Reply(200, render(View(call.world.store, staff=True), "user", user))


def _credentials(call: Call) -> tuple[str, str]:
    data = call.data
    if not isinstance(data, dict):
        text = (
            "No data provided"
            if data is None
            else (f"Invalid data. Expected a dictionary, but got {type(data).__name__}.")
        )
        raise RefusedError(400, {"non_field_errors": [text]})
    texts, errors = {}, {}
    for name in ("username", "password"):
        value = data.last(name) if isinstance(data, Form) and name in data else data.get(name, ...)
        if complaint := _complaint(value):
            errors[name] = [complaint]
        texts[name] = str(value)
    if errors:
        raise RefusedError(400, errors)
    return texts["username"].strip(), texts["password"]


def _complaint(value: object) -> str:
    if value is ...:
        return REQUIRED
    if value is None:
        return NULL
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return "Not a valid string."
    if "\0" in str(value):
        return "Null characters are not allowed."
    return "" if str(value).strip() else BLANK


def logout(call: Call) -> Reply:
    """End this session."""
    sessions.end_session(call)
    call.user = None
    return Reply(200)


def whoami(call: Call) -> Reply:
    """Answer the caller's own record."""
    return Reply(200, render(View(call.world.store, call.staff), "user", call.caller))


def home(call: Call) -> Reply:
    """Answer the start page."""
    return Reply(200, headers=(HTML_TYPE,), text=f"Keystone API Version {VERSION}".encode())


def version(call: Call) -> Reply:
    """Answer the version as plain text."""
    return Reply(200, headers=(_PLAIN,), text=VERSION.encode())


def config(call: Call) -> Reply:
    """Answer the settings of the server."""
    settings = {
        "version": VERSION,
        "max_upload_size": MAX_SIZE,
        "max_upload_count": 15,
        "allowed_file_types": list(ALLOWED_TYPES),
        "session_age": SESSION_AGE,
    }
    return Reply(200, settings)


def health(call: Call) -> Reply:
    """Answer an empty page: 200, or 500 where a check fails."""
    return Reply(500 if any(_checks(call).values()) else 200, headers=(HTML_TYPE,), text=b"")


def health_json(call: Call) -> Reply:
    """Answer each check."""
    rows = [
        {"check": name, "healthy": not error, "error": error or None, "time_taken": _TIME_TAKEN}
        for name, error in _checks(call).items()
    ]
    return written_json(200, {"data": rows})


def _checks(call: Call) -> dict[str, str]:
    """Return the error of each check: those that the test has set, and of a database that is down."""
    errors = dict.fromkeys(CHECKS, "") | call.world.health
    return errors | ({DATABASE: DATABASE_DOWN} if call.database_down else {})


def health_prom(call: Call) -> Reply:
    """Answer the checks as Prometheus text."""
    checks = _checks(call)
    lines = [
        *_gauge("check_status", "Health check status (200 = healthy, 500 = unhealthy)"),
        *(f'{_PROM}check_status{{check="{name}"}} {500.0 if error else 200.0}' for name, error in checks.items()),
        "",
        *_gauge("check_eval_time_seconds", "Health check evaluation time in seconds"),
        *(f'{_PROM}check_eval_time_seconds{{check="{name}"}} {_TIME_TAKEN:f}' for name in checks),
    ]
    return Reply(200, headers=(_PLAIN_UTF_8,), text="\n".join(lines).encode() + b"\n")


def _gauge(name: str, about: str) -> tuple[str, str]:
    return f"# HELP {_PROM}{name} {about}", f"# TYPE {_PROM}{name} gauge"


def choices_of(name: str) -> Callable[[Call], Reply]:
    """Return the endpoint that answers the codes and labels of a choice."""
    return lambda call: Reply(200, dict(CHOICES[name]))


def index_of(group: str) -> Callable[[Call], Reply]:
    """Return the endpoint that answers the addresses of a group of resources."""
    paths = sorted(
        entry.path for name, entry in RESOURCES.items() if entry.path.startswith(group + "/") and name != "feed_entry"
    )
    return lambda call: Reply(
        200, {path.rpartition("/")[2]: f"{call.base}{call.world.prefix}/{path}/" for path in paths}
    )
