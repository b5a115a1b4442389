"""Text order of a PostgreSQL database in ``en_US.UTF-8``, without the C library's locales.

Source: glibc's iso14651_t1, which compares two texts in rounds and stops at the first that differs:

1. letters and digits alone, without accents and case; currency signs come first, then digits, then letters
2. accents
3. lower case before upper case
4. blanks and punctuation, place by place, each before any letter

PostgreSQL then compares the bytes. What differs from glibc: some punctuation between a digit and a letter, where
its ``strcoll`` contradicts its own ``strxfrm``, and other alphabets, which follow ``z`` by their code points here.
"""

import unicodedata
from functools import cache
from typing import Any, NamedTuple

_CURRENCY = "¤¢$£¥"
_LIGATURE = "\ue000"
"""Stands for the mark that tells a ligature from its letters; private, so no text has it."""
_ACCENTS = "\u0301\u0300\u0306\u0302\u030c\u030a\u0308\u030b\u0303\u0307\u0338\u0327\u0328\u0304\u0335" + _LIGATURE
"""Acute, grave, breve, circumflex, caron, ring, diaeresis, double acute, tilde, dot, slash, cedilla, ogonek, macron,
stroke: the order of the second round."""
_PARTS = {
    "æ": f"a{_LIGATURE}e", "œ": f"o{_LIGATURE}e", "ß": f"s{_LIGATURE}s", "ð": f"d{_LIGATURE}", "ŀ": f"l{_LIGATURE}",
    "ø": "o\u0338", "đ": "d\u0335", "ħ": "h\u0335", "ł": "l\u0335", "ĳ": "ij", "µ": "μ",
}  # fmt: skip
"""Letters that are several in the first round, or have an accent that Unicode does not take apart."""
_AFTER = {"\u0131": "i~", "ŋ": "n~", "ĸ": "q~", "ŧ": "t~"}
"""Letters of their own, right behind another."""
_SOFT_HYPHEN = "\xad"
"""Comes before all other punctuation."""
_RAISED = {"ª": "a", "º": "o", "¹": "1", "²": "2", "³": "3"}
_FRACTIONS = {"¼": "14", "½": "12", "¾": "34"}
_LOWER, _UPPER, _SUPERSCRIPT, _FRACTION = range(4)
_AFTER_PUNCTUATION = 0x110000
"""Greater than any code point: a letter in the fourth round."""


class _Weights(NamedTuple):
    """What one character contributes to each round."""

    letters: tuple[tuple[int, str], ...]
    accents: tuple[int, ...]
    case: tuple[int, ...]
    place: int


def collation_key(text: str) -> Any:
    """Return the sort key of a text.

    Args:
        text: any text.

    Returns:
        A key; keys of different texts are never equal.
    """
    weights = [_weights(character) for character in text]
    return (
        [letter for weight in weights for letter in weight.letters],
        [accent for weight in weights for accent in weight.accents],
        [case for weight in weights for case in weight.case],
        [weight.place for weight in weights],
        text,
    )


@cache
def _weights(character: str) -> _Weights:
    parts, case = _taken_apart(character)
    letters = tuple(_letter(part) for part in parts if _counts(part))
    accents = tuple(_ACCENTS.find(part) + 2 if not _counts(part) else 0 for part in parts)
    if not letters:
        return _Weights((), (), (), -1 if character == _SOFT_HYPHEN else ord(character))
    return _Weights(letters, accents, (case, *[_LOWER] * (len(parts) - 1)), _AFTER_PUNCTUATION)


def _taken_apart(character: str) -> tuple[str, int]:
    """Return base letters in lower case with their accents, and the weight of the third round."""
    if character in _RAISED:
        return _RAISED[character], _SUPERSCRIPT
    if character in _FRACTIONS:
        return _FRACTIONS[character], _FRACTION
    lower = character.lower()
    parts = _PARTS.get(lower) or unicodedata.normalize("NFD", character).lower()
    return parts, _LOWER if lower == character else _UPPER


def _counts(part: str) -> bool:
    """Tell whether a character counts in the first round."""
    return part in _CURRENCY or part.isalnum()


def _letter(part: str) -> tuple[int, str]:
    if part in _CURRENCY:
        return (0, chr(_CURRENCY.index(part)))
    return (1 if part.isdigit() else 2, _AFTER.get(part, part))
