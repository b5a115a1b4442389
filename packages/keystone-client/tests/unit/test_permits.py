"""The semaphore of the connections, where the garbage collector strikes while its lock is held."""

import gc
import sys
from types import FrameType

from keystone_client._transport.permits import Permits

from .threads import in_threads


def test_a_permit_that_is_collected_while_another_is_taken_does_not_wait_for_the_lock_of_that_one() -> None:
    permits = Permits(1)
    held, late = permits.permit(), permits.permit()
    assert held.enter(None)
    assert not late.enter(0.01)
    late.leave()
    late.itself = late  # type: ignore[attr-defined]  # a cycle, as a kept traceback makes one
    del late

    def collect(frame: FrameType, event: str, function: object) -> None:
        if frame.f_code.co_name == "_taken" and event == "c_call" and function == permits.waiting.append:
            gc.collect()

    def take() -> None:
        sys.setprofile(collect)
        try:
            assert not permits.permit().enter(0.01)
        finally:
            sys.setprofile(None)

    in_threads(take, seconds=10)
    held.leave()
    assert permits.permit().enter(0)


def test_a_permit_that_is_collected_while_it_is_held_is_free_again() -> None:
    permits = Permits(1)
    lost = permits.permit()
    assert lost.enter(None)
    lost.itself = lost  # type: ignore[attr-defined]  # as above
    del lost
    gc.collect()
    assert permits.permit().enter(0)
