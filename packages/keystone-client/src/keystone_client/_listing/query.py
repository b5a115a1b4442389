"""The arguments and results of ``retrieve_x``, ``iterate_x``, ``count_x``, ``follow_x`` and of bulk operations.

Types and data only; ``plan``, ``follow`` and the bulk runner give them their meaning.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Generic, Literal, NamedTuple, TypeAlias, TypeVar

from .._config.call_options import NotGiven

Key: TypeAlias = int | str
"""The key of a record: ``7`` or ``"7"``."""

Filters: TypeAlias = Mapping[str, object]
"""Conditions by ``field`` or ``field__lookup``."""

Order: TypeAlias = str | Iterable[str]
"""``"title,-id"`` or ``["title", "-id"]``."""

Progress: TypeAlias = Callable[[int, int], object]
"""A function called with the number of records so far and their number in all."""


UNSET: Final = NotGiven()
"""Stands for a ``pk`` that was left out. ``pk=None`` is an error: a missing value must not return the whole table."""


class Query(NamedTuple):
    """The arguments of a listing."""

    filters: Filters | None = None
    search: str | None = None
    order: Order | None = None
    limit: int | None = None
    page_size: int | None = None
    on_progress: Progress | None = None
    after: Key | None = None
    prefetch: bool = True


NO_QUERY: Final = Query()

T_co = TypeVar("T_co", covariant=True)

Beginning: TypeAlias = Key | Literal["now"] | None
"""Where to begin following a log: after a key, with records written from now on, or with the oldest record."""


class Followed(NamedTuple, Generic[T_co]):
    """The result of a call of ``follow_x``."""

    records: list[T_co]
    """The records that no earlier call has returned, in the order of their keys."""
    position: str
    """Where the next call goes on: text, to be stored in one step with the records."""
    more: bool
    """Whether the limit ended this call, so that another one returns more records at once."""


class FollowOptions(NamedTuple):
    """The arguments of ``follow_x``, which has their defaults."""

    position: str | None
    after: Beginning
    overlap: float
    filters: Filters | None
    limit: int


class BulkOptions(NamedTuple):
    """The arguments of a bulk operation besides its records; the methods have their defaults."""

    chunk_size: int
    dry_run: bool
    on_progress: Progress | None
    raise_not_exists: bool = False
