"""The arguments of ``FakeKeystone.fail``: which of them make sense together."""

from .._world.faults import DATABASE, ERRORS, HTML, Fault


def check_fault(fault: Fault, when: str) -> Fault:
    """Check the arguments of ``FakeKeystone.fail`` and complete the rule.

    Args:
        fault: as the test gave it.
        when: ``before`` or ``after``.

    Returns:
        The rule.

    Raises:
        ValueError: an argument makes no sense.
    """
    if fault.error is not None and fault.error not in ERRORS:
        raise ValueError(f"error={fault.error!r} is unknown: one of {', '.join(sorted(ERRORS))}")
    if fault.status is not None and fault.error not in (None, HTML):
        raise ValueError('give status or error, not both; only error="html", a page of a proxy, may have a status')
    if fault.status is None and fault.error is None and not fault.delay:
        raise ValueError("give a status, an error or a delay")
    if fault.status is not None and not 200 <= fault.status <= 599:  # what a server may answer
        raise ValueError(f"status={fault.status!r} is no status of an answer: 200 to 599")
    if fault.delay < 0:
        raise ValueError(f"delay={fault.delay!r} is negative")
    if when not in ("before", "after"):
        raise ValueError(f'when={when!r} is unknown: "before" or "after" the write')
    if fault.error == DATABASE and when == "after":
        raise ValueError('error="database" has no when="after": without its database the server writes nothing')
    fault = fault._replace(method=fault.method and fault.method.upper(), after=when == "after")
    _check_visible_after(fault)
    return fault


def _check_visible_after(fault: Fault) -> None:
    if fault.visible_after is None:
        return
    if fault.visible_after < 0:
        raise ValueError(f"visible_after={fault.visible_after!r} is negative")
    if not (fault.after and fault.replaces):
        raise ValueError('visible_after= is for a lost answer: give when="after", and an error or a status')
