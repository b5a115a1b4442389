"""The way of a request: from what a door hands in to what it has to deliver.

The engine is one function, ``handle``, over a world that only remembers. It runs every check that does not depend on
the endpoint, in the order of the server. The order shows: of two things that are wrong with a request, the first one
checked decides the answer. It is measured: the parity tests send random requests to the fake and to a Keystone
(Django with Django REST framework) and compare the answers.

1. A planned fault may replace the answer, before the request is handled or after.
2. A path outside the prefix of the API is another site: 404, and nothing is logged.
3. A CORS preflight is answered by a middleware, before any endpoint is found.
4. The path is looked up. A missing slash at its end is a redirect; an unknown path is Django's page, not JSON.
5. The start page belongs to Django: the checks below do not apply to it.
6. Content negotiation: 404 for a format, 406 for a media type that the endpoint does not have.
7. Authentication: 401 for a bad token, 403 for a failed CSRF check of a session.
8. Permission: 401 for anonymous callers, 403 by role, before a record is looked up.
9. The rate limit: 429. Only requests that passed the checks above count.
10. The method: OPTIONS is described, an unknown one is 405.
11. The endpoint: query, record, the right to touch it, body, values, in this order (``records``).
12. The transaction of a write commits, after held transactions that it meets have committed.
13. Cookies and CORS headers are added. Then the request log gets its row, in a transaction of its own.

Each action of a batch job passes 6 and 8 to 11 again, for the caller of the job and inside its transaction.

Rejected:

- Methods of the world. State and behaviour then import each other, and every endpoint imports both.
- A list of middlewares, as in Django. The order is the point of this module, so it stands in one place as plain code;
  in a list it would be spread over classes, each of which calls the next.
- Endpoints that import the engine, for the actions of a batch job. They get it from the call (``Call.act``).
- A lock for each table. All requests share one lock, so tests with threads always see whole requests. Only the latency
  of a fault passes outside the lock, because others must be served meanwhile.

Never:

- sleep, open a socket, or import an HTTP library: latency passes through ``wait``, which the door brings along;
- move a check to where it is cheaper or reads better, unless a server was seen to do the same;
- catch ``Exception``: ``RefusedError`` and ``PageError`` are answers of the server, anything else is a mistake in the
  fake and must reach the test;
- return an answer that is not in the journal;
- keep anything in this module between two requests: it belongs to the world.
"""

from collections.abc import Callable

from .._wire import HTML_TYPE, Answer, PageError, RefusedError, RefusedRowError, Reply, Request, detail, page, to_answer
from .._world.faults import DATABASE, EXPIRED, TIMEOUT, Fault
from .._world.journal import Entry
from .._world.state import World
from . import routes, sessions
from .arrival import Arrival
from .call import SAFE, Call
from .cors import answer_preflight, cors_headers
from .csrf import replace_malformed
from .fault_answers import apply_fault
from .logs import log_request
from .negotiation import negotiate
from .options import describe
from .outage import needs_database
from .permissions import may_ask
from .route import Handler, Match
from .throttle import count_request

Wait = Callable[[float], bool]


def handle(world: World, request: Request, wait: Wait = lambda seconds: True) -> Answer:
    """Answer one request, and write it down.

    Args:
        world: what is remembered.
        request: as it came over the wire.
        wait: lets the latency of a planned fault pass, the door's way; false if the caller gave up meanwhile.

    Returns:
        What the door has to deliver, transport faults included.
    """
    with world.lock:
        arrival = _arrive(world, request)
        if not (arrival.fault and arrival.fault.delay):
            return _serve(world, arrival)
    return _late(world, arrival, arrival.fault, wait)


def _arrive(world: World, request: Request) -> Arrival:
    path = request.path
    if not path.startswith(world.prefix + "/"):
        return Arrival(request, path, None, None, None)
    path = path[len(world.prefix) :]
    call = Call(world, request, path, _act)
    arrival = Arrival(request, path, call, routes.find(call.path), None)
    return arrival._replace(fault=world.faults.take(arrival)) if world.faults.planned else arrival


def _late(world: World, arrival: Arrival, fault: Fault, wait: Wait) -> Answer:
    """Let time pass before or after the request is handled, outside the lock: others are served meanwhile."""
    if not fault.after and not wait(fault.delay):
        with world.lock:
            return _kept(world, arrival, Answer(0, (), b"", TIMEOUT))
    with world.lock:
        answer = _serve(world, arrival)
    if fault.after and not wait(fault.delay):
        return answer._replace(fault=TIMEOUT)
    return answer


def _serve(world: World, arrival: Arrival) -> Answer:
    """Handle a request as far as the fault that hits it lets it be handled."""
    if world.transactions.open:
        world.transactions.settle(world.clock.time())
    fault, call = arrival.fault, arrival.call
    if call is None:
        return _kept(world, arrival, to_answer(page(404), head=False, allow=""))
    if fault and fault.error == EXPIRED and not fault.after:
        _end_session(call)
    if fault and fault.replaces and not fault.after:
        return _kept(world, arrival, apply_fault(fault, None))
    call.database_down = bool(fault and fault.error == DATABASE)
    if call.database_down and needs_database(call):
        return _kept(world, arrival, to_answer(page(500), head=call.method == "HEAD", allow=""))
    answer = _handled(call, arrival)
    if fault and fault.error == EXPIRED:
        _end_session(call)
    return _kept(world, arrival, apply_fault(fault, answer) if fault and fault.replaces else answer)


def _handled(call: Call, arrival: Arrival) -> Answer:
    """Answer a request, and hold back what it writes where the fault that hits it says so."""
    seconds, world = arrival.fault.visible_after if arrival.fault else None, call.world
    if seconds is None:
        return _answer(call, arrival.match)
    with world.transactions.hold(world, world.clock.time() + seconds):
        return _answer(call, arrival.match)


def _end_session(call: Call) -> None:
    call.world.sessions.live.pop(call.cookies.get("sessionid", ""), None)


def _kept(world: World, arrival: Arrival, answer: Answer) -> Answer:
    """Write a request and its answer down in the journal."""
    call = arrival.call
    answer = Answer(answer.status, (*answer.headers, ("Date", world.clock.http_date())), answer.body, answer.fault)
    user = call.user["username"] if call and call.user else arrival.user if arrival.fault else None
    writes = call.writes if call else ()
    world.journal.append(Entry(arrival.request, arrival.path, arrival.route, user, answer, arrival.fault, writes))
    return answer


def _answer(call: Call, match: Match | None) -> Answer:
    if preflight := answer_preflight(call):
        return preflight
    allow = match.route.allow if match and match.route.is_api else ""
    try:
        reply = _endpoint(call, match) if match else _no_endpoint(call)
    except RefusedError as error:
        reply = error.reply
    except PageError as error:
        reply, allow = page(error.status), ""
    if reply.status != 301:
        replace_malformed(call)
    if more := (*call.cookies_out, *cors_headers(call)):
        reply = reply._replace(headers=(*reply.headers, *more))
    log_request(call, reply.status)
    return to_answer(reply, call.method == "HEAD", allow, call.media, call.vary)


def _no_endpoint(call: Call) -> Reply:
    sessions.recognise(call)
    if not call.path.endswith("/") and routes.find(call.path + "/"):
        path, mark, query = call.full_path.partition("?")
        return Reply(301, headers=(HTML_TYPE, ("Location", f"{call.world.prefix}{path}/{mark}{query}")), text=b"")
    raise PageError(404)


def _endpoint(call: Call, match: Match) -> Reply:
    if not match.route.is_api:
        sessions.recognise(call)
        return match.route.handlers["GET"](call, "", "")
    call.accepts = match.route.types
    negotiate(call, match)
    sessions.identify(call)
    _permit(call, match)
    count_request(call)
    if call.method == "OPTIONS":
        return describe(call, match.route, match.key)
    handler = _handler(call, match)
    if call.method in SAFE:
        return handler(call, match.route.resource, match.key)
    return _transaction(call, handler, match)


def _permit(call: Call, match: Match) -> None:
    if match.route.public:
        return
    sessions.require_user(call)
    action = "create" if call.method == "POST" and not match.key else ""
    if match.route.resource and not may_ask(call, match.route.resource, action):
        raise detail(403, "You do not have permission to perform this action.")


def _handler(call: Call, match: Match) -> Handler:
    handler = match.route.handlers.get("GET" if call.method == "HEAD" else call.method)
    if handler is None:
        raise detail(405, f'Method "{call.method}" not allowed.')
    return handler


def _transaction(call: Call, handler: Handler, match: Match) -> Reply:
    store = call.world.store
    store.begin()
    try:
        reply = handler(call, match.route.resource, match.key)
        if call.broken_links:
            raise PageError(500)
    except BaseException as error:
        store.rollback()
        if isinstance(error, RefusedRowError):
            error.commit_side_effects()
        raise
    writes = store.commit()
    call.world.transactions.give_way(store, writes)
    call.writes = writes
    return reply


def _act(call: Call) -> Reply | None:
    """Answer one action of a batch job: the caller is known, and the job is the transaction.

    Args:
        call: the action, with its user.

    Returns:
        What the endpoint says, ``None`` where there is none; refusals are raised.
    """
    match = routes.find(call.path)
    if match is None:
        return None
    if not match.route.is_api:
        return Reply(200)
    negotiate(call, match)
    _permit(call, match)
    count_request(call)
    handler = _handler(call, match)
    try:
        return handler(call, match.route.resource, match.key)
    except RefusedRowError as error:
        error.commit_side_effects()  # goes with the job, but takes an id
        raise PageError(500) from None
