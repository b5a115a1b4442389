"""One world: everything one fake Keystone knows, and the way of a request through it.

The order of the checks is the server's. Nothing here sleeps, opens a socket, or knows an HTTP library.
"""

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from .._server import routes, sessions
from .._server.arrival import Arrival
from .._server.call import SAFE, Call
from .._server.cors import answer_preflight, cors_headers
from .._server.csrf import replace_malformed
from .._server.logs import log_request
from .._server.negotiation import negotiate
from .._server.options import describe
from .._server.outage import needs_database
from .._server.permissions import may_ask
from .._server.render import View, render
from .._wire import HTML_TYPE, Answer, PageError, RefusedError, RefusedRowError, Reply, Request, detail, page, to_answer
from .clock import Clock
from .database import POSTGRESQL, Database
from .faults import DATABASE, EXPIRED, TIMEOUT, Fault, Faults, apply_fault
from .journal import Entry, Journal
from .models import empty_record
from .passwords import Secret
from .rate_limits import Throttle
from .store import Record, Snapshot, Store
from .transactions import Transactions

Wait = Callable[[float], bool]
ADMIN = "admin"
ADMIN_PASSWORD = "quickstart"


class WorldSnapshot(NamedTuple):
    """What a world was like at one moment."""

    store: Snapshot
    files: dict[str, bytes]
    live: dict[str, sessions.Session]
    tokens: dict[str, int]


class World:
    """Store, sessions, clock, faults, journal and one lock."""

    def __init__(self, prefix: str = "", database: Database = POSTGRESQL) -> None:
        """Start with one superuser.

        Args:
            prefix: the path the API is mounted under, without its last slash.
            database: the kind of database the server runs on.
        """
        self.prefix = prefix
        self.database = database
        self.secure_cookies = False
        self.lock = threading.RLock()
        self.store = Store(database)
        self.transactions = Transactions()
        self.clock = Clock()
        self.faults = Faults()
        self.journal = Journal()
        self.throttle = Throttle()
        self.sessions = sessions.Sessions()
        self._add_admin()

    def _add_admin(self) -> None:
        from .history import Origin, record_change

        now = self.clock.now()
        values = {
            **empty_record("user"),
            "username": ADMIN,
            "password": Secret(ADMIN_PASSWORD),
            "is_staff": True,
            "is_superuser": True,
            "date_joined": now,
        }
        record_change(self.store, "user", None, self.store.insert("user", values), now, Origin())

    def reset(self) -> None:
        """Go back to a new world; the journal and the faults go too, the clock starts at real time.

        Held transactions end with what they wrote; the kind of database stays.
        """
        with self.lock:
            self.transactions.drop()
            self.store, self.clock, self.sessions = Store(self.database), Clock(), sessions.Sessions()
            self.throttle, self.faults = Throttle(), Faults()
            self.journal.clear()
            self._add_admin()

    def snapshot(self) -> WorldSnapshot:
        """Return the records, files, sessions and tokens as they are."""
        with self.lock:
            files, live, tokens = dict(self.store.files), dict(self.sessions.live), dict(self.sessions.tokens)
            return WorldSnapshot(self.store.snapshot(), files, live, tokens)

    def restore(self, snapshot: WorldSnapshot) -> None:
        """Go back to a snapshot; journal, faults and clock stay as they are, held transactions end."""
        with self.lock:
            self.transactions.drop()
            self.store.restore(snapshot.store)
            self.store.files = dict(snapshot.files)
            self.sessions.live, self.sessions.tokens = dict(snapshot.live), dict(snapshot.tokens)

    def show(self, resource: str, record: Record) -> dict[str, Any]:
        """Return a record as staff sees it."""
        return render(View(self.store), resource, record)

    def handle(self, request: Request, wait: Wait = lambda seconds: True) -> Answer:
        """Answer one request, and write it down.

        Args:
            request: as it came over the wire.
            wait: lets the latency of a planned fault pass, the door's way; false if the caller gave up meanwhile.

        Returns:
            What the door has to deliver, transport faults included.
        """
        with self.lock:
            arrival = self._arrive(request)
            if not (arrival.fault and arrival.fault.delay):
                return self._serve(arrival)
        return self._late(arrival, arrival.fault, wait)

    def _arrive(self, request: Request) -> Arrival:
        path = request.path
        if not path.startswith(self.prefix + "/"):
            return Arrival(request, path, None, None, None)
        path = path[len(self.prefix) :]
        call = Call(self, request, path)
        match = routes.find(call.path)
        arrival = Arrival(request, path, call, match, None)
        return arrival._replace(fault=self.faults.take(arrival)) if self.faults.planned else arrival

    def _late(self, arrival: Arrival, fault: Fault, wait: Wait) -> Answer:
        """Let time pass before or after the request is handled, outside the lock: others are served meanwhile."""
        if not fault.after and not wait(fault.delay):
            with self.lock:
                return self._kept(arrival, Answer(0, (), b"", TIMEOUT))
        with self.lock:
            answer = self._serve(arrival)
        if fault.after and not wait(fault.delay):
            return answer._replace(fault=TIMEOUT)
        return answer

    def _serve(self, arrival: Arrival) -> Answer:
        self.transactions.settle(self.clock.time())
        fault, call = arrival.fault, arrival.call
        if call is None:
            return self._kept(arrival, to_answer(page(404), head=False, allow=""))
        if fault and fault.error == EXPIRED and not fault.after:
            self._end_session(call)
        if fault and fault.replaces and not fault.after:
            return self._kept(arrival, apply_fault(fault, None))
        call.database_down = bool(fault and fault.error == DATABASE)
        if call.database_down and needs_database(call):
            return self._kept(arrival, to_answer(page(500), head=call.method == "HEAD", allow=""))
        answer = self._handled(call, arrival)
        if fault and fault.error == EXPIRED:
            self._end_session(call)
        return self._kept(arrival, apply_fault(fault, answer) if fault and fault.replaces else answer)

    def _handled(self, call: Call, arrival: Arrival) -> Answer:
        """Answer a request, and hold back what it writes where the fault that hits it says so."""
        seconds = arrival.fault.visible_after if arrival.fault else None
        if seconds is None:
            return self._answer(call, arrival.match)
        with self.transactions.hold(self, self.clock.time() + seconds):
            return self._answer(call, arrival.match)

    def _end_session(self, call: Call) -> None:
        self.sessions.live.pop(call.cookies.get("sessionid", ""), None)

    def _kept(self, arrival: Arrival, answer: Answer) -> Answer:
        call = arrival.call
        answer = answer._replace(headers=(*answer.headers, ("Date", self.clock.http_date())))
        user = call.user["username"] if call and call.user else arrival.user if arrival.fault else None
        writes = call.writes if call else ()
        self.journal.append(Entry(arrival.request, arrival.path, arrival.route, user, answer, arrival.fault, writes))
        return answer

    def _answer(self, call: Call, match: routes.Match | None) -> Answer:
        if preflight := answer_preflight(call):
            return preflight
        allow = match.route.allow if match and match.route.framed else ""
        try:
            reply = self._route(call, match)
        except RefusedError as error:
            reply = error.reply
        except PageError as error:
            reply, allow = page(error.status), ""
        if reply.status != 301:
            replace_malformed(call)
        reply = reply._replace(headers=(*reply.headers, *call.cookies_out, *cors_headers(call)))
        log_request(call, reply.status)
        return to_answer(reply, call.method == "HEAD", allow, call.media, call.vary)

    def _route(self, call: Call, match: routes.Match | None) -> Reply:
        if match is None:
            return self._no_route(call)
        if not match.route.framed:
            sessions.recognise(call)
            return match.route.handlers["GET"](call, "", "")
        call.accepts = match.route.types
        negotiate(call, match)
        sessions.identify(call)
        self._permit(call, match)
        self._count(call)
        return self._dispatch(call, match)

    def _no_route(self, call: Call) -> Reply:
        sessions.recognise(call)
        if not call.path.endswith("/") and routes.find(call.path + "/"):
            path, mark, query = call.full_path.partition("?")
            return Reply(301, headers=(HTML_TYPE, ("Location", f"{self.prefix}{path}/{mark}{query}")), text=b"")
        raise PageError(404)

    def _permit(self, call: Call, match: routes.Match) -> None:
        if match.route.public:
            return
        sessions.require_user(call)
        if match.route.resource and not may_ask(call, match.route.resource, _action(call, match)):
            raise detail(403, "You do not have permission to perform this action.")

    def _count(self, call: Call) -> None:
        kind, who = ("user", str(call.user["id"])) if call.user else ("anon", call.address)
        wait = self.throttle.wait(kind, who, self.clock.time())
        if wait is not None:
            text = f"Request was throttled. Expected available in {wait} second{'' if wait == 1 else 's'}."
            raise detail(429, text, (("Retry-After", str(wait)),))

    def _dispatch(self, call: Call, match: routes.Match) -> Reply:
        if call.method == "OPTIONS":
            return describe(call, match.route, match.key)
        handler = match.route.handlers.get("GET" if call.method == "HEAD" else call.method)
        if handler is None:
            raise detail(405, f'Method "{call.method}" not allowed.')
        if call.method in SAFE:
            return handler(call, match.route.resource, match.key)
        return self._transaction(call, handler, match)

    def step(self, call: Call, match: routes.Match) -> Reply:
        """Answer one action of a batch job: the caller is known, and the job is the transaction.

        Args:
            call: the action, with its user.
            match: where it leads.

        Returns:
            What the endpoint says; refusals are raised.
        """
        negotiate(call, match)
        self._permit(call, match)
        self._count(call)
        handler = match.route.handlers.get(call.method)
        if handler is None:
            raise detail(405, f'Method "{call.method}" not allowed.')
        try:
            return handler(call, match.route.resource, match.key)
        except RefusedRowError as error:
            error.leave()  # goes with the job, but takes an id
            raise PageError(500) from None

    def _transaction(self, call: Call, handler: routes.Handler, match: routes.Match) -> Reply:
        self.store.begin()
        try:
            reply = handler(call, match.route.resource, match.key)
            if call.broken_links:
                raise PageError(500)
        except BaseException as error:
            self.store.rollback()
            if isinstance(error, RefusedRowError):
                error.leave()
            raise
        writes = self.store.commit()
        self.transactions.give_way(self.store, writes)
        call.writes = writes
        return reply


def _action(call: Call, match: routes.Match) -> str:
    return "create" if call.method == "POST" and not match.key else ""
