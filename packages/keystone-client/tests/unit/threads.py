"""Run functions in threads with a time limit, so that a hang fails one test instead of blocking the run."""

import threading
import time
from collections.abc import Callable


def in_threads(*acts: Callable[[], object], seconds: float = 60) -> None:
    """Run each function in its own thread and wait for all of them.

    Args:
        acts: The functions to run.
        seconds: How long all of them may take together.

    Raises:
        AssertionError: A thread did not end in time. It is a daemon, so the process can still exit.
        BaseException: The first exception raised by a function.
    """
    failures: list[BaseException] = []

    def run(act: Callable[[], object]) -> None:
        try:
            act()
        except BaseException as error:  # noqa: BLE001 - raised again in the thread of the test
            failures.append(error)

    threads = [threading.Thread(target=run, args=(act,), daemon=True) for act in acts]
    over = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(over - time.monotonic(), 0))
    if failures:
        raise failures[0]
    assert not any(thread.is_alive() for thread in threads), f"a thread has not ended within {seconds} s"


def until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Wait until a condition holds.

    Raises:
        AssertionError: It does not hold in time.
    """
    over = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < over, f"it did not come true within {seconds} s"
