"""Pages of a listing: fetching one, and joining walks.

A walk gives one page after another and says when there are no more; it knows nothing of limits and progress.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

import httpx
from keystone_client_core import Resource

from .._errors import PaginationError, RequestTimeoutError, ResponseTooLargeError, ServerError
from .._flow import Flow
from .._protocol.call import Call
from .._protocol.responses import Page
from .._protocol.retries import Failure, backoff_ceiling

HALVINGS: Final = 5
"""How often a page that takes the server too long is halved before the listing gives up."""

Record = dict[str, Any]
Parameters = Mapping[str, str]


class Found(NamedTuple):
    """What a step of a walk brought: records, and how many the listing has in all as far as is known."""

    records: list[Record]
    total: int


class Walk(Protocol):
    """A way through all records of a listing."""

    def step(self, most: int | None) -> Flow[Found | None]:
        """Fetch the next page.

        Args:
            most: How many records are still wanted at most; ``None`` for all.

        Returns:
            What was found, possibly no records; ``None`` when there are no more.
        """
        ...


class Reader:
    """Fetches pages of one resource, smaller ones where the server is too slow."""

    def __init__(self, call: Call, resource: Resource, params: Parameters, size: int, *, least: int = 1) -> None:
        """Take what every page has in common.

        Args:
            call: The call the pages belong to.
            resource: What is listed.
            params: The filters and the search.
            size: The page size asked for.
            least: The size no page is halved below.
        """
        self.call: Final = call
        self.resource: Final = resource
        self.params: Final = params
        self._least: Final = least
        self._full = max(size, least)
        self.size = self._full
        """Records to the next page; less than asked for after the server was too slow."""
        self._asked = self._full

    def narrowed(self, params: Parameters) -> "Reader":
        """A reader with further conditions."""
        return Reader(self.call, self.resource, {**self.params, **params}, self._full, least=self._least)

    def page(self, params: Parameters, most: int | None = None) -> Flow[Page]:
        """Fetch a page of at most ``most`` records."""
        halved = 0
        while True:
            size = self.size if most is None else min(self.size, most)
            last = size <= self._least or halved == HALVINGS
            try:
                page = yield from self.exact(params, size, patient=last)
            except (RequestTimeoutError, ResponseTooLargeError, ServerError) as error:
                if last or not _too_big(error):
                    raise
                halved += 1
                self.size = max(self._least, size // 2)
                if isinstance(error, ResponseTooLargeError):
                    self._full = self.size  # a slow server may recover, a long page will be long again
                policy = self.call.session.retry
                wait = self.call.session.draw() * backoff_ceiling(policy, halved) if policy.attempts > 1 else 0
                if wait and not (yield from self.call.pause(wait)):
                    raise self.call.too_late(f"GET {self.resource.path}/", f"; the last ended in {error}") from error
            else:
                self.size = min(self._full, self.size * 2)
                self._asked = size
                return page

    def exact(self, params: Parameters, size: int, *, patient: bool = True) -> Flow[Page]:
        """Fetch a page of just this size; where not patient, a page that may be too big is not asked for again."""
        may_retry = None if patient else (lambda failure: not _too_big(failure))
        asked = {**self.params, **params, "_limit": str(size)}
        return (yield from self.call.page(f"{self.resource.path}/", asked, may_retry=may_retry))

    def ended(self, page: Page) -> bool:
        """Whether the last page surely holds the end of the listing, even if new records come before others.

        The server counts first and fetches then: a record inserted in between may push another off a full page.
        """
        return not page.more and len(page.records) < self._asked

    def highest(self, name: str) -> Flow[tuple[Any, int]]:
        """The highest value of a column among the records, ``None`` if there are none, and how many there are."""
        page = yield from self.exact({"_order": f"-{name}"}, 1)
        if not page.records:
            if page.more:
                raise self.incomplete("a page is empty although another is said to follow")
            return None, page.total
        value = page.records[0].get(name)
        if value is None:
            raise self.incomplete(f"the record {page.records[0]['id']!r} has no {name}")
        return value, page.total

    def incomplete(self, what: str) -> PaginationError:
        """The error of pages that contradict each other."""
        return PaginationError(
            f"the listing of {self.resource.path} cannot be made complete: {what}. Nothing was left out in silence, "
            "but what came before may not be all there is",
            cid=self.call.cid,
        )


def _too_big(failure: Failure | Exception) -> bool:
    """Whether a failure may be due to the size of the page: too many bytes, a timeout, or a proxy that gave up."""
    if isinstance(failure, httpx.Response):
        return failure.status_code in (502, 504)
    if isinstance(failure, ServerError):
        return failure.status_code in (502, 504)
    if isinstance(failure, ResponseTooLargeError):
        return True
    if isinstance(failure, RequestTimeoutError):
        return failure.outcome == "unknown"
    return isinstance(failure, httpx.ReadTimeout | httpx.WriteTimeout)


class Chain:
    """Walks one after the other."""

    def __init__(self, walks: Sequence[Walk]) -> None:
        """Take the walks in the order of their records."""
        self._walks = list(walks)
        self._before = self._current = 0

    def step(self, most: int | None) -> Flow[Found | None]:
        """Fetch the next page of the first walk that has one."""
        while self._walks:
            found = yield from self._walks[0].step(most)
            if found is not None:
                self._current = found.total
                return Found(found.records, self._before + found.total)
            self._walks.pop(0)
            self._before += self._current
            self._current = 0
        return None
