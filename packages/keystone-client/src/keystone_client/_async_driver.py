"""Serves flows with tasks, on asyncio and trio: sends what they yield, sleeps when they pause."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, closing
from functools import partial
from typing import Any, TypeVar

import anyio
import httpx

from . import _listing, _records
from ._call import NOTHING, Answer, Call, Flow, Pause, Step, advance
from ._connections import Slots, exchange_async, proxy_for, tls_context
from ._errors import ClosedError
from ._options import Options
from ._query import Query

T = TypeVar("T")


class AsyncDriver:
    """The part of ``AsyncKeystoneClient`` that does the work."""

    def __init__(self, options: Options, transport: httpx.AsyncBaseTransport | None) -> None:
        """Take options that were checked; nothing is opened before the first request."""
        self._options = options
        self._talk = options.talk
        self._transport = transport
        self._slots: Slots | None = None
        self._closed = False
        self._sleep: Callable[[float], Awaitable[object]] = anyio.sleep

    async def close(self) -> None:
        """Close the connections; the session on the server lives on. Closing twice is fine."""
        self._closed = True
        for opened in (self._transport, self._slots):
            if opened is not None:
                await opened.aclose()
        self._transport = self._slots = None

    async def _run(self, flow: Flow[T]) -> T:
        """Serve a flow to its end."""
        answer = NOTHING
        with closing(flow):
            while True:
                try:
                    step = advance(flow, answer)
                except StopIteration as end:
                    result: T = end.value
                    return result
                answer = await self._attempt(step)

    async def _stream(self, batches: _listing.Batches) -> AsyncGenerator[dict[str, Any], None]:
        """Serve a listing, handing out its records as they come."""
        answer = NOTHING
        with closing(batches):
            while True:
                try:
                    step = advance(batches, answer)
                except StopIteration:
                    return
                if isinstance(step, _listing.Batch):
                    answer = NOTHING
                    for record in step.records:
                        yield record
                else:
                    answer = await self._attempt(step)

    async def _attempt(self, step: Step) -> Answer:
        try:
            return Answer(await self._act(step), None)
        except Exception as error:  # noqa: BLE001 - the flow decides what a failure means
            return Answer(None, error)

    async def _act(self, step: Step) -> httpx.Response | None:
        if isinstance(step, Pause):
            await self._sleep(step.seconds)
            return None
        if self._closed:
            raise ClosedError(
                "the client is closed: make a new one, or do all calls before close() or inside `async with`"
            )
        if self._transport is not None:
            return await exchange_async(self._transport, step)
        if self._slots is None:
            self._slots = self._make_slots()
        return await self._slots.exchange(step)

    def _make_slots(self) -> Slots:
        options = self._options
        make = partial(
            httpx.AsyncHTTPTransport,
            verify=tls_context(self._talk.base_url, options.verify, options.trust_env),
            proxy=proxy_for(self._talk.base_url, options.proxy, options.trust_env),
            limits=httpx.Limits(max_connections=1, keepalive_expiry=options.limits.keepalive_expiry),
        )
        return Slots(make, options.limits)

    async def _retrieve(self, name: str, pk: object, raise_not_exists: bool, query: Query) -> Any:
        if _listing.wants_one(pk, raise_not_exists, query):
            return await self._run(_records.retrieve(Call(self._talk), name, pk, raise_not_exists))
        async with aclosing(self._iterate(name, query)) as records:
            return [record async for record in records]

    def _iterate(self, name: str, query: Query) -> AsyncGenerator[Any, None]:
        return self._stream(_listing.batches(_listing.plan(Call(self._talk), name, query)))

    async def _count(self, name: str, query: Query) -> int:
        return await self._run(_listing.count(Call(self._talk), name, query))

    async def _create(self, name: str, fields: Mapping[str, Any]) -> Any:
        return await self._run(_records.create(Call(self._talk), name, fields))

    async def _update(self, name: str, pk: object, data: Mapping[str, Any]) -> Any:
        return await self._run(_records.update(Call(self._talk), name, pk, data))

    async def _delete(self, name: str, pk: object, raise_not_exists: bool) -> None:
        await self._run(_records.delete(Call(self._talk), name, pk, raise_not_exists))
