"""One user of each role, made when a test asks for it."""

from collections.abc import Mapping
from typing import Any

from .._world.store import Record
from .records import Records

_FLAGS: Mapping[str, Mapping[str, Any]] = {
    "outsider": {},
    "staff": {"is_staff": True},
    "superuser": {"is_superuser": True},
}
_IN_TEAM: Mapping[str, str] = {"member": "MB", "team_admin": "AD", "owner": "OW"}
ROLES = (*_FLAGS, *_IN_TEAM)
"""The roles the server distinguishes, apart from anonymous. A superuser who is not staff has no extra rights."""


def add_actor(add: Records, role: str, team: Any) -> Record:
    """Return the user of a role, made at the first call.

    Args:
        add: where the records go.
        role: one of ``ROLES``.
        team: id, record or name of the team, for roles within a team; the newest by default, made where there is none.

    Returns:
        The user as stored; of one role, and one team, always the same.

    Raises:
        ValueError: there is no such role, or the role has no team.
        LookupError: there is no such team.
    """
    if role not in ROLES:
        raise ValueError(f"role={role!r} is unknown: one of {', '.join(ROLES)}; for an anonymous client give user=None")
    if role in _FLAGS:
        if team is not None:
            raise ValueError(f"role={role!r} has no team: of a team are {', '.join(_IN_TEAM)}")
        return add.first("user", username=role) or add.store("user", username=role, **_FLAGS[role])
    return _of_team(add, role, add.newest("team") if team is None else add.key_of("team", team))


def _of_team(add: Records, role: str, key: int) -> Record:
    name = f"{role}-{key}"
    if user := add.first("user", username=name):
        return user
    user = add.store("user", username=name)
    add.store("membership", user=user, team=key, role=_IN_TEAM[role])
    return user
