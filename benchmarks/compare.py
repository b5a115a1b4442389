"""Compares the times of several actions: they take turns in one run, and the medians are compared."""

import gc
from collections.abc import Awaitable, Callable, Mapping
from statistics import median
from time import perf_counter

Action = Callable[[], object]
Clock = Callable[[], float]
AsyncAction = Callable[[], Awaitable[object]]


def timed(actions: Mapping[str, Action], rounds: int, each: int = 1, clock: Clock = perf_counter) -> dict[str, float]:
    """Time actions that take turns, so that a change in the load of the machine affects all of them.

    Args:
        actions: The actions to time, by name.
        rounds: The number of turns of each action. A tenth as many are run before, to warm up.
        each: The number of times that an action runs in a turn.
        clock: Returns seconds; ``time.process_time`` for those that this process has worked.

    Returns:
        The median time of one action in seconds, by name.
    """
    times: dict[str, list[float]] = {name: [] for name in actions}
    gc.collect()
    for turn in range(-(rounds // 10) - 1, rounds):
        for name, action in actions.items():
            started = clock()
            for _ in range(each):
                action()
            if turn >= 0:
                times[name].append((clock() - started) / each)
    return {name: median(taken) for name, taken in times.items()}


async def timed_async(
    actions: Mapping[str, AsyncAction], rounds: int, each: int = 1, clock: Clock = perf_counter
) -> dict[str, float]:
    """Time async actions; see ``timed`` for the arguments and the result."""
    times: dict[str, list[float]] = {name: [] for name in actions}
    gc.collect()
    for turn in range(-(rounds // 10) - 1, rounds):
        for name, action in actions.items():
            started = clock()
            for _ in range(each):
                await action()
            if turn >= 0:
                times[name].append((clock() - started) / each)
    return {name: median(taken) for name, taken in times.items()}


def report(title: str, ours: float, theirs: float, bar: float) -> None:
    """Print the ratio of two times, the largest ratio allowed (the bar), and the times themselves."""
    verdict = "ok" if ours <= bar * theirs else "MISSED"
    times = f"{ours * 1e6:10,.0f} / {theirs * 1e6:,.0f} us"
    print(f"{title:<58} {ours / theirs:6.3f}  (bar {bar:5.3f})  {verdict:<6}  {times}")
