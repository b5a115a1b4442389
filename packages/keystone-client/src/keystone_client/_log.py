"""The client's logger, ``kclient``, registered on import; ``keystone_client_core`` documents its extra fields."""

from typing import Final

from keystone_client_core import register_logger

LOGGER: Final = register_logger("kclient")
