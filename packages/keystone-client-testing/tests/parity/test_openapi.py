"""The fake's own OpenAPI document: it has every route, and every answer matches it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from jsonschema import Draft4Validator
from keystone_client_core import RESOURCES
from keystone_client_testing import FakeKeystone
from keystone_client_testing._server import routes

from .schemas import Document

Session = Callable[..., httpx.Response]


@pytest.fixture
def fake() -> FakeKeystone:
    return FakeKeystone()


@pytest.fixture
def admin(fake: FakeKeystone) -> Iterator[Session]:
    with fake.client() as client:
        yield lambda method, path, **options: getattr(client, f"http_{method.lower()}")(path, **options)


@pytest.fixture
def document(admin: Session) -> dict[str, Any]:
    data: dict[str, Any] = admin("GET", "openapi/json/").json()
    return data


def test_it_is_a_document_with_every_route_and_method(document: dict[str, Any]) -> None:
    named = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    assert named == {(route.path, method) for route in routes.every() for method in route.handlers}
    assert document["openapi"] == "3.0.3"
    ids = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(ids) == len(set(ids))
    for schema in document["components"]["schemas"].values():
        Draft4Validator.check_schema(schema)


def test_every_answer_matches_the_document(fake: FakeKeystone, admin: Session, document: dict[str, Any]) -> None:
    known = Document(document)
    fake.add_demo_data()
    for resource in RESOURCES:
        if resource not in ("feed_entry", "audit_log"):
            getattr(fake.add, resource)()
    for path in [path for path, methods in document["paths"].items() if "get" in methods]:
        match = routes.find(path)
        assert match is not None
        key = max(fake.world.store.tables[match.route.resource]) if match.key else 1
        answer = admin("GET", path.lstrip("/").replace("{id}", str(key)), headers={"Accept": "*/*"})
        assert answer.status_code in (200, 403), path
        assert known.complaint(path, "GET", answer) == "", path


def test_answers_to_writes_and_refusals_match_the_document(admin: Session, document: dict[str, Any]) -> None:
    known = Document(document)
    for body in ({"name": "A"}, {}, {"name": "A"}):
        assert known.complaint("/users/teams/", "POST", admin("POST", "users/teams/", json=body)) == ""
    answer = admin("PATCH", "users/teams/1/", json={"is_active": False})
    assert known.complaint("/users/teams/{id}/", "PATCH", answer) == ""
    assert known.complaint("/users/teams/{id}/", "DELETE", admin("DELETE", "users/teams/1/")) == ""


def test_an_answer_that_breaks_the_schema_is_reported(document: dict[str, Any], admin: Session) -> None:
    document["components"]["schemas"]["User"]["properties"]["username"] = {"type": "integer"}
    complaint = Document(document).complaint("/authentication/whoami/", "GET", admin("GET", "authentication/whoami/"))
    assert complaint == "username: 'admin' is not of type 'integer'"


@pytest.mark.parametrize(
    ("name", "accept", "status", "content_type"),
    [
        ("json", "*/*", 200, "application/vnd.oai.openapi+json"),
        ("json", "application/json", 200, "application/json"),
        ("json", "application/yaml", 406, "application/vnd.oai.openapi+json"),
        ("yaml", "*/*", 200, "application/vnd.oai.openapi; charset=utf-8"),
        ("yaml", "application/yaml", 200, "application/yaml; charset=utf-8"),
        ("yaml", "application/json", 406, "application/vnd.oai.openapi; charset=utf-8"),
        ("yaml", "text/html", 406, "application/vnd.oai.openapi; charset=utf-8"),
    ],
)
def test_both_forms_are_public_and_negotiated(
    fake: FakeKeystone, name: str, accept: str, status: int, content_type: str
) -> None:
    anonymous = fake.client(user=None)
    answer = anonymous.http_get(f"openapi/{name}/", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (status, content_type)
    if status == 200:
        assert json.loads(answer.text)["info"]["title"] == "Keystone API"
    assert anonymous.http_get(f"openapi/{name}/?format=xml").status_code == 404
