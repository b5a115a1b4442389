"""The import of people that the documentation shows: damage by a spreadsheet is reported before a write."""

import importlib
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from keystone_client import BulkError, KeystoneClient
from keystone_client_testing import FakeKeystone

DEMO = Path(__file__).resolve().parent.parent / "demo"
HEADER = "username,first_name,last_name,email,team,role"


@pytest.fixture(scope="module")
def people() -> Iterator[Any]:
    sys.path.insert(0, str(DEMO))
    yield importlib.import_module("people")
    sys.path.remove(str(DEMO))
    del sys.modules["people"]


@pytest.fixture
def fake() -> FakeKeystone:
    return FakeKeystone()


@pytest.fixture
def client(fake: FakeKeystone) -> KeystoneClient:
    return fake.client()


@pytest.fixture
def read(people: Any, tmp_path: Path) -> Any:
    def written(*lines: str, header: str = HEADER, encoding: str = "utf-8") -> Any:
        path = tmp_path / "people.csv"
        path.write_bytes("\r\n".join([header, *lines, ""]).encode(encoding))
        return people.read_people(path)

    return written


def row(username: str, team: str, role: str = "MB", **more: str) -> dict[str, str]:
    return {"username": username, "first_name": "", "last_name": "", "email": "", "team": team, "role": role, **more}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    "header", [HEADER, HEADER.upper(), " Username ,First_Name,Last_Name,EMail,Team,Role", f"no,{HEADER},"]
)
def test_a_sheet_is_read_as_spreadsheets_save_it(read: Any, header: str, delimiter: str, encoding: str) -> None:
    cells = "7,josé,José,,j@x.de,Physik,OW," if header.startswith("no") else "josé,José,,j@x.de,Physik,OW"

    found = read(
        cells.replace(",", delimiter),
        delimiter * 6,
        "",
        cells.replace(",", delimiter),
        header=header.replace(",", delimiter),
        encoding=encoding,
    )

    assert found == dict.fromkeys((2, 5), row("josé", "Physik", "OW", first_name="José", email="j@x.de"))


@pytest.mark.parametrize(
    ("lines", "how", "message"),
    [
        ((), {"header": "username,team"}, "one column first_name and one column last_name"),
        ((), {"header": f"{HEADER},Role"}, "one column role;"),
        ((), {"header": ""}, "one column username"),
        (("ä,,,,T,MB",), {"encoding": "cp1252"}, "save it as 'CSV UTF-8'"),
        (("a,,,,T,MB,x",), {}, "line 2 has more cells"),
        (("a,,,,T,MB", '"b,,,,T,MB', "c,,,,T,MB"), {}, "unexpected end of data"),
    ],
)
def test_a_sheet_that_cannot_be_read_is_refused_with_the_reason(
    people: Any, read: Any, lines: Any, how: Any, message: str
) -> None:
    with pytest.raises(people.SheetError, match=message):
        read(*lines, **how)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (row("anna", "Physics"), row("bob ", "Physics"), "username: 'bob ' has blanks"),
        (row("anna", "Physics"), row("bob", " Physics"), "team: ' Physics' has blanks"),
        (row("anna", "Physics"), row("bob\xa0", "Physics"), "username: 'bob\\xa0' has blanks"),
        (row("anna", "Physik"), row("bob", unicodedata.normalize("NFD", "Ärzte")), "letters that look like others"),
        (row("anna", "Physics"), row("anna", "Physics", "OW"), "role: 'OW', but 'MB' in the same team on line 2"),
        (row("anna", "Physics"), row("Anna", "Physics"), "username: 'Anna', but 'anna' on line 2"),
        (row("anna", "Physics"), row("anna", "X", email="a@b.de"), "email: 'a@b.de', but '' on line 2"),
        (row("anna", "Physics"), row("bob", "physics"), "team name: 'physics': record 2 has 'Physics'"),
        (row("anna", "Physics"), row("bob", ""), "team name: '': it cannot be empty"),
        (row("anna", "Physics"), row("", "Physics"), "user username: '': it cannot be empty"),
        (row("anna", "Physics"), row("bob", "Physics", "ow"), "role: 'ow' is none of OW, AD, MB"),
        (row("anna", "Physics"), row("4711.0", "Physics"), "what a spreadsheet makes of a number"),
        (row("anna", "Physics"), row("1,00E+05", "Physics"), "what a spreadsheet makes of a number"),
        (row("anna", "Physics"), row("bob", "2026-03-04 00:00:00"), "what a spreadsheet makes of a number or a date"),
        (row("anna", "Physics"), row("bob", "#N/A"), "what a spreadsheet makes of"),
        (row("anna", "Physics"), row("x" * 151, "Physics"), "it has 151 characters, the server takes at most 150"),
        (row("anna", "Physics"), row("ADMIN", "Physics"), "username: 'ADMIN' is 'admin' on the server"),
        (row("anna", "Physics"), row("eve", "Geology", "OW"), "role: 'OW' is 'MB' on the server"),
        (row("anna", "Physics"), row("bob", "geology"), "team name: A team with this name already exists."),
    ],
)
def test_damage_by_a_spreadsheet_is_reported_by_line_and_nothing_is_written(
    people: Any, fake: FakeKeystone, client: KeystoneClient, first: Any, second: Any, message: str
) -> None:
    team, eve = fake.add.team(name="Geology"), fake.add.user(username="eve", first_name="", last_name="", email="")
    fake.add.membership(team=team["id"], user=eve["id"], role="MB")

    wrong = people.check_people(client, {2: first, 3: second})

    assert list(wrong) == [3]
    assert message in wrong[3]
    assert (client.count_user(), client.count_team(), client.count_membership()) == (2, 1, 1)


def test_tidy_cells_are_what_the_server_stores(people: Any, client: KeystoneClient) -> None:
    sheet = people.tidied({2: row("anna ", " Physics"), 3: row("anna", unicodedata.normalize("NFD", "Ärzte"))})

    assert people.check_people(client, sheet) == {}
    assert people.import_people(client, sheet) == "2 teams, 1 users, 2 memberships"
    assert people.import_people(client, sheet) == "0 teams, 0 users, 0 memberships"


def test_an_untidy_sheet_that_was_not_checked_writes_nothing(people: Any, client: KeystoneClient) -> None:
    with pytest.raises(people.SheetError, match="line 3: username: 'anna '"):
        people.import_people(client, {2: row("bob", "Physics"), 3: row("anna ", "Physics")})

    assert client.count_user() == 1


@pytest.mark.parametrize("broken", [0, 1, 2])
def test_a_second_run_completes_the_first(people: Any, fake: FakeKeystone, broken: int) -> None:
    client = fake.client(retry=None)
    sheet = {number + 2: row(f"u{number}", f"T{number % 2}") for number in range(8)}
    fake.fail("POST", "/batch/", status=503, skip=broken)
    with pytest.raises(BulkError):
        people.import_people(client, sheet)

    assert people.check_people(client, sheet) == {}
    people.import_people(client, sheet)

    assert (client.count_user(), client.count_team(), client.count_membership()) == (9, 2, 8)


def test_a_server_that_fails_is_no_mistake_of_the_sheet(people: Any, fake: FakeKeystone) -> None:
    fake.fail("POST", "/batch/", status=500, times=None)

    with pytest.raises(BulkError, match="500"):
        people.check_people(fake.client(), {2: row("anna", "Physics")})
