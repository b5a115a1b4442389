"""Each statement of the documentation about the logger ``kclient``."""

import logging
import subprocess
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from keystone_client_core import LOG_FIELDS
from keystone_client_testing import FakeKeystone

from .scripted import URL, Reply, Scripted, answer, connect, failure, page

CID = "4f0c0f5e-7d3b-4a53-9d5c-0c1a3c1d8a11"
FORMAT = "%(levelname)s|%(cid)s|%(baseurl)s|%(method)s|%(endpoint)s|%(url)s|%(status_code)s|%(message)s"
START = f"""
import logging, sys
FORMAT = {FORMAT!r}
def call():
    from keystone_client import KeystoneClient, RetryPolicy
    from keystone_client_testing import FakeKeystone
    fake = FakeKeystone()
    with KeystoneClient(fake.url, transport=fake.transport, cid={CID!r}, retry=RetryPolicy(backoff=0)) as client:
        client.http_get("version", params={{"a": 1}})
        fake.fail(status=503)
        client.http_get("version")
"""
ANSWERED = f"INFO|{CID}|{URL}|GET|version/|{URL}version/?a=1|200|GET version/ 200 in "


def run(program: str) -> list[str]:
    """Run a program in a separate process, warnings as errors; return its lines on standard error."""
    code = textwrap.dedent(START) + textwrap.dedent(program)
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_a_handler_added_to_the_logger_prints_a_line_for_every_answer_and_retry() -> None:
    lines = run(
        """
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(FORMAT))
        logging.getLogger("kclient").addHandler(handler)
        call()
        """
    )
    assert len(lines) == 4
    assert lines[0].startswith(ANSWERED)
    assert lines[1].startswith(f"INFO|{CID}|{URL}|GET|version/|{URL}version/|503|GET version/ 503 in ")
    assert lines[2].startswith(
        f"WARNING|{CID}|{URL}|GET|version/|{URL}version/|503|GET version/: 503: try 2 follows in 0.00 s"
    )
    assert lines[3].startswith(f"INFO|{CID}|{URL}|GET|version/|{URL}version/|200|GET version/ 200 in ")


def test_the_handler_of_the_documentation_may_be_added_before_or_after_the_import() -> None:
    example = """
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter('%(cid)s - %(baseurl)s - %(method)s - %(endpoint)s - %(message)s'))
        logging.getLogger('kclient').addHandler(handler)
        """
    for program in (f"{example}\n        call()", f"        import keystone_client\n{example}\n        call()"):
        assert run(program)[0].startswith(f"{CID} - {URL} - GET - version/ - GET version/ 200 in ")


def test_an_application_that_configured_nothing_sees_nothing() -> None:
    assert run("call()") == []


def test_the_root_at_warning_sees_retries_and_nothing_else() -> None:
    lines = run("logging.basicConfig(level='WARNING', format='%(name)s %(levelname)s'); call()")
    assert lines == ["kclient WARNING"]


def test_the_root_at_info_sees_the_lines_and_at_debug_what_is_sent_too() -> None:
    program = "logging.basicConfig(level={!r}, format='%(name)s %(levelname)s'); call()"
    info = ["kclient INFO", "kclient INFO", "kclient WARNING", "kclient INFO"]
    assert run(program.format("INFO")) == info
    lines = run(program.format("DEBUG"))
    assert [line for line in lines if line == "kclient DEBUG"] == ["kclient DEBUG"] * 3
    assert [line for line in lines if line.startswith("kclient ") and "DEBUG" not in line] == info


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("DEBUG", ["DEBUG", "INFO", "DEBUG", "INFO", "WARNING", "DEBUG", "INFO"]),
        ("INFO", ["INFO", "INFO", "WARNING", "INFO"]),
        ("WARNING", ["WARNING"]),
        ("ERROR", []),
    ],
)
def test_a_level_set_on_the_logger_is_honoured_for_its_handlers_and_the_root(level: str, expected: list[str]) -> None:
    own = f"""
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(levelname)s"))
        logging.getLogger("kclient").addHandler(handler)
        logging.getLogger("kclient").setLevel({level!r})
        call()
        """
    assert run(own) == expected
    root = f"""
        logging.basicConfig(level="WARNING", format="%(levelname)s")
        logging.getLogger("kclient").setLevel({level!r})
        call()
        """
    assert run(root) == expected


def test_a_logger_or_all_logging_switched_off_is_silent() -> None:
    handler = "logging.getLogger('kclient').addHandler(logging.StreamHandler());"
    assert run(f"{handler} logging.getLogger('kclient').disabled = True; call()") == []
    assert run(f"{handler} logging.disable(logging.CRITICAL); call()") == []


def test_a_configuration_by_dictionary_works() -> None:
    lines = run(
        """
        import logging.config
        logging.config.dictConfig({
            "version": 1,
            "formatters": {"f": {"format": FORMAT}},
            "handlers": {"h": {"class": "logging.StreamHandler", "formatter": "f"}},
            "loggers": {"kclient": {"handlers": ["h"], "level": "INFO", "propagate": False}},
        })
        call()
        """
    )
    assert lines[0].startswith(ANSWERED)


AFTER_THE_IMPORT = """
    import logging.config, keystone_client
    logging.config.dictConfig({{
        "version": 1,
        {more}
        "handlers": {{"h": {{"class": "logging.StreamHandler"}}}},
        "root": {{"handlers": ["h"], "level": "INFO"}},
    }})
    call()
    """


@pytest.mark.parametrize(
    ("more", "lines"),
    [
        ("", 0),  # Python's default: disables every existing logger that is not named
        ('"disable_existing_loggers": False,', 4),
        ('"loggers": {"kclient": {}},', 4),
    ],
)
def test_a_dictionary_for_the_root_needs_one_of_two_lines_after_the_import(more: str, lines: int) -> None:
    assert len(run(AFTER_THE_IMPORT.format(more=more))) == lines


def test_a_handler_of_all_loggers_can_name_the_fields_with_the_filter_of_the_core() -> None:
    program = """
        from keystone_client_core import ContextFilter
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(name)s|%(cid)s|%(message)s"))
        handler.addFilter(ContextFilter())
        logging.basicConfig(level="INFO", handlers=[handler])
        logging.getLogger("other").info("mine")
        call()
        """
    lines = run(program)
    assert lines[0] == "other||mine"
    assert lines[1].startswith(f"kclient|{CID}|GET version/ 200")


@pytest.mark.parametrize(
    ("configured", "lines"),
    [
        ("", 3),
        ("logging.basicConfig(level='CRITICAL')", 0),
        ("logging.getLogger('kclient').addHandler(logging.FileHandler(os.devnull, delay=True))", 0),
        ("logging.getLogger('kclient').setLevel('ERROR')", 0),
        ("logging.getLogger('kclient').disabled = True", 0),
        ("logging.lastResort = None", 0),
    ],
)
def test_without_logging_configuration_the_first_long_wait_of_a_call_is_printed(configured: str, lines: int) -> None:
    program = """
        import os
        from keystone_client_testing import FakeKeystone
        fake = FakeKeystone()
        client = fake.client()
        fake.throttle(user="2/min")
        {}
        for _ in range(8):
            client.retrieve_team()
        """
    told_lines = run(program.format(configured))
    assert len(told_lines) == lines
    assert all(line.startswith("Keystone client: GET users/teams/: 429: try 2 follows in ") for line in told_lines)


def test_short_waits_and_further_long_waits_of_a_call_are_not_printed() -> None:
    program = """
        from keystone_client import RetryPolicy
        from keystone_client_testing import FakeKeystone
        fake = FakeKeystone()
        client = fake.client(retry=RetryPolicy(backoff={}, max_backoff={}, attempts=4))
        client._session.draw = lambda: 1.0
        fake.fail(status=503, times=3)
        client.retrieve_team(1)
        """
    assert run(program.format(2.9, 2.9)) == []
    assert run(program.format(4, 60)) == ["Keystone client: GET users/teams/1/: 503: try 2 follows in 4.00 s"]


def test_a_login_delayed_by_the_throttling_of_another_call_is_printed_too() -> None:
    program = """
        from keystone_client_testing import FakeKeystone
        client = FakeKeystone().client(user=None)
        client._session.draw = lambda: 0.5
        client._session.clock = lambda: 100.0
        client._session.throttle.hold("anonymous", 160.0)
        client._driver.sleep = lambda seconds: setattr(client._session, "clock", lambda: 200.0)
        client.login("admin", "quickstart")
        """
    assert run(program) == [
        "Keystone client: POST authentication/login/ waits 60.25 s: the server throttles this client"
    ]


def test_importing_touches_no_other_logger_and_no_handler() -> None:
    assert (
        run(
            """
            import httpx, anyio, asyncio  # their own loggers are their business
            def state():
                loggers = {n: l for n, l in logging.root.manager.loggerDict.items() if isinstance(l, logging.Logger)}
                loggers["root"] = logging.root
                return {n: (l.level, [*l.handlers], l.propagate, type(l), [*l.filters]) for n, l in loggers.items()}
            before = state()
            before_class, before_factory = logging.getLoggerClass(), logging.getLogRecordFactory()
            import keystone_client
            after = state()
            assert set(after) - set(before) == {"kclient"}, set(after) - set(before)
            assert {name: after[name] for name in before} == before
            assert [type(handler) for handler in after["kclient"][1]] == [logging.NullHandler]
            assert after["kclient"][0] == logging.NOTSET
            assert (logging.getLoggerClass(), logging.getLogRecordFactory()) == (before_class, before_factory)
            """
        )
        == []
    )


def logged(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "kclient"]


def test_caplog_sees_the_records_with_all_their_fields(colour: str, caplog: pytest.LogCaptureFixture) -> None:
    client = connect(colour, Scripted(answer(201, {"id": 1})))
    with caplog.at_level("INFO"):
        client.create_team(name="t")
    (record,) = logged(caplog)
    assert {name: getattr(record, name) for name in LOG_FIELDS} == {
        "cid": client.cid,
        "baseurl": URL,
        "method": "POST",
        "endpoint": "users/teams/",
        "url": f"{URL}users/teams/",
        "status_code": 201,
        "attempt": 1,
        "elapsed": pytest.approx(0, abs=60),
    }
    assert record.levelname == "INFO"


def test_debug_comes_before_sending_info_with_the_answer_and_a_warning_per_retry(
    colour: str, caplog: pytest.LogCaptureFixture
) -> None:
    order: list[str] = []

    def sent(request: httpx.Request) -> httpx.Response:
        order.extend(record.levelname for record in logged(caplog)[len(order) :])
        order.append("sent")
        return answer(200, {"id": 1})(request)

    wire = Scripted(answer(503), failure(httpx.ReadTimeout), sent)
    client = connect(colour, wire)
    with caplog.at_level("DEBUG"):
        client.retrieve_team(1)
    assert order == ["DEBUG", "INFO", "WARNING", "DEBUG", "WARNING", "DEBUG", "sent"]
    assert [(record.levelname, record.__dict__["status_code"]) for record in logged(caplog)] == [
        ("DEBUG", ""),
        ("INFO", 503),
        ("WARNING", 503),
        ("DEBUG", ""),
        ("WARNING", ""),
        ("DEBUG", ""),
        ("INFO", 200),
    ]


def test_the_records_have_the_attempt_number_and_the_duration(colour: str, caplog: pytest.LogCaptureFixture) -> None:
    client = connect(colour, Scripted(answer(503), answer(200, {"id": 1})))
    with caplog.at_level("DEBUG"):
        response = client.http_get("users/teams/1/")
    assert [(record.levelname, record.__dict__["attempt"]) for record in logged(caplog)] == [
        ("DEBUG", 1),
        ("INFO", 1),
        ("WARNING", 1),
        ("DEBUG", 2),
        ("INFO", 2),
    ]
    assert logged(caplog)[-1].__dict__["elapsed"] == response.elapsed.total_seconds()


WAITING: dict[str, tuple[Callable[[Any], object], list[Reply], str]] = {
    "retry": (
        lambda client: client.retrieve_team(1),
        [failure(httpx.ReadError), answer(200, {"id": 1})],
        "GET users/teams/1/: ReadError: it broke: try 2 follows in 0.50 s",
    ),
    "smaller page": (
        lambda client: client.retrieve_team(),
        [answer(504), page()],
        "GET users/teams/: a page of 500 records follows in 0.50 s, after this: 504 Gateway Timeout: GET /users/teams/",
    ),
    "throttled job": (
        lambda client: client.bulk_create_team([{"name": "t"}]),
        [answer(429, {"detail": "Wait."}), answer(200, {"results": [{"body": {"id": 1, "name": "t"}}]})],
        "POST batch/: bulk_create_team: throttled, on with it in 60 s",
    ),
}


@pytest.mark.parametrize(("call", "script", "line"), WAITING.values(), ids=WAITING)
def test_a_warning_names_method_endpoint_reason_and_wait(
    colour: str, call: Callable[[Any], object], script: list[Reply], line: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("WARNING"):
        call(connect(colour, Scripted(*script)))
    (record,) = logged(caplog)
    assert record.getMessage().startswith(line)
    assert record.levelname == "WARNING"
    assert record.__dict__["method"] == line.split(maxsplit=1)[0]


def test_each_page_of_a_listing_has_its_line(colour: str, caplog: pytest.LogCaptureFixture) -> None:
    fake = FakeKeystone()
    for number in range(5):
        fake.add.team(name=f"team {number}")
    client = connect(colour, fake.transport, fake.url)
    client.login("admin", "quickstart")
    with caplog.at_level("INFO"):
        assert len(client.retrieve_team(page_size=2)) == 5
    assert len(logged(caplog)) == 3
    assert all("_limit=2" in record.__dict__["url"] for record in logged(caplog))


def test_any_record_of_the_logger_can_be_formatted_with_all_fields(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "kclient"):
        logging.getLogger("kclient").info("a line of the application's own")
    (record,) = logged(caplog)
    assert logging.Formatter(FORMAT).format(record) == "INFO|||||||a line of the application's own"


def test_without_an_enabled_handler_no_record_is_created(colour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    logger = logging.getLogger("kclient")
    monkeypatch.setattr(type(logger), "makeRecord", lambda *args, **options: made.append(args))
    monkeypatch.setattr(logging.root, "level", logging.WARNING)
    connect(colour, Scripted()).http_get("version")
    assert made == []
