"""Requests that a client sends by mistake: searches on one record, lines too long to be logged; and the documents."""

from typing import Any

from keystone_client_core import RESOURCES

from .pair import CAST, Ask, path_of
from .traffic import Step, Traffic
from .values import SEARCHES

LONGEST = 2048
"""The longest request line, in characters, that the request log can store on PostgreSQL."""
DOCUMENTS = ("/openapi/json/", "/openapi/yaml/", "/health/json/", "/health/prom/")
ACCEPTS = ("*/*", "application/json", "application/vnd.oai.openapi+json", "application/yaml", "text/html", "text/plain")
_METHODS = ("GET", "GET", "GET", "HEAD", "OPTIONS", "PATCH", "PUT", "DELETE")


def detail_searches(traffic: Traffic) -> Step:
    """Search on the URL of one record; the server looks at the search before the key."""
    draw = traffic.draw
    resource = draw.choice([name for name in RESOURCES if name != "feed_entry"])
    key = draw.choice([traffic.key(resource), traffic.key(resource), "abc", "1.5", 99_999])
    method = draw.choice(_METHODS)
    if resource == "user" and method in ("PATCH", "PUT", "DELETE") and not (isinstance(key, int) and key > len(CAST)):
        key = "abc"
    body: dict[str, Any] = {"json": {}} if method in ("PATCH", "PUT") else {}
    query = [("_search", draw.choice([*SEARCHES, "\0", ""]))]
    return Step(Ask("detail", traffic.reader(resource), method, path_of(resource, key), query, body))


def long_lines(traffic: Traffic) -> Step:
    """Send a request line about as long as the column of the request log, or longer."""
    draw = traffic.draw
    path = path_of(traffic.pick())
    length = draw.choice([LONGEST - 1, LONGEST, LONGEST + 1, 3000])
    query = [("_order", "-id"), ("_limit", "2")]
    name = draw.choice(["nope", "nope", "_search"])
    taken = len(f"{path}?_order=-id&_limit=2&{name}=")
    return Step(Ask("edge", traffic.who(), "GET", path, [*query, (name, "x" * (length - taken))]))


def documents(traffic: Traffic) -> Step:
    """Ask for the OpenAPI document or a health check, of which status and headers are compared."""
    draw = traffic.draw
    method = draw.choice(["GET", "GET", "HEAD", "OPTIONS", "POST"])
    body = {"headers": {"Accept": draw.choice(ACCEPTS)}}
    return Step(Ask("document", traffic.who(), method, draw.choice(DOCUMENTS), body=body))
