"""Tokens of the live server's users. The API issues none, so the operator of the server has to."""

import json
import shlex
import subprocess
from collections.abc import Mapping

GIVEN, COMMAND = "KEYSTONE_PARITY_TOKENS", "KEYSTONE_PARITY_TOKEN_COMMAND"


class Tokens:
    """Tokens by login name, given as JSON or printed by a command that takes the name as its last argument."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Read the environment; the command is run later, once for each user.

        Args:
            environ: environment variables.
        """
        self._known: dict[str, str] = json.loads(environ.get(GIVEN) or "{}")
        self._command = shlex.split(environ.get(COMMAND, ""))

    @property
    def for_anyone(self) -> bool:
        """Whether users that the traffic makes have tokens as well."""
        return bool(self._command)

    @property
    def note(self) -> str:
        """What a run cannot cover without tokens; empty if nothing is missing."""
        if self.for_anyone:
            return ""
        but = f" but those of {', '.join(self._known)}" if self._known else ""
        return f"left out, as {COMMAND} is not set: requests by token{but}, accounts that delete themselves by token"

    def of(self, username: str) -> str:
        """Return the token of a user; empty if there is none.

        Args:
            username: a user of the live server.

        Raises:
            subprocess.CalledProcessError: the command failed.
            subprocess.TimeoutExpired: it took longer than a minute.
        """
        if username not in self._known and self._command:
            command = [*self._command, username]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=60)
            self._known[username] = done.stdout.strip()
        return self._known.get(username, "")
