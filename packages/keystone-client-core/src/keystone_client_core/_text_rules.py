"""Rules for texts that the server has from Django: what is an e-mail address, and which slug a name gets."""

import re
import unicodedata

_LONGEST_EMAIL = 320
_EMAIL_USER = re.compile(
    r"^[-!#$%&'*+/=?^_`{}|~0-9A-Z]+(\.[-!#$%&'*+/=?^_`{}|~0-9A-Z]+)*\Z"
    r'|^"([\001-\010\013\014\016-\037!#-\[\]-\177]|\\[\001-\011\013\014\016-\177])*"\Z',
    re.IGNORECASE,
)
_EMAIL_HOST = re.compile(
    r"(?:[A-Z0-9](?:[A-Z0-9-]{0,61}[A-Z0-9])?\.)+(?:[A-Z0-9-]{2,63}(?<!-))\Z"
    r"|\[[0-9a-f:.]+\]\Z|localhost\Z",
    re.IGNORECASE,
)


def is_email(text: str) -> bool:
    """Check whether the server takes a text for an e-mail address; the rule is Django's."""
    user, at, host = text.rpartition("@")
    if not at or len(text) > _LONGEST_EMAIL or not _EMAIL_USER.match(user):
        return False
    if _EMAIL_HOST.match(host):
        return True
    try:
        return bool(_EMAIL_HOST.match(host.encode("idna").decode("ascii")))
    except UnicodeError:
        return False


def slugify(text: str) -> str:
    """Return the slug that the server makes of a name; names with the same slug cannot both be stored."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain)).strip("-_")
