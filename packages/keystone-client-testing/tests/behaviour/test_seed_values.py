"""Values of seeds: what the API would refuse is refused with the field named; the rest is stored as by the API."""

import datetime as dt
import enum
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import httpx
import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from keystone_client_core import RESOURCES
from keystone_client_testing import FakeKeystone

from .conftest import Session


class Whole:
    """An integer of another library, such as numpy's."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value


class Nanoseconds(dt.datetime):
    """A time as pandas has it."""

    nanosecond = 123


class Missing:
    """A missing time, as pandas has it: its nanoseconds are missing, too."""

    nanosecond = float("nan")

    def isoformat(self) -> str:
        return "NaT"


class Status(enum.Enum):
    PENDING = "PD"


TOO_LARGE = 2**70
SURROGATE = "\ud800"


@pytest.mark.parametrize(
    ("resource", "fields", "text"),
    [
        ("grant", {"amount": float("nan")}, "missing value"),
        ("grant", {"amount": Decimal("Infinity")}, "finite"),
        ("grant", {"amount": True}, "number"),
        ("grant", {"amount": 10**12}, "at most 12 digits before the decimal point"),
        ("grant", {"amount": 10**15}, "at most 12 digits before the decimal point"),
        ("grant", {"amount": 0.125}, "at most 2 decimal places"),
        ("grant", {"amount": None}, "cannot be null"),
        ("grant", {"title": " "}, "cannot be empty"),
        ("grant", {"title": "x" * 251}, "251 characters.*at most 250"),
        ("grant", {"title": "a\0b"}, "NUL characters"),
        ("grant", {"title": SURROGATE}, "surrogate"),
        ("grant", {"start_date": dt.datetime(2024, 1, 5)}, "date"),
        ("grant", {"start_date": "2024-02-30"}, "no such day"),
        ("allocation", {"requested": 5.7}, "integer"),
        ("allocation", {"requested": "5.7"}, "give an integer"),
        ("allocation", {"requested": True}, "integer"),
        ("allocation", {"requested": -1}, "from 0"),
        ("allocation", {"requested": 2**31}, "less than or equal to 2147483647"),
        ("allocation", {"awarded": TOO_LARGE}, "up to 2147483647"),
        ("user", {"username": "a b"}, "letters, digits"),
        ("user", {"username": SURROGATE}, "surrogate"),
        ("user", {"email": "nobody"}, "e-mail address"),
        ("user", {"password": "short"}, "too short"),
        ("user", {"password": None}, "cannot be null"),
        ("user", {"password": 12345678}, "entirely numeric"),
        ("user", {"is_staff": 2}, "True or False"),
        ("user", {"is_staff": None}, "cannot be null"),
        ("user", {"groups": [1]}, "object does not exist"),
        ("user", {"user_permissions": [10_000]}, "object does not exist"),
        ("user", {"date_joined": "2024-01-05T10:00:00.123456789Z"}, "microseconds"),
        ("user", {"date_joined": Nanoseconds(2024, 1, 5)}, "microseconds"),
        ("user", {"date_joined": dt.datetime.max.replace(tzinfo=dt.timezone(-dt.timedelta(hours=1)))}, "calendar"),
        ("user", {"date_joined": "yesterday"}, "time"),
        ("user", {"date_joined": Missing()}, "is no time"),
        ("user", {"id": 0}, "positive"),
        ("user", {"id": TOO_LARGE}, "large|positive"),
        ("user", {"id": True}, "integer"),
        ("team", {"slug": "not a slug"}, "slug"),
        ("request", {"assignees": "admin"}, "list"),
        ("request", {"assignees": None}, "cannot be null"),
        ("request", {"submitter": None}, "cannot be null"),
        ("request", {"status": None}, "cannot be null"),
        ("request", {"status": ["PD"]}, "one of PD = Pending, AP = Approved, DC = Declined, CR = "),
        ("preference", {"request_expiry_thresholds": {1: 2}}, "text for keys"),
        ("preference", {"request_expiry_thresholds": float("nan")}, "missing value"),
        ("preference", {"request_expiry_thresholds": [SURROGATE]}, "surrogate"),
        ("preference", {"request_expiry_thresholds": object()}, "JSON cannot hold"),
        ("notification", {"subject": "a\0b"}, "NUL characters"),
        ("notification", {"subject": SURROGATE}, "surrogate"),
        ("request_log", {"method": "x" * 11}, "11 characters"),
        ("request_log", {"endpoint": "x" * 2049}, "2,049 characters"),
        ("request_log", {"response_code": 2**15}, "less than or equal to 32767"),
        ("task_result", {"status": "x" * 51}, "51 characters"),
    ],
)
def test_a_value_the_api_would_refuse_is_refused_and_named(
    fake: FakeKeystone, resource: str, fields: dict[str, Any], text: str
) -> None:
    (name,) = fields
    before = fake.dump()
    with pytest.raises(ValueError, match=f"(?i){resource}.*{name}.*{text}"):
        getattr(fake.add, resource)(**fields)
    assert fake.dump() == before


@pytest.mark.parametrize(
    ("resource", "fields", "shown"),
    [
        ("grant", {"amount": "1e3"}, {"amount": "1000.00"}),
        ("grant", {"title": "  Spiral arms "}, {"title": "Spiral arms"}),
        ("grant", {"pi": "  "}, {"pi": ""}),
        ("grant", {"start_date": "2024-1-5"}, {"start_date": "2024-01-05"}),
        ("allocation", {"requested": Whole(5)}, {"requested": 5}),
        ("allocation", {"requested": "5"}, {"requested": 5}),
        ("request", {"status": Status.PENDING}, {"status": "PD"}),
        ("team", {"name": 5}, {"name": "5"}),
        ("team", {"name": "???"}, {"name": "???"}),
        ("team", {"is_active": "yes"}, {"is_active": True}),
        ("user", {"is_staff": 1}, {"is_staff": True}),
        ("publication", {"doi": ""}, {"doi": ""}),
        ("task_result", {"task_name": " "}, {"task_name": " "}),
        ("notification", {"user": 1, "subject": ""}, {"subject": ""}),
        ("request_log", {"endpoint": ""}, {"endpoint": ""}),
        ("request", {"assignees": (1, 1)}, {"assignees": [1]}),
        ("request", {"assignees": {Whole(1)}}, {"assignees": [1]}),
        ("request", {"submitter": Whole(1)}, {"submitter": 1}),
        ("user", {"date_joined": dt.date(2024, 1, 5)}, {"date_joined": "2024-01-05T00:00:00Z"}),
        (
            "user",
            {"date_joined": "2024-01-05T10:00:00.120000000+01:00"},
            {"date_joined": "2024-01-05T09:00:00.120000Z"},
        ),
        ("preference", {"request_expiry_thresholds": (30, Decimal("1.5"))}, {"request_expiry_thresholds": [30, "1.5"]}),
    ],
)
def test_a_value_is_stored_as_the_api_would_store_it(
    fake: FakeKeystone, resource: str, fields: dict[str, Any], shown: dict[str, Any]
) -> None:
    record = getattr(fake.add, resource)(**fields)
    assert {name: record[name] for name in shown} == shown
    other = FakeKeystone()
    other.load(fake.dump())
    with other.client() as client:
        assert client.http_get(f"{RESOURCES[resource].path}/{record['id']}/").json() == record


@pytest.mark.parametrize(
    ("resource", "name"), [("grant", "amount"), ("grant", "start_date"), ("grant", "title"), ("grant", "end_date"),
                           ("user", "email"), ("user", "username"), ("publication", "doi"), ("cluster", "name")],
)  # fmt: skip
@settings(max_examples=40)
@given(data=st.data())
def test_seeds_and_the_api_agree_on_what_a_text_may_be(resource: str, name: str, data: st.DataObject) -> None:
    value = data.draw(
        st.text(max_size=12)
        | st.text("0123456789.-+eE ", max_size=20)
        | st.builds("{}@{}".format, st.text("aB.%", max_size=4), st.text("aß.-", max_size=6))
    )
    fake, api = FakeKeystone(), FakeKeystone()
    team = api.add.team()["id"]
    needed: Mapping[str, Mapping[str, Any]] = {
        "grant": {"team": team, "title": "T", "agency": "A", "amount": 1, "start_date": "2024-01-01"},
        "publication": {"team": team, "title": "T"},
        "user": {"username": "bob", "password": "quickstart-1"},
        "cluster": {"name": "gpu"},
    }
    with httpx.Client(base_url=api.url, transport=api.transport) as client:
        answer = client.post(
            f"{RESOURCES[resource].path}/",
            json={**needed[resource], name: value},
            headers={"Authorization": f"Token {api.add.token()}"},
        )
    accepted = answer.json()[name] if answer.status_code == 201 else None
    try:
        stored = getattr(fake.add, resource)(**{name: value})[name]
    except ValueError:
        stored = None
    assert stored == accepted


def test_a_lone_surrogate_is_refused_by_the_api_too(fake: FakeKeystone, admin: Session) -> None:
    answer = admin("POST", "users/teams/", content=b'{"name": "\\ud800"}', headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()) == (400, {"name": ["Surrogate characters are not allowed: U+D800."]})


@pytest.mark.parametrize("value", [True, 1.5, {"name": "x"}, object(), 0, -1, TOO_LARGE, ["Physics"], b"Physics"])
def test_an_invalid_key_finds_no_record(fake: FakeKeystone, value: object) -> None:
    fake.add.team(name="Physics")
    with pytest.raises(LookupError, match="no team"):
        fake.add.grant(team=value)


def test_a_record_of_another_kind_is_refused_as_a_key(fake: FakeKeystone) -> None:
    """Both have the id 1: if the record counted as a team, the grant would belong to the wrong one."""
    fake.add.team()
    with pytest.raises(LookupError, match="no team: a team has no '_access_teams'"):
        fake.add.grant(team=fake.add.cluster())


def test_a_summary_inside_a_record_is_a_key(fake: FakeKeystone) -> None:
    request = fake.add.request()
    assert fake.add.grant(team=request["_team"])["team"] == request["team"]


def test_every_way_to_change_a_record_passes_the_same_checks(fake: FakeKeystone) -> None:
    fake.add.allocation()
    before = fake.dump()
    for resource, fields in (
        ("allocation", {"requested": 5.7}),
        ("allocation", {"requested": None}),
        ("allocation", {"id": 7}),
        ("user", {"password": "short"}),
    ):
        with pytest.raises(ValueError, match=next(iter(fields))):
            fake.add.change(resource, 1, **fields)
    with pytest.raises(ValueError, match="feed_entry"):
        fake.add.change("feed_entry", 1, summary="x")
    assert fake.dump() == before


def test_a_changed_password_is_kept_as_a_hash_and_logs_in(fake: FakeKeystone) -> None:
    fake.add.change("user", "admin", password="another one")
    assert "another one" not in fake.dump()
    with fake.client(user=None) as client:
        client.login("admin", "another one")


def test_a_team_that_is_renamed_gets_the_slug_of_its_name(fake: FakeKeystone) -> None:
    fake.add.team(name="Maths")
    team = fake.add.team(name="Physics")
    assert fake.add.change("team", team, name="Quantum Physics")["slug"] == "quantum-physics"
    with pytest.raises(ValueError, match="slug='maths' already"):
        fake.add.change("team", team, name="maths")


@pytest.mark.parametrize(
    ("resource", "first", "second", "text"),
    [
        ("team", {"name": "A b"}, {"name": "a  b"}, "slug='a-b'"),
        ("team", {"name": "!!!"}, {"name": "???"}, "slug=''"),
        ("publication", {"doi": ""}, {"doi": ""}, "doi=''"),
        ("task_result", {"task_id": "7"}, {"task_id": "7"}, "task_id='7'"),
        ("notification", *[{"user": 1, "metadata": {"days": 30}}] * 2, "metadata="),
    ],
)
def test_a_value_that_only_the_database_knows_to_be_taken_is_refused(
    fake: FakeKeystone, resource: str, first: dict[str, Any], second: dict[str, Any], text: str
) -> None:
    getattr(fake.add, resource)(**first)
    before = fake.dump()
    with pytest.raises(ValueError, match=f"has a {resource} with .*{text}.*already"):
        getattr(fake.add, resource)(**second)
    assert fake.dump() == before


@pytest.mark.parametrize("database", ["sqlite"])
def test_the_bounds_are_those_of_the_database(fake: FakeKeystone) -> None:
    assert fake.add.allocation(requested=2**40)["requested"] == 2**40
    assert len(fake.add.attachment(file=b"x", name="x" * 300)["name"]) == 300
    with pytest.raises(ValueError, match="up to 9223372036854775807"):
        fake.add.allocation(requested=TOO_LARGE)
