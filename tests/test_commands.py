"""The commands that people and workflows are told to run exist, and workflows may do no more than they must."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS: dict[str, Any] = tomllib.loads((ROOT / "hatch.toml").read_text(encoding="utf-8"))["envs"]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
PINNED = re.compile(r"uses: [\w.-]+/[\w.-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+$")
TELLING = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/*.md"),
    *ROOT.glob("packages/*/README.md"),
    *ROOT.glob(".github/**/*.*"),
    *ROOT.glob("codegen/*.py"),
    *ROOT.glob("release/*.py"),
    ROOT / ".pre-commit-config.yaml",
    ROOT / ".ci/run",
    ROOT / "hatch.toml",
]


def scripts(environment: str) -> dict[str, Any]:
    """The scripts of an environment: its own and those of the environment it inherits from."""
    settings = ENVIRONMENTS[environment]
    alone = environment == "default" or settings.get("detached", False)
    inherited = {} if alone else scripts(settings.get("template", "default"))
    return {**inherited, **settings.get("scripts", {})}


def told(path: Path) -> set[str]:
    return set(re.findall(r"hatch run ([a-z-]+(?::[a-z-]+)?)", path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", TELLING, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_command_that_is_told_exists(path: Path) -> None:
    for command in told(path):
        environment, _, script = command.rpartition(":")
        assert script in scripts(environment or "default"), f"{path.name}: `hatch run {command}`"


def test_commands_are_found_in_what_is_told() -> None:
    assert {"demo", "test"} <= told(ROOT / "README.md")


def test_the_table_of_all_commands_has_each_script() -> None:
    alone = {name: settings for name, settings in ENVIRONMENTS.items() if settings.get("detached")}
    own = {f"{name}:{script}" for name, settings in alone.items() for script in settings["scripts"]}
    assert scripts("default").keys() - {"in-dev"} | own <= told(ROOT / "CONTRIBUTING.md")


def test_what_the_default_environment_hands_on_is_a_script_of_dev() -> None:
    lines = {name: line for name, line in scripts("default").items() if "in-dev" in line}
    handed = {name: re.findall(r"^in-dev (\S+) \{args\}$", line) for name, line in lines.items()}
    assert handed
    assert handed == {name: [name] for name in handed}
    assert handed.keys() <= ENVIRONMENTS["dev"]["scripts"].keys()


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_an_action_is_pinned_to_a_commit_and_says_which_version_that_is(workflow: Path) -> None:
    uses = [line.strip(" -") for line in workflow.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    assert uses
    assert [line for line in uses if not PINNED.search(line)] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_job_may_only_read_and_only_those_that_publish_have_an_identity(workflow: Path) -> None:
    parsed = yaml.safe_load(workflow.read_text(encoding="utf-8"))
    assert parsed["permissions"] == {}
    for name, job in parsed["jobs"].items():
        publishes = name.startswith("publish-")
        assert job["permissions"] == ({"id-token": "write"} if publishes else {"contents": "read"})
        assert ("environment" in job) == publishes


def test_a_package_is_published_after_what_it_requires() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8"))["jobs"]
    needs = {name: job.get("needs") for name, job in jobs.items()}
    assert needs == {
        "build": None,
        "publish-core": "build",
        "publish-client": "publish-core",
        "publish-testing": "publish-client",
    }
    # A project that is new on PyPI is created by the only workflow and environment that it names.
    environments = [job["environment"] for name, job in jobs.items() if name != "build"]
    assert len(set(environments)) == len(environments)


def test_the_workflows_test_the_pythons_that_the_packages_name() -> None:
    project = (ROOT / "packages/keystone-client/pyproject.toml").read_text(encoding="utf-8")
    named = re.findall(r"Python :: (3\.\d+)\"", project)
    tested = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]["test"]
    assert tested["strategy"]["matrix"]["python"] == named
    assert ENVIRONMENTS["compat"]["matrix"][0]["python"] == named
