"""Passwords: which are refused, and how the others are kept: as a salted hash."""

import hashlib
import hmac
import os
import string

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
    000000000 0000000000 01010101 0123456789 0987654321 10101010 111111111 1111111111 11112222 11223344 1122334455
    112233445566 12121212 123321123 12341234 12344321 1234554321 123456123456 123456780 1234567891 12345678910
    123456789a 123456789q 12345679 1234abcd 1234qwer 123654789 123abc123 123qwe123 123qweasd 12qwaszx 13131313
    147258369 159753 1a2b3c4d 1password 1q2w3e4r5t 1qaz2wsx3edc 1z2x3c4v 20202020 22222222 23456789 321321321
    33333333 44444444 55555555 66666666 741852963 77777777 789456123 987654321 9876543210 99999999 999999999
    a12345678 a123456789 a1b2c3d4 aa123456 aaaa1111 aaaaaaaa abc123456 abcdefg1 abcdefgh abcdefghi admin1234
    administrator alexander alexandra asd123456 asdasdasd asdf1234 asdfghjkl asdfqwer baseball1 basketball batman123
    benjamin brooklyn butterfly california changeme1 charlie1 chocolate1 christian christopher computer1 december
    dinosaur dolphin1 elephant elizabeth february football12 freedom1 google123 hello123 hello1234 hellohello
    iloveyou1 iloveyou2 january1 jennifer1 jonathan letmein123 letmein2 liverpool lovelove manchester master123
    metallica michael1 microsoft minecraft monday123 monkey12 mountain mypassword nintendo november p@ssw0rd
    p@ssword pa55word pass1234 passpass passport passw0rd1 password! password11 password2 password3 password9
    password99 passwords passwort pineapple pokemon1 princess1 q123456789 q1q1q1q1 q1w2e3r4t5 qazwsx123 qazwsxedc
    qwe123qwe qweasdzxc qweqweqwe qwer1234 qwerty1234 qwerty12345 qwerty123456 qwertyui saturday scotland sebastian
    secret123 september shadow12 spiderman starwars1 summer12 sunshine1 superman1 temp1234 temporary terminator
    test123 testtest thursday welcome123 whatever1 windows1 winter12 wolverine xsw21qaz zaq1xsw2 zaq1zaq1 zxcvbnm123
    """.split()
) | frozenset(string.ascii_lowercase + string.digits)
"""The best-known entries of the lists of common passwords; the server's own list has 20,000."""


class Secret:
    """A salted hash of a password; its repr hides even that."""

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
