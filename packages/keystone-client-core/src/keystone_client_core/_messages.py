"""Parts of error messages: values shortened for display, and suggestions for misspelt names.

The messages themselves are in the modules that raise the errors.
"""

from collections.abc import Iterable

_LONGEST = 80


def brief(value: object) -> str:
    """Return a short text for a value, to be shown in an error message.

    Args:
        value: Any object except a secret: its text ends up in logs.

    Returns:
        The ``repr`` of the value, cut to 80 characters, or its type in angle brackets if ``repr`` fails.
    """
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001  # a broken or endless repr must not replace the error being reported
        return f"<{type(value).__name__}>"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def close_matches(name: str, names: Iterable[str], cutoff: float = 0.6) -> tuple[str, ...]:
    """Return up to three of the names that resemble a misspelt one, the closest first; ``cutoff`` 1 means equal."""
    from difflib import get_close_matches  # takes 6 ms, and only an error needs it

    return tuple(get_close_matches(name[:_LONGEST], list(names), n=3, cutoff=cutoff))


def suggestion(matches: tuple[str, ...]) -> str:
    """Return ``" Did you mean 'a' or 'b'?"``, or an empty text if there are no matches."""
    return f" Did you mean {' or '.join(map(repr, matches))}?" if matches else ""
