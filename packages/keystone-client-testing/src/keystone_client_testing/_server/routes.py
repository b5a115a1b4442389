"""From a path to the endpoint behind it: one dict look-up, however many routes there are."""

from collections.abc import Callable, Mapping
from functools import cache

from keystone_client_core import CHOICE_PATHS, RESOURCES

from .._parsing.bodies import JSON, MULTIPART
from .._wire import Reply
from . import batch, endpoints, openapi
from . import records as record_endpoints
from .call import Call
from .route import PATCH_ONLY, Handler, Match, Route
from .stats import COUNTED, stats_of

_LIST: Mapping[str, tuple[str, Handler]] = {
    "list": ("GET", lambda call, resource, key: record_endpoints.list_records(call, resource)),
    "create": ("POST", lambda call, resource, key: record_endpoints.create_record(call, resource)),
}
_DETAIL: Mapping[str, tuple[tuple[str, ...], Handler]] = {
    "retrieve": (("GET",), record_endpoints.retrieve_record),
    "update": (("PUT", "PATCH"), record_endpoints.update_record),
    "delete": (("DELETE",), record_endpoints.remove_record),
}


def find(path: str) -> Match | None:
    """Return what answers a path.

    Args:
        path: decoded, below the prefix, with its outer slashes.

    Returns:
        The match, or ``None`` where the server has no route.
    """
    routes = table()
    if path in routes:
        return Match(routes[path])
    head, _, last = path.rstrip("/").rpartition("/")
    if path.endswith("//") or not head:
        return None
    return _detail_or_suffix(path, head + "/", last)


def _detail_or_suffix(path: str, parent: str, last: str) -> Match | None:
    stem, dot, suffix = last.rpartition(".")
    if not dot:
        route = _details().get(parent) if path.endswith("/") else None
        return Match(route, last) if route else None
    if not suffix.isalnum() or not suffix.isascii() or suffix != suffix.lower() or "." in stem:
        return None
    listing = table().get(f"{parent}{stem}/")
    if listing and listing.resource and listing.resource != "feed_entry":
        return Match(listing, "", suffix)
    route = _details().get(parent)
    return Match(route, stem, suffix) if route and stem else None


@cache
def table() -> dict[str, Route]:
    """Return every route with a fixed path."""
    routes = {f"/{entry.path}/": _list_route(name) for name, entry in RESOURCES.items()}
    for group in endpoints.GROUPS:
        routes[f"/{group}/"] = _get(endpoints.index_of(group))
    for name, path in CHOICE_PATHS.items():
        routes[f"/{path}/"] = _get(endpoints.choices_of(name))
    for path, name in COUNTED.items():
        routes[path] = _get(stats_of(name))
    return {path: route._replace(path=path) for path, route in {**routes, **_single_routes()}.items()}


def _single_routes() -> dict[str, Route]:
    return {
        "/": Route({"GET": _plain(endpoints.home)}, public=True, is_api=False),
        "/authentication/login/": Route({"POST": _plain(endpoints.login)}, public=True),
        "/authentication/logout/": Route({"POST": _plain(endpoints.logout)}),
        "/authentication/whoami/": _get(endpoints.whoami),
        "/version/": _get(endpoints.version, public=True),
        "/config/": _get(endpoints.config),
        "/health/": _get(endpoints.health, public=True),
        "/health/json/": _get(endpoints.health_json, public=True),
        "/health/prom/": _get(endpoints.health_prom, public=True),
        "/openapi/json/": _document("json", "application/vnd.oai.openapi+json", "application/json"),
        "/openapi/yaml/": _document("yaml", "application/vnd.oai.openapi", "application/yaml"),
        "/batch/": Route({"POST": _plain(batch.run_job)}, types=(MULTIPART, JSON)),
    }


@cache
def _details() -> dict[str, Route]:
    return {f"/{entry.path}/": _detail_route(name) for name, entry in RESOURCES.items() if name != "feed_entry"}


def _plain(endpoint: Callable[[Call], Reply]) -> Handler:
    return lambda call, resource, key: endpoint(call)


def _get(endpoint: Callable[[Call], Reply], public: bool = False) -> Route:
    return Route({"GET": _plain(endpoint)}, public=public)


def _document(name: str, *media: str) -> Route:
    return _get(openapi.answer(name, every), public=True)._replace(format=name, media=media)


def every() -> list[Route]:
    """Return every route, by path."""
    return sorted([*table().values(), *_details().values()], key=lambda route: route.path)


def _list_route(name: str) -> Route:
    operations = RESOURCES[name].operations if name != "feed_entry" else frozenset({"list"})
    return Route({method: handler for op, (method, handler) in _LIST.items() if op in operations}, name)


def _detail_route(name: str) -> Route:
    handlers = {
        method: handler
        for op, (methods, handler) in _DETAIL.items()
        if op in RESOURCES[name].operations
        for method in methods
        if not (name in PATCH_ONLY and method == "PUT")
    }
    return Route(handlers, name, path=f"/{RESOURCES[name].path}/{{id}}/")
