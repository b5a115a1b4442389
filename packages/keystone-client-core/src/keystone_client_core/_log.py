"""The context of log records: which request a line is about, and a logger that is quiet until somebody listens.

Which lines are written, and when, is the client's business.
"""

import logging
from collections.abc import Mapping, MutableMapping
from typing import Any

LOG_FIELDS = ("cid", "baseurl", "method", "endpoint", "url", "status_code")
"""The names every record has, empty where they do not apply, so that a formatter can use them."""

_PLAIN_LEVEL = logging.Logger.getEffectiveLevel
_NULL = logging.NullHandler


def _fill(record: logging.LogRecord) -> None:
    for name in LOG_FIELDS:
        record.__dict__.setdefault(name, "")


class ContextFilter(logging.Filter):
    """Gives records of other loggers the fields too, empty, for a handler whose formatter names them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Fill in the fields the record lacks, and let it pass."""
        _fill(record)
        return True


class ContextAdapter(logging.LoggerAdapter[logging.Logger]):
    """Adds the same context to every record; what a call gives as ``extra`` wins over it."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Merge the context into the call's ``extra``."""
        context: Mapping[str, object] = self.extra or {}
        return msg, {**kwargs, "extra": {**context, **(kwargs.get("extra") or {})}}


class ContextLogger(logging.Logger):
    """A logger whose own handlers see INFO without further ado, and whose parents see only what they asked for.

    A level set on it is honoured, and it is then a logger like any other.
    """

    def makeRecord(self, *args: Any, **kwargs: Any) -> logging.LogRecord:  # noqa: N802  # the name is logging's
        """Make a record that has all the context fields."""
        record = super().makeRecord(*args, **kwargs)
        _fill(record)
        return record

    def getEffectiveLevel(self) -> int:  # noqa: N802  # the name is logging's
        """The level set; else that of the parents, or INFO if that is lower and there are handlers of its own."""
        level = _PLAIN_LEVEL(self)
        if self.level or level <= logging.INFO:
            return level
        for handler in self.handlers:  # a loop, since this runs for every line that nobody wants
            if handler.__class__ is not _NULL:
                return logging.INFO
        return level

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802  # the name is logging's
        """Whether a record of this level goes anywhere; not cached, since adding a handler would not clear a cache."""
        return level >= self.getEffectiveLevel() and not self.disabled and self.manager.disable < level

    def callHandlers(self, record: logging.LogRecord) -> None:  # noqa: N802  # the name is logging's
        """Pass the record to its own handlers, and to the parents' unless it is there only for its own."""
        if self.level or record.levelno >= _PLAIN_LEVEL(self):
            super().callHandlers(record)
            return
        for handler in self.handlers:
            if record.levelno >= handler.level:
                handler.handle(record)


def register_logger(name: str) -> logging.Logger:
    """Give the logger of that name the behaviour of ``ContextLogger``; no other logger is touched.

    Args:
        name: The logger's name. It may have been configured before.

    Returns:
        The logger, with a ``NullHandler`` if it had no handler.
    """
    logger = logging.getLogger(name)
    kind = type(logger)
    if not isinstance(logger, ContextLogger):  # an application may have set a logger class of its own
        logger.__class__ = ContextLogger if kind is logging.Logger else type(kind.__name__, (ContextLogger, kind), {})
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    return logger
