"""Imports people from a spreadsheet: users, teams and memberships.

Records that exist already are left unchanged, so that a sheet can be corrected and imported again. The page "Import
people" of the documentation explains these functions.
"""

import csv
import io
import re
import secrets
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from keystone_client import BulkError, Fault, KeystoneClient, MembershipRole, StatusError
from keystone_client.records import MembershipCreate, TeamCreate, UserCreate
from tqdm import tqdm

Rows = Mapping[int, Mapping[str, str]]
"""The lines of the sheet, by number."""

PERSON = ("username", "first_name", "last_name", "email")
COLUMNS = (*PERSON, "team", "role")
REWRITTEN = re.compile(r"#[A-Z/]+[!?]?|\d+[.,]\d+(E[+-]?\d+)?|\d{1,4}[-./]\d{1,2}[-./]\d{1,4}([ T].*)?", re.IGNORECASE)
"""Texts that a spreadsheet makes of 4711, 1E5 or 3-4-25, and its error values."""


class SheetError(Exception):
    """The sheet cannot be imported as it is."""


def read_people(path: Path) -> Rows:
    """Read the sheet and return its lines, by number. Cells are unchanged; empty lines are left out."""
    text = sheet_text(path.read_bytes())
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    names = [tidy(name).casefold() for name in next(lines, [])]
    if wrong := [name for name in COLUMNS if names.count(name) != 1]:
        raise SheetError(f"the sheet needs one column {' and one column '.join(wrong)}; its first line is {names}")
    found = {}
    try:
        for cells in lines:
            if any(map(tidy, cells[len(names) :])):
                raise SheetError(f"line {lines.line_num} has more cells than the first line has columns")
            if any(map(tidy, cells)):
                row = dict(zip(names, cells, strict=False))
                found[lines.line_num] = {name: row.get(name, "") for name in COLUMNS}
    except csv.Error as error:  # such as a quote that is never closed, which swallows the lines after it
        raise SheetError(f"line {lines.line_num}: {error}") from None
    return found


def sheet_text(content: bytes) -> str:
    """Return the text of a CSV file as spreadsheets save it: in UTF-8, or in UTF-16 as "Unicode text"."""
    try:
        return content.decode("utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError:
        raise SheetError("the file is not UTF-8: save it as 'CSV UTF-8'") from None


def tidy(text: str) -> str:
    """Strip and collapse blanks and compose accents (NFC), so that texts that look the same are equal."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def tidied(people: Rows) -> Rows:
    """Return the lines with tidy cells."""
    return {line: {name: tidy(cell) for name, cell in row.items()} for line, row in people.items()}


def sheet_mistakes(people: Rows) -> dict[int, str]:
    """Return the mistakes that can be found in the sheet alone, by line."""
    found: dict[int, str] = {}
    roles: dict[tuple[str, str], tuple[int, str]] = {}
    persons: dict[str, tuple[int, Mapping[str, str]]] = {}
    for line, row in people.items():
        problems = list(cell_mistakes(row))
        first, role = roles.setdefault((row["username"], row["team"]), (line, row["role"]))
        if role != row["role"]:
            problems.append(f"role: {row['role']!r}, but {role!r} in the same team on line {first}")
        first, person = persons.setdefault(row["username"].casefold(), (line, row))
        for name in PERSON:
            if person[name] != row[name]:
                problems.append(f"{name}: {row[name]!r}, but {person[name]!r} on line {first}")
        if problems:
            found[line] = "; ".join(problems)
    return found


def cell_mistakes(row: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with the cells of one line."""
    for name, cell in row.items():
        if cell != tidy(cell):
            yield f"{name}: {cell!r} has blanks or letters that look like others"
        if REWRITTEN.fullmatch(cell):
            yield f"{name}: {cell!r} looks like what a spreadsheet makes of a number or a date"
    if row["role"] not in list(MembershipRole):
        yield f"role: {row['role']!r} is none of {', '.join(MembershipRole)}"


def first_lines(people: Rows, column: str) -> dict[str, int]:
    """Return each name of a column, with the number of the first line that has it."""
    lines: dict[str, int] = {}
    for line, row in people.items():
        lines.setdefault(row[column], line)
    return lines


def new_teams(client: KeystoneClient, people: Rows) -> dict[int, TeamCreate]:
    """Return the teams that do not exist yet, by line."""
    known = {team["name"] for team in client.iterate_team()}
    return {line: TeamCreate(name=name) for name, line in first_lines(people, "team").items() if name not in known}


def new_users(client: KeystoneClient, people: Rows) -> dict[int, UserCreate]:
    """Return the users that do not exist yet, by line."""
    known = {user["username"] for user in client.iterate_user()}
    return {line: as_user(people[line]) for name, line in first_lines(people, "username").items() if name not in known}


def as_user(row: Mapping[str, str]) -> UserCreate:
    """Return the user that a line describes. The password is random; the user resets it."""
    return UserCreate(
        username=row["username"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        email=row["email"],
        password=secrets.token_urlsafe(),
    )


def mistakes(
    kind: str, check: Callable[..., list[Fault]], bulk_create: Callable[..., object], records: Mapping[int, Any]
) -> dict[int, str]:
    """Return the mistakes in new records, by line: first those found without a request, then the server's."""
    found = {fault.label: f"{kind} {fault.field}: {fault.value!r}: {fault.reason}" for fault in check(records)}
    left = {line: record for line, record in records.items() if line not in found}
    while left:
        try:
            bulk_create(left, dry_run=True)
            break
        except BulkError as error:
            if error.label is None:  # not a mistake in the sheet, but a missing login, or a server that fails
                raise
            found[error.label] = f"{kind} {reason(error)}"
            left = {line: record for line, record in left.items() if line > error.label}
    return found


def reason(error: Exception) -> str:
    """Return the messages about the fields of a record: the server's, or the client's before anything is sent."""
    said = error.__cause__.field_errors if isinstance(error.__cause__, StatusError) else {}
    return "; ".join(f"{field}: {' '.join(messages)}" for field, messages in said.items()) or error_text(error)


def error_text(error: Exception) -> str:
    """Return the text of an error from the name of the field on: ``record 3, ...: user field 'email': ...``."""
    return str(error).partition(" field ")[2] or str(error)


def check_people(client: KeystoneClient, people: Rows) -> dict[int, str]:
    """Return the mistakes in the sheet, by line. Nothing is written."""
    wrong = sheet_mistakes(people) | changed_people(client, people)
    while True:  # once a wrong line is removed, another is the first with that user or team, and is checked next
        good = without(people, wrong)
        found = mistakes("team", client.check_team, client.bulk_create_team, new_teams(client, good))
        found |= mistakes("user", client.check_user, client.bulk_create_user, new_users(client, good))
        if not found:
            return dict(sorted(wrong.items()))
        wrong |= found


def changed_people(client: KeystoneClient, people: Rows) -> dict[int, str]:
    """Return the lines that differ from the server's records, which an import would leave unchanged."""
    found = {}
    users = {user["username"].casefold(): user["username"] for user in client.iterate_user()}
    roles = {
        (member["_user"]["username"], member["_team"]["name"]): member["role"] for member in client.iterate_membership()
    }
    for line, row in people.items():
        user, role = users.get(row["username"].casefold()), roles.get((row["username"], row["team"]))
        if user not in (None, row["username"]):
            found[line] = f"username: {row['username']!r} is {user!r} on the server"
        elif role not in (None, row["role"]):
            found[line] = f"role: {row['role']!r} is {role!r} on the server"
    return found


def without(people: Rows, wrong: Mapping[int, str]) -> Rows:
    """Return the lines that have no mistake."""
    return {line: row for line, row in people.items() if line not in wrong}


def new_members(client: KeystoneClient, people: Rows) -> dict[int, MembershipCreate]:
    """Return the memberships that do not exist yet, by line. The users and teams must exist."""
    users = {user["username"]: user["id"] for user in client.iterate_user()}
    teams = {team["name"]: team["id"] for team in client.iterate_team()}
    known = {(member["user"], member["team"]) for member in client.iterate_membership()}
    found = {}
    for line, row in people.items():
        pair = user, team = users[row["username"]], teams[row["team"]]
        if pair not in known:
            known.add(pair)
            found[line] = MembershipCreate(user=user, team=team, role=MembershipRole(row["role"]))
    return found


def import_people(client: KeystoneClient, people: Rows) -> str:
    """Create the records that do not exist yet, and return their numbers as text."""
    for line, what in sheet_mistakes(people).items():
        raise SheetError(f"line {line}: {what}")  # before anything is written
    teams = with_bar(client.bulk_create_team, new_teams(client, people), "team")
    users = with_bar(client.bulk_create_user, new_users(client, people), "user")
    members = with_bar(client.bulk_create_membership, new_members(client, people), "membership")
    return f"{teams} teams, {users} users, {members} memberships"


def with_bar(bulk_create: Callable[..., list[Any]], records: Mapping[int, Any], unit: str) -> int:
    """Create records with a progress bar, and return their number."""
    with tqdm(total=len(records), unit=unit) as bar:
        return len(bulk_create(records, on_progress=lambda done, total: bar.update(done - bar.n)))
