"""Work in threads that is over in time, or a failure: a hang must not stop the whole run."""

import threading
import time
from collections.abc import Callable


def in_threads(*acts: Callable[[], object], seconds: float = 60) -> None:
    """Run each act in a thread of its own and wait for all of them.

    Args:
        acts: What to run.
        seconds: How long all of them may take together.

    Raises:
        AssertionError: One has not ended by then. As a daemon it does not keep the process from ending.
        BaseException: The first failure of an act.
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
