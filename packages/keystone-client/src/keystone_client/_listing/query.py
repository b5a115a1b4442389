"""What a listing is asked for: the arguments of ``retrieve_x``, ``iterate_x``, ``count_x`` and ``follow_x``.

Only types and data live here; ``_listing`` gives them meaning.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Generic, Literal, NamedTuple, TypeAlias, TypeVar

Key: TypeAlias = int | str
"""The key of a record: ``7`` or ``"7"``."""

Filters: TypeAlias = Mapping[str, object]
"""Conditions by ``field`` or ``field__lookup``."""

Order: TypeAlias = str | Iterable[str]
"""``"title,-id"`` or ``["title", "-id"]``."""

Progress: TypeAlias = Callable[[int, int], object]
"""Called with the records so far and the number there are."""


class _Unset:
    def __repr__(self) -> str:
        return "<not given>"


UNSET: Final = _Unset()
"""Tells ``pk`` left out from ``pk=None``, which is an error: a missing value must not turn into the whole table."""


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


T_co = TypeVar("T_co", covariant=True)

Beginning: TypeAlias = Key | Literal["now"] | None
"""Where to begin to follow a log: behind a key, with what comes from now on, or with the oldest record."""

DEFAULT_LIMIT: Final = 10_000
"""The most records that a call of ``follow_x`` brings."""


class Followed(NamedTuple, Generic[T_co]):
    """What a call of ``follow_x`` brings."""

    records: list[T_co]
    """The records that no earlier call has handed out, in the order of their keys."""
    position: str
    """Where the next call goes on: text, to be stored together with the records."""
    more: bool
    """Whether there is more at once."""


class FollowOptions(NamedTuple):
    """The arguments of ``follow_x``."""

    position: str | None = None
    after: Beginning = None
    overlap: float = 300
    filters: Filters | None = None
    limit: int = DEFAULT_LIMIT


class BulkOptions(NamedTuple):
    """The arguments of a bulk operation besides its records."""

    chunk_size: int = 100
    dry_run: bool = False
    on_progress: Progress | None = None
    raise_not_exists: bool = False
