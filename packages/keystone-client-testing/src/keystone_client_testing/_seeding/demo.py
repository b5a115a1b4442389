"""The made-up centre of ``--demo-data``: four years of users, teams, requests, reviews and results, always the same.

What happens are events of a calendar; each may plan others, so ids, dates and histories tell the same story.
"""

import datetime as dt
import random
import unicodedata
from functools import partial
from typing import Any

from .._world.passwords import Secret
from .._world.store import Record
from . import demo_words as words
from .demo_calendar import ADMIN_ID, Calendar
from .records import DEFAULT_PASSWORD
from .seeder import Seeder

USERS, STAFF, TEAMS, REQUESTS = 200, 4, 40, 600
_DAYS, _YEAR = 1460, 365
_FOUNDED = 400
"""Within how many days all teams have begun."""
_FIELDS = list(words.FIELDS)


class DemoCentre:
    """Builds the centre with a fixed seed."""

    def __init__(self, add: Seeder, today: dt.date) -> None:
        """Build into a world.

        Args:
            add: the seeder of the world.
            today: the last day of the story.
        """
        self._add = add
        self._dice = random.Random(2024)  # the same centre every time
        self._calendar = Calendar(self._dice, today, _DAYS)
        self._plan = self._calendar.plan
        self._secret = Secret(DEFAULT_PASSWORD)
        self._people: dict[int, Record] = {}
        self._members: dict[int, list[int]] = {}
        self._fields: dict[int, str] = {}
        self._grants: dict[int, list[int]] = {}
        self._papers: dict[int, list[int]] = {}

    def build(self) -> None:
        """Let everything happen, in its order."""
        self._add.backdate(ADMIN_ID, self._calendar.start)
        for number, (name, about, mode, enabled) in enumerate(words.CLUSTERS):
            fields = {"name": name, "description": about, "access_mode": mode, "enabled": enabled}
            self._plan(number, lambda add, fields=fields: add.store("cluster", **fields))  # type: ignore[misc]
        for number in range(USERS):
            self._plan(0 if number < STAFF + TEAMS else self._dice.randrange(_DAYS - 60), partial(self._join, number))
        for number in range(TEAMS):
            self._plan(1 + number * _FOUNDED // TEAMS, partial(self._found, number))
        for _ in range(REQUESTS):
            self._plan(_FOUNDED + self._dice.random() ** 0.8 * (_DAYS - _FOUNDED), self._submit)
        for day in range(_DAYS - 14, _DAYS):
            for name in words.TASKS:
                self._plan(day, partial(self._run_task, name))
        for _ in range(400):
            self._plan(_DAYS - 7 * self._dice.random(), self._visit)
        self._calendar.run(self._add)

    def _join(self, number: int, add: Seeder) -> None:
        first = words.FIRST[number % len(words.FIRST)]
        last = words.LAST[(number * 7 + number // len(words.FIRST)) % len(words.LAST)]
        name = _plain(f"{first[0]}{last}{number // len(words.FIRST) or ''}")
        leads, staff = STAFF <= number < STAFF + TEAMS, number < STAFF
        user = self._people[number] = add.store(
            "user", username=name, first_name=first, last_name=last, email=f"{name}@example.org",
            department="Research Computing" if staff else _FIELDS[(number - STAFF) % len(_FIELDS)],
            role="Administrator" if staff else "Professor" if leads else self._dice.choice(words.POSITIONS),
            is_staff=staff, is_ldap_user=not staff, password=self._secret,
        )  # fmt: skip
        if self._members and not (staff or leads):
            self._enter(add, user["id"], self._dice.choice(list(self._members)), "MB")
        if self._dice.random() < 0.15:
            add.store("preference", user=user["id"], request_expiry_thresholds=[30, 14])
        gone = not (staff or leads) and self._dice.random() < 0.06
        self._plan(self._dice.randrange(_DAYS - 300, _DAYS), partial(self._log_in_last, user["id"], gone))

    @staticmethod
    def _log_in_last(user: int, gone: bool, add: Seeder) -> None:
        add.store_change("user", user, last_login=add.moment)
        if gone:
            add.store_change("user", user, is_active=False)

    def _found(self, number: int, add: Seeder) -> None:
        field, owner = _FIELDS[number % len(_FIELDS)], self._people[STAFF + number]
        add = add.as_of(add.moment, owner["id"])
        team = add.store("team", name=f"{owner['last_name']} {field} {words.UNITS[number // len(_FIELDS)]}")["id"]
        self._members[team], self._grants[team], self._papers[team], self._fields[team] = [], [], [], field
        self._enter(add, owner["id"], team, "OW")
        day = self._calendar.day_of(add.moment)
        for event in (self._win, self._publish) * 4:
            self._plan(self._dice.randrange(day, _DAYS), partial(event, team), owner["id"])
        for rank in range(self._dice.randrange(2, 6)):
            self._plan(day + self._dice.randrange(1, 200), partial(self._recruit, team, rank), owner["id"])
        if number == TEAMS - 1:
            self._plan(_DAYS - 30, lambda add: add.store_change("team", team, is_active=False), owner["id"])

    def _recruit(self, team: int, rank: int, add: Seeder) -> None:
        user = self._dice.choice([user for number, user in self._people.items() if number >= STAFF])["id"]
        if user not in self._members[team]:
            self._enter(add, user, team, "AD" if rank == 0 else "MB")

    def _enter(self, add: Seeder, user: int, team: int, role: str) -> None:
        self._members[team].append(user)
        add.store("membership", user=user, team=team, role=role)

    def _win(self, team: int, add: Seeder) -> None:
        start = add.moment.date().replace(day=1)
        owner = add.stored("user", self._members[team][0])
        grant = add.store(
            "grant", team=team, title=self._study(team), agency=self._dice.choice(words.AGENCIES),
            pi=f"{owner['first_name']} {owner['last_name']}", amount=self._dice.randrange(40, 1600) * 2500,
            start_date=start, end_date=start.replace(year=start.year + self._dice.choice((2, 3, 4))),
            grant_number=f"{self._dice.choice(('AC', 'CH', 'DE'))}-{start.year % 100}{self._dice.randrange(10**5):05}",
        )  # fmt: skip
        self._grants[team].append(grant["id"])

    def _publish(self, team: int, add: Seeder) -> None:
        day, number = add.moment.date(), len(self._papers[team]) + 1
        out = {"published": day, "volume": str(day.year - 1990), "issue": str(day.month),
               "doi": f"10.5555/{day.year}.{team:03}{number}"}  # fmt: skip
        paper = add.store(
            "publication", team=team, title=self._study(team), journal=self._dice.choice(words.JOURNALS),
            submitted=day - dt.timedelta(days=self._dice.randrange(60, 240)),
            **out if self._dice.random() < 0.7 else {},
        )  # fmt: skip
        self._papers[team].append(paper["id"])

    def _submit(self, add: Seeder) -> None:
        team = self._dice.choice(list(self._members))
        user = self._dice.choice(self._members[team])
        add, title = add.as_of(add.moment, user), self._study(team)
        request = add.store(
            "request", title=title, description=f"{title}: production runs and analysis for our group.", team=team,
            submitter=user, grants=self._some(self._grants[team]), publications=self._some(self._papers[team]),
            status="PD",
        )["id"]  # fmt: skip
        for cluster in self._dice.sample(range(1, len(words.CLUSTERS)), self._dice.choice((1, 1, 2))):
            add.store("allocation", request=request, cluster=cluster, requested=self._dice.randrange(4, 400) * 2500)
        if self._dice.random() < 0.15:
            add.store("attachment", request=request, name=f"proposal-{request}.pdf", file=b"%PDF-1.4 A proposal.")
        self._plan_review(add, request)

    def _some(self, ids: list[int]) -> list[int]:
        return self._dice.sample(ids, min(len(ids), self._dice.randrange(3)))

    def _plan_review(self, add: Seeder, request: int) -> None:
        day = self._calendar.day_of(add.moment) + self._dice.randrange(2, 40)
        self._plan(day, partial(self._review, request), by=self._people[self._dice.randrange(STAFF)]["id"])

    def _review(self, request: int, add: Seeder) -> None:
        status = self._dice.choices(("AP", "DC", "CR"), (70, 10, 20))[0]
        add.store("review", request=request, status=status, reviewer=add.by)
        add.store("comment", request=request, user=add.by, content=self._dice.choice(words.COMMENTS[status]))
        if self._dice.random() < 0.1:
            text = self._dice.choice(words.COMMENTS["staff"])
            add.store("comment", request=request, user=add.by, content=text, private=True)
        changes: dict[str, Any] = {"status": status, "assignees": [add.by]}
        if status == "AP":
            active = add.moment.date() + dt.timedelta(days=1)
            changes |= {"active": active, "expire": active + dt.timedelta(days=_YEAR)}
        add.store_change("request", request, **changes)
        day = self._calendar.day_of(add.moment)
        if status == "AP":
            self._award(request, day, add)
        elif status == "CR" and self._dice.random() < 0.8:
            submitter = add.stored("request", request)["submitter"]
            self._plan(day + self._dice.randrange(1, 40), partial(self._answer, request), submitter)

    def _answer(self, request: int, add: Seeder) -> None:
        text = self._dice.choice(words.COMMENTS["answer"])
        add.store("comment", request=request, user=add.by, content=text)
        add.store_change("request", request, status="PD")
        self._plan_review(add, request)

    def _award(self, request: int, day: int, add: Seeder) -> None:
        for allocation in add.linked("allocation", "request", request):
            awarded = allocation["requested"] * self._dice.choice((2, 3, 4, 4)) // 4
            add.store_change("allocation", allocation["id"], awarded=awarded)
            final = partial(self._settle, allocation["id"], awarded * self._dice.randrange(20, 101) // 100)
            self._plan(day + _YEAR + 2, final, add.by or ADMIN_ID)
        self._plan(day + _YEAR - 30, partial(self._notify, request, "RE", "expires in 30 days"))
        self._plan(day + _YEAR + 1, partial(self._notify, request, "RD", "has expired"))

    @staticmethod
    def _settle(allocation: int, used: int, add: Seeder) -> None:
        add.store_change("allocation", allocation, final=used)

    def _notify(self, request: int, kind: str, what: str, add: Seeder) -> None:
        row = add.stored("request", request)
        text = f"Your request “{row['title']}” {what}."
        add.store(
            "notification", user=row["submitter"], subject=f"Allocation request {what}", notification_type=kind,
            message_text=text, message_html=f"<p>{text}</p>", read=self._calendar.day_of(add.moment) < _DAYS - 20,
        )  # fmt: skip

    def _run_task(self, name: str, add: Seeder) -> None:
        failed = name.startswith("Sync") and self._dice.random() < 0.1
        add.store(
            "task_result", task_id=f"{self._dice.getrandbits(128):032x}", periodic_task_name=name,
            task_name=name.lower().replace(" ", "_"), status="FAILURE" if failed else "SUCCESS",
            date_done=add.moment + dt.timedelta(seconds=self._dice.randrange(1, 40)),
        )  # fmt: skip

    def _visit(self, add: Seeder) -> None:
        user = self._dice.choice(list(self._people.values()))["id"]
        digits = f"{self._dice.getrandbits(128):032x}"
        add.store(
            "request_log", method="GET", endpoint=self._dice.choice(words.VISITS), user=user,
            response_code=self._dice.choices((200, 403, 404), (95, 3, 2))[0], remote_address=f"10.0.0.{user}",
            cid=f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}",
        )  # fmt: skip

    def _study(self, team: int) -> str:
        return f"{self._dice.choice(words.STUDIES)} {self._dice.choice(words.FIELDS[self._fields[team]])}"


def _plain(text: str) -> str:
    """A login name has no accents."""
    return "".join(
        letter for letter in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(letter)
    )
