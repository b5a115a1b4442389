"""Keeps teams from losing their last owner, which the server lets happen.

A team is judged by its active owners as the plan leaves them, so an owner may go where the plan makes another one.
"""

from collections import Counter, defaultdict
from collections.abc import Generator, Iterable
from typing import Any, NamedTuple

from ._comparing import Comparing, Listing
from ._comparison import Change
from ._deletes import named_in
from ._stored import Record
from ._wanted import Wanted


class Owner(NamedTuple):
    """An active owner of a team."""

    pk: int | None
    """The key of the membership; ``None`` for one that is to be created."""
    user: Any
    """The key of the user, or the token of one who is to be created."""
    team: Any
    """The key of the team, or its token."""
    team_name: str

    @property
    def why(self) -> str:
        """Why the last owner stays."""
        return f"it is the last owner of {self.team_name!r}: make another one first"


def refuse_last_owners(comparing: Comparing) -> Generator[Listing, list[Any], None]:
    """Refuse the rows after which a team that has an owner would have none, and those that rely on them in turn."""
    while suspects := [change for change in comparing.changes if _owner_field(change)]:
        now = yield from _owners(comparing, [])
        later = yield from _owners(comparing, comparing.changes)
        kept = {each.team for each in later}
        last = [each for each in reversed(now) if each.team not in kept]  # the first team is named, of several
        whys = {("membership", each.pk): each.why for each in last} | {("user", each.user): each.why for each in last}
        refused = {change: whys[place] for change in suspects if (place := (change.resource, change.pk)) in whys}
        if not refused:
            return
        fields = {change: _owner_field(change) for change in refused}
        comparing.refuse({each: [(fields[each], each.fields()[fields[each]], why)] for each, why in refused.items()})


def _owner_field(change: Change) -> str:
    """Return the field by which a change may take an owner from a team; empty if there is none."""
    if change.kind == "update" and change.resource == "user" and change.new.get("is_active") is False:
        return "is_active"
    if change.kind == "update" and change.resource == "membership":
        return "role" if change.old.get("role") == "OW" else next((n for n in ("team", "user") if n in change.new), "")
    return ""


def with_owners_left(
    comparing: Comparing, wanted: Wanted, records: list[Record], leaving: list[Change]
) -> Generator[Listing, list[Any], list[Record]]:
    """Return the records that may go, without those whom a team would be without an owner."""
    if not records or wanted.resource.name not in ("user", "membership"):
        return records
    out = {change.pk for change in leaving if change.resource == "membership"}
    owners = [each for each in (yield from _owners(comparing, comparing.changes)) if each.pk not in out]
    left = Counter(each.team for each in owners)
    by_record: dict[Any, list[Owner]] = defaultdict(list)
    for each in owners:
        by_record[each.user if wanted.resource.name == "user" else each.pk].append(each)
    kept = []
    for record in records:
        own = by_record[record["id"]]
        if last := next((each for each in own if left[each.team] == 1), None):
            comparing.fault(wanted, None, *named_in(wanted, record), last.why)
        else:
            left.subtract(each.team for each in own)
            kept.append(record)
    return kept


def _owners(comparing: Comparing, changes: Iterable[Change]) -> Generator[Listing, list[Any], list[Owner]]:
    """Return the active owners of all teams, as they are after some changes."""
    members = (yield from comparing.listed("membership")).records
    users = (yield from comparing.listed("user")).records
    changed = {(each.resource, each.pk): each for each in changes if each.kind == "update"}
    created = [each for each in changes if each.kind == "create"]
    off = {each["id"] for each in users if not _after(each, changed.get(("user", each["id"])))["is_active"]}
    off |= {each.token for each in created if each.resource == "user" and each.new.get("is_active") is False}
    later = [_after(each, changed.get(("membership", each["id"]))) for each in members]
    later += [_after({"id": None}, each) for each in created if each.resource == "membership"]
    return [
        Owner(each["id"], each["user"], each["team"], each["_team"]["name"])
        for each in later
        if each["role"] == "OW" and each["user"] not in off
    ]


def _after(record: Record, change: Change | None) -> Record:
    """Return a record as it is after a change, with the name of its team."""
    if change is None:
        return record
    team = {"_team": {"name": change.fields()["team"]}} if "team" in change.new else {}
    return {**record, **change.new, **team}
