"""Former names that work until 2.0. Type checkers take them, and those that look for it say what to write instead."""

from typing import assert_type

from keystone_client import AsyncKeystoneClient, KeystoneClient


def former(url: str) -> None:
    assert_type(KeystoneClient(base_url=url), KeystoneClient)  # deprecated
    KeystoneClient(base_url=url, verify_ssl=False, timeout=3)  # deprecated
    KeystoneClient(url, verify_ssl="ca.pem")  # deprecated
    AsyncKeystoneClient(base_url=url, transport=None)  # deprecated
    AsyncKeystoneClient(url, verify=False)
