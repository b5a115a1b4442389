"""``fake.add``: records with sensible defaults, and the records they need made on demand. No login, no permissions."""

import datetime as dt
from functools import partial
from typing import Any

from .._server.render import View, render
from .._world.models import TABLES
from .._world.store import Record
from .actors import add_actor
from .records import Records
from .values import moment_of


class Seeder(Records):
    """Adds records to a world; one method per resource, made from the table."""

    def as_of(self, moment: dt.datetime | str, by: Any = None) -> "Seeder":
        """Return a seeder of records that were made at another time: their moments and histories say so.

        Args:
            moment: when, as datetime or ISO text; UTC if it has no zone.
            by: who made them, as login name, id or record; ``None`` if the history should name no user.

        Returns:
            The seeder: ``fake.add.as_of("2024-01-05", by="bob").request(...)``.
        """
        return Seeder(self._world, moment_of(moment), None if by is None else self.user_id(by))

    def __getattr__(self, name: str) -> Any:
        """Return the function that adds one kind of record."""
        if name not in TABLES:
            raise AttributeError(f"a fake has no {name!r} to add; there are: {', '.join(TABLES)}, token")
        return partial(self._add, name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *TABLES]

    def token(self, user: Any = "admin") -> str:
        """Return a new API token.

        Args:
            user: login name, id, or the record.

        Returns:
            The token, for ``Authorization: Token ...``.
        """
        with self._world.lock:
            return self._world.sessions.add_token(self.user_id(user))

    def actor(self, role: str, team: Any = None) -> dict[str, Any]:
        """Return the user of a role, made at the first call.

        Args:
            role: ``outsider``, ``member``, ``team_admin``, ``owner``, ``staff``, or ``superuser`` (who is not staff).
            team: id, record or name of the team, for the three roles within one; the newest by default.

        Returns:
            The user; of one role, and one team, always the same.

        Raises:
            ValueError: there is no such role, or the role has no team.
        """
        with self._world.lock:
            return self._rendered("user", add_actor(self, role, team))

    def found(self, resource: str, **values: Any) -> dict[str, Any] | None:
        """Return the first record with these stored values as staff sees it, or ``None``."""
        record = self.first(resource, **values)
        return record and self._rendered(resource, record)

    def user_id(self, user: Any) -> int:
        """Return the id of a user given as login name, id or record; ``LookupError`` where there is none."""
        return self.key_of("user", user)

    def change(self, resource: str, record: Any, **fields: Any) -> dict[str, Any]:
        """Change a record as if it had been changed through the API, history included, without permission.

        Args:
            resource: the kind of record, like ``request``.
            record: its id, or the record.
            fields: the new values.

        Returns:
            The record as staff sees it.

        Raises:
            TypeError: there is no such field.
            ValueError: the server could not hold a value, or there is no such kind of record.
            LookupError: there is no such record.
        """
        with self._world.lock:
            return self._rendered(resource, self.store_change(resource, record, **fields))

    def _rendered(self, resource: str, record: Record) -> dict[str, Any]:
        """Return a record as staff sees it."""
        return render(View(self._world.store), resource, record)

    def _add(self, resource: str, **fields: Any) -> dict[str, Any]:
        with self._world.lock:
            return self._rendered(resource, self.store(resource, **fields))
