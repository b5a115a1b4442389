"""Listings are complete, ordered and filtered as requested."""

from collections.abc import Iterable
from typing import Any

import pytest
from keystone_client import FilterError
from keystone_client_core import RESOURCES

from .samples import team

NUMBER = 13
PAGE = 5


@pytest.fixture
def grants(bench: Any) -> list[Any]:
    """Thirteen grants of one team, with few distinct amounts, so that an order by amount has ties."""
    return [
        bench.make(
            "grant",
            title=f"{bench.name()} {number:02d}",
            agency="NSF" if number % 2 else "DOE",
            amount=str(number % 3),
            start_date=f"2026-01-{number + 1:02d}",
            end_date=None if number % 4 else "2026-12-31",
            team=team(bench),
        )
        for number in range(NUMBER)
    ]


def keys(records: Iterable[Any]) -> list[Any]:
    return [record["id"] for record in records]


def test_a_list_has_every_record_once_ordered_by_key(bench: Any, grants: Any) -> None:
    listed = bench.client.retrieve_grant(filters={"team": team(bench)}, page_size=PAGE)

    assert keys(listed) == sorted(keys(grants))
    assert bench.client.count_grant(filters={"team": team(bench)}) == NUMBER


def test_a_list_can_be_reversed(bench: Any, grants: Any) -> None:
    listed = bench.client.retrieve_grant(filters={"team": team(bench)}, order="-id", page_size=PAGE)

    assert keys(listed) == sorted(keys(grants), reverse=True)


@pytest.mark.parametrize(("order", "sign"), [("amount", 1), ("-amount", -1), (["-amount", "agency"], -1)])
def test_a_list_in_another_order_is_complete_and_ordered(bench: Any, grants: Any, order: Any, sign: Any) -> None:
    listed = bench.client.retrieve_grant(filters={"team": team(bench)}, order=order, page_size=PAGE)

    assert sorted(keys(listed)) == sorted(keys(grants))
    amounts = [sign * float(record["amount"]) for record in listed]
    assert amounts == sorted(amounts)


@pytest.mark.parametrize("order", [None, "-id", "title", "-amount"])
def test_a_limit_gives_the_first_records_of_the_order(bench: Any, grants: Any, order: Any) -> None:
    query = {"filters": {"team": team(bench)}, "page_size": PAGE}
    whole = keys(bench.client.retrieve_grant(**query, order=order))

    for limit in (0, 1, PAGE, PAGE + 1, NUMBER + 5):
        assert keys(bench.client.retrieve_grant(**query, order=order, limit=limit)) == whole[:limit]


@pytest.mark.parametrize("order", [None, "-id", "title"])
def test_deletes_during_iteration_hide_no_other_record(bench: Any, grants: Any, order: Any) -> None:
    doomed = set(keys(grants)[1::3])
    seen = []
    for record in bench.client.iterate_grant(filters={"team": team(bench)}, order=order, page_size=2):
        seen.append(record["id"])
        if doomed:
            bench.client.delete_grant(doomed.pop())

    survivors = set(keys(grants)) - set(keys(grants)[1::3])
    assert survivors <= set(seen)
    assert len(seen) == len(set(seen))


def test_creates_during_iteration_repeat_no_record(bench: Any, grants: Any) -> None:
    seen = []
    for record in bench.client.iterate_grant(filters={"team": team(bench)}, order="-title", page_size=2):
        seen.append(record["id"])
        if len(seen) < 6:
            bench.make("grant", title="zzz", agency="x", amount="1", start_date="2026-01-01", team=team(bench))

    assert set(keys(grants)) <= set(seen)
    assert len(seen) == len(set(seen))


def test_an_iteration_resumes_after_a_key(bench: Any, grants: Any) -> None:
    ascending = sorted(keys(grants))
    query = {"filters": {"team": team(bench)}, "page_size": PAGE}

    behind = keys(bench.client.iterate_grant(**query, after=ascending[3]))
    downwards = keys(bench.client.iterate_grant(**query, order="-id", after=ascending[3]))

    assert behind == ascending[4:]
    assert downwards == ascending[2::-1]


def test_an_iteration_can_be_left_early(bench: Any, grants: Any) -> None:
    records = bench.client.iterate_grant(filters={"team": team(bench)}, page_size=2)

    first = next(records)
    records.close()

    assert first["id"] == min(keys(grants))
    assert bench.client.is_authenticated()


def test_progress_is_reported_after_each_page(bench: Any, grants: Any) -> None:
    told: list[tuple[int, int]] = []
    bench.client.retrieve_grant(
        filters={"team": team(bench)}, page_size=PAGE, on_progress=lambda done, total: told.append((done, total))
    )

    assert [done for done, _ in told] == [5, 10, 13]
    assert {total for _, total in told} == {NUMBER}


def test_a_long_list_of_keys_is_split_and_complete(bench: Any, grants: Any) -> None:
    many = [*keys(grants), *range(10**15, 10**15 + 400)]
    asked = {"id__in": many}

    assert keys(bench.client.retrieve_grant(filters=asked)) == sorted(keys(grants))
    assert keys(bench.client.retrieve_grant(filters=asked, order="-id")) == sorted(keys(grants), reverse=True)
    assert bench.client.count_grant(filters=asked) == NUMBER
    with pytest.raises(FilterError, match="id__in"):
        bench.client.retrieve_grant(filters=asked, order="title")


FILTERS = [
    ({"agency": "NSF"}, lambda g: g["agency"] == "NSF"),
    ({"agency__not_eq": "NSF"}, lambda g: g["agency"] != "NSF"),
    ({"agency__in": ["NSF", "NIH"]}, lambda g: g["agency"] == "NSF"),
    ({"agency__not_in": {"DOE"}}, lambda g: g["agency"] != "DOE"),
    ({"agency__contains": "O"}, lambda g: "O" in g["agency"]),
    ({"agency__not_startswith": "N"}, lambda g: not g["agency"].startswith("N")),
    ({"agency__endswith": "E"}, lambda g: g["agency"].endswith("E")),
    ({"end_date": None}, lambda g: g["end_date"] is None),
    ({"end_date__not_eq": None}, lambda g: g["end_date"] is not None),
    ({"end_date__isnull": False}, lambda g: g["end_date"] is not None),
    ({"amount__gte": 1}, lambda g: float(g["amount"]) >= 1),
    ({"amount__lt": "0.5"}, lambda g: float(g["amount"]) < 0.5),
    ({"start_date__gt": "2026-01-05"}, lambda g: g["start_date"] > "2026-01-05"),
    ({"start_date__day": 3}, lambda g: g["start_date"] == "2026-01-03"),
    ({"start_date__year": 2026, "agency": "DOE"}, lambda g: g["agency"] == "DOE"),
    ({"pi": ""}, lambda g: g["pi"] == ""),
    ({"description__isnull": True}, lambda g: g["description"] is None),
    ({"id__in": []}, lambda g: False),
]


@pytest.mark.parametrize(("filters", "matches"), FILTERS, ids=[str(filters) for filters, _ in FILTERS])
def test_a_filter_returns_exactly_the_matching_records(bench: Any, grants: Any, filters: Any, matches: Any) -> None:
    asked = {"team": team(bench), **filters}

    listed = bench.client.retrieve_grant(filters=asked, page_size=PAGE)

    assert keys(listed) == [grant["id"] for grant in grants if matches(grant)]
    assert bench.client.count_grant(filters=asked) == len(listed)


def test_key_bounds_of_the_caller_hold_in_every_order(bench: Any, grants: Any) -> None:
    ascending = sorted(keys(grants))
    inner = {"team": team(bench), "id__gt": ascending[1], "id__lt": ascending[-2], "id__lte": ascending[-4]}

    for order in (None, "id", "-id", "title", "-amount"):
        listed = bench.client.retrieve_grant(filters=inner, order=order, page_size=3)
        assert sorted(keys(listed)) == ascending[2:-3]


def test_a_search_finds_words_in_the_searched_fields(bench: Any, grants: Any) -> None:
    word = grants[0]["title"].split()[0]

    assert keys(bench.client.retrieve_grant(search=word)) == [grants[0]["id"]]
    assert bench.client.count_grant(search=f"{word} NSF") == 0


IGNORED = [{"agnecy": "x"}, {"id__in": "1,2"}, {"start_date": "soon"}, {"title__contains": ""}]


@pytest.mark.parametrize("filters", IGNORED)
def test_a_filter_the_server_would_ignore_is_refused(bench: Any, filters: Any) -> None:
    with pytest.raises(FilterError):
        bench.client.retrieve_grant(filters=filters)


@pytest.mark.parametrize("resource", [name for name, r in RESOURCES.items() if not r.growing])
def test_every_resource_is_listed_completely(bench: Any, resource: Any) -> None:
    listed = getattr(bench.client, f"retrieve_{resource}")()

    assert len(listed) == getattr(bench.client, f"count_{resource}")()
    assert keys(listed) == sorted(set(keys(listed)))


@pytest.mark.parametrize("resource", ["request_log", "audit_log"])
@pytest.mark.parametrize("order", [None, "-timestamp"])
def test_a_log_that_grows_while_it_is_read_ends_at_its_initial_last_row(bench: Any, resource: Any, order: Any) -> None:
    for _ in range(3):
        bench.make("cluster", name=bench.name())
    own = {"cid": bench.client.cid}
    before = getattr(bench.client, f"count_{resource}")(filters=own)

    listed = getattr(bench.client, f"retrieve_{resource}")(filters=own, order=order, page_size=2)

    assert len(keys(listed)) == len(set(keys(listed)))
    assert before <= len(listed) <= before + 3  # requests the client made before the listing began


def test_the_feed_merges_its_kinds_by_time(bench: Any) -> None:
    for _ in range(3):
        bench.make("cluster", name=bench.name())

    feed = bench.client.retrieve_feed_entry(filters={"cid": bench.client.cid}, page_size=2)

    assert {entry["record_type"] for entry in feed} == {"request", "audit"}
    assert len(keys(feed)) == len(set(keys(feed)))
    times = [entry["timestamp"] for entry in feed]
    assert times == sorted(times)
    audited = bench.client.retrieve_feed_entry(filters={"cid": bench.client.cid, "record_type": "audit"})
    assert len(audited) == bench.client.count_audit_log(filters={"cid": bench.client.cid}) >= 3


def test_the_feed_can_be_ordered(bench: Any) -> None:
    bench.make("cluster", name=bench.name())

    feed = bench.client.retrieve_feed_entry(filters={"cid": bench.client.cid}, order="-timestamp", page_size=2)

    times = [entry["timestamp"] for entry in feed]
    assert times == sorted(times, reverse=True)
    assert len(keys(feed)) == len(set(keys(feed))) > 2
