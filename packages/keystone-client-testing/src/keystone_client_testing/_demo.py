"""The made-up centre of ``--demo-data``: always the same users, teams, requests and results."""

import datetime as dt
import random
from typing import TYPE_CHECKING, Any

from ._passwords import Secret
from ._seed import DEFAULT_PASSWORD

if TYPE_CHECKING:
    from ._seed import Seeder

USERS, TEAMS, REQUESTS = 200, 40, 600
_FIRST = """Ada Alan Amara Barbara Carlos Chen Chiara Daniel Diego Elena Emil Fatima Grace Hana Hugo Ines Ivan
Jana Jomo Kim Lars Leila Lin Luca Maria Mateo Mei Nadia Noor Omar Priya Rosa Samir Sofia Tariq Tomoko Vera Wei Yara
Zoe""".split()
_LAST = """Abe Berg Castro Costa Diaz Evans Fischer Garcia Hansen Ito Jensen Kaya Khan Kumar Larsen Lopez Meyer Moreau
Nguyen Novak Okafor Olsen Park Patel Petrov Ramos Rossi Sato Schmidt Silva Singh Smith Suzuki Tanaka Torres Weber Wolf
Yang Yilmaz Zhou""".split()
_FIELDS = """Astrophysics Biology Chemistry Climate Economics Energy Fluids Genomics Geology Hydrology Imaging
Linguistics Materials Mathematics Medicine Neuroscience Oceans Optics Physics Robotics""".split()
_KINDS = ("Laboratory", "Group")
_CLUSTERS = (("gpu", "OP"), ("htc", "OP"), ("mpi", "OP"), ("smp", "BL"), ("secure", "WL"))
_AGENCIES = ("National Science Foundation", "Department of Energy", "European Research Council", "Wellcome Trust")
_TOPICS = ("Simulation of", "A survey of", "Machine learning for", "Scaling", "Uncertainty in", "Large ensembles in")
_JOURNALS = ("Journal of Computing", "Open Science Letters", "Annals of Simulation")
_START = dt.date(2023, 1, 1)


class DemoCentre:
    """Builds the centre with a fixed seed."""

    def __init__(self, add: "Seeder") -> None:
        """Build into a world.

        Args:
            add: the seeder of the world.
        """
        self._add = add
        self._dice = random.Random(2024)  # the same centre every time
        self._secret = Secret(DEFAULT_PASSWORD)

    def build(self) -> None:
        """Add everything."""
        self._users = [self._user(number) for number in range(USERS)]
        self._teams = [self._team(number) for number in range(TEAMS)]
        self._clusters = [self._cluster(*entry) for entry in _CLUSTERS]
        for team in self._teams:
            self._fill_team(team)
        for number in range(REQUESTS):
            self._request(number)

    def _user(self, number: int) -> Any:
        first, last = _FIRST[number % 40], _LAST[(number * 7 + number // 40) % 40]
        name = f"{first}.{last}{number}".lower()
        return self._add.user(
            username=name, first_name=first, last_name=last, email=f"{name}@example.org",
            department=_FIELDS[number % 20], role=self._dice.choice(("Professor", "Postdoc", "Student", "Engineer")),
            is_staff=number < 4, is_active=number % 25 != 24, password=self._secret,
        )  # fmt: skip

    def _team(self, number: int) -> Any:
        return self._add.team(name=f"{_FIELDS[number % 20]} {_KINDS[number // 20]}", is_active=number != TEAMS - 1)

    def _cluster(self, name: str, mode: str) -> Any:
        teams = self._teams[::8] if mode != "OP" else []
        return self._add.cluster(name=name, description=f"The {name} cluster", access_mode=mode, access_teams=teams)

    def _fill_team(self, team: Any) -> None:
        members = self._dice.sample(self._users, 8)
        roles = ("OW", "AD", "MB", "MB", "MB", "MB", "MB", "MB")
        for user, role in zip(members, roles, strict=True):
            self._add.membership(user=user, team=team, role=role)
        for number in range(4):
            self._grant(team, number)
            self._publication(team, number)

    def _grant(self, team: Any, number: int) -> None:
        start = self._day()
        self._add.grant(
            team=team, title=f"{self._dice.choice(_TOPICS)} {team['name'].split()[0].lower()}",
            pi=self._dice.choice(_LAST), agency=self._dice.choice(_AGENCIES),
            amount=self._dice.randrange(10, 900) * 1000,
            grant_number=f"G-{team['id']}-{number}", start_date=start, end_date=start + dt.timedelta(days=1095),
        )  # fmt: skip

    def _publication(self, team: Any, number: int) -> None:
        day = self._day()
        self._add.publication(
            team=team, title=f"{self._dice.choice(_TOPICS)} {team['name'].split()[0].lower()}", published=day,
            journal=self._dice.choice(_JOURNALS), doi=f"10.5555/{team['id']}.{number}", volume=str(number + 1),
        )  # fmt: skip

    def _request(self, number: int) -> None:
        team, user = self._dice.choice(self._teams), self._dice.choice(self._users)
        status = self._dice.choice(("AP", "AP", "AP", "PD", "DC", "CR"))
        day = self._day()
        dates = {"active": day, "expire": day + dt.timedelta(days=365)} if status == "AP" else {}
        request = self._add.request(
            title=f"{self._dice.choice(_TOPICS)} {team['name'].split()[0].lower()} {number + 1}", team=team,
            submitter=user, assignees=self._users[:1], status=status, **dates,
        )  # fmt: skip
        for cluster in self._dice.sample(self._clusters, 2):
            self._allocation(request, cluster, status)
        if status != "PD":
            self._add.review(request=request, status=status, reviewer=self._users[number % 4])
        self._add.comment(request=request, user=user, content="Please see the description.", private=number % 5 == 0)

    def _allocation(self, request: Any, cluster: Any, status: str) -> None:
        wanted = self._dice.randrange(1, 500) * 1000
        awarded = wanted // 2 if status == "AP" else None
        self._add.allocation(request=request, cluster=cluster, requested=wanted, awarded=awarded)

    def _day(self) -> dt.date:
        return _START + dt.timedelta(days=self._dice.randrange(1400))
