"""Passwords: which are refused, and how the others are kept: as a salted hash nobody can read."""

import hashlib
import hmac
import os

MIN_LENGTH = 8
COMMON = frozenset(
    """
    password password1 password123 12345678 123456789 1234567890 qwertyuiop qwerty123 1q2w3e4r 1qaz2wsx iloveyou
    sunshine princess football baseball superman trustno1 letmein1 welcome1 passw0rd abc12345 abcd1234 11111111
    00000000 87654321 88888888 123123123 password12 qwerty12 admin123 starwars computer michelle jennifer corvette
    mercedes maverick midnight samantha victoria internet whatever scorpion dolphins startrek einstein butthead
    asdfasdf asdfghjk zxcvbnm1 zaq12wsx 1qazxsw2 q1w2e3r4 changeme chocolate cheese123 dragon123 monkey123
    1 12 123 321 1111 0000 4321 54321 654321 7777 666666 696969 aaaaaa a b pass user guest root
    password qwerty 123456 12345 1234 111111 123123 abc123 letmein monkey dragon master shadow secret admin login
    welcome hello freedom whatever charlie donald football1 test1234 testing1 test
    """.split()
)
"""The best-known entries of the lists of common passwords; the server's own list has 20,000."""


class Secret:
    """A salted hash of a password; says nothing about it."""

    __slots__ = ("_digest", "_salt")

    def __init__(self, password: str) -> None:
        """Hash a password. A fast hash: no password here guards anything."""
        self._salt = os.urandom(16)
        self._digest = self._hash(password)

    def matches(self, password: str) -> bool:
        """Tell whether this is the password."""
        return hmac.compare_digest(self._digest, self._hash(password))

    def parts(self) -> tuple[str, str]:
        """Return salt and hash in hex, for a dump of the world."""
        return self._salt.hex(), self._digest.hex()

    @classmethod
    def from_parts(cls, salt: str, digest: str) -> "Secret":
        """Return the secret that a dump holds."""
        secret = cls.__new__(cls)
        secret._salt, secret._digest = bytes.fromhex(salt), bytes.fromhex(digest)
        return secret

    def __repr__(self) -> str:
        """Show nothing."""
        return "<password>"

    def _hash(self, password: str) -> bytes:
        return hashlib.blake2b(password.encode("utf-8", "surrogatepass"), salt=self._salt).digest()


def complaints(password: str) -> list[str]:
    """Return why the server refuses a password; empty when it does not."""
    found = []
    if len(password) < MIN_LENGTH:
        found.append(f"This password is too short. It must contain at least {MIN_LENGTH} characters.")
    if password.lower().strip() in COMMON:
        found.append("This password is too common.")
    if password.isdigit():
        found.append("This password is entirely numeric.")
    return found
