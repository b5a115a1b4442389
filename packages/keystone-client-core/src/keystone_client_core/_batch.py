"""Batch jobs: what an action is, which fields an answer will have, and the JSON of a job.

Pure: nothing is sent from here, and files are only named.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from ._errors import FieldError, FilterError, ReferenceTokenError
from ._fields import encode_fields
from ._filters import encode_filters
from ._listing import check_limit, encode_order, encode_search
from ._messages import brief, close_matches, suggestion
from ._references import Reference, checked_label, token_of, with_tokens
from ._resources import Resource
from ._url import record_path

PAGE = ("count", "next", "previous", "results")
"""What the answer to an action that lists has."""

_LONGEST_PAGE = 1000


class Action(NamedTuple):
    """One request of a job."""

    method: str
    path: str
    """Below the base URL, with a slash at both ends."""
    payload: Mapping[str, Any]
    resource: Resource
    params: Mapping[str, str] = {}
    listing: bool = False
    call: str = ""
    """What the user called, for error messages: names only, since values may be secrets."""

    def json(self, alias: str = "") -> dict[str, Any]:
        """The action as the server wants it."""
        wanted = {"method": self.method, "path": self.path, "ref": alias}
        more = {"payload": self.payload, "query_params": self.params}
        return {name: value for name, value in {**wanted, **more}.items() if value}


def create_action(resource: Resource, fields: Mapping[str, object], aliases: Collection[str] = ()) -> Action:
    """Create a record; see ``encode_fields`` for what is refused."""
    sent = with_tokens(encode_fields(resource, fields, "create", references=True), aliases)
    return Action("POST", f"/{resource.path}/", sent, resource, call=f"create_{resource.name}({', '.join(sent)})")


def update_action(resource: Resource, pk: object, data: Mapping[str, object], aliases: Collection[str] = ()) -> Action:
    """Change some fields of a record."""
    sent = with_tokens(encode_fields(resource, data, "update", references=True), aliases)
    path = _detail(resource, pk, aliases)
    call = f"update_{resource.name}({_told(pk)}, {{{', '.join(sent)}}})"
    return Action("PATCH", path, sent, resource, call=call)


def delete_action(resource: Resource, pk: object, aliases: Collection[str] = ()) -> Action:
    """Delete a record."""
    call = f"delete_{resource.name}({_told(pk)})"
    return Action("DELETE", _detail(resource, pk, aliases), {}, resource, call=call)


def retrieve_action(resource: Resource, pk: object, aliases: Collection[str] = ()) -> Action:
    """Fetch a record."""
    call = f"retrieve_{resource.name}({_told(pk)})"
    return Action("GET", _detail(resource, pk, aliases), {}, resource, call=call)


def list_action(
    resource: Resource,
    filters: Mapping[str, object] | None,
    search: str | None,
    order: str | Iterable[str] | None,
    limit: int | None,
) -> Action:
    """Fetch one page of a listing, by key unless ordered otherwise.

    Raises:
        FilterError: What ``encode_filters`` refuses, and what does not go in one page: no keys at all, a limit of 0 or
            over 1000. References cannot stand here: the server sends them on as text.
    """
    encoded = encode_filters(resource, filters)
    size = _LONGEST_PAGE if limit is None else check_limit(limit)
    if not size or size > _LONGEST_PAGE:
        told = f"limit={brief(limit)}: an action of a job fetches one page, 1 to {_LONGEST_PAGE}"
        raise FilterError(told, field="limit")
    if encoded.nothing or encoded.keys is not None:
        raise FilterError("id__in of a job needs some keys, and not more than fit in one page", field="id__in")
    names = encode_order(resource, order) or ("id",)
    params = {**encoded.params, **encode_search(resource, search), "_order": ",".join(names), "_limit": str(size)}
    call = f"retrieve_{resource.name}({', '.join(encoded.params)})"
    return Action("GET", f"/{resource.path}/", {}, resource, params, True, call)


def _detail(resource: Resource, pk: object, aliases: Collection[str]) -> str:
    if isinstance(pk, Reference):
        return f"/{resource.path}/{token_of(pk, aliases)}/"
    return f"/{record_path(resource.path, pk)}"


def _told(pk: object) -> str:
    return "a reference" if isinstance(pk, Reference) else str(pk)


def reference(alias: str, action: Action, label: object) -> Reference:
    """A reference to something in the answer of an action.

    Raises:
        ReferenceTokenError: The answer will have no such thing.
    """
    name = checked_label(label)
    if action.method == "DELETE":
        raise ReferenceTokenError(f"{action.call}: a delete is answered with nothing that could be referred to")
    fields = action.resource.fields
    names = PAGE if action.listing else [name for name, f in fields.items() if not f.hidden and not f.write_only]
    if name in names:
        return Reference(alias, (name,))
    told = suggestion(close_matches(str(name), names)) or f" It has {', '.join(names)}."
    raise ReferenceTokenError(f"The answer to {action.call} will have no {brief(name)}.{told}")


def job_json(actions: Iterable[Mapping[str, Any]], dry_run: bool) -> dict[str, Any]:
    """The job, as the server wants it."""
    return {"dry_run": dry_run, "actions": list(actions)}


def culprit(said: object, actions: Sequence[Action]) -> int | None:
    """Which action an answer complains of, by place from 0; ``None`` if it does not tell."""
    match said:
        case {"step": int(step)}:
            place = step - 1
        case {"token": str(token)}:
            place = next((at for at, action in enumerate(actions) if token in _texts(action)), -1)
        case {"actions": list(complaints)}:
            place = next((at for at, complaint in enumerate(complaints) if complaint), -1)
        case _:
            place = -1
    return place if 0 <= place < len(actions) else None


def _texts(action: Action) -> str:
    return "\n".join([action.path, *_leaves(action.payload)])


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _leaves(item)


class Sized(Protocol):
    """Something to be sent in a chunk."""

    @property
    def size(self) -> int:
        """The bytes it takes there."""


S = TypeVar("S", bound=Sized)


def next_chunk(waiting: Sequence[S], most: int, limit: int) -> list[S]:
    """The first things that fit in a chunk: at least one, at most ``most``, and ``limit`` bytes unless one has more."""
    chunk: list[S] = []
    total = 0
    for each in waiting[:most]:
        total += each.size + 1
        if chunk and total > limit:
            break
        chunk.append(each)
    return chunk


def check_chunk_size(size: object) -> int:
    """The number of records to a chunk.

    Raises:
        FieldError: It is no positive integer.
    """
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise FieldError(f"chunk_size={brief(size)}: give a positive integer", field="chunk_size")
    return size
