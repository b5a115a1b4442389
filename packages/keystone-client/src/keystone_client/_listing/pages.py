"""Fetch single pages of a listing, and run one walk after another.

A walk returns page after page and says when there are no more. The caller's limit and progress function are the
business of ``plan``.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, Protocol

import httpx
from keystone_client_core import Resource

from .._errors import PaginationError, RequestTimeoutError, ResponseTooLargeError, ServerError
from .._flow import Flow
from .._protocol.call import Call
from .._protocol.requests import Draft
from .._protocol.responses import Page, page_of
from .._protocol.retries import Failure, backoff_ceiling

HALVINGS: Final = 5
"""How often a page that is too large for the server or the client is halved before the listing fails."""

Record = dict[str, Any]
Parameters = Mapping[str, str]


class Found(NamedTuple):
    """The result of a step of a walk: records, and the number of records in the whole listing as far as is known."""

    records: list[Record]
    total: int


class Walk(Protocol):
    """A way to visit all records of a listing, page by page."""

    def step(self, most: int | None) -> Flow[Found | None]:
        """Fetch the next page.

        Args:
            most: The number of records that are still wanted; ``None`` for all.

        Returns:
            What was found, which may be no records; ``None`` at the end of the listing.
        """
        ...


class Reader:
    """Fetches pages of one resource, and smaller ones after a timeout or an answer that is too large."""

    def __init__(self, call: Call, resource: Resource, params: Parameters, size: int, *, least: int = 1) -> None:
        """Take what all pages of the listing have in common.

        Args:
            call: The call the pages belong to.
            resource: The resource to list.
            params: The filters and the search, encoded.
            size: The page size asked for.
            least: The smallest page size; halving stops there.
        """
        self.call: Final = call
        self.resource: Final = resource
        self.params: Final = params
        self._least: Final = least
        self._full = max(size, least)
        self.size = self._full
        """The size of the next page; smaller than asked for after a page has failed for its size."""
        self._asked = self._full

    def narrowed(self, params: Parameters) -> "Reader":
        """Return a reader of the same listing with further conditions."""
        return Reader(self.call, self.resource, {**self.params, **params}, self._full, least=self._least)

    def page(self, params: Parameters, most: int | None = None) -> Flow[Page]:
        """Fetch a page of at most ``most`` records; halve it when it fails for its size, and grow again afterwards.

        Each request for the page is a try of the retry policy, whatever its size: without retries nothing is halved.
        """
        policy, failures = self.call.options.retry, _Failures()
        halved = 0
        while True:
            size = self.size if most is None else min(self.size, most)
            failures.halve = size > self._least and halved < HALVINGS
            try:
                page = yield from self.exact(params, size, failures)
            except (RequestTimeoutError, ResponseTooLargeError, ServerError) as error:
                if not failures.halve or not _too_big(error) or failures.number >= policy.attempts:
                    raise
                halved += 1
                self.size = max(self._least, size // 2)
                if isinstance(error, ResponseTooLargeError):
                    self._full = self.size  # a slow server may recover; an answer this large stays too large
                wait = self.call.session.draw() * backoff_ceiling(policy, failures.number)
                self._log_smaller_page(error, wait)
                if wait and not (yield from self.call.pause(wait)):
                    raise self.call.too_late(f"GET {self.resource.path}/", f"; the last ended in {error}") from error
            else:
                self.size = min(self._full, self.size * 2)
                self._asked = size
                return page

    def _log_smaller_page(self, error: RequestTimeoutError | ResponseTooLargeError | ServerError, wait: float) -> None:
        """Log that a smaller page follows."""
        status = error.status_code if isinstance(error, ServerError) else ""
        message, details = "a page of %d records follows in %.2f s, after this: %s", (self.size, wait, error)
        request = self.call.built(Draft("GET", f"{self.resource.path}/"))
        self.call.log.problem(message, request, *details, wait=wait, status_code=status)

    def exact(self, params: Parameters, size: int, failures: "_Failures | None" = None) -> Flow[Page]:
        """Fetch a page of this very size.

        Args:
            params: The conditions and the order of this page, added to those of the reader.
            size: The number of records to ask for.
            failures: The failed requests for this page so far, which count as tries; those of this request are added.

        Returns:
            The page.
        """
        failures = failures or _Failures()
        asked = {**self.params, **params, "_limit": str(size)}
        draft = Draft("GET", f"{self.resource.path}/", asked)
        response = yield from self.call.send(draft, may_retry=failures.note, tried=failures.number)
        return page_of(response, self.call.cid)

    def ended(self, page: Page) -> bool:
        """Check that a page holds the end of the listing, also in an order where new records do not come last.

        The server counts before it fetches. A record inserted in between may push the last one off a full page, so a
        full page proves nothing.
        """
        return not page.more and len(page.records) < self._asked

    def highest(self, name: str) -> Flow[tuple[Any, int]]:
        """Return the highest value of a column, ``None`` if there are no records, and the number of records."""
        page = yield from self.exact({"_order": f"-{name}"}, 1)
        if not page.records:
            if page.more:
                raise self.incomplete("a page is empty although another is said to follow")
            return None, page.total
        value = page.records[0].get(name)
        if value is None:
            raise self.incomplete(f"the record {page.records[0]['id']!r} has no {name}")
        return value, page.total

    def moment(self, record: Record) -> datetime:
        """Return the timestamp of a record; one without a zone is in UTC.

        Raises:
            PaginationError: It has no timestamp.
        """
        try:
            moment = datetime.fromisoformat(record["timestamp"])
        except (KeyError, TypeError, ValueError):
            raise self.incomplete(f"the record {record.get('id')!r} has no timestamp") from None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def incomplete(self, what: str) -> PaginationError:
        """Return the error for pages that contradict each other."""
        return PaginationError(
            f"the listing of {self.resource.path} cannot be made complete: {what}. Nothing was left out in silence, "
            "but what came before may not be all there is",
            cid=self.call.cid,
        )


class _Failures:
    """The failed requests for one page."""

    def __init__(self) -> None:
        """Start without failures."""
        self.number = 0
        self.halve = False
        """Whether a smaller page can follow. If so, a failure that may be due to the size is not repeated."""

    def note(self, failure: Failure) -> bool:
        """Count a failure, and return whether the same request may be sent again."""
        self.number += 1
        return not (self.halve and _too_big(failure))


def _too_big(failure: Failure | Exception) -> bool:
    """Check whether a smaller page may avoid a failure: too many bytes, a timeout, or a proxy that gave up waiting."""
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
    """A walk that runs several walks one after the other; empty for a listing that needs no request."""

    def __init__(self, walks: Sequence[Walk]) -> None:
        """Take the walks, in the order in which their records are to come."""
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
