"""Imports people from a spreadsheet: users, teams, and who belongs where.

What is there already stays as it is, so that the sheet can be corrected and imported again. The page "Import people" of
the documentation shows these functions and explains them.
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
"""Lines of the sheet, by number."""


def read_people(path: Path) -> Rows:
    """Read the sheet."""
    with path.open(newline="", encoding="utf-8-sig") as file:  # spreadsheets begin a CSV with a byte order mark
        rows = csv.DictReader(file, restval="")
        numbered = ((rows.line_num, row) for row in rows)
        return dict(numbered)


def first_lines(people: Rows, column: str, known: Set[str]) -> dict[str, int]:
    """Where each name that is not known yet stands first."""
    lines: dict[str, int] = {}
    for line, row in people.items():
        if row[column] not in known:
            lines.setdefault(row[column], line)
    return lines


def new_teams(client: KeystoneClient, people: Rows) -> dict[int, TeamCreate]:
    """The teams that are not there yet, by line."""
    lines = first_lines(people, "team", {team["name"] for team in client.iterate_team()})
    return {line: TeamCreate(name=name) for name, line in lines.items()}


def new_users(client: KeystoneClient, people: Rows) -> dict[int, UserCreate]:
    """The users that are not there yet, by line."""
    lines = first_lines(people, "username", {user["username"] for user in client.iterate_user()})
    return {line: as_user(people[line]) for line in lines.values()}


def as_user(row: Mapping[str, str]) -> UserCreate:
    """A user as a line describes him; the password is nobody's: he asks for a new one."""
    return UserCreate(
        username=row["username"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        email=row["email"],
        password=secrets.token_urlsafe(),
    )


def new_members(client: KeystoneClient, people: Rows) -> list[MembershipCreate]:
    """Who does not belong yet where he should; the users and teams are there."""
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
    """What the server would refuse, by line: a dry run goes on behind each mistake, and writes nothing."""
    found, lines = {}, list(records)
    while lines:
        try:
            bulk_create([records[line] for line in lines], dry_run=True)
            break
        except (BulkError, FieldError) as error:
            if error.position is None:  # no mistake of the sheet: nobody logged in, no network
                raise
            found[lines[error.position]] = f"{kind} {reason(error)}"
            lines = lines[error.position + 1 :]
    return found


def reason(error: Exception) -> str:
    """What the server said of the fields of a record, or else the error itself."""
    said = error.__cause__.field_errors if isinstance(error.__cause__, StatusError) else {}
    return "; ".join(f"{field}: {' '.join(messages)}" for field, messages in said.items()) or str(error)


def check_people(client: KeystoneClient, people: Rows) -> dict[int, str]:
    """What is wrong with the sheet, by line; nothing is written."""
    wrong = {
        line: f"role: {row['role']!r} is none of {', '.join(MembershipRole)}"
        for line, row in people.items()
        if row["role"] not in list(MembershipRole)
    }
    while True:  # without the lines that are wrong, others are the first to name a user or a team
        good = without(people, wrong)
        found = mistakes("team", client.bulk_create_team, new_teams(client, good))
        found |= mistakes("user", client.bulk_create_user, new_users(client, good))
        if not found:
            return dict(sorted(wrong.items()))
        wrong |= found


def without(people: Rows, wrong: Mapping[int, str]) -> Rows:
    """The lines that can be imported."""
    return {line: row for line, row in people.items() if line not in wrong}


def import_people(client: KeystoneClient, people: Rows) -> str:
    """Create what is not there yet, and tell how much that was."""
    teams = with_bar(client.bulk_create_team, list(new_teams(client, people).values()), "team")
    users = with_bar(client.bulk_create_user, list(new_users(client, people).values()), "user")
    members = with_bar(client.bulk_create_membership, new_members(client, people), "membership")
    return f"{teams} teams, {users} users, {members} memberships"


def with_bar(bulk_create: Callable[..., list[Any]], records: list[Any], unit: str) -> int:
    """Create records, with a progress bar."""
    with tqdm(total=len(records), unit=unit) as bar:
        return len(bulk_create(records, on_progress=lambda done, total: bar.update(done - bar.n)))
