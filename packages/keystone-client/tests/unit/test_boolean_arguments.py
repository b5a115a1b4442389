"""Arguments that are true or false: anything else is refused before anything is sent."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from keystone_client import FieldError

from .scripted import Scripted, connect

CALLS: dict[str, Callable[[Any, Any], object]] = {
    "retrieve": lambda client, flag: client.retrieve_team(1, raise_not_exists=flag),
    "delete": lambda client, flag: client.delete_team(1, raise_not_exists=flag),
    "iterate": lambda client, flag: client.iterate_team(prefetch=flag),
    "bulk create": lambda client, flag: client.bulk_create_team([{"name": "a"}], dry_run=flag),
    "bulk delete": lambda client, flag: client.bulk_delete_team([1], raise_not_exists=flag),
    "batch": lambda client, flag: client.batch(dry_run=flag).__enter__(),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("flag", ["false", "", None, 2, np.array([True, False])], ids=str)
def test_a_flag_that_is_neither_true_nor_false_is_refused(call: Callable[[Any, Any], object], flag: Any) -> None:
    wire = Scripted()
    with pytest.raises(FieldError, match="give True or False"):
        call(connect("sync", wire), flag)
    assert wire.requests == []


@pytest.mark.parametrize("flag", [True, 1, np.bool_(True)])
def test_a_flag_may_be_a_number_or_a_boolean_of_numpy(colour: str, flag: Any) -> None:
    wire = Scripted()
    connect(colour, wire).delete_team(1, raise_not_exists=flag)
    assert len(wire.requests) == 1


def test_an_array_is_no_argument_of_any_call(colour: str) -> None:
    array = np.array([1, 2])
    client = connect(colour, Scripted())
    calls: list[Callable[[], object]] = [
        lambda: client.retrieve_team(limit=array),
        lambda: client.retrieve_team(1, limit=array),
        lambda: client.retrieve_team(raise_not_exists=array),
        lambda: client.client.with_options(timeout=array),
        lambda: client.http_post("x", files=array),
        lambda: client.follow_audit_log(after=array),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=r"limit|raise_not_exists|timeout|files|primary key"):
            call()
