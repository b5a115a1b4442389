"""Two servers that get the same traffic: a live one and a fake, and a client of each kind of user for both."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import httpx
from keystone_client_core import RESOURCES
from keystone_client_testing import FakeKeystone

from .compare import compare
from .ids import Ids
from .tokens import Tokens

Database = Literal["postgresql", "sqlite"]
PASSWORD = "longpassw0rd"
CAST: Mapping[str, Mapping[str, Any]] = {
    "admin": {},
    "staff": {"is_staff": True},
    "superuser": {"is_superuser": True},
    "owner": {"first_name": "Olga", "last_name": "Ännerin"},
    "priv": {"first_name": "Pat", "email": "pat@example.org"},
    "member": {"department": "Physics"},
    "outsider": {},
}
"""The users of the traffic, in the order of their ids. Some requests are anonymous."""
NOBODY = "anonymous"
CID = "00000000-0000-0000-0000-"
"""The prefix of the correlation ids of compared requests."""


class Ask(NamedTuple):
    """One request, as both servers get it."""

    kind: str
    who: str
    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    body: Mapping[str, Any] = {}
    """Arguments for httpx: ``json``, ``data``, ``files``, ``content``, ``headers``."""
    token: str = ""
    """The user whose token is sent, beside the session of ``who``."""

    def __str__(self) -> str:
        """Return all that is needed to send it by hand."""
        query = "&".join(f"{name}={value}" for name, value in self.query)
        by = f"{self.who}, with the token of {self.token}" if self.token else self.who
        return f"{self.method} {self.path}{'?' if query else ''}{query} {dict(self.body) or ''} as {by}"

    @property
    def caller(self) -> str:
        """The user that the server sees: a token takes precedence."""
        name = self.token or self.who
        return name if name in CAST or name == NOBODY else "leaver"


class Pair:
    """A live server and a fake at the same address, in the same state as long as all traffic goes through here."""

    def __init__(self, url: str, username: str, password: str, database: Database, tokens: Tokens) -> None:
        """Log in on both and create the users of the traffic.

        Args:
            url: where a live server with a fresh database answers.
            username: its only user.
            password: of that user.
            database: what the live server keeps its records in.
            tokens: of the live server's users.

        Raises:
            RuntimeError: the database is not fresh or of another kind, or the login fails.
        """
        self.url = url.rstrip("/")
        self.fake = FakeKeystone(self.url, database=database)
        self.tokens = tokens
        self.ids = Ids()
        self._admin = username
        self._clients: dict[str, tuple[httpx.Client, httpx.Client]] = {}
        self._sent = 0
        try:
            self._follow(username, password, database)
            self._make_cast()
        except BaseException:
            self.close()
            raise

    def _make_cast(self) -> None:
        for name, fields in list(CAST.items())[1:]:
            body = {"username": name, "password": PASSWORD, **fields}
            self.must(Ask("create", "admin", "POST", "/users/users/", body={"json": body}))

    def _follow(self, username: str, password: str, database: Database) -> None:
        """Bring the fake to the state of a fresh server: its user, and the rows of its request log."""
        live, _ = self.clients("admin")
        live.headers["X-KEYSTONE-CID"] = f"{CID}{0:012}"
        self.fake.world.store.update("user", 1, {"username": username})
        entered = live.post("/authentication/login/", json={"username": username, "password": password})
        if entered.status_code != 200:
            raise RuntimeError(f"{self.url}: the login of {username!r} failed: {entered.text[:200]}")
        if live.get("/users/users/").json()["count"] != 1 or live.get("/users/teams/").json()["count"]:
            raise RuntimeError(f"{self.url}: the database is not fresh: it has more than its first user")
        any_case = live.get("/users/users/", params={"username__contains": username.swapcase()}).json()["count"]
        if database != (seen := "sqlite" if any_case else "postgresql"):
            raise RuntimeError(f"{self.url}: the server is on {seen}, but KEYSTONE_DATABASE says {database}")
        born = live.get("/logs/audit/1/").json()
        moment = dt.datetime.fromisoformat(born["timestamp"])
        changes = {
            **self.fake.world.store.tables["audit_log"][1]["changes"],
            "date_joined": born["changes"]["date_joined"],
        }
        self.fake.world.store.update("audit_log", 1, {"timestamp": moment, "changes": changes})
        self.fake.world.store.update("user", 1, {"date_joined": moment})
        rows = live.get("/logs/requests/", params={"_order": "id", "_limit": 1000}).json()["results"]
        asked = {"method": "GET", "endpoint": "/logs/requests/?_order=id&_limit=1000", "response_code": 200}
        last = {**rows[-1], **asked, "id": rows[-1]["id"] + 1}
        for row in (*rows, last):
            self.fake.add.request_log(**{name: value for name, value in row.items() if name != "_user"})
        del live.headers["X-KEYSTONE-CID"]
        self.log_in("admin", username, password)

    def log_in(self, who: str, username: str, password: str) -> None:
        """Log a user in on both servers, after setting the first user's password on the fake."""
        from keystone_client_testing._world.passwords import Secret

        if who == "admin":
            self.fake.world.store.update("user", 1, {"password": Secret(password)})
        for client in self.clients(who):
            client.cookies.clear()
        body = {"json": {"username": username, "password": password}}
        self.must(Ask("session", who, "POST", "/authentication/login/", body=body))

    def clients(self, who: str) -> tuple[httpx.Client, httpx.Client]:
        """Return the clients of a user: to the live server, and to the fake."""
        if who not in self._clients:
            self._clients[who] = (
                httpx.Client(base_url=self.url, trust_env=False, timeout=60),
                httpx.Client(base_url=self.url, transport=self.fake.transport),
            )
            if who not in ("admin", NOBODY):
                self.log_in(who, who, PASSWORD)
        return self._clients[who]

    def send(self, ask: Ask) -> tuple[httpx.Response, httpx.Response]:
        """Send a request to both, with the same correlation id and each session's own CSRF token."""
        clients, token = self.clients(ask.who), self.token(ask.token)
        self._sent += 1
        cid = f"{CID}{self._sent:012x}"
        live = self._send(clients[0], ask, cid, token)
        before = self.fake.snapshot()
        fake = self._send(clients[1], ask, cid, token)
        tables, last = before.store
        if shifts := self.ids.shifts(ask, last, live, fake):
            aligned = {table: number + shifts.get(table, 0) for table, number in last.items()}
            self.fake.restore(before._replace(store=(tables, aligned)))
            fake = self._send(clients[1], ask, cid, token)
        return live, fake

    def token(self, who: str) -> str:
        """Return the token of a user, and register it with the fake; empty if there is none."""
        name = self._admin if who == "admin" else who
        token = self.tokens.of(name) if name else ""
        known = self.fake.world.sessions.tokens
        if token and token not in known:
            users = self.fake.world.store.tables["user"]
            known[token] = next(key for key, user in users.items() if user["username"] == name)
        return token

    @staticmethod
    def _send(client: httpx.Client, ask: Ask, cid: str, token: str) -> httpx.Response:
        options = dict(ask.body)
        headers = {"X-KEYSTONE-CID": cid, "X-CSRFToken": client.cookies.get("csrftoken") or ""}
        headers["Authorization"] = f"Token {token}" if token else ""
        headers = {name: value for name, value in {**headers, **options.pop("headers", {})}.items() if value}
        return client.request(ask.method, ask.path, params=list(ask.query) or None, headers=headers, **options)

    def must(self, ask: Ask) -> None:
        """Send a request that must succeed on both."""
        live, fake = self.send(ask)
        if not live.is_success or not fake.is_success:
            raise RuntimeError(f"{ask}: live {live.status_code}, fake {fake.status_code}")

    def ask(self, ask: Ask, ordered: bool = True) -> str:
        """Send a request to both and return the first difference; empty if there is none."""
        return compare(*self.send(ask), ordered)

    def smallest(self, ask: Ask, found: str, ordered: bool) -> tuple[Ask, str]:
        """Leave out query parameters one by one as long as a read still differs."""
        for index, (name, _) in enumerate(ask.query if ask.method == "GET" else ()):
            if name in ("_order", "_limit"):
                continue  # without them the rows differ, or have no order
            less = ask._replace(query=[pair for i, pair in enumerate(ask.query) if i != index])
            if text := self.ask(less, ordered):
                return self.smallest(less, text, ordered)
        return ask, found

    def keys(self, resource: str) -> list[int]:
        """Return the ids of a resource."""
        return sorted(self.fake.world.store.tables[resource]) if resource != "feed_entry" else []

    def close(self) -> None:
        """Close every client."""
        for client in [client for both in self._clients.values() for client in both]:
            client.close()


def path_of(resource: str, key: Any = None) -> str:
    """Return the path of a listing or of one record."""
    return f"/{RESOURCES[resource].path}/" + (f"{key}/" if key is not None else "")
