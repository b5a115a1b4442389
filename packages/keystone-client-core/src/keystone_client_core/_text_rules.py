"""Text rules that the server takes from Django: valid e-mail addresses, and the slug of a name."""

import re
import unicodedata

_LONGEST_EMAIL = 320
_ATOM = "[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_QUOTED = r'"(?:[^\0\t\n\r "\\\x80-\U0010ffff]|\\[^\0\n\r\x80-\U0010ffff])*"'
_USER = rf"{_ATOM}(?:\.{_ATOM})*|{_QUOTED}"
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = rf"(?:{_LABEL}\.)+[a-z0-9-]{{1,62}}[a-z0-9]|\[[0-9a-f:.]+\]|localhost"


def is_email(text: str) -> bool:
    """Return whether the server accepts a text as an e-mail address."""
    user, at, host = text.rpartition("@")
    if not at or len(text) > _LONGEST_EMAIL or not re.fullmatch(_USER, user.casefold()):
        return False
    try:
        plain = host.encode("idna").decode("ascii")
    except UnicodeError:
        plain = host
    return any(re.fullmatch(_HOST, each, re.IGNORECASE) for each in (host, plain))


def slugify(text: str) -> str:
    """Return the slug that the server makes of a name; names with the same slug cannot both be stored."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain)).strip("-_")
