"""Checks the fake's answers against the live server's OpenAPI document, which is fetched for the run and not kept."""

import re
from collections.abc import Mapping

import httpx
from keystone_client_testing._server import routes

from .pair import Ask, Pair
from .schemas import Document
from .tally import Tally

KIND = "documented"
WRONG: Mapping[str, tuple[str, str]] = {
    "a history by nobody": (r"_actor: None is not of type 'object'", "the document knows no change that nobody made"),
    "correlation ids in the feed": (
        r"^GET /logs/feed/ .*cid: ", "the document has room for 32 characters; such an id has 36",
    ),
    "actions without a body": (r"^POST /batch/ 200 .*body: None", "the document knows no action that answers nothing"),
    "actions that answer a list": (
        r"^POST /batch/ .*body: \[.* is not of type 'object'", "the document knows no action that answers a list",
    ),
    "jobs that fail before an action": (
        r"^POST /batch/ 422 : '.*' is a required property",
        "the document knows failed actions only, no wrong references",
    ),
    "long lines in the request log": (
        r"^GET /logs/(requests|feed)/ .*(endpoint|summary): '.{150}",
        "SQLite keeps request lines longer than the document has room for",
    ),
}  # fmt: skip
"""Errors of the live server's document, which its own answers break too, each with a pattern and the reason."""


class Documented:
    """Checks the answers of one run."""

    def __init__(self, pair: Pair) -> None:
        """Fetch the document of the live server; the fake is asked as well, so that both logs have the same rows."""
        live, _ = pair.send(Ask(KIND, "admin", "GET", "/openapi/json/"))
        self.document = Document(live.raise_for_status().json())

    def check(self, tally: Tally, ask: Ask, answer: httpx.Response) -> None:
        """Count an answer of the fake as right or wrong by the document."""
        match = routes.find(ask.path)
        if match is None or (match.route.path, ask.method) not in self.document.operations:
            return
        found = self.document.complaint(match.route.path, ask.method, answer)
        text = f"{ask.method} {match.route.path} {answer.status_code} {found}"
        wrong = bool(found) and not any(re.search(pattern, text) for pattern, _ in WRONG.values())
        tally.count(KIND, ask.caller, not wrong)
        if wrong:
            tally.differ(ask._replace(kind=KIND), text)

    def missing(self) -> list[str]:
        """Return the operations of the document the fake has no handler for."""
        done = {(route.path, method) for route in routes.every() for method in route.handlers}
        return [f"{method} {path}" for path, method in sorted(self.document.operations - done)]
