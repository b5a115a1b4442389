"""The client's logger, ``kclient``, registered on import; ``keystone_client_core`` documents its extra fields."""

import logging
from typing import Final

from keystone_client_core import register_logger

LOGGER: Final = register_logger("kclient")

LONGEST_SILENCE: Final = 3.0
"""Waits of more seconds than this are printed where logging is not configured."""


def warn_without_logging(message: str) -> None:
    """Print a line to standard error if logging is not configured: a call that waits for a minute looks like a hang.

    Python does the same, by ``logging.lastResort``, for warnings of loggers without any handler.
    """
    configured = logging.root.handlers or any(type(each) is not logging.NullHandler for each in LOGGER.handlers)
    if configured or logging.lastResort is None or not LOGGER.isEnabledFor(logging.WARNING):
        return
    record = LOGGER.makeRecord(LOGGER.name, logging.WARNING, __file__, 0, "Keystone client: %s", (message,), None)
    logging.lastResort.handle(record)
