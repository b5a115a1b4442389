"""Serves flows with threads: sends what they yield, sleeps when they pause. The async twin is ``_async_driver``."""

import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from typing import Any, TypeVar

import httpx

from . import _listing, _records
from ._call import NOTHING, Answer, Call, Flow, Pause, Step, advance
from ._connections import exchange, proxy_for, tls_context
from ._errors import ClosedError
from ._options import Options
from ._query import Query

T = TypeVar("T")


class SyncDriver:
    """The part of ``KeystoneClient`` that does the work."""

    def __init__(self, options: Options, transport: httpx.BaseTransport | None) -> None:
        """Take options that were checked; nothing is opened before the first request."""
        self._options = options
        self._talk = options.talk
        self._transport = transport
        self._opening = threading.Lock()
        self._closed = False
        self._sleep: Callable[[float], object] = time.sleep

    def close(self) -> None:
        """Close the connections; the session on the server lives on. Closing twice is fine."""
        self._closed = True
        with self._opening:
            transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    def _run(self, flow: Flow[T]) -> T:
        """Serve a flow to its end."""
        answer = NOTHING
        with closing(flow):
            while True:
                try:
                    step = advance(flow, answer)
                except StopIteration as end:
                    result: T = end.value
                    return result
                answer = self._attempt(step)

    def _stream(self, batches: _listing.Batches) -> Generator[dict[str, Any], None, None]:
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
                    yield from step.records
                else:
                    answer = self._attempt(step)

    def _attempt(self, step: Step) -> Answer:
        try:
            return Answer(self._act(step), None)
        except Exception as error:  # noqa: BLE001 - the flow decides what a failure means
            return Answer(None, error)

    def _act(self, step: Step) -> httpx.Response | None:
        if isinstance(step, Pause):
            self._sleep(step.seconds)
            return None
        return exchange(self._open(), step)

    def _open(self) -> httpx.BaseTransport:
        transport = self._transport
        if transport is None or self._closed:
            with self._opening:
                transport = self._transport = self._transport or self._make_transport()
        return transport

    def _make_transport(self) -> httpx.BaseTransport:
        if self._closed:
            raise ClosedError("the client is closed: make a new one, or do all calls before close() or inside `with`")
        options = self._options
        return httpx.HTTPTransport(
            verify=tls_context(self._talk.base_url, options.verify, options.trust_env),
            limits=options.limits,
            proxy=proxy_for(self._talk.base_url, options.proxy, options.trust_env),
        )

    def _retrieve(self, name: str, pk: object, raise_not_exists: bool, query: Query) -> Any:
        if _listing.wants_one(pk, raise_not_exists, query):
            return self._run(_records.retrieve(Call(self._talk), name, pk, raise_not_exists))
        return list(self._iterate(name, query))

    def _iterate(self, name: str, query: Query) -> Generator[Any, None, None]:
        return self._stream(_listing.batches(_listing.plan(Call(self._talk), name, query)))

    def _count(self, name: str, query: Query) -> int:
        return self._run(_listing.count(Call(self._talk), name, query))

    def _create(self, name: str, fields: Mapping[str, Any]) -> Any:
        return self._run(_records.create(Call(self._talk), name, fields))

    def _update(self, name: str, pk: object, data: Mapping[str, Any]) -> Any:
        return self._run(_records.update(Call(self._talk), name, pk, data))

    def _delete(self, name: str, pk: object, raise_not_exists: bool) -> None:
        self._run(_records.delete(Call(self._talk), name, pk, raise_not_exists))
