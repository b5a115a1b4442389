"""Statistics over the records that the caller can see."""

import datetime as dt
from collections.abc import Callable

import pytest
from keystone_client_testing import FakeKeystone

from .conftest import Session

TODAY = dt.datetime.now(dt.UTC).date()
DAY = dt.timedelta(days=1)


@pytest.fixture
def centre(fake: FakeKeystone) -> FakeKeystone:
    for number in (1, 2):
        fake.add.team(name=f"Team {number}")
    fake.add.user(username="bob")
    fake.add.membership(user="bob", team=1)
    return fake


def test_grants_are_summed_by_stage(centre: FakeKeystone, admin: Session) -> None:
    spans = [(-10 * DAY, 10 * DAY), (-10 * DAY, -DAY), (10 * DAY, 20 * DAY), (-10 * DAY, None)]
    for amount, (start, end) in enumerate(spans, 1):
        centre.add.grant(team=1, amount=amount, start_date=TODAY + start, end_date=end and TODAY + end)
    stats = admin("GET", "stats/grants/").json()
    assert stats == {
        "grant_count": 4, "upcoming_count": 1, "active_count": 1, "expired_count": 1, "agency_count": 1,
        "funding_total": "10.00", "funding_upcoming": "3.00", "funding_active": "1.00", "funding_expired": "2.00",
        "funding_average": "2.50",
    }  # fmt: skip


def test_requests_are_summed_with_their_allocations(centre: FakeKeystone, admin: Session) -> None:
    centre.add.request(team=1, status="AP", active=TODAY - DAY, expire=TODAY + 9 * DAY)
    centre.add.request(team=1, status="PD")
    centre.add.request(team=1, status="CR")
    centre.add.allocation(request=1, requested=10, awarded=5, final=2)
    centre.add.allocation(request=2, requested=7)
    stats = admin("GET", "stats/requests/").json()
    assert (stats["request_count"], stats["request_active_count"], stats["request_pending_count"]) == (3, 1, 1)
    totals = [stats[f"su_{name}_total"] for name in ("requested", "awarded", "finalized", "active", "pending")]
    assert totals == [17.0, 5.0, 2.0, 5.0, 0.0]
    assert stats["days_active_average"] == 10.0


def test_publications_are_counted_by_stage_and_their_review_is_timed(centre: FakeKeystone, admin: Session) -> None:
    centre.add.publication(team=1, submitted="2024-01-01", published="2024-01-02", journal="J")
    centre.add.publication(team=1, submitted="2024-01-01", published="2024-01-03", journal="J")
    centre.add.publication(team=1, submitted="2024-01-01")
    centre.add.publication(team=1)
    assert admin("GET", "stats/publications/").json() == {
        "publications_count": 4, "draft_count": 1, "submitted_count": 1, "accepted_count": 2, "journals_count": 1,
        "review_average": "1 12:00:00",
    }  # fmt: skip


def test_sums_of_no_records_are_zero_or_null(fake: FakeKeystone, admin: Session) -> None:
    assert admin("GET", "stats/grants/").json()["funding_average"] == "0.00"
    assert admin("GET", "stats/publications/").json()["review_average"] is None
    assert admin("GET", "stats/notifications/").json() == {"total": 0, "unread": 0}


def test_callers_get_the_statistics_of_what_they_see(centre: FakeKeystone, as_user: Callable[[str], Session]) -> None:
    for team in (1, 2, 2):
        centre.add.grant(team=team)
    centre.add.notification(user="bob")
    centre.add.notification(user="admin")
    bob = as_user("bob")
    assert bob("GET", "stats/grants/").json()["grant_count"] == 1
    assert bob("GET", "stats/notifications/").json() == {"total": 1, "unread": 1}


def test_the_filters_of_the_list_apply(centre: FakeKeystone, admin: Session) -> None:
    for team in (1, 2, 2):
        centre.add.grant(team=team)
    assert admin("GET", "stats/grants/?team=2&_limit=1&_search=zzz").json()["grant_count"] == 2
    assert admin("GET", "stats/grants/?id=x").json() == {"id": ["Enter a number."]}


def test_a_search_is_checked_although_statistics_ignore_it(admin: Session) -> None:
    assert admin("GET", "stats/requests/?_search=x").status_code == 200
    answer = admin("GET", "stats/requests/?_search=%00")
    assert (answer.status_code, answer.json()) == (400, ["Null characters are not allowed."])
