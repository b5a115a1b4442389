"""What callers give to be told how far something came: a plain function, called between two requests."""

from keystone_client_core import FieldError, brief


def check_progress(on_progress: object) -> None:
    """Refuse what could not be called; before anything is sent, for afterwards it would break off what goes well.

    Raises:
        FieldError: It is no function of two numbers, or one that would have to be awaited.
    """
    from inspect import iscoroutinefunction  # slow to import, and not always needed

    if on_progress is None or (callable(on_progress) and not iscoroutinefunction(on_progress)):
        return
    problem = "is never awaited" if callable(on_progress) else "cannot be called"
    raise FieldError(
        f"on_progress={brief(on_progress)} {problem}: give a plain function of two numbers, with both clients",
        field="on_progress",
    )
