"""The server's rate limit: so many requests in a sliding window, per user or per anonymous address."""

import math
import re
from collections.abc import Mapping

WINDOWS: Mapping[str, int] = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Throttle:
    """Two budgets on the clock of a world; off until a rate is set."""

    def __init__(self) -> None:
        """Start without limits."""
        self._rates: dict[str, tuple[int, int]] = {}
        self._hits: dict[tuple[str, str], list[float]] = {}

    def set(self, kind: str, rate: str | None) -> None:
        """Set a budget.

        Args:
            kind: ``user`` or ``anon``.
            rate: like ``300/min``; ``None`` for no limit.

        Raises:
            ValueError: the rate cannot be read.
        """
        self._hits = {key: hits for key, hits in self._hits.items() if key[0] != kind}
        self._rates.pop(kind, None)
        if rate is None:
            return
        match = re.fullmatch(r"(\d+)/([smhd])\w*", rate)
        if match is None:
            raise ValueError(f'{rate!r} is no rate: write "300/min", with s, min, h or d')
        self._rates[kind] = int(match[1]), WINDOWS[match[2]]

    def wait(self, kind: str, who: str, now: float) -> int | None:
        """Count a request.

        Args:
            kind: ``user`` or ``anon``.
            who: user id or address.
            now: seconds since the epoch.

        Returns:
            ``None`` if it may pass, else for how many seconds not.
        """
        if kind not in self._rates:
            return None
        limit, window = self._rates[kind]
        hits = [hit for hit in self._hits.get((kind, who), ()) if hit > now - window]
        self._hits[kind, who] = hits
        if len(hits) >= limit:
            return math.ceil(window - (now - hits[0])) if hits else window
        hits.append(now)
        return None
