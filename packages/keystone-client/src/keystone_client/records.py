"""The types of the records that the server sends and takes, re-exported from ``keystone_client_core.records``."""

from keystone_client_core.records import *  # noqa: F403 - the same names, where users of the client look for them
