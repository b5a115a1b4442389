"""The logger of the client, registered on import; see ``keystone_client_core`` for what it adds to a plain logger."""

from typing import Final

from keystone_client_core import register_logger

LOGGER: Final = register_logger("kclient")
