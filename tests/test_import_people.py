"""The import of people that the documentation shows.

The mistakes of a sheet are named by line before anything is written, and a corrected sheet is imported again.
"""

import csv
import importlib
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from keystone_client import KeystoneClient, PlanError
from keystone_client_testing import FakeKeystone

DEMO = Path(__file__).resolve().parent.parent / "demo"
HEADER = "username,first_name,last_name,email,team,role"
EVERYBODY = {"is_staff": False, "is_active": True}


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


def records(client: KeystoneClient) -> tuple[int, int, int]:
    return client.count_user(), client.count_team(), client.count_membership()


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
        (("a,,,,T,MB", "4711.0,,,,T,MB"), {}, r"a number or a date: \{3: '4711.0'\}"),
        (("a,,,,T,MB", '"1,00E+05",,,,T,MB', "b,,,,#N/A,MB"), {}, r"\{3: '1,00E\+05', 4: '#N/A'\}"),
        (("a,,,,2026-03-04 00:00:00,MB",), {}, r"\{2: '2026-03-04 00:00:00'\}"),
    ],
)
def test_a_sheet_that_cannot_be_read_for_certain_is_refused_with_the_reason(
    read: Any, lines: Any, how: Any, message: str
) -> None:
    with pytest.raises(csv.Error, match=message):
        read(*lines, **how)


def test_what_looks_the_same_is_the_same(people: Any, read: Any, client: KeystoneClient) -> None:
    decomposed = unicodedata.normalize("NFD", "Ärzte")
    sheet = read("anna ,,,, Physics,MB", f"anna,,,,{decomposed},MB", "\xa0anna,,,,Ärzte ,MB")

    plan = people.plan_people(client, sheet, EVERYBODY)

    assert (plan.faults, plan.summary()) == ((), "5 to create, 0 to change, 0 to take out, 0 as wanted")
    plan.apply()
    assert not people.plan_people(client, sheet, EVERYBODY)


@pytest.mark.parametrize(
    ("first", "second", "lines", "message"),
    [
        (row("anna", "Physics"), row("anna", "Physics", "OW"), {2, 3}, "says something else of the same membership"),
        (row("anna", "Physics"), row("Anna", "Physics"), {3}, "there is 'anna', which differs only in looks"),
        (row("anna", "Physics"), row("anna", "X", email="a@b.de"), {2, 3}, "says something else of the same user"),
        (row("anna", "Physics"), row("bob", "physics"), {2, 3}, "the server makes the same slug of both"),
        (row("anna", "Physics"), row("bob", ""), {3}, "it is missing"),
        (row("anna", "Physics"), row("", "Physics"), {3}, "it is missing"),
        (row("anna", "Physics"), row("bob", "Physics", "ow"), {3}, "give one of OW = Owner, AD = Admin, MB = Member"),
        (row("anna", "Physics"), row("bob b", "Physics"), {3}, "give letters, digits and @ . + - _ only"),
        (row("anna", "Physics"), row("bob", "Physics", email="bob"), {3}, "give an e-mail address"),
        (row("anna", "Physics"), row("x" * 151, "Physics"), {3}, "it has 151 characters, the server takes at most 150"),
        (row("anna", "Physics"), row("ADMIN", "Physics"), {3}, "there is 'admin', which differs only in looks"),
        (row("anna", "Physics"), row("bob", "geology"), {3}, "it is stored as 'Geology', which has the same slug"),
    ],
)
def test_mistakes_are_named_by_line_and_nothing_is_written(
    people: Any, fake: FakeKeystone, client: KeystoneClient, first: Any, second: Any, lines: set[int], message: str
) -> None:
    fake.add.team(name="Geology")
    before = records(client)

    plan = people.plan_people(client, {2: first, 3: second}, EVERYBODY)

    assert {fault.label for fault in plan.faults} == lines
    assert any(message in fault.reason for fault in plan.faults)
    assert records(client) == before


def test_the_lines_without_mistakes_are_imported_and_a_corrected_sheet_again(
    people: Any, client: KeystoneClient
) -> None:
    sheet = {2: row("anna", "Physics", "OW"), 3: row("bob", "Physics", email="bob"), 4: row("eve", "Physics")}

    people.plan_people(client, sheet, EVERYBODY).apply()
    assert records(client) == (3, 1, 2)

    sheet[3]["email"] = "bob@example.com"
    people.plan_people(client, sheet, EVERYBODY).apply()
    assert records(client) == (4, 1, 3)
    assert not people.plan_people(client, sheet, EVERYBODY)


def test_what_has_changed_is_changed_and_who_has_left_is_taken_out(people: Any, client: KeystoneClient) -> None:
    sheet = {line: row(name, "Physics") for line, name in enumerate(("anna", "bob", "eve", "fay"), 2)}
    people.plan_people(client, sheet | {6: row("anna", "Maths")}, EVERYBODY).apply()

    del sheet[4]
    sheet[2] |= {"email": "anna@example.com"}
    sheet[3] |= {"role": "OW"}
    plan = people.plan_people(client, sheet, EVERYBODY)

    assert [str(change) for change in plan.changes] == [
        "~ user anna email=None -> 'anna@example.com'",
        "~ membership Physics, bob role='MB' -> 'OW'",
        "- membership Physics, eve",
        "- user eve is_active=True -> False",
    ]
    plan.apply()
    sheet[4] = row("eve", "Physics")  # and comes back
    people.plan_people(client, sheet, EVERYBODY).apply()
    assert client.count_user(filters={"is_active": False}) == 0
    assert client.count_membership() == 5


def test_teams_and_people_that_the_sheet_does_not_speak_for_are_left_alone(
    people: Any, fake: FakeKeystone, client: KeystoneClient
) -> None:
    team, guest = fake.add.team(name="Geology"), fake.add.user(username="guest", is_staff=True)
    fake.add.membership(team=team["id"], user=guest["id"], role="MB")

    plan = people.plan_people(client, {2: row("anna", "Physics")}, EVERYBODY)

    assert (plan.gone, plan.faults) == ([], ())


def test_an_empty_sheet_takes_nobody_out(people: Any, client: KeystoneClient) -> None:
    people.plan_people(client, {2: row("anna", "Physics")}, EVERYBODY).apply()

    plan = people.plan_people(client, {}, EVERYBODY)

    assert not plan
    assert [fault.reason for fault in plan.faults] == ["there are no rows, and 1 of 1 would go; none of them goes"]


@pytest.mark.parametrize("broken", [0, 1, 2])
def test_a_second_run_completes_the_first(people: Any, fake: FakeKeystone, broken: int) -> None:
    client = fake.client(retry=None)
    sheet = {number + 2: row(f"u{number}", f"T{number % 2}") for number in range(8)}
    fake.fail("POST", "/batch/", status=503, skip=broken)
    with pytest.raises(PlanError):
        people.plan_people(client, sheet, EVERYBODY).apply()

    people.plan_people(client, sheet, EVERYBODY).apply()

    assert records(client) == (9, 2, 8)
