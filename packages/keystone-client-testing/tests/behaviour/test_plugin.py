"""The pytest plugin, tested in separate pytest runs."""

import subprocess
import sys
from importlib.metadata import entry_points

import pytest

pytest_plugins = ["pytester"]

INSTALLED = any(point.name == "keystone_client_testing" for point in entry_points(group="pytest11"))


def run(pytester: pytest.Pytester, source: str, *options: str, runner: str = "inprocess") -> pytest.RunResult:
    pytester.makepyfile(source)
    plugin = () if INSTALLED else ("-p", "keystone_client_testing.plugin")
    start = pytester.runpytest_subprocess if runner == "subprocess" else pytester.runpytest_inprocess
    return start("-p", "no:cacheprovider", "--strict-markers", *plugin, *options)


def test_the_fixtures_share_one_world(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import httpx
        from keystone_client import KeystoneClient

        def test_world(fake_keystone, keystone_session, keystone_server):
            keystone_session.create_team(name="Physics")
            assert fake_keystone.journal.find("POST", "users/teams")
            assert httpx.get(fake_keystone.url + "version/").text == "0.0.0"
            with KeystoneClient(keystone_server) as client:
                client.login("admin", "quickstart")
                assert client.count_team() == 1

        def test_world_is_new(keystone_session):
            assert keystone_session.count_team() == 0

        def test_async(async_keystone_session):
            import anyio
            assert anyio.run(async_keystone_session.count_user) == 1
        """,
    )
    result.assert_outcomes(passed=3)


def test_the_database_of_the_server_is_an_option(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import pytest

        def test_default(fake_keystone):
            assert fake_keystone.database == "postgresql"

        @pytest.mark.keystone(database="sqlite")
        def test_other(fake_keystone):
            assert fake_keystone.database == "sqlite"

        @pytest.mark.keystone(database="oracle")
        def test_unknown(fake_keystone):
            pass
        """,
    )
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*ValueError: database='oracle' is unknown: give 'postgresql' or 'sqlite'*"])


def test_marker_options_are_merged_and_the_nearest_wins(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import pytest
        pytestmark = pytest.mark.keystone(url="http://far.test/api/", throttle={"user": "2/min"})

        class TestNear:
            @pytest.mark.keystone(url="http://near.test/")
            def test_options(self, fake_keystone, keystone_session):
                assert fake_keystone.url == "http://near.test/"
                statuses = [keystone_session.http_get("users/users").status_code for _ in range(2)]
                assert statuses == [200, 200]
                assert keystone_session.base_url == "http://near.test/"

        @pytest.mark.keystone(demo_data=True)
        def test_demo(fake_keystone, keystone_session):
            assert fake_keystone.url == "http://far.test/api/"
            assert keystone_session.count_user() == 201
        """,
    )
    result.assert_outcomes(passed=2)


def test_unused_faults_and_ignored_requests_are_one_report_after_the_test(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import pytest

        pytestmark = pytest.mark.filterwarnings("ignore::keystone_client.UnknownParameterWarning")

        def test_unused(fake_keystone):
            fake_keystone.fail("GET", "users/teams", status=503, times=2)
            fake_keystone.fail("POST", error="reset", when="after")

        @pytest.mark.keystone(strict=True)
        def test_strict(keystone_session):
            for path in ("nope/", "users/teams/?nmae=x&name=y", "stats/grants/?team=&_limit=1", "config/?a=1"):
                try:
                    keystone_session.http_get(path)
                except Exception:
                    pass

        @pytest.mark.keystone(strict=True)
        def test_clean(keystone_session):
            keystone_session.retrieve_team(filters={"name": "x"}, order="id", limit=5)

        def test_lax(keystone_session):
            keystone_session.http_get("users/teams/?nmae=x")
        """,
    )
    result.assert_outcomes(passed=4, errors=2)
    result.stdout.fnmatch_lines_random(
        [
            "a planned fault never hit as often as planned: method='GET', path='users/teams', status=503",
            "a planned fault never hit as often as planned: method='POST', error='reset', after=True",
            "GET /nope/: the server has no such path",
            "GET /users/teams/: the server ignores the query parameter 'nmae'",
            "GET /stats/grants/: the server ignores the query parameter '_limit'",
            "GET /config/: the server ignores the query parameter 'a'",
        ]
    )
    assert "parameter 'name'" not in result.stdout.str()


def test_a_failing_test_shows_its_requests_and_nothing_else_is_reported(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import pytest

        pytestmark = pytest.mark.filterwarnings("ignore::keystone_client.UnknownParameterWarning")

        @pytest.mark.keystone(strict=True)
        def test_it(fake_keystone, keystone_session):
            fake_keystone.fail("GET", "users/users", status=503)
            keystone_session.http_get("users/teams/?nmae=x")
            assert False
        """,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*requests to the fake Keystone*",
            "  <GET /users/teams/?nmae=x 200 by admin>",
            "*unnoticed by the test*",
            "a planned fault never hit as often as planned: method='GET', path='users/users', status=503",
            "GET /users/teams/: the server ignores the query parameter 'nmae'",
        ]
    )


def test_the_marker_gives_the_session_a_role(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import pytest

        pytestmark = pytest.mark.keystone(role="owner")

        def test_far(keystone_session, async_keystone_session):
            assert keystone_session.whoami()["username"] == "owner-1"

        @pytest.mark.keystone(user="admin")
        def test_near(keystone_session):
            assert keystone_session.whoami()["username"] == "admin"
        """,
    )
    result.assert_outcomes(passed=2)


def test_worlds_are_separate_under_xdist(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import pytest

        @pytest.mark.parametrize("number", range(8))
        def test_world(number, fake_keystone, keystone_session, keystone_server):
            keystone_session.create_team(name=f"T{number}")
            assert keystone_session.count_team() == 1
        """,
        "-n2",
        runner="subprocess",
    )
    result.assert_outcomes(passed=8)


@pytest.mark.parametrize("arguments", ["urll='x'", "'http://x'"])
def test_unknown_options_are_refused_by_name(pytester: pytest.Pytester, arguments: str) -> None:
    result = run(
        pytester,
        f"""
        import pytest

        @pytest.mark.keystone({arguments})
        def test_it(fake_keystone):
            pass
        """,
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*TypeError: the keystone marker does not take *it takes url, database, user, role*"])


def test_the_marker_is_registered(pytester: pytest.Pytester) -> None:
    run(pytester, "", "--markers").stdout.fnmatch_lines(["@pytest.mark.keystone(*"])


def test_the_plugin_imports_nothing_before_a_fixture_is_used() -> None:
    heavy = "{'httpx', 'respx', 'keystone_client', 'keystone_client_core', 'anyio'}"
    code = f"import sys, keystone_client_testing.plugin; print(sorted({heavy} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.strip() == "[]"


def test_the_engine_imports_no_http_library() -> None:
    use = "import sys; from keystone_client_testing import FakeKeystone; FakeKeystone().add.team()"
    code = f"{use}; print({{'httpx', 'respx'}} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.strip() == "set()"
