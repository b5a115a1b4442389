"""Imports people from a spreadsheet: users, teams and memberships.

Records that exist already are left unchanged, so that a sheet can be corrected and imported again. The page "Import
people" of the documentation explains these functions.
"""

import csv
import secrets
from collections.abc import Callable, Mapping, Set
from pathlib import Path
from typing import Any

from keystone_client import BulkError, FieldError, KeystoneClient, MembershipRole, StatusError
from keystone_client.records import MembershipCreate, TeamCreate, UserCreate
from tqdm import tqdm

Rows = Mapping[int, Mapping[str, str]]
"""The lines of the sheet, by number."""


def read_people(path: Path) -> Rows:
    """Read the sheet and return its lines, by number."""
    with path.open(newline="", encoding="utf-8-sig") as file:  # a CSV of a spreadsheet may have a byte order mark
        rows = csv.DictReader(file, restval="")
        numbered = ((rows.line_num, row) for row in rows)
        return dict(numbered)


def first_lines(people: Rows, column: str, known: Set[str]) -> dict[str, int]:
    """Return each new name of a column, with the number of the first line that has it."""
    lines: dict[str, int] = {}
    for line, row in people.items():
        if row[column] not in known:
            lines.setdefault(row[column], line)
    return lines


def new_teams(client: KeystoneClient, people: Rows) -> dict[int, TeamCreate]:
    """Return the teams that do not exist yet, by line."""
    lines = first_lines(people, "team", {team["name"] for team in client.iterate_team()})
    return {line: TeamCreate(name=name) for name, line in lines.items()}


def new_users(client: KeystoneClient, people: Rows) -> dict[int, UserCreate]:
    """Return the users that do not exist yet, by line."""
    lines = first_lines(people, "username", {user["username"] for user in client.iterate_user()})
    return {line: as_user(people[line]) for line in lines.values()}


def as_user(row: Mapping[str, str]) -> UserCreate:
    """Return the user that a line describes. The password is random; the user resets it."""
    return UserCreate(
        username=row["username"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        email=row["email"],
        password=secrets.token_urlsafe(),
    )


def new_members(client: KeystoneClient, people: Rows) -> list[MembershipCreate]:
    """Return the memberships that do not exist yet. The users and teams must exist."""
    users = {user["username"]: user["id"] for user in client.iterate_user()}
    teams = {team["name"]: team["id"] for team in client.iterate_team()}
    known = {(member["user"], member["team"]) for member in client.iterate_membership()}
    wanted = {(users[row["username"]], teams[row["team"]]): row["role"] for row in people.values()}
    return [
        MembershipCreate(user=user, team=team, role=MembershipRole(role))
        for (user, team), role in wanted.items()
        if (user, team) not in known
    ]


def mistakes(kind: str, bulk_create: Callable[..., object], records: Mapping[int, object]) -> dict[int, str]:
    """Return the mistakes that the server finds, by line. A dry run stops at each one, so go on behind it."""
    found, lines = {}, list(records)
    while lines:
        try:
            bulk_create([records[line] for line in lines], dry_run=True)
            break
        except (BulkError, FieldError) as error:
            if error.position is None:  # not a mistake in the sheet, but a missing login or a lost connection
                raise
            found[lines[error.position]] = f"{kind} {reason(error)}"
            lines = lines[error.position + 1 :]
    return found


def reason(error: Exception) -> str:
    """Return the messages about the fields of a record: the server's, or the client's before anything is sent."""
    said = error.__cause__.field_errors if isinstance(error.__cause__, StatusError) else {}
    return "; ".join(f"{field}: {' '.join(messages)}" for field, messages in said.items()) or told(error)


def told(error: Exception) -> str:
    """Return the text of an error from the name of the field on: ``record 3, ...: user field 'email': ...``."""
    return str(error).partition(" field ")[2] or str(error)


def check_people(client: KeystoneClient, people: Rows) -> dict[int, str]:
    """Return the mistakes in the sheet, by line. Nothing is written."""
    wrong = {
        line: f"role: {row['role']!r} is none of {', '.join(MembershipRole)}"
        for line, row in people.items()
        if row["role"] not in list(MembershipRole)
    }
    while True:  # without a wrong line, another is the first with its user or team, so that one is checked next
        good = without(people, wrong)
        found = mistakes("team", client.bulk_create_team, new_teams(client, good))
        found |= mistakes("user", client.bulk_create_user, new_users(client, good))
        if not found:
            return dict(sorted(wrong.items()))
        wrong |= found


def without(people: Rows, wrong: Mapping[int, str]) -> Rows:
    """Return the lines that have no mistake."""
    return {line: row for line, row in people.items() if line not in wrong}


def import_people(client: KeystoneClient, people: Rows) -> str:
    """Create the records that do not exist yet, and return their numbers as text."""
    teams = with_bar(client.bulk_create_team, list(new_teams(client, people).values()), "team")
    users = with_bar(client.bulk_create_user, list(new_users(client, people).values()), "user")
    members = with_bar(client.bulk_create_membership, new_members(client, people), "membership")
    return f"{teams} teams, {users} users, {members} memberships"


def with_bar(bulk_create: Callable[..., list[Any]], records: list[Any], unit: str) -> int:
    """Create records with a progress bar, and return their number."""
    with tqdm(total=len(records), unit=unit) as bar:
        return len(bulk_create(records, on_progress=lambda done, total: bar.update(done - bar.n)))
