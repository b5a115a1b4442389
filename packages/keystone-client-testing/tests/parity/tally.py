"""Counts how many answers were equal, by kind and by user, and the smallest example of each difference."""

from collections import Counter
from collections.abc import Iterable

from .ids import Ids
from .pair import Ask

OVERALL, EACH = 0.99, 0.97
"""The smallest share of equal answers: of all, and of each kind."""
ASIDE = ("history", "log rows", "documented", "ids")
"""The kinds that are not answers to requests: counted separately, not among all answers."""
STRICTER = {"history": 0.99, "documented": 1.0, "ids": 0.99}
"""The kinds with another smallest share."""
_FIRST, _SMALLEST, _DRIFTS = 6, 8, 3


class Tally:
    """The score of one run."""

    def __init__(self) -> None:
        self.asked: Counter[tuple[str, str]] = Counter()
        self.alike: Counter[tuple[str, str]] = Counter()
        self.examples: list[tuple[int, str]] = []
        self.drifts: list[str] = []

    def count(self, kind: str, who: str, alike: bool, times: int = 1) -> None:
        """Count answers of one kind to one user."""
        self.asked[kind, who] += times
        self.alike[kind, who] += times if alike else 0

    def differ(self, ask: Ask, found: str) -> None:
        """Keep an example of a difference."""
        text = f"[{ask.kind}] {ask}\n      {found}"
        self.examples.append((len(str(ask)), text))

    def count_ids(self, ids: Ids) -> None:
        """Count the new ids of a run, and keep where they drifted apart."""
        self.count("ids", "all", True, ids.compared - len(ids.drifts))
        self.count("ids", "all", False, len(ids.drifts))
        self.drifts += ids.drifts

    def share(self, kind: str = "", who: str = "") -> float:
        """Return the share of answers that were equal, of all or of one kind or user."""
        keys = [key for key in self.asked if (kind == key[0] if kind else key[0] not in ASIDE) and who in ("", key[1])]
        return sum(self.alike[key] for key in keys) / max(1, sum(self.asked[key] for key in keys))

    def low(self) -> list[str]:
        """Return the kinds whose share is below its minimum, and the total if it is below its own."""
        bars = {kind: STRICTER.get(kind, EACH) for kind in self._kinds()}
        found = [f"{kind}: {self.share(kind):.2%} < {bar:.0%}" for kind, bar in bars.items() if self.share(kind) < bar]
        return found + ([f"overall: {self.share():.2%} < {OVERALL:.0%}"] if self.share() < OVERALL else [])

    def _kinds(self) -> list[str]:
        return sorted({kind for kind, _ in self.asked})

    def report(self) -> str:
        """Return the score as text: shares by kind and by user, and the smallest examples."""
        asked = sum(count for (kind, _), count in self.asked.items() if kind not in ASIDE)
        lines = [f"{asked} answers, {self.share():.2%} alike"]
        lines += self._table("kind", self._kinds(), 0)
        lines += self._table("user", sorted({who for kind, who in self.asked if kind not in ASIDE}), 1)
        lines += [f"first of {len(self.drifts)} drifts of ids:"] if self.drifts else []
        lines += [f"  {text[:300]}" for text in self.drifts[:_DRIFTS]]
        return "\n".join([*lines, *self._shown()])

    def _shown(self) -> list[str]:
        """Return the first differences, of which later ones may be consequences, and the smallest others."""
        first, rest = self.examples[:_FIRST], sorted(self.examples[_FIRST:])[:_SMALLEST]
        lines = [f"first and smallest of {len(self.examples)} differing examples:"] if self.examples else []
        return [*lines, *(text for _, text in [*first, *rest])]

    def _table(self, title: str, names: Iterable[str], place: int) -> list[str]:
        rows = []
        for name in names:
            total = sum(count for key, count in self.asked.items() if key[place] == name)
            share = self.share(name) if place == 0 else self.share(who=name)
            rows.append(f"  {title} {name:<11} {total:6} answers  {share:8.2%}")
        return rows
