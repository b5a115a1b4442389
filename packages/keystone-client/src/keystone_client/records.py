"""The types of what the server sends and takes; they live in ``keystone_client_core.records``."""

from keystone_client_core.records import *  # noqa: F403 - the same names, where users of the client look for them
