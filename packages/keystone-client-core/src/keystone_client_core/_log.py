"""Logging with context: every record says which request it is about, and nothing is output until a handler is added.

The client decides which records are logged, and when.
"""

import logging
from collections.abc import Mapping, MutableMapping
from typing import Any

LOG_FIELDS = ("cid", "baseurl", "method", "endpoint", "url", "status_code", "attempt", "elapsed")
"""The attributes that every record has, an empty text where they do not apply, so that any formatter can use them.

``attempt`` is the number of the try, from 1; ``elapsed`` the seconds that it took, without waits.
"""

_PLAIN_LEVEL = logging.Logger.getEffectiveLevel
_NULL = logging.NullHandler


def _fill(record: logging.LogRecord) -> None:
    for name in LOG_FIELDS:
        record.__dict__.setdefault(name, "")


class ContextFilter(logging.Filter):
    """Adds the context fields, empty, to records of other loggers.

    Use it on a handler that several loggers share and whose formatter names the fields.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the fields that the record lacks, and return ``True``: no record is filtered out."""
        _fill(record)
        return True


class ContextAdapter(logging.LoggerAdapter[logging.Logger]):
    """Adds the same context to every record. The ``extra`` of a single call takes precedence over it."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Return the message and the keyword arguments, with the context merged into ``extra``."""
        context: Mapping[str, object] = self.extra or {}
        return msg, {**kwargs, "extra": {**context, **(kwargs.get("extra") or {})}}


class ContextLogger(logging.Logger):
    """A logger whose own handlers receive INFO records without any setting of levels.

    Handlers of parent loggers receive only what the level of the parents lets through, as usual. Once a level is set on
    the logger itself, it behaves like any other logger.
    """

    def makeRecord(self, *args: Any, **kwargs: Any) -> logging.LogRecord:  # noqa: N802  # the name is logging's
        """Return a record that has all the context fields."""
        record = super().makeRecord(*args, **kwargs)
        _fill(record)
        return record

    def getEffectiveLevel(self) -> int:  # noqa: N802  # the name is logging's
        """Return the level that was set on the logger, or else the level inherited from its parents.

        An inherited level is lowered to INFO if the logger has a handler of its own.
        """
        level = _PLAIN_LEVEL(self)
        if self.level or level <= logging.INFO:
            return level
        for handler in self.handlers:  # a plain loop, the fastest way: this runs for every suppressed record
            if handler.__class__ is not _NULL:
                return logging.INFO
        return level

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802  # the name is logging's
        """Return whether a record of this level is output.

        The standard logger caches the answer; this one cannot, because adding a handler would not clear the cache.
        """
        return level >= self.getEffectiveLevel() and not self.disabled and self.manager.disable < level

    def callHandlers(self, record: logging.LogRecord) -> None:  # noqa: N802  # the name is logging's
        """Pass the record to the logger's own handlers, and to those of the parents if their level lets it through."""
        if self.level or record.levelno >= _PLAIN_LEVEL(self):
            super().callHandlers(record)
            return
        for handler in self.handlers:
            if record.levelno >= handler.level:
                handler.handle(record)


def register_logger(name: str) -> logging.Logger:
    """Turn the logger of that name into a ``ContextLogger``. Other loggers are not changed.

    Args:
        name: The logger's name. It may have been configured before.

    Returns:
        The logger. If it had no handler, it has a ``NullHandler``.
    """
    logger = logging.getLogger(name)
    kind = type(logger)
    if not isinstance(logger, ContextLogger):  # keep the application's logger class, if it has set one
        logger.__class__ = ContextLogger if kind is logging.Logger else type(kind.__name__, (ContextLogger, kind), {})
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    return logger
