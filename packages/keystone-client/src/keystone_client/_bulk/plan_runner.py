"""Apply a plan: send its changes in jobs, with the runner of bulk operations.

A change stands in the place of a record. What is added to the runner: records of different kinds are in different jobs,
except for a new team, which is written together with its members; records that earlier jobs have created are replaced
by their keys; each update and each delete carries what the plan has seen, so that the server refuses it if that has
changed. A dry run repeats in each job what its changes need, because the server has undone the earlier jobs.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from keystone_client_core import (
    RESOURCES,
    Action,
    Change,
    FieldError,
    KeystoneError,
    create_action_of,
    delete_action,
    encode_filters,
    signatures,
    update_action_of,
)

from .._bulk_errors import PlanError
from .._errors import JobError
from .._flow import Flow
from .._listing.query import BulkOptions
from .._protocol.bodies import json_body
from .._protocol.call import Call
from .._protocol.expectations import changed
from .job_outcome import may_be_sent_twice
from .report import Item
from .runner import Run

_NAME: Final = "plan.apply"


class PlanResult(NamedTuple):
    """What became of each change of a plan that was applied: all are done. ``PlanError`` has the same four lists."""

    done: list[Change]
    failed: list[Change]
    unknown: list[Change]
    pending: list[Change]


def apply(call: Call, changes: Sequence[Change], options: BulkOptions) -> Flow[PlanResult]:
    """Check the options, and return the flow that carries out changes, in the order given."""
    return _applied(PlanRun(call, changes, options), changes)


def _applied(run: "PlanRun", changes: Sequence[Change]) -> Flow[PlanResult]:
    yield from run.flow()
    return PlanResult(list(changes), [], [], [])


class PlanRun(Run):
    """The application of one plan."""

    _advice = (
        "plan again, and you have what is left; if some are unknown, wait before until the server cannot be at work on "
        "them any more, 60 s behind most web servers"
    )

    def __init__(self, call: Call, changes: Sequence[Change], options: BulkOptions) -> None:
        """Take changes, and check the options; nothing is sent."""
        items = [_item(place, change) for place, change in enumerate(changes)]
        super().__init__(call, _NAME, items, options)
        self._item_of = {item.given: item for item in items}
        self._refused: Change | None = None

    def _next(self) -> list[Item]:
        """Return the next chunk; a unit that does not fit any more waits for the next, unless it never fits."""
        chunk = super()._next()
        unit, rest = chunk[-1].unit, self._waiting[len(chunk) :]
        if unit is None or not rest or rest[0].unit is not unit:
            return chunk
        return [item for item in chunk if item.unit is not unit] or chunk

    def _actions(self, chunk: Sequence[Item]) -> list[Action]:
        inside = {item.given: item for item in chunk}
        before = self._needed(inside) if self._options.dry_run else []
        return [self._resolved(item) for item in [*before, *chunk]]

    def _needed(self, inside: dict[Change, Item]) -> list[Item]:
        """Return what the changes of a job need beside each other, in the order of the plan."""
        found: set[Change] = set()
        waiting = list(inside)
        while waiting:
            needs = set(waiting.pop().needs) - found
            found |= needs
            waiting += needs
        return [item for item in self._items if item.given in found and item.given not in inside]

    def _resolved(self, item: Item) -> Action:
        """Return the action with the keys of records that earlier jobs have created."""
        if self._options.dry_run or not item.given.needs:
            return item.action
        keys = {
            need.token: self._in[self._item_of[need].place]["id"]
            for need in item.given.needs
            if need.kind == "create" and self._item_of[need].place in self._in
        }
        return item.action._replace(payload={name: _with(value, keys) for name, value in item.action.payload.items()})

    def _may_be_gone(self, chunk: Sequence[Item]) -> bool:
        return False  # a record that is not as the plan saw it is not found either

    def _recover(self, error: KeystoneError, chunk: Sequence[Item]) -> Flow[None]:
        if isinstance(error, JobError) and error.action and error.step_status == 404:
            item = chunk[error.action - 1]
            if item.given.seen and item.place not in self._failed.unsure:
                self._refused = item.given
                assert self._response is not None
                raise (yield from changed(self._call, self._response, item.action.path[1:], item.given.seen)) from error
        yield from super()._recover(error, chunk)

    def _report(self, stop: BaseException) -> KeystoneError:
        outcome = self._outcome(stop)
        done, failed, unknown, pending = ([item.given for item, _ in group] for group in outcome.groups.values())
        error = PlanError(
            outcome.message, done=done, failed=failed, unknown=unknown, pending=pending, cid=self._call.cid
        )
        error.change = self._refused if outcome.blamed is None else outcome.blamed.given
        for item, _ in outcome.groups["unknown"]:
            if not may_be_sent_twice(item.action):
                sent = self._resolved(item).payload
                self._call.session.note_unsettled(signatures(item.action.resource, item.given.key, sent))
        return error


def _item(place: int, change: Change) -> Item:
    action = _action(change)
    first = change.team or change
    unit = first if first.kind == "create" and first.resource == "team" else None
    group = action.method, first.resource
    label = f"{change.resource} {change.name}"
    return Item(place, change, action, len(json_body(action.json())), label, group, unit)


def _action(change: Change) -> Action:
    resource = RESOURCES[change.resource]
    if change.kind == "create":
        return create_action_of(resource, change.new)._replace(alias=change.alias)
    assert change.pk is not None
    if change.kind == "update":
        action = update_action_of(resource, change.pk, change.new)
    else:
        action = delete_action(resource, change.pk)
    return action._replace(params=encode_filters(resource, change.seen).params)


def _with(value: Any, keys: dict[str, int]) -> Any:
    if isinstance(value, list):
        return [_with(each, keys) for each in value]
    return keys.get(value, value) if isinstance(value, str) else value


def check_unapplied(applied: bool) -> None:
    """Check that a plan was not applied before.

    Raises:
        FieldError: It was.
    """
    if applied:
        raise FieldError("this plan was applied already: what is left is in a new one, so plan again")
