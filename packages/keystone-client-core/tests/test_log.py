"""The logger: silent until a handler is added, the context in every record, other loggers unchanged."""

import io
import itertools
import logging
from collections.abc import Iterator

import pytest
from keystone_client_core import LOG_FIELDS, ContextAdapter, ContextFilter, register_logger

_NUMBERS = itertools.count()


class Seen(logging.Handler):
    """A handler that keeps its records."""

    def __init__(self, level: int = logging.NOTSET) -> None:
        super().__init__(level)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    @property
    def messages(self) -> list[str]:
        return [record.getMessage() for record in self.records]


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger at WARNING, restored afterwards."""
    logger = logging.getLogger()
    level, handlers = logger.level, list(logger.handlers)
    logger.setLevel(logging.WARNING)
    yield logger
    logger.setLevel(level)
    logger.handlers[:] = handlers


@pytest.fixture
def at_root(root: logging.Logger) -> Seen:
    seen = Seen()
    root.addHandler(seen)
    return seen


@pytest.fixture
def logger(root: logging.Logger) -> logging.Logger:
    return register_logger(f"core-test-{next(_NUMBERS)}")


def test_a_handler_of_its_own_and_nothing_else_prints_info_lines_with_the_context(logger: logging.Logger) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(cid)s - %(baseurl)s - %(method)s - %(endpoint)s - %(message)s"))
    logger.addHandler(handler)
    logger.info("200 OK", extra={"cid": "c1", "baseurl": "http://h/", "method": "GET"})
    logger.debug("not asked for")
    assert stream.getvalue() == "c1 - http://h/ - GET -  - 200 OK\n"


def test_root_at_warning_sees_nothing_new_even_if_the_logger_has_a_handler(
    logger: logging.Logger, at_root: Seen
) -> None:
    own = Seen()
    logger.addHandler(own)
    logger.info("line")
    logger.warning("retry")
    assert own.messages == ["line", "retry"]
    assert at_root.messages == ["retry"]


def test_root_at_warning_without_own_handlers_sees_warnings_only(logger: logging.Logger, at_root: Seen) -> None:
    logger.info("line")
    logger.warning("retry")
    assert at_root.messages == ["retry"]
    assert not logger.isEnabledFor(logging.INFO)


def test_root_at_info_sees_the_lines(logger: logging.Logger, root: logging.Logger, at_root: Seen) -> None:
    root.setLevel(logging.INFO)
    logger.info("line")
    logger.debug("not asked for")
    assert at_root.messages == ["line"]


def test_a_level_set_by_the_user_is_honoured_and_propagation_is_then_normal(
    logger: logging.Logger, at_root: Seen
) -> None:
    own = Seen()
    logger.addHandler(own)
    logger.setLevel(logging.ERROR)
    logger.info("line")
    assert own.messages == at_root.messages == []
    logger.setLevel(logging.DEBUG)
    logger.debug("detail")
    assert own.messages == at_root.messages == ["detail"]


def test_each_handler_keeps_its_own_level(logger: logging.Logger) -> None:
    quiet, loud = Seen(logging.ERROR), Seen()
    logger.addHandler(quiet)
    logger.addHandler(loud)
    logger.info("line")
    assert quiet.messages == []
    assert loud.messages == ["line"]


def test_is_enabled_for_is_never_stale(logger: logging.Logger, root: logging.Logger) -> None:
    assert not logger.isEnabledFor(logging.INFO)
    own = Seen()
    logger.addHandler(own)
    assert logger.isEnabledFor(logging.INFO)
    logger.removeHandler(own)
    assert not logger.isEnabledFor(logging.INFO)
    logger.handlers.append(own)
    assert logger.isEnabledFor(logging.INFO)
    logger.handlers.clear()
    assert not logger.isEnabledFor(logging.INFO)
    root.setLevel(logging.DEBUG)
    assert logger.isEnabledFor(logging.DEBUG)
    root.setLevel(logging.WARNING)
    assert not logger.isEnabledFor(logging.INFO)


def test_logging_can_be_disabled_as_usual(logger: logging.Logger) -> None:
    own = Seen()
    logger.addHandler(own)
    logging.disable(logging.INFO)
    try:
        logger.info("line")
    finally:
        logging.disable(logging.NOTSET)
    logger.disabled = True
    logger.warning("retry")
    assert own.messages == []


def test_caplog_sees_the_records(logger: logging.Logger, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        logger.info("by root")
    with caplog.at_level(logging.DEBUG, logger=logger.name):
        logger.debug("by name")
    assert caplog.messages == ["by root", "by name"]
    assert [caplog.records[0].__dict__[name] for name in LOG_FIELDS] == [""] * 8


def test_children_behave_as_under_any_logger(logger: logging.Logger, at_root: Seen) -> None:
    own = Seen()
    logger.addHandler(own)
    child = logging.getLogger(f"{logger.name}.child")
    child.info("line")
    child.warning("retry")
    assert type(child) is logging.Logger
    assert own.messages == at_root.messages == ["retry"]


def test_with_no_handler_anywhere_nothing_is_printed(
    logger: logging.Logger, root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    root.handlers.clear()
    logger.warning("retry")
    assert capsys.readouterr() == ("", "")


def test_registering_twice_and_after_the_application_keeps_what_was_configured(root: logging.Logger) -> None:
    name = f"core-test-{next(_NUMBERS)}"
    own = Seen()
    logging.getLogger(name).addHandler(own)
    logging.getLogger(name).setLevel(logging.ERROR)
    assert register_logger(name) is register_logger(name) is logging.getLogger(name)
    assert logging.getLogger(name).handlers == [own]
    assert logging.getLogger(name).level == logging.ERROR


def test_a_logger_class_of_the_applications_own_is_kept(root: logging.Logger) -> None:
    class Counting(logging.Logger):
        def shout(self) -> str:
            return "hey"

    name = f"core-test-{next(_NUMBERS)}"
    logging.setLoggerClass(Counting)
    try:
        before = logging.getLogger(name)
    finally:
        logging.setLoggerClass(logging.Logger)
    logger = register_logger(name)
    own = Seen()
    logger.addHandler(own)
    logger.info("line")
    assert logger is before
    assert isinstance(logger, Counting)
    assert logger.shout() == "hey"
    assert own.messages == ["line"]


def test_registering_touches_no_other_logger(root: logging.Logger) -> None:
    other = logging.getLogger(f"core-test-{next(_NUMBERS)}")
    before = (type(other), other.level, list(other.handlers), type(root), root.level, list(root.handlers))
    register_logger(f"{other.name}.kclient")
    assert before == (type(other), other.level, list(other.handlers), type(root), root.level, list(root.handlers))


def test_the_line_is_where_the_call_was(logger: logging.Logger) -> None:
    own = Seen()
    logger.addHandler(own)
    logger.info("line")
    assert own.records[0].funcName == "test_the_line_is_where_the_call_was"


def test_the_filter_gives_other_loggers_records_the_fields(root: logging.Logger) -> None:
    own = Seen()
    own.addFilter(ContextFilter())
    other = logging.getLogger(f"core-test-{next(_NUMBERS)}")
    other.addHandler(own)
    other.warning("x", extra={"cid": "c1"})
    assert [own.records[0].__dict__[name] for name in LOG_FIELDS] == ["c1", "", "", "", "", "", "", ""]


def test_the_adapter_adds_its_context_and_the_call_wins(logger: logging.Logger) -> None:
    own = Seen()
    logger.addHandler(own)
    adapter = ContextAdapter(logger, {"cid": "c1", "method": "GET"})
    adapter.info("x", extra={"method": "POST"})
    adapter.info("y")
    assert [(record.__dict__["cid"], record.__dict__["method"]) for record in own.records] == [
        ("c1", "POST"),
        ("c1", "GET"),
    ]


def test_a_record_created_by_make_record_has_the_context_and_the_keywords(logger: logging.Logger) -> None:
    record = logger.makeRecord("name", logging.INFO, "file.py", 1, "text", (), None, extra={"cid": "c1"})
    assert {name: getattr(record, name) for name in LOG_FIELDS if getattr(record, name)} == {"cid": "c1"}
