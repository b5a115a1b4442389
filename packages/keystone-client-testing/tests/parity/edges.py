"""More random traffic: uploads, statistics, OPTIONS, sessions, and requests at the edge of HTTP."""

from typing import Any

from keystone_client_core import RESOURCES

from .pair import CAST, NOBODY, PASSWORD, Ask, path_of
from .traffic import Step, Traffic
from .values import word

FILES = ("a b.txt", "d", ".txt", "t.log", "q.txt.gz", "e.json", "../../x/y.pdf", "ä ö.md", "C:\\a\\b.csv",
         "x" * 120 + ".txt", "n.PNG", "x.docx", "semi;colon.txt", "it's.txt", "100%.txt", "a..txt")  # fmt: skip
NAMES = ("n" * 250, "n" * 251, "ä" * 250, "n" * 300)
"""Names of attachments as long as their column, and longer."""
SINGLE = ("/authentication/whoami/", "/version/", "/config/", "/users/", "/allocations/", "/research/", "/logs/",
          "/notifications/", "/users/membership-choices/role/", "/allocations/request-choices/status/",
          "/allocations/review-choices/status/", "/allocations/cluster-choices/access-mode/",
          "/notifications/notification-choices/type/", "/")  # fmt: skip
STATS = ("grant", "notification", "publication", "request")


def uploads(traffic: Traffic) -> Step:
    """Attach a file, or change an attachment."""
    draw = traffic.draw
    form: dict[str, Any] = {"request": str(traffic.key("request"))}
    if draw.random() < 0.3:
        form["name"] = draw.choice(["", word(draw), *NAMES])
    content = draw.choice([b"hello", b"", b"x" * 2000, bytes(range(256))])
    files: dict[str, Any] = {"file": (draw.choice(FILES), content)}
    if draw.random() < 0.1:
        form["file"], files = "text", {}
    method = draw.choice(["POST", "POST", "PATCH", "PUT"])
    key = None if method == "POST" else traffic.key("attachment")
    who = traffic.who() if draw.random() < 0.5 else "staff"
    sent: dict[str, Any] = {"data": form, "files": files} if draw.random() < 0.9 else {"json": form}
    return Step(Ask("upload", who, method, path_of("attachment", key), body=sent))


def stats(traffic: Traffic) -> Step:
    """Ask for statistics, with the filters of the listing."""
    resource = traffic.draw.choice(STATS)
    return Step(Ask("stats", traffic.who(), "GET", f"/stats/{resource}s/", traffic.filters(resource)))


def options(traffic: Traffic) -> Step:
    """Ask what an endpoint takes."""
    resource = traffic.pick()
    paths = [path_of(resource), path_of(resource), *SINGLE[:-1]]
    if resource != "feed_entry":
        paths += [path_of(resource, traffic.key(resource))] * 8
    return Step(Ask("options", traffic.who(), "OPTIONS", traffic.draw.choice(paths)))


def sessions(traffic: Traffic) -> Step:
    """Read a small endpoint, or log in with wrong credentials."""
    draw = traffic.draw
    if draw.random() < 0.6:
        return Step(Ask("session", traffic.who(), draw.choice(["GET", "GET", "HEAD"]), draw.choice(SINGLE)))
    name: Any = draw.choice([*CAST, "nobody", "", None, 5, True])
    password: Any = draw.choice(["wrong", "", None, [], f"{PASSWORD} "])
    body = draw.choice([{"username": name, "password": password}, {"username": name}, {}, [], "x"])
    headers = draw.choice([{}, {"Authorization": "Token x"}, {"Authorization": "Token"}, {"Authorization": "Bearer x"}])
    return Step(Ask("session", NOBODY, "POST", "/authentication/login/", body={"json": body, "headers": headers}))


def edges(traffic: Traffic) -> Step:
    """Send unusual HTTP: methods, types, bodies, paths, suffixes, tokens."""
    draw = traffic.draw
    resource = draw.choice([name for name in RESOURCES if name not in ("request_log", "feed_entry")])
    path = draw.choice([path_of(resource), path_of(resource, traffic.key(resource))])
    sent: dict[str, Any] = {}
    method, query = draw.choice(["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "FOO"]), []
    if method in ("GET", "HEAD"):
        path = draw.choice([path, path.rstrip("/"), path.rstrip("/") + ".json", path + "x/", path + "/", "/nope/"])
        query = [*draw.choice([[], [("format", "json")], [("format", "xml")]]), ("_limit", "1000")]
        sent = {"headers": {"Accept": draw.choice(["*/*", "application/json", "text/html", "application/*;q=0.1"])}}
    else:
        content = draw.choice([b"", b"{", b"[]", b"null", b'{"a": NaN}', b"\xff", b'"x"', b"a=b", b"--x"])
        kind = draw.choice(
            ["application/json", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded"]
        )
        if method == "DELETE":
            path = path_of(resource)
        sent = {"content": content, "headers": {"Content-Type": kind}}
    if draw.random() < 0.1:
        sent["headers"]["X-CSRFToken"] = draw.choice(["x", "a" * 32, "!" * 32])
    return Step(Ask("edge", traffic.who(), method, path, query, sent), ordered=False)
