"""Check the ``on_progress`` argument: a plain function, called between requests with the number done and the total."""

from keystone_client_core import FieldError, brief


def check_progress(on_progress: object) -> None:
    """Check that a progress function can be called, before anything is sent: later it would break off a call halfway.

    Raises:
        FieldError: It cannot be called, or it is an async function, which would never be awaited.
    """
    from inspect import iscoroutinefunction  # slow to import, and often not needed

    if on_progress is None or (callable(on_progress) and not iscoroutinefunction(on_progress)):
        return
    problem = "is never awaited" if callable(on_progress) else "cannot be called"
    raise FieldError(
        f"on_progress={brief(on_progress)} {problem}: give a plain function of two numbers, with both clients",
        field="on_progress",
    )
