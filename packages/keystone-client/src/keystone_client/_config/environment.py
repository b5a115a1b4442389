"""Read the environment variables of ``from_env``: the address of the server, and a token or credentials."""

from collections.abc import Mapping
from typing import NamedTuple

from keystone_client_core import FieldError, InvalidURLError, parse_base_url

from .arguments import is_token

URL, TOKEN, USERNAME, PASSWORD = "KEYSTONE_URL", "KEYSTONE_TOKEN", "KEYSTONE_USERNAME", "KEYSTONE_PASSWORD"


class Credentials(NamedTuple):
    """A username and a password, kept for logins; the repr hides them."""

    username: str
    password: str

    def __repr__(self) -> str:
        return "<credentials>"

    def provide(self) -> tuple[str, str]:
        """Return both, as a provider of credentials does."""
        return (self.username, self.password)


class Settings(NamedTuple):
    """The settings found in the environment."""

    url: str
    token: str | None
    credentials: Credentials | None


def settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables; an empty one counts as missing.

    Raises:
        FieldError: A variable is missing, or two contradict each other. The error has their names, never their values.
        InvalidURLError: The URL is no base URL.
    """
    given = {name: environ[name] for name in (URL, TOKEN, USERNAME, PASSWORD) if environ.get(name)}
    if URL not in given:
        raise _error(URL, "is not set: give the base URL of the server")
    try:
        parse_base_url(given[URL])
    except InvalidURLError as error:
        raise InvalidURLError(f"{URL}: {error}") from None
    login = [name for name in (USERNAME, PASSWORD) if name in given]
    if TOKEN in given:
        if login:
            raise _error(TOKEN, f"and {' and '.join(login)} are both set: the token would win; unset one side")
        if not is_token(given[TOKEN]):
            raise _error(TOKEN, "must be printable ASCII text without blanks")
        return Settings(given[URL], given[TOKEN], None)
    for name in (USERNAME, PASSWORD):
        if name not in given:
            raise _error(name, f"is not set: give {USERNAME} and {PASSWORD}, or {TOKEN}")
    return Settings(given[URL], None, Credentials(given[USERNAME], given[PASSWORD]))


def _error(name: str, problem: str) -> FieldError:
    return FieldError(f"{name} {problem}", field=name)
