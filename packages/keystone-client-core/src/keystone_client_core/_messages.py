"""Parts of error messages: values shown at a bearable length, and names close to a wrong one.

Whole messages live where they are raised.
"""

from collections.abc import Iterable

_LONGEST = 80


def brief(value: object) -> str:
    """A value as a message can show it, whatever it is.

    Args:
        value: Anything; for a password say something else.

    Returns:
        Its ``repr``, cut to 80 characters; its type in angle brackets where it has no usable one.
    """
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001  # a broken or endless repr must not hide the message it belongs to
        return f"<{type(value).__name__}>"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def close_matches(name: str, names: Iterable[str]) -> tuple[str, ...]:
    """Up to three of the names that are close to this one, the closest first."""
    from difflib import get_close_matches  # 6 ms that only a mistake should cost

    return tuple(get_close_matches(name[:_LONGEST], list(names), n=3, cutoff=0.6))


def suggestion(matches: tuple[str, ...]) -> str:
    """``" Did you mean 'a' or 'b'?"``, or nothing without matches."""
    return f" Did you mean {' or '.join(map(repr, matches))}?" if matches else ""
