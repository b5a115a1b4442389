"""The client's logger, ``kclient``, registered on import; ``keystone_client_core`` documents its extra fields."""

import logging
from typing import Final

from keystone_client_core import register_logger

LOGGER: Final = register_logger("kclient")

LONGEST_SILENCE: Final = 3.0
"""The longest wait, in seconds, that nobody is told of where nobody has configured logging."""


def tell_of_silence(message: str) -> None:
    """Print a line to standard error where nobody would see a record: a call that waits for a minute looks like a hang.

    Python does the same, by ``logging.lastResort``, for warnings of loggers without any handler.
    """
    heard = logging.root.handlers or any(type(handler) is not logging.NullHandler for handler in LOGGER.handlers)
    if heard or logging.lastResort is None or not LOGGER.isEnabledFor(logging.WARNING):
        return
    record = LOGGER.makeRecord(LOGGER.name, logging.WARNING, __file__, 0, "Keystone client: %s", (message,), None)
    logging.lastResort.handle(record)
