"""The tests of such a project: the fixtures are there once the package of the fake is installed."""

from app import make_cluster, open_requests
from keystone_client import KeystoneClient
from keystone_client_testing import FakeKeystone


def test_a_cluster_is_made(keystone_session: KeystoneClient, fake_keystone: FakeKeystone) -> None:
    make_cluster(keystone_session, "Andromeda")
    assert fake_keystone.journal.find("POST", "allocations/clusters", status=201)


def test_only_pending_requests_are_open(keystone_session: KeystoneClient, fake_keystone: FakeKeystone) -> None:
    fake_keystone.add.request(title="waits", status="PD")
    fake_keystone.add.request(title="is granted", status="AP")
    assert open_requests(keystone_session) == ["waits"]
