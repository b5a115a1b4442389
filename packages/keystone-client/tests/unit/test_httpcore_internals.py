"""The private attributes of httpx and httpcore that the client uses still exist."""

import anyio
import httpcore
import httpx
from keystone_client._transport.deadline_backend import DeadlineBackend
from keystone_client._transport.httpcore_internals import connection_state, use_backend
from keystone_client_testing import FakeKeystone


def test_a_transport_of_httpx_has_a_pool_whose_network_backend_can_be_replaced() -> None:
    transport = httpx.HTTPTransport()
    assert isinstance(transport._pool, httpcore.ConnectionPool), "HTTPTransport._pool has moved"
    assert hasattr(transport._pool, "_network_backend"), "ConnectionPool._network_backend has moved"

    use_backend(transport, DeadlineBackend())

    assert isinstance(transport._pool._network_backend, DeadlineBackend)
    transport.close()


def test_the_stream_of_a_response_leads_to_the_state_of_its_connection() -> None:
    with FakeKeystone().serve() as url, httpx.HTTPTransport() as transport:
        response = transport.handle_request(httpx.Request("GET", f"{url}version/"))

        state = connection_state(response.stream)

        assert state is not None, "_httpcore_stream._stream._connection._h11_state has moved"
        response.read()
        assert state.trailing_data == (b"", False), "h11's trailing_data has another form"
        assert callable(state.send_failed), "h11's send_failed has moved"


def test_the_stream_of_an_async_response_leads_to_the_state_of_its_connection() -> None:
    async def ask(url: str) -> None:
        async with httpx.AsyncHTTPTransport() as transport:
            response = await transport.handle_async_request(httpx.Request("GET", f"{url}version/"))
            assert connection_state(response.stream) is not None, "the async way to _h11_state has moved"
            await response.aclose()

    with FakeKeystone().serve() as url:
        anyio.run(ask, url)
