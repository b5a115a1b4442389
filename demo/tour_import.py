"""A real job: keep people as a spreadsheet has them, which has mistakes. The code that does it is in ``people``."""

from pathlib import Path

from keystone_client import KeystoneClient, Plan
from people import Rows, plan_people, read_people
from place import Place
from telling import announce, expect, say, say_each, title

SHEET = Path(__file__).with_name("people.csv")
MISTAKES = [2, 3, 5, 7, 9, 10, 11]
CORRECTIONS = {
    4: {"email": "turing@example.com"},
    5: {"email": "ada@example.com"},
    7: {"role": "OW"},
    9: {"username": "john"},
    10: {"team": "Compilers"},
    11: {"team": "Compilers", "role": "MB"},
    12: {"email": "turing@example.com"},
}
LEFT = 6
"""The line of a person who is not in the corrected sheet any more."""


def take_import_tour(place: Place, mark: str) -> None:
    """Run every step, in order."""
    title(f"A real job: keep people as {SHEET.name} has them, which has mistakes in it")
    people = read_people(SHEET)
    corrected = {line: {**row, **CORRECTIONS.get(line, {})} for line, row in people.items() if line != LEFT}
    with KeystoneClient(url=place.url) as client:
        client.login(username=place.username, password=place.password)
        announce(1, look)
        plan = look(client, marked(people, mark), mark)
        announce(2, load)
        load(plan)
        announce(3, follow)
        follow(client, marked(corrected, mark), mark)


def marked(people: Rows, mark: str) -> Rows:
    """Return the sheet with the mark in every name, so that the records can be found and removed again."""
    return {
        line: {**row, "username": f"{mark}-{row['username']}", "team": row["team"] and f"{mark} {row['team']}"}
        for line, row in people.items()
    }


def look(client: KeystoneClient, people: Rows, mark: str) -> Plan:
    """Plan: the sheet is compared with the server, every mistake is named, and nothing is written"""
    plan = plan_people(client, people, scope={"username__startswith": mark})
    say_each(str(plan).splitlines())
    expect(sorted({fault.label for fault in plan.faults}) == MISTAKES, f"the lines {MISTAKES} are refused")
    expect(client.count_user(filters={"username__startswith": mark}) == 0, "nothing was written")
    return plan


def load(plan: Plan) -> None:
    """Apply it, after a dry run that the server undoes: what is refused is left out"""
    plan.apply(dry_run=True)
    result = plan.apply()
    say(f"{len(result.done)} changes are done.")
    expect(plan.summary().startswith("14 to create, 0 to change, 0 to take out"), "what is right was imported")


def follow(client: KeystoneClient, people: Rows, mark: str) -> None:
    """Do it again with a sheet that is corrected, and in which a person has left and another has a new address"""
    plan = plan_people(client, people, scope={"username__startswith": mark})
    say_each(str(plan).splitlines())
    plan.apply()
    expect(plan.summary() == "10 to create, 1 to change, 2 to take out, 11 as wanted", "all changes were found")
    expect(not plan_people(client, people, {"username__startswith": mark}), "nothing is left to do")
