"""Renders the typed methods of the clients and of batch jobs: fills in the templates for each resource."""

from collections.abc import Callable, Iterator

import client_templates
import job_templates
import nouns
from facts import Facts
from keystone_client_core._resources import Resource

GUARD = "    @redacted\n"
"""The decorator of methods that take a write-only field, such as a password, which must not be in a traceback."""

FOLLOWED = {"audit_log", "request_log"}
"""The logs that have a ``follow`` method, which polls for new records."""

BY_HAND = {("attachment", "create")}
"""The methods that are written by hand, because their arguments are not just the fields of a record."""

WRITES = {
    "create": (client_templates.CREATE, client_templates.CHECK, client_templates.BULK_CREATE),
    "update": (client_templates.UPDATE, client_templates.BULK_UPDATE),
    "delete": (client_templates.DELETE, client_templates.BULK_DELETE),
}
JOB_WRITES = {"create": job_templates.CREATE, "update": job_templates.UPDATE, "delete": job_templates.DELETE}


def render(facts: Facts) -> str:
    """Return the text of ``keystone_client/_generated/async_methods.py``."""
    return _filled(facts, client_templates.HEADER, _templates) + client_templates.SERVER


def render_job(facts: Facts) -> str:
    """Return the text of ``keystone_client/_generated/job_methods.py``."""
    return _filled(facts, job_templates.HEADER, _job_templates)


def _filled(facts: Facts, header: str, templates: Callable[[Resource], Iterator[str]]) -> str:
    """Return the header, with the record types it imports, followed by the methods of each resource."""
    records = sorted(name for resource in facts.resources.values() for name in _records(resource))
    imports = "\n".join(f"        {name}," for name in records)
    methods = [_fill(template, resource) for resource in facts.resources.values() for template in templates(resource)]
    return header.format(records=imports) + "".join(methods)


def _job_templates(resource: Resource) -> Iterator[str]:
    yield job_templates.RETRIEVE_ONE if "retrieve" in resource.operations else job_templates.RETRIEVE_LIST
    for operation, template in JOB_WRITES.items():
        if operation in resource.operations:
            yield job_templates.CREATE_ATTACHMENT if (resource.name, operation) in BY_HAND else template


def _templates(resource: Resource) -> Iterator[str]:
    yield client_templates.RETRIEVE_ONE if "retrieve" in resource.operations else client_templates.RETRIEVE_LIST
    yield client_templates.ITERATE
    yield client_templates.COUNT
    if resource.name in FOLLOWED:
        yield client_templates.FOLLOW
    if resource.statistics:
        yield client_templates.STATS
    for operation, templates in WRITES.items():
        if operation in resource.operations and (resource.name, operation) not in BY_HAND:
            yield from templates
    if resource.natural_key:
        yield client_templates.ENSURE


def _records(resource: Resource) -> Iterator[str]:
    yield resource.record
    for operation in ("create", "update"):
        if operation in resource.operations and (resource.name, operation) not in BY_HAND:
            yield f"{resource.record}{operation.capitalize()}"


def _default_order(resource: Resource) -> str:
    return "by time, oldest first," if resource.name == "feed_entry" else "by key"


def _fill(template: str, resource: Resource) -> str:
    noun = nouns.noun(resource.name)
    return template.format(
        name=resource.name,
        noun=noun,
        nouns=nouns.plural(resource.name),
        article=nouns.article(noun),
        log=resource.name.replace("_", " "),
        record=resource.record,
        arguments=client_templates.LIST_ARGUMENTS,
        docs=client_templates.LIST_DOCS.replace("{by}", _default_order(resource)),
        follow=f" Use ``follow_{resource.name}``." if resource.name in FOLLOWED else "",
        key=" and ".join(f"``{name}``" for name in resource.natural_key),
        guard=GUARD if any(field.write_only for field in resource.fields.values()) else "",
    )
