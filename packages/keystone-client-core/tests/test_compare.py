"""``compare`` with listings given by hand: who goes, which names are taken, and that each team keeps an owner.

``compare`` asks for records and knows nothing of a network, so tables are enough here. What is sent, and in which jobs,
is tested with the client.
"""

from collections.abc import Mapping
from typing import Any

import pytest
from keystone_client_core import Comparison, FieldError, Listing, Wanted, compare, signatures

Record = dict[str, Any]
Tables = Mapping[str, list[Record]]
CALLER = 1
ADMIN = {"id": CALLER, "username": "admin", "email": "admin@x.org", "is_active": True, "is_ldap_user": False}
LOOKS = "differs only in looks"
OWNERLESS = "it is the last owner of 'Physics': make another one first"


def person(pk: int, username: str, **fields: Any) -> Record:
    record = {"id": pk, "username": username, "email": f"{username}@x.org", "is_active": True, "is_ldap_user": True}
    return record | fields


def group(pk: int, name: str) -> Record:
    return {"id": pk, "name": name, "slug": name.lower().replace(" ", "-"), "is_active": True}


def member(pk: int, team: Record, user: Record, role: str) -> Record:
    linked = {"_team": {"id": team["id"], "name": team["name"]}, "_user": {"username": user["username"]}}
    return {"id": pk, "team": team["id"], "user": user["id"], "role": role, **linked}


ADA, BOB, EVE = person(2, "ada"), person(3, "bob"), person(4, "eve")
PHYSICS, OTHER = group(1, "Physics"), group(2, "Other")
OWNS = member(1, PHYSICS, ADA, "OW")
CENTRE: Tables = {
    "user": [ADMIN, ADA, BOB, EVE],
    "team": [PHYSICS, OTHER],
    "membership": [OWNS, member(2, PHYSICS, BOB, "MB")],
}


def matches(record: Record, name: str, value: Any) -> bool:
    field, _, lookup = name.partition("__")
    return record[field] in value if lookup == "in" else bool(record[field] == value)


def listed(tables: Tables, listing: Listing) -> list[Record]:
    records = tables.get(listing.resource, [])
    return [each for each in records if all(matches(each, *item) for item in (listing.filters or {}).items())]


def compared(tables: Tables, *wanted: Wanted, asked: list[Listing] | None = None, **how: Any) -> Comparison:
    """Compare with what the tables hold, and note what was asked for."""
    comparing = compare(wanted, CALLER, **how)
    noted = [] if asked is None else asked
    try:
        noted.append(next(comparing))
        while True:
            noted.append(comparing.send(listed(tables, noted[-1])))
    except StopIteration as end:
        found: Comparison = end.value
        return found


def reasons(comparison: Comparison) -> dict[Any, str]:
    return {fault.value if fault.label is None else fault.label: fault.reason for fault in comparison.faults}


def shown(comparison: Comparison) -> list[str]:
    return [str(change) for change in comparison.changes]


def people(*names: str) -> list[Any]:
    return [{"username": name} for name in names]


LDAP = {"scope": {"is_ldap_user": True}, "gone": "delete"}
WHO_GOES: dict[str, tuple[list[Any], dict[str, Any], list[str], dict[Any, str]]] = {
    "nobody, without gone=": (people("ada"), {"scope": {}}, [], {}),
    "nobody, without scope=": (people("ada"), {"gone": "delete", "most_gone": 1}, [], {}),
    "only those in scope": (people("ada", "bob"), {**LDAP, "most_gone": 0.5}, ["- user eve"], {}),
    "those whom a function picks": (
        people("ada"),
        {"scope": lambda record: record["username"] == "eve", "gone": "delete", "most_gone": 1},
        ["- user eve"],
        {},
    ),
    "nobody, if there are no rows": ([], LDAP, [], {3: "there are no rows, and 3 of 3 would go; none of them goes"}),
    "nobody, if they are too many": (
        people("bob"),
        {**LDAP, "most_gone": 0.6},
        [],
        {2: "2 of 3 would go, more than most_gone=0.6; none of them goes"},
    ),
    "not the caller": (
        people("ada", "bob", "eve"),
        {"scope": {}, "gone": "delete", "most_gone": 1},
        [],
        {"admin": "it is the account that this plan runs under"},
    ),
    "not those who are protected": (
        people("ada"),
        {**LDAP, "most_gone": 1, "protect": [3, "EVE"]},
        [],
        {},
    ),
    "nobody, if a protected name is unknown": (
        people("ada", "bob"),
        {**LDAP, "most_gone": 1, "protect": ["evi"]},
        [],
        {"evi": "there is no such record; none of the others goes"},
    ),
    "not the last owner of a team": (people("bob", "eve"), {**LDAP, "most_gone": 1}, [], {"ada": OWNERLESS}),
    "fields are set instead": (
        people("ada", "bob"),
        {"scope": {}, "gone": {"is_active": False}, "most_gone": 1, "protect": ["admin"]},
        ["- user eve is_active=True -> False"],
        {},
    ),
}


@pytest.mark.parametrize(("rows", "how", "gone", "why"), WHO_GOES.values(), ids=WHO_GOES)
def test_who_goes(rows: list[Any], how: Any, gone: list[str], why: dict[Any, str]) -> None:
    found = compared(CENTRE, Wanted("user", rows, **how))
    assert [str(change) for change in found.gone] == gone
    assert reasons(found) == why
    assert shown(found) == gone


NEW = {"password": "long enough"}
SLUG = "it is stored as 'Bio Chem', which has the same slug, and a name never changes"
COLLISIONS: list[tuple[str, list[Record], list[Any], dict[Any, str]]] = [
    ("user", [person(2, "ada")], [NEW | {"username": "ADA"}], {0: f"there is 'ada', which {LOOKS}"}),
    ("user", [person(2, "Ada")], [NEW | {"username": "ada"}], {0: f"there is 'Ada', which {LOOKS}"}),
    ("user", [person(2, "strasse")], [NEW | {"username": "straße"}], {0: f"there is 'strasse', which {LOOKS}"}),
    ("user", [person(2, "ada"), person(3, "ADA")], people("ada"), {}),
    ("team", [group(1, "Bio Chem")], [{"name": "bio-chem"}], {0: SLUG}),
]


@pytest.mark.parametrize(("resource", "records", "rows", "why"), COLLISIONS)
def test_a_name_that_people_would_take_for_a_stored_one_is_refused(
    resource: str, records: list[Record], rows: list[Any], why: dict[Any, str]
) -> None:
    found = compared({resource: records}, Wanted(resource, rows))
    assert reasons(found) == why
    assert not found.create


OWNER = {"team": "Physics", "role": "OW"}
OWNED: dict[str, tuple[list[Any], list[Any], dict[Any, str]]] = {
    "the last one is demoted": ([{"team": "Physics", "user": "ada", "role": "MB"}], [], {0: OWNERLESS}),
    "another one is made": ([{"team": "Physics", "user": "ada", "role": "MB"}, {**OWNER, "user": "bob"}], [], {}),
    "another one is new": ([{"team": "Physics", "user": "ada", "role": "MB"}, {**OWNER, "user": "eve"}], [], {}),
    "the other one is switched off": (
        [{"team": "Physics", "user": "ada", "role": "MB"}, {**OWNER, "user": "bob"}],
        [{"username": "bob", "is_active": False}],
        {0: OWNERLESS},
    ),
    "a team without an owner": ([{"team": "Other", "user": "ada", "role": "MB"}], [], {}),
}


@pytest.mark.parametrize(("members", "users", "why"), OWNED.values(), ids=OWNED)
def test_each_team_keeps_an_owner(members: list[Any], users: list[Any], why: dict[Any, str]) -> None:
    found = compared(CENTRE, Wanted("user", users), Wanted("membership", members))
    assert {fault.label: fault.reason for fault in found.faults if fault.resource == "membership"} == why
    demoted = "~ membership Physics, ada role='OW' -> 'MB'" in shown(found)
    assert demoted is (not why and members[0]["team"] == "Physics")


@pytest.mark.parametrize(
    ("name", "meant"), [("bob", 3), (3, 3), ("Bob", None), ("bobby", None), (99, None), ("new", "@ref")]
)
def test_a_name_or_a_key_stands_for_a_record(name: Any, meant: Any) -> None:
    new = {"username": "new", "password": "long enough"}
    row: Any = {"team": "Other", "user": name, "role": "MB"}
    found = compared(CENTRE, Wanted("user", [new]), Wanted("membership", [row]))
    made = [change.new["user"] for change in found.create if change.resource == "membership"]
    assert bool(found.faults) is (meant is None)
    assert [each if meant != "@ref" else each[:4] for each in made] == ([] if meant is None else [meant])


def test_what_comes_first_is_asked_for_and_made_first() -> None:
    asked: list[Listing] = []
    members = Wanted("membership", [{**OWNER, "team": "New", "user": "ada"}])
    found = compared(CENTRE, members, Wanted("team", [{"name": "New"}]), asked=asked)
    assert [listing.resource for listing in asked] == ["team", "membership", "user"]
    assert [change.resource for change in found.changes] == ["team", "membership"]


def test_a_record_that_may_be_on_its_way_is_not_created() -> None:
    wanted = Wanted("team", [{"name": "New"}])
    assert shown(compared(CENTRE, wanted)) == ["+ team New"]
    held = dict.fromkeys(made_by(wanted), "wait")
    assert reasons(compared(CENTRE, wanted, held=held)) == {0: "wait"}


def made_by(wanted: Wanted) -> set[Any]:
    return signatures(wanted.resource, wanted.key, {"name": "New"})


def test_two_sources_of_one_kind_are_refused() -> None:
    with pytest.raises(FieldError, match="give one Wanted for each resource"):
        compared(CENTRE, Wanted("team", []), Wanted("team", []))
