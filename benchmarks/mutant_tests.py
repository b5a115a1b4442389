"""A pytest plugin for ``mutants.py``: records what each test executes, and runs the tests chosen for a mutant.

It is copied beside the tests and configured by environment variables: ``MUTANTS_MEASURE`` names a folder whose lines
are watched and a file for the result, ``MUTANTS_CHOSEN`` a file with the tests to run, in their order.
"""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from coverage import Coverage


class Recorder:
    """Records which lines each test executes, in all threads, and how long it takes."""

    def __init__(self, source: Path, result: Path) -> None:
        """Start recording the modules below a folder."""
        self._source = source
        self._result = result
        self._seconds: dict[str, float] = {}
        self._coverage = Coverage(data_file=None, config_file=False, source=[str(source)])
        self._coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Record the lines executed in a test and its fixtures under its name."""
        self._coverage.switch_context(item.nodeid)
        begin = time.monotonic()
        result = yield
        self._seconds[item.nodeid] = time.monotonic() - begin
        self._coverage.switch_context("")
        return result

    def pytest_sessionfinish(self) -> None:
        """Write the seconds of each test, and the tests of each line of each module."""
        self._coverage.stop()
        data = self._coverage.get_data()
        numbers = {test: number for number, test in enumerate(self._seconds)}
        lines = {
            str(Path(file).relative_to(self._source)): {
                line: sorted(numbers[test] for test in tests if test)
                for line, tests in data.contexts_by_lineno(file).items()
            }
            for file in data.measured_files()
        }
        self._result.write_text(json.dumps({"seconds": self._seconds, "lines": lines}), encoding="utf-8")


class Chosen:
    """Runs the tests of a list only, in the order of the list."""

    def __init__(self, tests: list[str]) -> None:
        """Store the list."""
        self._place = {test: place for place, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Deselect all other tests."""
        chosen = [item for item in items if item.nodeid in self._place]
        items[:] = sorted(chosen, key=lambda item: self._place[item.nodeid])


def pytest_configure(config: pytest.Config) -> None:
    """Register the plugin that the environment asks for."""
    if measure := os.environ.get("MUTANTS_MEASURE"):
        source, result = map(Path, measure.split(os.pathsep))
        config.pluginmanager.register(Recorder(source, result))
    if chosen := os.environ.get("MUTANTS_CHOSEN"):
        tests = json.loads(Path(chosen).read_text(encoding="utf-8"))
        config.pluginmanager.register(Chosen(tests))
