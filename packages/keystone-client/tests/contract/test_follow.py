"""Following a log returns each record exactly once over successive calls."""

from typing import Any

import pytest
from keystone_client import FieldError


@pytest.mark.parametrize("log", ["audit_log", "request_log"])
def test_a_follower_gets_each_record_written_after_its_start_once(bench: Any, log: str) -> None:
    follow = getattr(bench.client, f"follow_{log}")
    mine = {"cid": bench.client.cid}

    begun = follow(after="now", filters=mine)
    name = bench.name()
    bench.make("cluster", name=name)
    first = follow(begun.position, filters=mine)
    bench.make("cluster", name=bench.name())
    second = follow(first.position, filters=mine)

    assert begun.records == []
    assert (first.more, second.more) == (False, False)
    keys = [record["id"] for found in (first, second) for record in found.records]
    assert len(keys) == len(set(keys))
    if log == "audit_log":
        assert [record["changes"]["name"][1] for record in first.records] == [name]
        assert len(second.records) == 1
    else:
        assert "/allocations/clusters/" in [record["endpoint"] for record in first.records]


def test_records_beyond_the_limit_come_with_the_next_calls(bench: Any) -> None:
    mine = {"cid": bench.client.cid}
    for _ in range(5):
        bench.make("cluster", name=bench.name())

    position, keys, more = None, [], True
    while more:
        found = bench.client.follow_audit_log(position, filters=mine, limit=2)
        keys += [record["id"] for record in found.records]
        position, more = found.position, found.more

    assert keys == sorted(set(keys))
    assert len(keys) == bench.client.count_audit_log(filters=mine) == 5


def test_a_position_is_refused_with_other_filters(bench: Any) -> None:
    position = bench.client.follow_audit_log(after="now", filters={"cid": bench.client.cid}).position

    with pytest.raises(FieldError, match="filters"):
        bench.client.follow_audit_log(position)
