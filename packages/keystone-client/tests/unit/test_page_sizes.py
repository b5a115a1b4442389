"""A page that is too slow or too large is halved; other failures are not, and none of them loses a record."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from keystone_client import (
    KeystoneError,
    ResponseTooLargeError,
    RetryPolicy,
    ServerError,
    TransportError,
)

from .listing_server import ORDERS, ListServer, clusters, listed, ordered, sizes, with_key
from .scripted import Reply, Scripted, answer, connect, failure

TOO_SLOW = [failure(httpx.ReadTimeout), failure(httpx.WriteTimeout), answer(502), answer(504)]


@pytest.mark.parametrize("slow", TOO_SLOW)
def test_a_page_that_takes_too_long_is_halved_and_grows_again(colour: str, slow: Reply) -> None:
    server = ListServer(clusters(2500))
    wire = Scripted(slow, slow, slow, server)
    client = connect(colour, wire, retry=RetryPolicy())
    assert [record["id"] for record in client.retrieve_cluster()] == [record["id"] for record in clusters(2500)]
    assert sizes(wire) == [1000, 500, 250, 125, 250, 500, 1000, 1000]
    assert client.pauses == [0.5, 1, 2]


def test_a_page_that_is_too_large_for_the_client_does_not_grow_again(colour: str) -> None:
    """The server may be faster next time; the answer would be as large again."""
    wire = Scripted(ListServer(clusters(500)))
    found = connect(colour, wire, max_response_size=10_000).retrieve_cluster()
    assert found == clusters(500)
    assert sizes(wire) == [1000, 500, 250, 250]


LISTINGS: dict[str, Callable[[Any], object]] = {
    "retrieve": lambda client: client.retrieve_cluster(),
    "in another order": lambda client: client.retrieve_cluster(order="name"),
    "iterate": lambda client: client.iterate_cluster(),
    "the feed": lambda client: client.retrieve_feed_entry(),
    "follow": lambda client: client.follow_audit_log(after=1),
    "count": lambda client: client.count_cluster(),
}


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=LISTINGS)
@pytest.mark.parametrize("retry", [None, RetryPolicy(attempts=1)], ids=["none", "one"])
@pytest.mark.parametrize("slow", TOO_SLOW)
def test_without_retries_a_listing_that_takes_too_long_is_one_request(
    colour: str, slow: Reply, retry: Any, listing: Callable[[Any], object]
) -> None:
    wire = Scripted(slow)
    client = connect(colour, wire, retry=retry)
    with pytest.raises((ServerError, TransportError)) as caught:
        listing(client)
    assert len(wire.requests) == getattr(caught.value, "attempts", 1) == 1
    assert client.pauses == []


def test_without_retries_a_page_that_is_too_large_is_one_request(colour: str) -> None:
    wire = Scripted(ListServer(clusters(100)))
    with pytest.raises(ResponseTooLargeError, match="page_size"):
        connect(colour, wire, retry=None, max_response_size=1000).retrieve_cluster()
    assert len(wire.requests) == 1


@pytest.mark.parametrize("attempts", [2, 4, 9])
@pytest.mark.parametrize("listing", LISTINGS.values(), ids=LISTINGS)
@pytest.mark.parametrize("slow", TOO_SLOW)
def test_an_error_of_a_listing_counts_the_requests_sent_as_attempts(
    colour: str, slow: Reply, attempts: int, listing: Callable[[Any], object]
) -> None:
    wire = Scripted(slow)
    with pytest.raises((ServerError, TransportError)) as caught:
        listing(connect(colour, wire, retry=RetryPolicy(attempts=attempts)))
    assert len(wire.requests) == attempts
    if isinstance(caught.value, TransportError):
        assert caught.value.attempts == attempts
        assert f"after {attempts} tries" in str(caught.value)


def test_other_failures_count_towards_the_tries_of_a_halved_page(colour: str) -> None:
    wire = Scripted(answer(503), failure(httpx.ReadTimeout), answer(429), failure(httpx.ReadError))
    with pytest.raises(TransportError, match="after 4 tries") as caught:
        connect(colour, wire).retrieve_cluster()
    assert sizes(wire) == [1000, 1000, 500, 500]
    assert caught.value.attempts == 4


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_a_listing_is_complete_if_the_server_manages_only_small_pages(order: Any) -> None:
    server = ListServer(clusters(400))

    def weak(request: httpx.Request) -> httpx.Response:
        if int(request.url.params["_limit"]) > 130:
            raise httpx.ReadTimeout("too much", request=request)
        return server(request)

    assert listed(weak, order=order) == ordered(clusters(400), with_key(order))


@pytest.mark.parametrize("order", [None, "name"])
@pytest.mark.parametrize("slow", TOO_SLOW)
def test_halving_ends(colour: str, order: str | None, slow: Reply) -> None:
    wire = Scripted(slow)
    with pytest.raises((ServerError, TransportError)):
        connect(colour, wire, retry=RetryPolicy(attempts=9)).retrieve_cluster(order=order)
    assert sizes(wire) == [1000, 500, 250, 125, 62, 31, 31, 31, 31]


@pytest.mark.parametrize(
    "reply", [answer(503), answer(429), failure(httpx.ConnectTimeout), failure(httpx.ConnectError)]
)
def test_failures_unrelated_to_the_page_size_do_not_change_it(colour: str, reply: Reply) -> None:
    wire = Scripted(reply, reply, ListServer(clusters(3)))
    connect(colour, wire).retrieve_cluster()
    assert set(sizes(wire)) == {1000}


@pytest.mark.parametrize("broken", [failure(httpx.ReadError), answer(503), answer(429), failure(httpx.ConnectError)])
@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_failures_between_pages_lose_no_record(order: Any, broken: Reply) -> None:
    server = ListServer(clusters(20))
    turns = iter(range(1000))

    def flaky(request: httpx.Request) -> httpx.Response:
        return broken(request) if next(turns) % 3 else server(request)

    assert listed(flaky, order=order, page_size=4) == ordered(clusters(20), with_key(order))


@pytest.mark.parametrize("broken", [answer(500), answer(403), answer(200, b"<html>")])
def test_a_page_that_keeps_failing_raises_instead_of_shortening_the_list(colour: str, broken: Reply) -> None:
    wire = Scripted(ListServer(clusters(20)), broken)
    with pytest.raises(KeystoneError):
        connect(colour, wire, page_size=5).retrieve_cluster()
    wire = Scripted(ListServer(clusters(20)), ListServer(clusters(20)), broken)
    with pytest.raises(KeystoneError):
        connect(colour, wire, page_size=5).retrieve_cluster(order="name")
