"""Who is logged in: the sessions and tokens of one world. Who calls is found out in ``_server.sessions``."""

import os
import secrets
import string
from functools import cache
from typing import Any, NamedTuple

from .store import Record

SESSION_AGE = 1_209_600
_SESSION_ALPHABET = string.ascii_lowercase + string.digits


class Session(NamedTuple):
    """A login: ends when it is too old or the password changes."""

    user: int
    secret: Any
    expires: float


class Sessions:
    """The sessions and tokens of one world."""

    def __init__(self) -> None:
        """Start without sessions and tokens."""
        self.live: dict[str, Session] = {}
        self.tokens: dict[str, int] = {}

    def open(self, user: Record, now: float) -> str:
        """Start a session and return its key."""
        key = random_text(_SESSION_ALPHABET)
        self.live[key] = Session(user["id"], user["password"], now + SESSION_AGE)
        return key

    def add_token(self, user: int) -> str:
        """Return a new API token of a user."""
        token = secrets.token_hex(20)
        self.tokens[token] = user
        return token


def random_text(alphabet: str) -> str:
    """Return 32 random characters, the length of session keys and CSRF tokens.

    One question to the system for all of them; that the first letters come a little more often harms nothing here.
    """
    return os.urandom(32).translate(_letters(alphabet)).decode("ascii")


@cache
def _letters(alphabet: str) -> bytes:
    """Return the letter that stands for each byte."""
    return "".join(alphabet[byte % len(alphabet)] for byte in range(256)).encode("ascii")
