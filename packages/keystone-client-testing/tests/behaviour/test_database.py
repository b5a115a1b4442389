"""What depends on the database of the server, on PostgreSQL and on SQLite, as measured on live servers."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from keystone_client_testing import FakeKeystone

from .conftest import Session
from .test_lists import ids

POSTGRESQL, SQLITE = "postgresql", "sqlite"
BOTH = pytest.mark.parametrize("database", [POSTGRESQL, SQLITE])
COLLATED = [
    "1", "10", "2", "a", "A", "ä", "a1", "A1", "a b", "a.b", "ab", "ae", "b", "B", "e", "E", "é", "#h", "o", "ö", "ø",
    "(p)", "ss", "ß", " x", "-x", "_x", "x y", "x-y", "xy", "z", "Z",
]  # fmt: skip
"""One column of a live server in ``en_US.UTF-8``; each text had the same prefix and a bar before it."""


def test_postgresql_is_the_default_and_another_database_is_refused_by_name() -> None:
    assert FakeKeystone().database == POSTGRESQL
    with pytest.raises(ValueError, match=r"database='mysql' is unknown: give 'postgresql' or 'sqlite'"):
        FakeKeystone(database="mysql")


def test_a_world_moves_between_databases_and_each_fake_keeps_its_own() -> None:
    source, target = FakeKeystone(database=SQLITE), FakeKeystone()
    source.add.allocation(requested=2**40)
    target.load(source.dump())
    assert target.dump() == source.dump()
    target.restore(target.snapshot())
    assert (target.database, target.world.store.database.name) == (POSTGRESQL, POSTGRESQL)
    source.reset()
    assert (source.database, source.world.store.database.name) == (SQLITE, SQLITE)


# ids of rows that were rolled back


@pytest.fixture
def job(admin: Session) -> Callable[..., Any]:
    def run(*names: str, **options: Any) -> Any:
        actions = [{"method": "POST", "path": "/users/teams/", "payload": {"name": name}} for name in names]
        return admin("POST", "batch/", json={"job": {"actions": actions, **options}})

    return run


@pytest.mark.parametrize(("database", "lost"), [(POSTGRESQL, 1), (SQLITE, 0)])
@pytest.mark.parametrize("undone", [("A", {"dry_run": True}, 200), ("A,", {}, 422)], ids=["dry run", "rolled back"])
def test_a_job_that_is_undone_loses_its_ids_of_records_and_audit_rows(
    fake: FakeKeystone, admin: Session, job: Any, undone: Any, lost: int
) -> None:
    names, options, status = undone
    team = fake.add.team()["id"]
    row = max(fake.world.store.tables["audit_log"])
    assert job(*names.split(","), **options).status_code == status
    assert admin("POST", "users/teams/", json={"name": "B"}).json()["id"] == team + 1 + lost
    assert max(fake.world.store.tables["audit_log"]) == row + 1 + lost


@BOTH
def test_a_create_refused_by_validation_leaves_no_gap(admin: Session) -> None:
    assert admin("POST", "users/teams/", json={"name": ""}).status_code == 400
    assert admin("POST", "users/teams/", json={"name": "A"}).json()["id"] == 1


@pytest.mark.parametrize(("database", "lost"), [(POSTGRESQL, 1), (SQLITE, 0)])
def test_a_create_the_database_refuses_loses_its_id(fake: FakeKeystone, admin: Session, lost: int) -> None:
    body = {"title": "P", "team": fake.add.team()["id"], "doi": ""}
    assert [admin("POST", "research/publications/", json=body).status_code for _ in range(2)] == [201, 500]
    assert admin("POST", "research/publications/", json={**body, "doi": "10/1"}).json()["id"] == 2 + lost


# bounds of numbers


@pytest.mark.parametrize(("database", "largest"), [(POSTGRESQL, 2**31 - 1), (SQLITE, 2**63 - 1)])
@pytest.mark.parametrize("field", ["requested", "awarded", "final"])
def test_service_units_are_bounded_by_the_column(fake: FakeKeystone, admin: Session, field: str, largest: int) -> None:
    body = {"requested": 1, "request": fake.add.request()["id"], "cluster": fake.add.cluster()["id"]}
    assert admin("POST", "allocations/allocations/", json={**body, field: largest}).status_code == 201
    refused = admin("POST", "allocations/allocations/", json={**body, field: largest + 1})
    text = f"Ensure this value is less than or equal to {largest}."
    assert (refused.status_code, refused.json()) == (400, {field: [text]})


@pytest.mark.parametrize(("database", "codes", "ports"), [(POSTGRESQL, 2**15, 2**31), (SQLITE, 2**63, 2**63)])
def test_the_openapi_document_has_the_bounds(admin: Session, codes: int, ports: int) -> None:
    schemas = admin("GET", "openapi/json/").json()["components"]["schemas"]
    assert schemas["RequestLog"]["properties"]["response_code"]["maximum"] == codes - 1
    assert schemas["AuditLog"]["properties"]["remote_port"]["maximum"] == ports - 1
    for name in ("Allocation", "AllocationRequest", "AllocationUpdate"):
        assert schemas[name]["properties"]["awarded"]["maximum"] == ports - 1


@pytest.mark.parametrize(("database", "status"), [(POSTGRESQL, 200), (SQLITE, 500)])
@pytest.mark.parametrize("lookup", ["in", "not_in"])
def test_a_list_of_numbers_no_column_holds_is_empty_or_breaks_the_server(
    admin: Session, lookup: str, status: int
) -> None:
    assert admin("GET", f"users/users/?id__{lookup}=1,{2**63 - 1}").status_code == 200
    assert admin("GET", f"users/users/?id__{lookup}=1,{2**63}").status_code == status


@BOTH
@pytest.mark.parametrize("number", [2**31, 2**63, 2**70])
def test_larger_numbers_match_nothing(fake: FakeKeystone, admin: Session, number: int) -> None:
    fake.add.allocation()
    for lookup, count in {"": 0, "__gte": 0, "__not_eq": 1, "__lte": 1}.items():
        assert admin("GET", f"allocations/allocations/?requested{lookup}={number}").json()["count"] == count


@pytest.mark.parametrize(("database", "kept"), [(POSTGRESQL, 2), (SQLITE, 1)])
def test_a_comparison_that_every_number_of_the_column_passes_keeps_null(
    fake: FakeKeystone, admin: Session, kept: int
) -> None:
    fake.add.allocation(awarded=None)
    fake.add.allocation(awarded=7)
    assert admin("GET", f"allocations/allocations/?awarded__lt={2**31}").json()["count"] == kept
    assert admin("GET", f"allocations/allocations/?awarded__lt={2**31 - 1}").json()["count"] == 1


# texts too long for a column whose length no validation checks


@pytest.mark.parametrize(("database", "status"), [(POSTGRESQL, 500), (SQLITE, 201)])
@pytest.mark.parametrize("given", [{"name": "n" * 251}, {}], ids=["name", "name of the file"])
def test_a_long_name_of_an_attachment(fake: FakeKeystone, admin: Session, given: Any, status: int) -> None:
    data, file = {"request": fake.add.request()["id"]}, {"file": ("n" * 251 + ".txt", b"x")}
    assert admin("POST", "allocations/attachments/", data={**data, "name": "n" * 250}, files=file).status_code == 201
    answer = admin("POST", "allocations/attachments/", data={**data, **given}, files=file)
    assert (answer.status_code, answer.headers["content-type"].startswith("text/html")) == (status, status == 500)
    changed = admin("PATCH", "allocations/attachments/1/", json={"name": "n" * 251})
    assert changed.status_code == (500 if status == 500 else 200)


def test_a_long_name_of_an_attachment_undoes_its_job(fake: FakeKeystone, admin: Session) -> None:
    payload = {"request": fake.add.request()["id"], "name": "n" * 251, "file": "@file{f}"}
    actions = [
        {"method": "POST", "path": "/users/teams/", "payload": {"name": "Undone"}},
        {"method": "POST", "path": "/allocations/attachments/", "payload": payload},
    ]
    answer = admin("POST", "batch/", data={"job": json.dumps({"actions": actions})}, files={"f": ("a.txt", b"x")})
    assert answer.status_code == 500
    assert not fake.world.store.has("team", "name", "Undone")


@pytest.mark.parametrize(("database", "status"), [(POSTGRESQL, 500), (SQLITE, 201)])
@pytest.mark.parametrize("thresholds", ["\0", ["a\0"], {"\0": 1}, [{"a": "\0"}]])
def test_a_nul_within_json(admin: Session, thresholds: Any, status: int) -> None:
    sent = {"request_expiry_thresholds": thresholds, "user": 1}
    answer = admin("POST", "notifications/preferences/", json=sent)
    assert answer.status_code == status
    assert admin("GET", "notifications/preferences/").json()["count"] == (status == 201)


def test_neither_the_answer_to_options_nor_the_document_knows_that_length(admin: Session) -> None:
    assert "max_length" not in admin("OPTIONS", "allocations/attachments/").json()["actions"]["POST"]["name"]
    schemas = admin("GET", "openapi/json/").json()["components"]["schemas"]
    assert "maxLength" not in schemas["AttachmentRequest"]["properties"]["name"]


@pytest.mark.parametrize(("database", "logged"), [(POSTGRESQL, False), (SQLITE, True)])
@pytest.mark.parametrize(
    ("method", "query", "headers"),
    [("GET", "x" * 2048, {}), ("GET", "", {"X-Forwarded-For": "9" * 41}), ("PROPFINDING", "", {}),
     ("GET", "", {"X-KEYSTONE-CID": "{7e8d2f0c-8f3b-4c59-9d1e-2a0f7f3c1b11}"})],
    ids=["long line", "long address", "long method", "long cid"],
)  # fmt: skip
def test_a_request_that_does_not_fit_into_the_log_is_answered_and_not_logged(
    fake: FakeKeystone, admin: Session, method: str, query: str, headers: dict[str, str], logged: bool
) -> None:
    log = fake.world.store.tables["request_log"]
    before = max(log)
    assert admin(method, f"users/users/?x={query}", headers=headers).status_code in (200, 405)
    assert (max(log) > before) is logged
    assert admin("GET", f"users/users/?x={'x' * (2048 - len('/users/users/?x='))}").status_code == 200
    assert max(log) == before + 1 + logged


# addresses


@pytest.mark.parametrize(("database", "status"), [(POSTGRESQL, 500), (SQLITE, 200)])
@pytest.mark.parametrize("value", ["junk", "127.1", "127.0.0.1,junk", "127.0.0.1/255.0.0.0", "[::1]"])
def test_an_address_postgresql_cannot_read_breaks_the_filter(admin: Session, value: str, status: int) -> None:
    lookups = ("__in", "__not_in") if "," in value else ("", "__not_eq", "__in", "__not_in")
    for lookup in lookups:
        assert admin("GET", f"logs/audit/?remote_addr{lookup}={value}").status_code == status
        assert admin("GET", f"logs/audit/1/?remote_addr{lookup}={value}").status_code in (status, 404)


@BOTH
def test_addresses_can_be_filtered_in_any_spelling(admin: Session) -> None:
    admin("POST", "users/teams/", json={"name": "A"}, headers={"X-Forwarded-For": "[2001:DB8::0:1]:80"})
    admin("POST", "users/teams/", json={"name": "B"}, headers={"X-Forwarded-For": "10.0.0.1:80"})
    for query, count in {"=10.0.0.1": 1, "=2001:db8::1": 1, "=2001:DB8::0:1": 1, "__in=10.0.0.1,::1,": 1,
                         "__not_eq=10.0.0.1": 2, "__in=,": 0, "=10.0.0.1/24": 0, "=%20": 3}.items():  # fmt: skip
        assert admin("GET", f"logs/audit/?remote_addr{query}").json()["count"] == count, query


@pytest.mark.parametrize(
    ("database", "order"),
    [(POSTGRESQL, ["9.0.0.1", "10.0.0.1", "::1", "2001:db8::1", None]),
     (SQLITE, [None, "10.0.0.1", "2001:db8::1", "9.0.0.1", "::1"])],
)  # fmt: skip
def test_addresses_are_ordered_by_number_or_as_text(admin: Session, order: list[str | None]) -> None:
    for name, address in enumerate(["10.0.0.1", "9.0.0.1", "[2001:db8::1]:80", "[::1]:80"]):
        admin("POST", "users/teams/", json={"name": str(name)}, headers={"X-Forwarded-For": address})
    rows = admin("GET", "logs/audit/?_order=remote_addr,id").json()["results"]
    assert [row["remote_addr"] for row in rows] == order
    rows = admin("GET", "logs/audit/?_order=-remote_addr,id").json()["results"]
    assert [row["remote_addr"] for row in rows] == order[::-1]


@pytest.mark.parametrize(("database", "port"), [(POSTGRESQL, 2**31), (SQLITE, 2**63)])
def test_an_audit_row_cannot_store_some_ports(admin: Session, port: int) -> None:
    def created(name: str, port: int) -> int:
        headers = {"X-Forwarded-Port": str(port)}
        return admin("POST", "users/teams/", json={"name": name}, headers=headers).status_code

    assert [created("A", port - 1), created("B", port), created("C", -1)] == [201, 500, 500]


@pytest.mark.parametrize(("database", "status"), [(POSTGRESQL, 500), (SQLITE, 201)])
def test_an_audit_row_cannot_store_an_invalid_address(admin: Session, status: int) -> None:
    answer = admin("POST", "users/teams/", json={"name": "A"}, headers={"X-Forwarded-For": "junk"})
    assert answer.status_code == status


@pytest.mark.parametrize(("database", "status"), [(POSTGRESQL, 200), (SQLITE, 500)])
def test_a_moment_before_all_years_is_compared_or_breaks_the_server(admin: Session, status: int) -> None:
    moments = {"lt": "0001-01-01T00:00%2B05:00", "gt": "9999-12-31T23:59-05:00"}
    for lookup, moment in moments.items():
        answer = admin("GET", f"users/users/?date_joined__{lookup}={moment}")
        assert (answer.status_code, answer.status_code == 200 and answer.json()["count"]) == (status, 0)


# text


@pytest.mark.parametrize(
    ("query", "postgresql", "sqlite"),
    [
        ("name__contains=s", [2], [1, 2]),
        ("name__contains=ÄR", [3], [3]),
        ("name__startswith=stra", [2], [1, 2]),
        ("name__endswith=SSE", [1], [1]),
        ("name__not_contains=S", [2, 3, 4], [3, 4]),
        ("name__not_startswith=Stra", [1, 2, 3, 4], [3, 4]),
        ("name=strasse", [], []),
        ("name__in=strasse,STRASSE", [1], [1]),
        ("_search=strasse", [1], [1]),
        ("_search=STRAßE", [2], [2]),
        ("_search=Ärger", [3], [3]),
        ("_search=ärger", [3], []),
        ("_search=École", [4], [4]),
        ("_search=école", [4], []),
    ],
)
def test_case_counts_in_filters_and_not_in_searches(query: str, postgresql: list[int], sqlite: list[int]) -> None:
    for database, expected in ((POSTGRESQL, postgresql), (SQLITE, sqlite)):
        fake = FakeKeystone(database=database)
        for name in ("STRASSE", "straße", "ÄRGER", "École"):
            fake.add.cluster(name=name)
        with fake.client() as client:
            rows = client.http_get("allocations/clusters/", params=dict([query.split("=")])).json()["results"]
        assert [row["id"] for row in rows] == expected


@pytest.mark.parametrize(("database", "key"), [(POSTGRESQL, COLLATED.index), (SQLITE, str)])
def test_texts_are_ordered_by_collation_or_by_bytes(fake: FakeKeystone, admin: Session, key: Any) -> None:
    for name in COLLATED[::-1]:
        fake.add.grant(title=f"p|{name}")
    for order, texts in (("title", sorted(COLLATED, key=key)), ("-title", sorted(COLLATED, key=key)[::-1])):
        rows = admin("GET", f"research/grants/?_order={order}").json()["results"]
        assert [row["title"] for row in rows] == [f"p|{text}" for text in texts]


@pytest.mark.parametrize(("database", "titles"), [(POSTGRESQL, ["a", "B", "é", "Z"]), (SQLITE, ["B", "Z", "a", "é"])])
def test_nested_lists_by_title_and_name_are_ordered_alike(
    fake: FakeKeystone, admin: Session, titles: list[str]
) -> None:
    team = fake.add.team()["id"]
    made = [fake.add.grant(title=title, team=team)["id"] for title in ("Z", "é", "a", "B")]
    request = fake.add.request(team=team, grants=made)["id"]
    for name in ("Z", "é", "a", "B"):
        fake.add.allocation(request=request, cluster=fake.add.cluster(name=name))
    shown = admin("GET", f"allocations/requests/{request}/").json()
    assert [grant["title"] for grant in shown["_grants"]] == titles
    assert [row["_cluster"]["name"] for row in shown["_allocations"]] == titles


@pytest.mark.parametrize(("database", "last"), [(POSTGRESQL, True), (SQLITE, False)])
@pytest.mark.parametrize("field", ["active", "expire"])
def test_null_is_larger_or_smaller_than_every_value(fake: FakeKeystone, admin: Session, field: str, last: bool) -> None:
    for value in ("2024-01-01", None, "2023-01-01"):
        fake.add.request(**{field: value})
    ascending = [3, 1, 2] if last else [2, 3, 1]
    assert ids(admin("GET", f"allocations/requests/?_order={field}")) == ascending
    assert ids(admin("GET", f"allocations/requests/?_order=-{field}")) == ascending[::-1]


# queries without ORDER BY


@BOTH
def test_nested_lists_without_an_order_come_by_id_on_sqlite_alone(
    fake: FakeKeystone, admin: Session, database: str
) -> None:
    team, cluster = fake.add.team()["id"], fake.add.cluster()["id"]
    users = [fake.add.user()["id"] for _ in range(5)]
    for user in users:
        fake.add.membership(team=team, user=user)
    request = fake.add.request(team=team, assignees=users)["id"]
    for _ in range(4):
        fake.add.allocation(request=request, cluster=cluster)
    seen, again = (
        {
            "users": admin("GET", f"users/teams/{team}/").json()["users"],
            "_membership": [row["user"] for row in admin("GET", f"users/teams/{team}/").json()["_membership"]],
            "assignees": shown["assignees"],
            "_assignees": [row["id"] for row in shown["_assignees"]],
            "_allocations": [row["id"] for row in shown["_allocations"]],
        }
        for shown in (admin("GET", f"allocations/requests/{request}/").json() for _ in range(2))
    )
    assert seen == again
    for name, found in seen.items():
        assert (found == sorted(found)) is (database == SQLITE), name
        assert sorted(found) == (users if name != "_allocations" else [1, 2, 3, 4])


@pytest.mark.parametrize("size", range(2, 40))
def test_the_order_of_unordered_rows_is_never_that_of_the_ids(size: int) -> None:
    unordered = FakeKeystone().world.database.unordered
    for start in (1, 17, 1000):
        keys = list(range(start, start + size))
        assert unordered(keys) != keys
        assert sorted(unordered(keys)) == keys


# statistics


@pytest.mark.parametrize(("database", "days"), [(POSTGRESQL, -328.0), (SQLITE, -1.0)])
def test_the_average_of_pending_days(fake: FakeKeystone, admin: Session, days: float) -> None:
    fake.add.request(submitted="2024-11-23T00:00", active=dt.date(2023, 12, 31), status="AP")
    fake.add.request(submitted="2024-11-23T00:00", active=None)
    assert admin("GET", "stats/requests/").json()["days_pending_average"] == days


@BOTH
def test_an_update_that_the_database_refuses_leaves_its_audit_row(
    fake: FakeKeystone, admin: Session, database: str
) -> None:
    for body in ({"doi": ""}, {}):
        fake.add.publication(title="P", **body)
    job = {"job": {"actions": [{"method": "PATCH", "path": "/research/publications/2/", "payload": {"doi": ""}}]}}
    last = max(fake.world.store.tables["audit_log"])
    assert admin("POST", "batch/", json=job).status_code == 500
    assert max(fake.world.store.tables["audit_log"]) == last
    assert admin("PATCH", "research/publications/2/", json={"doi": "", "title": "Q"}).status_code == 500
    left = admin("GET", "research/publications/2/").json()
    assert (left["title"], left["doi"]) == ("P", None)
    assert left["_history"][0]["changes"] == {"title": ["P", "Q"], "doi": ["None", ""]}
    assert left["_history"][0]["id"] == last + 1 + (database == "postgresql")
