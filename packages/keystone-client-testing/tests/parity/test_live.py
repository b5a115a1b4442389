"""Sends random traffic to a live Keystone and to the fake, and compares the answers."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from .compare import compare
from .conftest import DATABASE, EXAMPLES, SETTINGS, TOKENS
from .documented import Documented
from .mix import burst_of
from .pair import Pair
from .tally import Tally
from .traffic import Step, Traffic
from .trail import compare_trails

STEPS = 60


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    url, username, password = SETTINGS.values()
    both = Pair(url, username, password, DATABASE, TOKENS)
    yield both
    both.close()


def _run(pair: Pair, tally: Tally, documented: Documented, step: Step) -> None:
    live, fake = pair.send(step.ask)
    found = compare(live, fake, step.ordered)
    documented.check(tally, step.ask, fake)
    tally.count(step.ask.kind, step.ask.caller, not found)
    if found:
        tally.differ(*pair.smallest(step.ask, found, step.ordered))


def test_random_traffic_is_answered_alike(pair: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    tally, documented = Tally(), Documented(pair)
    assert documented.missing() == []

    # The servers keep what one example wrote for the next, so nothing is replayed and nothing shrunk by Hypothesis.
    @settings(max_examples=EXAMPLES, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck))
    @given(st.randoms(use_true_random=True))
    def burst(draw: random.Random) -> None:
        for step in burst_of(Traffic(draw, pair), STEPS):
            _run(pair, tally, documented, step)

    burst()
    compare_trails(pair, tally)
    tally.count_ids(pair.ids)
    with capsys.disabled():
        print("\n".join(["", f"{DATABASE}: {tally.report()}", *filter(None, [pair.tokens.note])]))
    assert not tally.low()
