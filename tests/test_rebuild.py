"""``hatch run rebuild`` adds what is new on a server to the facts, and reports what the document does not say."""

import copy
import importlib
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from keystone_client_testing import FakeKeystone

ROOT = Path(__file__).resolve().parent.parent
FACTS = """
[choices.AccessMode]
schema = "ClusterAccessModeChoices"
labels = {WL = "Whitelist", OP = "Open"}

[targets]
team = "team"

[cluster]
path = "allocations/clusters"
schema = "Cluster"
search = ["name"] # not in the document
operations = "list retrieve create update"

[cluster.corrections]
name = { add = "unique", reason = "uniqueness is not in the document" }

[cluster.fields]
id = "int read-only"
name = "text required length=50"
access_mode = "choice=AccessMode"

[shapes]

[meanings.cluster]
id = "The key."
name = "The name." # kept
access_mode = "Who may use it."
"""
OPERATIONS = """GET /allocations/clusters/
POST /allocations/clusters/
GET /allocations/clusters/{id}/
PATCH /allocations/clusters/{id}/
"""
KEY_FILTERS = ("", "__in", "__isnull", "__not_eq", "__not_in")
Document = dict[str, Any]


def reference(schema: str) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


def parameter(name: str, kind: str = "string") -> dict[str, Any]:
    return {"in": "query", "name": name, "schema": {"type": kind}}


def resource(schema: str, properties: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the paths and the schemas of a resource, as a server's document has them."""
    listing = {"responses": {"200": reference(f"Paginated{schema}List")}}
    filters = [
        parameter("id", "integer"),
        parameter("name"),
        *(parameter(n) for n in ("access_mode", "access_mode__in")),
    ]
    written = {name: facts for name, facts in properties.items() if not facts.get("readOnly")}
    methods = {
        "get": {**listing, "parameters": filters},
        "post": {"requestBody": reference(f"{schema}Request")},
    }
    items = {"type": "array", "items": {"$ref": f"#/components/schemas/{schema}"}}
    schemas = {
        schema: {"properties": properties},
        f"{schema}Request": {"properties": written, "required": ["name"]},
        f"Paginated{schema}List": {"properties": {"results": items}},
    }
    return {"": methods, "{id}/": {"get": {"responses": {"200": reference(schema)}}}}, schemas


@pytest.fixture
def document() -> Document:
    """Return the document of a server that agrees with the facts."""
    properties = {
        "id": {"type": "integer", "readOnly": True},
        "name": {"type": "string", "maxLength": 50, "minLength": 1},
        "access_mode": {"type": "string", "enum": ["WL", "OP"]},
    }
    paths, schemas = resource("Cluster", properties)
    paths["{id}/"]["patch"] = {"requestBody": reference("ClusterRequest")}
    labels = {code: {"type": "string", "default": label} for code, label in (("WL", "Whitelist"), ("OP", "Open"))}
    return {
        "info": {"title": "Keystone API"},
        "paths": {f"/allocations/clusters/{end}": methods for end, methods in paths.items()},
        "components": {"schemas": {**schemas, "ClusterAccessModeChoices": {"properties": labels}}},
    }


Rebuild = Callable[..., tuple[int, str]]


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "codegen")
    found = importlib.import_module("rebuild")
    (tmp_path / "facts.toml").write_text(FACTS, encoding="utf-8")
    (tmp_path / "operations.txt").write_text(OPERATIONS, encoding="utf-8")
    monkeypatch.setattr(found, "FACTS", tmp_path / "facts.toml")
    monkeypatch.setattr(found, "OPERATIONS", tmp_path / "operations.txt")
    return found


@pytest.fixture
def rebuild(
    module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Rebuild:
    """Run the command on a document and return its status and what it printed."""

    def run(document: Document, *options: str) -> tuple[int, str]:
        (tmp_path / "schema.json").write_text(json.dumps(document), encoding="utf-8")
        monkeypatch.setattr("sys.argv", ["rebuild.py", str(tmp_path / "schema.json"), *options])
        try:
            status = module.main()
        except SystemExit as ended:
            status = int(ended.code or 0)
        printed = capsys.readouterr()
        return status, printed.out + printed.err

    return run


def facts(module: ModuleType) -> Any:
    import tomllib

    return tomllib.loads(module.FACTS.read_text(encoding="utf-8"))


def properties(document: Document, schema: str) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"][schema]["properties"]
    return found


def test_facts_that_agree_with_the_document_are_unchanged(
    rebuild: Rebuild, module: ModuleType, document: Document
) -> None:
    lines = facts(module)["cluster"]["fields"]
    assert rebuild(document) == (0, "The facts agree with the document.\n"), lines
    assert module.FACTS.read_text(encoding="utf-8") == FACTS


def test_a_new_field_is_added_where_the_document_has_it(
    rebuild: Rebuild, module: ModuleType, document: Document
) -> None:
    for schema in ("Cluster", "ClusterRequest"):
        properties(document, schema)["nodes"] = {"type": "integer", "minimum": 0}
    document["paths"]["/allocations/clusters/"]["get"]["parameters"].append(parameter("nodes", "integer"))
    assert rebuild(document, "--check")[0] == 1
    assert module.FACTS.read_text(encoding="utf-8") == FACTS
    assert rebuild(document) == (
        0,
        (
            "cluster.nodes: (absent) -> int min=0\nWritten: 1 to facts.toml. Run `hatch run generate` next.\n"
            "Left to do by hand:\n  cluster.nodes: say what it means in [meanings]\n"
        ),
    )
    assert facts(module)["cluster"]["fields"]["nodes"] == "int min=0"
    assert "# not in the document" in module.FACTS.read_text(encoding="utf-8")
    assert rebuild(document, "--check")[0] == 0


def test_meanings_are_kept_and_a_field_without_one_is_named_each_time(
    rebuild: Rebuild, module: ModuleType, document: Document
) -> None:
    for schema in ("Cluster", "ClusterRequest"):
        properties(document, schema)["nodes"] = {"type": "integer"}
    rebuild(document)
    assert 'name = "The name." # kept' in module.FACTS.read_text(encoding="utf-8")
    status, said = rebuild(document, "--check")
    assert (status, "cluster.nodes: say what it means in [meanings]" in said) == (0, True)


def test_the_meaning_of_a_field_that_is_gone_is_named(rebuild: Rebuild, module: ModuleType, document: Document) -> None:
    for schema in ("Cluster", "ClusterRequest"):
        del properties(document, schema)["access_mode"]
    document["paths"]["/allocations/clusters/"]["get"]["parameters"] = [parameter("id", "integer"), parameter("name")]
    assert "cluster.access_mode: it is gone, so remove its meaning" in rebuild(document)[1]
    assert facts(module)["meanings"]["cluster"]["access_mode"] == "Who may use it."


def test_a_new_code_is_added_to_its_choice(rebuild: Rebuild, module: ModuleType, document: Document) -> None:
    properties(document, "ClusterAccessModeChoices")["BL"] = {"type": "string", "default": "Blacklist"}
    for schema in ("Cluster", "ClusterRequest"):
        properties(document, schema)["access_mode"]["enum"] = ["WL", "OP", "BL"]
    assert rebuild(document)[1].startswith("AccessMode.BL: (absent) -> Blacklist\nWritten: 1 to facts.toml.")
    assert facts(module)["choices"]["AccessMode"]["labels"]["BL"] == "Blacklist"
    assert rebuild(document, "--check")[0] == 0


def test_a_new_choice_is_added_with_its_labels(rebuild: Rebuild, module: ModuleType, document: Document) -> None:
    for schema in ("Cluster", "ClusterRequest"):
        properties(document, schema)["tier"] = {"type": "string", "enum": ["A", "B"]}
    labels = {code: {"type": "string", "default": f"Tier {code}"} for code in "AB"}
    document["components"]["schemas"]["ClusterTierChoices"] = {"properties": labels}
    document["paths"]["/allocations/cluster-choices/tier/"] = {
        "get": {"responses": {"200": reference("ClusterTierChoices")}}
    }
    status, said = rebuild(document)
    assert status == 0
    assert "Written: 3 to facts.toml and 1 to operations.txt." in said
    assert "choice ClusterTier: if the server has an endpoint that lists its codes, give it as path" in said
    written = facts(module)
    assert written["choices"]["ClusterTier"] == {
        "schema": "ClusterTierChoices",
        "labels": {"A": "Tier A", "B": "Tier B"},
    }
    assert written["cluster"]["fields"]["tier"] == "choice=ClusterTier unfiltered"
    assert rebuild(document, "--check")[0] == 0


def test_a_choice_without_known_labels_is_named(rebuild: Rebuild, document: Document) -> None:
    properties(document, "Cluster")["tier"] = {"type": "string", "enum": ["A", "B"]}
    status, said = rebuild(document)
    assert status == 2
    assert "the field 'tier' takes A, B, and no choice has just these codes: add [choices.NAME]" in said


def test_a_new_resource_is_added_and_what_the_document_does_not_say_is_named(
    rebuild: Rebuild, module: ModuleType, document: Document
) -> None:
    paths, schemas = resource(
        "Project",
        {"id": {"type": "integer", "readOnly": True}, "name": {"type": "string"}, "leader": {"type": "integer"}},
    )
    paths[""]["get"]["parameters"] += [parameter(f"leader{lookup}", "integer") for lookup in KEY_FILTERS]
    document["paths"] |= {f"/allocations/projects/{end}": methods for end, methods in paths.items()}
    document["components"]["schemas"] |= schemas
    status, said = rebuild(document)
    assert status == 0
    assert "project: (absent) -> the records at allocations/projects" in said
    assert "project: set search" in said
    assert "project.leader: say in [targets] which resource it points at" in said
    assert facts(module)["project"]["fields"] == {
        "id": "int read-only",
        "name": "text required create-only blank",
        "leader": "key create-only",
        "access_mode": "text filter-only",
    }
    assert rebuild(document, "--check")[0] == 0


def test_a_resource_that_is_gone_is_named_and_its_table_kept(
    rebuild: Rebuild, module: ModuleType, document: Document
) -> None:
    without = copy.deepcopy(document)
    without["paths"] = {}
    status, said = rebuild(without)
    assert status == 0
    assert "cluster: the document has no allocations/clusters any more: remove its table" in said
    assert "Written: 4 to operations.txt" in said
    assert "cluster" in facts(module)


def test_the_document_of_a_fake_is_refused(rebuild: Rebuild, module: ModuleType) -> None:
    with FakeKeystone().client() as client:
        status, said = rebuild(client.http_get("openapi/json/").json())
    assert status == 2
    assert (
        "this is the document of a fake Keystone, which is made from facts.toml: give the URL of a real server" in said
    )
    assert module.FACTS.read_text(encoding="utf-8") == FACTS


@pytest.mark.parametrize(
    "document", [[], {}, {"info": []}, {"info": {}, "paths": [], "components": {"schemas": {}}}, "x"]
)
def test_anything_but_a_document_is_refused_with_a_message(rebuild: Rebuild, document: Any) -> None:
    status, said = rebuild(document)
    assert status == 2
    assert "is no OpenAPI document of a Keystone" in said
