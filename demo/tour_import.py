"""A realistic job: import people from a spreadsheet that has mistakes. The code that does it is in ``people``."""

from pathlib import Path

from keystone_client import KeystoneClient
from people import Rows, check_people, import_people, read_people, tidied, without
from place import Place
from telling import announce, expect, say, say_each, title

SHEET = Path(__file__).with_name("people.csv")
MISTAKES = 5


def take_import_tour(place: Place, mark: str) -> None:
    """Run every step, in order."""
    title(f"A real job: import people from {SHEET.name}, which has mistakes in it")
    people = marked(tidied(read_people(SHEET)), mark)
    with KeystoneClient(url=place.url) as client:
        client.login(username=place.username, password=place.password)
        announce(1, check)
        wrong = check(client, people)
        expect(client.count_user(filters={"username__startswith": mark}) == 0, "nothing was written")
        good = without(people, wrong)
        announce(2, load)
        load(client, good)
        announce(3, load_again)
        load_again(client, good)


def marked(people: Rows, mark: str) -> Rows:
    """Return the sheet with the mark in every name, so that the records can be found and removed again."""
    return {
        line: {**row, "username": f"{mark}-{row['username']}", "team": f"{mark} {row['team']}"}
        for line, row in people.items()
    }


def check(client: KeystoneClient, people: Rows) -> dict[int, str]:
    """Check with a dry run: the server looks at every line and writes nothing"""
    wrong = check_people(client, people)
    report = [f"line {line}: {what}" for line, what in wrong.items()]
    say_each(report)
    expect(len(wrong) == MISTAKES, f"{MISTAKES} lines are wrong")
    return wrong


def load(client: KeystoneClient, people: Rows) -> None:
    """Import the lines without mistakes, with progress bars"""
    done = import_people(client, people)
    expect(done == "4 teams, 4 users, 6 memberships", "every good line was imported")
    say(done)


def load_again(client: KeystoneClient, people: Rows) -> None:
    """Import them again: records that exist are left unchanged"""
    done = import_people(client, people)
    expect(done == "0 teams, 0 users, 0 memberships", "the second run changed nothing")
    say(done)
