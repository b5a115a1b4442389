"""Batch jobs: the actions of a job, references between them, and the JSON of a job.

Builds values only: nothing here sends a request or opens a file.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ._errors import FilterError, ReferenceTokenError
from ._fields import encode_fields
from ._filters import encode_filters
from ._keys import record_path
from ._listing import LARGEST_PAGE, check_limit, encode_order, encode_search
from ._messages import brief, close_matches, suggestion
from ._references import Reference, checked_label, fields_with_tokens, token_of
from ._resources import Resource

PAGE = ("count", "next", "previous", "results")
"""The fields of the answer to an action that lists records."""


class Action(NamedTuple):
    """One request of a job."""

    method: str
    path: str
    """The path below the base URL, with a slash at both ends."""
    payload: Mapping[str, Any]
    resource: Resource
    params: Mapping[str, str] = {}
    listing: bool = False
    call: str = ""
    """The call that made the action, for error messages. It names fields without values, which may be secrets."""
    alias: str = ""
    """The name by which later actions refer to this one."""

    def json(self, alias: str = "") -> dict[str, Any]:
        """Return the action in the form the server expects.

        Args:
            alias: The name by which later actions of the job refer to this one; that of the action if empty.
        """
        wanted = {"method": self.method, "path": self.path, "ref": alias or self.alias}
        more = {"payload": self.payload, "query_params": self.params}
        return {name: value for name, value in {**wanted, **more}.items() if value}


def create_action(resource: Resource, fields: Mapping[str, object], aliases: Collection[str] = ()) -> Action:
    """Return the action that creates a record.

    Args:
        resource: The kind of record.
        fields: Values by field name, references to earlier actions included.
        aliases: The aliases of the earlier actions of the job.

    Raises:
        FieldError: ``encode_fields`` refuses the fields.
        ReferenceTokenError: ``fields_with_tokens`` refuses a reference, or text that looks like one.
    """
    encoded = encode_fields(resource, fields, "create", references=True)
    return create_action_of(resource, fields_with_tokens(resource, encoded, aliases))


def create_action_of(resource: Resource, sent: Mapping[str, Any]) -> Action:
    """Return the action that creates a record of fields that are encoded already."""
    return Action("POST", f"/{resource.path}/", sent, resource, call=f"create_{resource.name}({', '.join(sent)})")


def update_action(resource: Resource, pk: object, data: Mapping[str, object], aliases: Collection[str] = ()) -> Action:
    """Return the action that changes some fields of a record.

    Args:
        resource: The kind of record.
        pk: The key of the record, or a reference to it.
        data: The new values by field name, references to earlier actions included.
        aliases: The aliases of the earlier actions of the job.

    Raises:
        FieldError: ``encode_fields`` refuses the fields, or ``primary_key`` refuses the key.
        ReferenceTokenError: ``fields_with_tokens`` refuses a reference, or text that looks like one.
    """
    encoded = encode_fields(resource, data, "update", references=True)
    sent = fields_with_tokens(resource, encoded, aliases)
    return update_action_of(resource, pk, sent, aliases)


def update_action_of(resource: Resource, pk: object, sent: Mapping[str, Any], aliases: Collection[str] = ()) -> Action:
    """Return the action that changes a record to fields that are encoded already."""
    path = _detail(resource, pk, aliases)
    call = f"update_{resource.name}({_key_text(pk)}, {{{', '.join(sent)}}})"
    return Action("PATCH", path, sent, resource, call=call)


def delete_action(resource: Resource, pk: object, aliases: Collection[str] = ()) -> Action:
    """Return the action that deletes a record.

    Raises:
        FieldError: ``primary_key`` refuses the key.
        ReferenceTokenError: The key is a reference to something else than an earlier action of the job.
    """
    call = f"delete_{resource.name}({_key_text(pk)})"
    return Action("DELETE", _detail(resource, pk, aliases), {}, resource, call=call)


def retrieve_action(resource: Resource, pk: object, aliases: Collection[str] = ()) -> Action:
    """Return the action that fetches one record.

    Raises:
        FieldError: ``primary_key`` refuses the key.
        ReferenceTokenError: The key is a reference to something else than an earlier action of the job.
    """
    call = f"retrieve_{resource.name}({_key_text(pk)})"
    return Action("GET", _detail(resource, pk, aliases), {}, resource, call=call)


def list_action(
    resource: Resource,
    filters: Mapping[str, object] | None,
    search: str | None,
    order: str | Iterable[str] | None,
    limit: int | None,
) -> Action:
    """Return the action that fetches one page of a listing, ordered by key if no order is given.

    References are not allowed in filters or in a search: the server does not replace them in query parameters.

    Raises:
        FilterError: ``encode_filters``, ``encode_search`` or ``encode_order`` refuses its argument, or the listing is
            not one page: an empty or very long ``id__in``, a limit of 0 or above 1000.
    """
    encoded = encode_filters(resource, filters)
    size = LARGEST_PAGE if limit is None else check_limit(limit)
    if not size or size > LARGEST_PAGE:
        text = f"limit={brief(limit)}: an action of a job fetches one page, 1 to {LARGEST_PAGE}"
        raise FilterError(text, field="limit")
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


def _key_text(pk: object) -> str:
    """Return a key for a message; a reference has no value yet, and its token means nothing to the user."""
    return "a reference" if isinstance(pk, Reference) else str(pk)


def reference(alias: str, action: Action, label: object) -> Reference:
    """Return a reference to a value in the answer to an action.

    Args:
        alias: The alias of the action.
        action: The action, which decides the fields of its answer.
        label: The name of a field of that answer.

    Raises:
        ReferenceTokenError: The answer will have no such field.
    """
    name = checked_label(label)
    if action.method == "DELETE":
        raise ReferenceTokenError(f"{action.call}: a delete is answered with nothing that could be referred to")
    fields = action.resource.fields
    names = PAGE if action.listing else [name for name, f in fields.items() if not f.hidden and not f.write_only]
    if name in names:
        return Reference(alias, (name,))
    hint = suggestion(close_matches(str(name), names)) or f" It has {', '.join(names)}."
    raise ReferenceTokenError(f"The answer to {action.call} will have no {brief(name)}.{hint}")


def job_body(actions: Iterable[Mapping[str, Any]], dry_run: bool) -> dict[str, Any]:
    """Return the body of a batch request, with the actions in the form that ``Action.json`` gives them."""
    return {"dry_run": dry_run, "actions": list(actions)}


def failed_action(said: object, actions: Sequence[Action]) -> int | None:
    """Find the action that an error response of the batch endpoint is about.

    Args:
        said: The decoded body of the response.
        actions: The actions of the job, in the order sent.

    Returns:
        The index of the action, from 0, or ``None`` if the response does not name one.
    """
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
    """Return the texts of an action in which the server replaces references: its path and its payload."""
    return "\n".join([action.path, *_leaves(action.payload)])


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _leaves(item)
