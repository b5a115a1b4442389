"""Listings: filters with their bad values, order, search, pages and links."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from keystone_client_core import RESOURCES
from keystone_client_testing import FakeKeystone

from .conftest import Session


@pytest.fixture
def grants(fake: FakeKeystone) -> FakeKeystone:
    fake.add.team(name="One")
    fake.add.team(name="Two")
    fake.add.grant(title="Alpha", agency="NSF", amount=1, start_date="2024-01-07", end_date="2025-12-31", team=1)
    fake.add.grant(title="beta", agency="nsf", amount="12.5", start_date="2023-06-01", team=2, pi="Curie")
    fake.add.grant(title="Ärger, 50%", agency="DOE", amount=300, start_date="2020-02-29", team=2, pi="")
    return fake


def ids(response: Any) -> list[int]:
    assert response.status_code == 200, response.text
    return [row["id"] for row in response.json()["results"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("title=Alpha", [1]),
        ("title=alpha", []),
        ("title= Alpha ", [1]),
        ("title__not_eq=Alpha", [2, 3]),
        ("title__in=Alpha, beta", [1, 2]),
        ("title__contains=A", [1]),
        ("title__contains=ä", []),
        ("title__contains=50%25", [3]),
        ("title__contains=_", []),
        ("title__startswith=Al", [1]),
        ("title__endswith=ta", [2]),
        ("title__not_endswith=ta", [1, 3]),
        ("pi__isnull=true", [1]),
        ("pi__isnull=yes", [1, 2, 3]),
        ("pi__not_eq=Curie", [1, 3]),
        ("pi__not_in=Curie", [1, 3]),
        ("pi__not_contains=u", [1, 3]),
        ("pi__in=,", [3]),
        ("amount=12.50", [2]),
        ("amount__gte=12.5", [2, 3]),
        ("id=1.5", [1]),
        ("id__in=1,,3", [1, 3]),
        ("id__in=,", []),
        ("id__in=", [1, 2, 3]),
        ("id__gt=1&id__lt=3", [2]),
        ("team=2", [2, 3]),
        ("team__in=1,2", [1, 2, 3]),
        ("team__not_in=2", [1]),
        ("start_date__year=2024", [1]),
        ("start_date__month=2", [3]),
        ("start_date__week=1", [1]),
        ("start_date__week_day=1", [1]),
        ("start_date=01/07/2024", [1]),
        ("start_date__lt=Jan 1 2021", [3]),
        ("end_date__gt=2025-01-01", [1]),
        ("nonsense=1&title__icontains=z&team__name=One&_team=1&pk=1", [1, 2, 3]),
        ("title=beta&title=Alpha", [1]),
    ],
)
def test_filters_match_the_records_the_server_would_match(
    grants: FakeKeystone, admin: Session, query: str, expected: Any
) -> None:
    assert ids(admin("GET", f"research/grants/?{query}")) == expected


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("id=abc", "Enter a number."),
        ("id=1e60", "Ensure this value is less than or equal to 1e+50."),
        ("amount__gt=x", "Enter a number."),
        ("amount=NaN", "Enter a number."),
        ("start_date=2024-01-05T00:00", "Enter a valid date."),
        ("start_date__year=x", "Enter a number."),
        ("team=99", "Select a valid choice. That choice is not one of the available choices."),
        ("team__in=1,x", "Select a valid choice. That choice is not one of the available choices."),
        ("team=%00", "Null characters are not allowed."),
        ("title=%00", "Null characters are not allowed."),
    ],
)
def test_bad_filter_values_are_400_by_parameter(grants: FakeKeystone, admin: Session, query: str, message: str) -> None:
    response = admin("GET", f"research/grants/?{query}")
    assert (response.status_code, response.json()) == (400, {query.partition("=")[0]: [message]})


def test_choices_and_datetimes_have_their_own_error_messages(fake: FakeKeystone, admin: Session) -> None:
    fake.add.request(status="AP", submitted="2024-01-05T10:00:00.5")
    bad = admin("GET", "allocations/requests/?status=XX&submitted=2024-01-05T10:00:00+00:00").json()
    assert bad == {
        "status": ["Select a valid choice. XX is not one of the available choices."],
        "submitted": ["Enter a valid date/time."],
    }
    assert ids(admin("GET", "allocations/requests/?status__in=AP,XX")) == [1]
    assert ids(admin("GET", "allocations/requests/?submitted=2024-01-05T11:00:00.5%2B01:00")) == [1]
    assert ids(admin("GET", "allocations/requests/?submitted__hour=10&submitted__lt=2024-01-06")) == [1]


@pytest.mark.parametrize(
    "text", ["2024-1-5 10:00", "2024-1-5T11:00:00%2B01", "2024-1-5 12:00%2B02:00", "2024-1-5T10:00Z"]
)
def test_a_time_may_be_written_loosely(fake: FakeKeystone, admin: Session, text: str) -> None:
    fake.add.request(submitted="2024-01-05T10:00:00Z")
    assert ids(admin("GET", f"allocations/requests/?submitted={text}")) == [1]
    assert ids(admin("GET", f"allocations/requests/?submitted__gt={text}")) == []


@pytest.mark.parametrize("text", ["2024-01-05t10:00:00z", "2024-13-5 10:00", "2024-1-5 25:00"])
def test_a_time_that_is_none_is_refused(admin: Session, text: str) -> None:
    assert admin("GET", f"allocations/requests/?submitted={text}").json() == {"submitted": ["Enter a valid date/time."]}


@pytest.mark.parametrize("name", ["team", "start_date", "end_date"])
def test_an_empty_filter_keeps_every_record(grants: FakeKeystone, admin: Session, name: str) -> None:
    assert ids(admin("GET", f"research/grants/?{name}=")) == [1, 2, 3]


def test_more_than_a_thousand_parameters_are_refused(admin: Session) -> None:
    answer = admin("GET", f"users/teams/?{'&'.join(['a=1'] * 1001)}")
    assert answer.status_code == 400
    assert "<h1>Bad Request (400)</h1>" in answer.text


@pytest.mark.parametrize("query", ["start_date__year=0", "start_date__year=10000"])
def test_values_that_crash_the_server_crash_the_fake(grants: FakeKeystone, admin: Session, query: str) -> None:
    assert admin("GET", f"research/grants/?{query}").status_code == 500
    assert admin("GET", f"research/grants/1/?{query}").json() == {"detail": "Not found."}


def test_a_broken_boolean_list_crashes_or_is_ignored(fake: FakeKeystone, admin: Session) -> None:
    assert admin("GET", "users/users/?is_staff__in=true").status_code == 500
    assert ids(admin("GET", "users/users/?is_staff__in=true,false")) == [1]
    assert ids(admin("GET", "users/users/?is_staff=0")) == []
    assert ids(admin("GET", "users/users/?is_staff=no")) == [1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("title", [1, 3, 2]),
        ("-amount", [3, 2, 1]),
        ("pi,id", [3, 2, 1]),
        ("-team, -id", [3, 2, 1]),
        ("nonsense,_team,pk", [1, 2, 3]),
        ("end_date,id", [1, 2, 3]),
    ],
)
def test_order_puts_null_last_and_ignores_what_it_does_not_know(
    grants: FakeKeystone, admin: Session, text: str, expected: list[int]
) -> None:
    assert ids(admin("GET", "research/grants/", params={"_order": text})) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ALPHA", [1]),
        ("nsf one", [1]),
        ("nsf,two", [2]),
        ('"nsf two"', []),
        ("ärger", [3]),
        (",", [1, 2, 3]),
        ("", [1, 2, 3]),
        ("curie", [2]),
    ],
)
def test_a_search_requires_every_term_in_some_field(
    grants: FakeKeystone, admin: Session, text: str, expected: list[int]
) -> None:
    assert ids(admin("GET", "research/grants/", params={"_search": text})) == expected


def test_a_search_fails_in_ways_of_its_own(grants: FakeKeystone, admin: Session) -> None:
    refused = admin("GET", "research/grants/?_search=%00")
    assert (refused.status_code, refused.json()) == (400, ["Null characters are not allowed."])
    for path in ("allocations/reviews", "allocations/attachments", "notifications/notifications", "logs/audit"):
        assert admin("GET", f"{path}/?_search=a").status_code == 500
        assert admin("GET", f"{path}/?_search=").status_code == 200


def test_pages_count_all_and_link_with_sorted_keys(fake: FakeKeystone, admin: Session) -> None:
    for number in range(7):
        fake.add.team(name=f"Team {number}")
    page = admin("GET", "users/teams/?b=1&_limit=3&_offset=3&a=x,y").json()
    assert (page["count"], [row["id"] for row in page["results"]]) == (7, [4, 5, 6])
    assert page["next"] == "http://keystone.test/users/teams/?_limit=3&_offset=6&a=x%2Cy&b=1"
    assert page["previous"] == "http://keystone.test/users/teams/?_limit=3&a=x%2Cy&b=1"
    last = admin("GET", page["next"]).json()
    assert (last["next"], [row["id"] for row in last["results"]]) == (None, [7])
    beyond = admin("GET", "users/teams/?_offset=100").json()
    assert (beyond["results"], beyond["next"]) == ([], None)
    assert dict(parse_qsl(urlsplit(beyond["previous"]).query)) == {"_limit": "100"}


def test_an_invalid_page_size_is_replaced_by_the_default_or_maximum(fake: FakeKeystone, admin: Session) -> None:
    for number in range(1001):
        fake.add.preference(user=fake.add.user(username=f"u{number}"))
    sizes = {"": 100, "0": 100, "-1": 100, "1.5": 100, "x": 100, "5000": 1000}
    for limit, size in sizes.items():
        assert len(admin("GET", f"notifications/preferences/?_limit={limit}").json()["results"]) == size


def test_filters_and_search_apply_to_a_detail_url_too(grants: FakeKeystone, admin: Session) -> None:
    assert admin("GET", "research/grants/1/?title=Alpha&_search=alpha").status_code == 200
    assert admin("GET", "research/grants/1/?title=beta").json() == {"detail": "No Grant matches the given query."}
    assert admin("PATCH", "research/grants/1/?title=beta", json={}).status_code == 404
    assert admin("DELETE", "research/grants/1/?id=x").json() == {"id": ["Enter a number."]}


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_resource_can_be_listed_with_every_filter_it_has(
    fake: FakeKeystone, admin: Session, resource: str
) -> None:
    for name in ("allocation", "attachment", "review", "comment", "publication", "grant", "membership", "notification"):
        getattr(fake.add, name)()
    fake.add.preference()
    fake.add.task_result()
    path = RESOURCES[resource].path
    head = admin("GET", f"{path}/?_limit=2").json()
    assert set(head) == {"count", "next", "previous", "results"}
    for name in RESOURCES[resource].filterable:
        narrowed = admin("GET", f"{path}/?{name}__isnull=true&{name}__isnull=false&_limit=1").json()["count"]
        assert narrowed <= admin("GET", f"{path}/?_limit=1").json()["count"]


@pytest.mark.parametrize("lookup", ["", "__not_eq", "__in", "__lt", "__gte"])
def test_a_number_no_column_can_hold_is_refused_by_every_lookup(admin: Session, lookup: str) -> None:
    response = admin("GET", f"users/users/?id{lookup}=1e60")
    assert response.json() == {f"id{lookup}": ["Ensure this value is less than or equal to 1e+50."]}


@pytest.mark.parametrize(
    ("name", "text"),
    [("id", "Enter a number."), ("id__in", "Enter a number."), ("date_joined__year", "Enter a number."),
     ("date_joined", "Enter a valid date/time."), ("date_joined__in", "Enter a valid date/time.")],
)  # fmt: skip
def test_blanks_are_neither_a_number_nor_a_time(admin: Session, name: str, text: str) -> None:
    assert admin("GET", f"users/users/?{name}=%20").json() == {name: [text]}
    assert admin("GET", f"users/users/?{name}=").json()["count"] == 1


@pytest.mark.parametrize("value", ["4", "1.0", "x", "1,2"])
def test_the_action_of_an_audit_row_is_one_of_four_codes(admin: Session, value: str) -> None:
    text = f"Select a valid choice. {value} is not one of the available choices."
    assert admin("GET", f"logs/audit/?action={value}").json() == {"action": [text]}
    assert admin("GET", "logs/audit/?action=0").json()["count"] == 1


@pytest.mark.parametrize("query", ["final__lt=18446744073709551616", "final__lte=9223372036854775808", "final__gt=-1"])
def test_a_comparison_every_number_passes_keeps_null_too(fake: FakeKeystone, admin: Session, query: str) -> None:
    fake.add.allocation(final=None)
    fake.add.allocation(final=5)
    assert admin("GET", f"allocations/allocations/?{query}").json()["count"] == 2


@pytest.mark.parametrize("database", ["sqlite"])
def test_the_least_number_of_a_column_is_still_a_number(admin: Session) -> None:
    assert admin("GET", "users/teams/?id__in=-9223372036854775808").json()["count"] == 0
    assert admin("GET", "users/teams/?id__in=-9223372036854775809").status_code == 500


def test_records_of_ones_teams_come_by_team_and_request(fake: FakeKeystone, as_user: Any) -> None:
    session = as_user("bob")
    teams = [fake.add.team()["id"] for _ in range(2)]
    for team in teams:
        fake.add.membership(user="bob", team=team)
    late, early = (fake.add.request(team=team)["id"] for team in reversed(teams))
    for request in (late, early, late):
        fake.add.comment(request=request)
    rows = session("GET", "allocations/comments/").json()["results"]
    assert [row["id"] for row in rows] == [2, 1, 3]
    assert [row["id"] for row in session("GET", "allocations/requests/").json()["results"]] == [early, late]


@pytest.mark.parametrize(("database", "status"), [("postgresql", 200), ("sqlite", 500)])
def test_too_many_terms_are_too_deep_for_sqlite(admin: Session, status: int) -> None:
    assert admin("GET", f"users/teams/?_search={'+'.join('a' * 900)}").status_code == 200
    assert admin("GET", f"users/teams/?_search={'+'.join('a' * 1100)}").status_code == status


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        ("users,id", [1, 2, 1, 3]),
        ("-users,id", [3, 1, 1, 2]),
        ("users,-id", [2, 1, 1, 3]),
        ("membership", [2, 1, 1, 3]),
        ("history", [3, 2, 1]),
        ("-history", [1, 2, 3]),
    ],
)
def test_an_order_by_a_to_many_link_repeats_rows_and_counts_none_twice(
    fake: FakeKeystone, admin: Session, names: str, ids: list[int]
) -> None:
    for _ in range(3):
        fake.add.team()
        fake.clock.advance(1)
    users = [fake.add.user()["id"] for _ in range(2)]
    for team, user in ((2, users[0]), (1, users[0]), (1, users[1])):
        fake.add.membership(team=team, user=user)
    page = admin("GET", f"users/teams/?_order={names}").json()
    assert ([row["id"] for row in page["results"]], page["count"]) == (ids, 3)


def test_pages_by_a_to_many_link_lose_records(fake: FakeKeystone, admin: Session) -> None:
    for team in (1, 2):
        fake.add.team()
        for _ in range(2):
            fake.add.membership(team=team, user=fake.add.user()["id"])
    pages = [admin("GET", f"users/teams/?_order=users,id&_limit=1&_offset={n}").json() for n in range(2)]
    assert [page["results"][0]["id"] for page in pages] == [1, 1]
    assert pages[1]["next"] is None


def test_the_links_of_a_record_itself_are_joined_too(fake: FakeKeystone, admin: Session) -> None:
    teams = [fake.add.team()["id"] for _ in range(2)]
    for listed in (teams, [], teams[:1]):
        fake.add.cluster(access_teams=listed)
    rows = admin("GET", "allocations/clusters/?_order=access_teams,-id").json()["results"]
    assert [row["id"] for row in rows] == [3, 1, 1, 2]


def test_the_server_fails_on_one_order_name_that_it_accepts(fake: FakeKeystone, admin: Session) -> None:
    pk = fake.add.request()["id"]
    assert admin("GET", f"allocations/requests/{pk}/?_order=attachment_set").status_code == 500
    assert admin("GET", "allocations/requests/?_order=attachment_set").status_code == 500
    assert admin("GET", "allocations/requests/?_order=comment_set").status_code == 200


def test_a_value_that_crashes_the_server_does_so_only_if_all_others_are_valid(admin: Session) -> None:
    crash = "date_joined__year=0"
    assert admin("GET", f"users/users/?{crash}").status_code == 500
    for query in (f"{crash}&id=x", f"id=x&{crash}"):
        answer = admin("GET", f"users/users/?{query}")
        assert (answer.status_code, answer.json()) == (400, {"id": ["Enter a number."]})


def test_a_broken_filter_crashes_the_server_before_it_refuses_others(admin: Session) -> None:
    for query in ("is_staff__in=true&id=x", "id=x&is_staff__not_in=True"):
        assert admin("GET", f"users/users/?{query}").status_code == 500


JSON_ORDERS = {
    "postgresql": [[], "x", 5, [1, [2]], [30, 14], {"a": 1}],
    "sqlite": ["x", 5, [1, [2]], [30, 14], [], {"a": 1}],
}


@pytest.mark.parametrize("database", JSON_ORDERS)
def test_json_is_ordered_by_type_or_by_its_text(fake: FakeKeystone, admin: Session, database: str) -> None:
    for value in ({"a": 1}, [30, 14], "x", 5, [1, [2]], []):
        fake.add.preference(user=fake.add.user(), request_expiry_thresholds=value)
    rows = admin("GET", "notifications/preferences/?_order=request_expiry_thresholds").json()["results"]
    assert [row["request_expiry_thresholds"] for row in rows] == JSON_ORDERS[database]


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE", "OPTIONS"])
def test_a_detail_url_reads_the_search_before_the_key(admin: Session, method: str) -> None:
    refused = admin(method, "research/grants/abc/?_search=%00")
    if method != "OPTIONS":  # OPTIONS reads the record only to check whether the caller may write
        assert (refused.status_code, refused.json()) == (400, ["Null characters are not allowed."])
    for path in ("allocations/reviews", "allocations/attachments"):
        for key in ("abc", "1"):
            assert admin(method, f"{path}/{key}/?_search=x").status_code == 500
    assert admin(method, "allocations/requests/abc/?_order=attachment_set&_search=%00").status_code == 500


@pytest.mark.parametrize("path", ["logs/audit", "notifications/notifications"])
def test_a_read_only_detail_url_reads_the_search_before_the_key(admin: Session, path: str) -> None:
    assert admin("GET", f"{path}/abc/?_search=x").status_code == 500


def test_errors_are_reported_in_the_servers_order(admin: Session) -> None:
    assert admin("GET", "allocations/reviews/abc/?id=x&_search=x").json() == {"id": ["Enter a number."]}
    assert admin("GET", "users/users/?date_joined__year=0&_search=%00").status_code == 400
    assert admin("GET", "users/users/abc/?date_joined__year=0").json() == {"detail": "Not found."}


@pytest.mark.parametrize("spelling", ["true", "True", "TRUE", "1"])
def test_true_has_three_spellings(admin: Session, spelling: str) -> None:
    assert admin("GET", f"users/users/?is_staff={spelling}").json()["count"] == 1
    assert admin("GET", f"users/users/?last_login__isnull={spelling}").json()["count"] == 0


@pytest.mark.parametrize("spelling", ["false", "False", "0"])
def test_false_has_three_spellings(admin: Session, spelling: str) -> None:
    assert admin("GET", f"users/users/?is_staff={spelling}").json()["count"] == 0
    assert admin("GET", f"users/users/?last_login__isnull={spelling}").json()["count"] == 1


@pytest.mark.parametrize("spelling", ["t", "yes", "f", "on"])
def test_other_spellings_of_booleans_are_ignored(admin: Session, spelling: str) -> None:
    assert admin("GET", f"users/users/?is_staff={spelling}").json()["count"] == 1
    assert admin("GET", f"users/users/?last_login__isnull={spelling}").json()["count"] == 1
