"""Keeps people, teams and memberships as a spreadsheet has them; the page "Import people" explains these functions."""

import csv
import io
import re
import secrets
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keystone_client import KeystoneClient, Plan, Wanted

Rows = Mapping[int, Mapping[str, str]]  # the lines of the sheet, by number
PERSON = ("username", "first_name", "last_name", "email")
COLUMNS = (*PERSON, "team", "role")
REWRITTEN = re.compile(r"#[A-Z/]+[!?]?|\d+[.,]\d+(E[+-]?\d+)?|\d{1,4}[-./]\d{1,2}[-./]\d{1,4}([ T].*)?", re.IGNORECASE)


def read_people(path: Path) -> Rows:
    """Read the sheet, or raise csv.Error if it cannot be read for certain; blank lines are left out."""
    text, people = sheet_text(path.read_bytes()), {}
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    names = [name.strip().casefold() for name in next(lines, [])]
    if wrong := [name for name in COLUMNS if names.count(name) != 1]:
        raise csv.Error(f"the sheet needs one column {' and one column '.join(wrong)}; its first line is {names}")
    for cells in lines:
        if "".join(cells[len(names) :]).strip():
            raise csv.Error(f"line {lines.line_num} has more cells than the first line has columns")
        if "".join(cells).strip():
            row = dict(zip(names, cells, strict=False))
            people[lines.line_num] = {name: row.get(name, "").strip() for name in COLUMNS}
    if made := {line: cell for line, row in people.items() for cell in row.values() if REWRITTEN.fullmatch(cell)}:
        raise csv.Error(f"by line, what a spreadsheet seems to have made of a number or a date: {made}")
    return people


def sheet_text(content: bytes) -> str:
    """Return the text of a CSV file as spreadsheets save it: in UTF-8, or in UTF-16 as "Unicode text"."""
    try:
        text = content.decode("utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError:
        raise csv.Error("the file is not UTF-8: save it as 'CSV UTF-8'") from None
    return unicodedata.normalize("NFC", text)  # the server tells "é" in one character from "é" in two


def plan_people(client: KeystoneClient, people: Rows, scope: Mapping[str, object]) -> Plan:
    """Compare the sheet with the server; ``scope`` selects the users that it lists: one who is not there has left."""
    users: dict[int, Any] = {n: {name: row[name] for name in PERSON} | {"is_active": True} for n, row in people.items()}
    members = {n: {"team": row["team"], "user": row["username"], "role": row["role"]} for n, row in people.items()}
    teams = {row["team"] for row in people.values()}
    return client.plan(
        Wanted(
            "user", users, scope=scope, gone={"is_active": False}, new=lambda _: {"password": secrets.token_urlsafe()}
        ),
        Wanted("team", {line: {"name": row["team"]} for line, row in people.items()}),
        Wanted("membership", members, scope=lambda stored: stored["_team"]["name"] in teams, gone="delete"),
    )
