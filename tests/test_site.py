"""The sources of the site are complete: every page is in the navigation, every public name in the reference.

That the built site is complete, and each link on it alive, is checked by ``hatch run docs``, since building takes long.
"""

import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
DIRECTIVE = re.compile(r"^ *::: (?P<path>\S+)(?P<options>(?:\n {4,}\S.*)*)", re.MULTILINE)


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "site_tools")
    monkeypatch.syspath_prepend(ROOT / "codegen")


@pytest.fixture
def navigation(tools: None) -> ModuleType:
    return importlib.import_module("navigation")


@pytest.fixture
def check(tools: None) -> ModuleType:
    return importlib.import_module("check")


def shown(name: str, directives: list[tuple[str, str]]) -> bool:
    """Return whether a name is shown: by a directive of its own, or as a member of what one shows."""
    owner, _, member = name.rpartition(".")
    for path, options in directives:
        if path == name:
            return True
        if path == owner and "inherited_members: true" in options:
            members = re.search(r"members: \[(.*)\]", options)
            if members is None or member in members[1].split(", "):
                return True
    return False


def test_every_page_is_once_in_the_navigation(navigation: ModuleType) -> None:
    listed = [page.name for page in navigation.pages()]
    assert len(listed) == len(set(listed))
    assert sorted(listed) == sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))


def test_every_public_name_and_method_is_in_the_reference(check: ModuleType) -> None:
    texts = [path.read_text(encoding="utf-8") for path in (DOCS / "reference").glob("*.md")]
    directives = [(found["path"], found["options"]) for text in texts for found in DIRECTIVE.finditer(text)]
    names = [*check.public_names()]
    assert len(names) > 400
    same = {name: name.replace("keystone_client_core.", "keystone_client.") for name in names}  # exported by both
    assert [name for name in names if not shown(name, directives) and not shown(same[name], directives)] == []


def test_every_field_has_one_line_of_meaning(tools: None) -> None:
    facts = importlib.import_module("facts").load(ROOT / "codegen" / "facts.toml")
    fields = {name: resource.fields for name, resource in facts.resources.items()} | dict(facts.shapes)
    assert [
        f"{name}.{field}" for name, own in fields.items() for field in own if field not in facts.meanings[name]
    ] == []
    lines = [line for meanings in facts.meanings.values() for line in meanings.values()]
    assert [line for line in lines if not re.fullmatch(r"[A-Z][^\n\"]*\.", line)] == []


def test_a_meaning_of_a_field_that_does_not_exist_is_refused(tools: None, tmp_path: Path) -> None:
    text = (ROOT / "codegen" / "facts.toml").read_text(encoding="utf-8")
    wrong = tmp_path / "facts.toml"
    wrong.write_text(text.replace("[meanings.team]\n", '[meanings.team]\ncolour = "The colour."\n'), encoding="utf-8")
    with pytest.raises(ValueError, match=r"facts\.toml explains team\.colour, which it does not have"):
        importlib.import_module("facts").load(wrong)


def test_every_attribute_of_an_error_is_in_its_line_of_the_reference(check: ModuleType) -> None:
    lines = (DOCS / "reference" / "errors.md").read_text(encoding="utf-8").splitlines()
    table = {found[1]: line for line in lines if (found := re.match(r"\| \[`(\w+)`\]", line))}
    pairs = [*check.error_attributes()]
    assert len(pairs) > 50
    assert [f"{error}.{name}" for error, name in pairs if f"`{name}`" not in table[error].rpartition(" | ")[2]] == []


def test_the_list_of_pages_for_language_models_has_each_page_with_a_sentence(
    tools: None, navigation: ModuleType
) -> None:
    llms = importlib.import_module("llms")
    pages = navigation.pages()
    listed = re.findall(r"^- \[(.+?)\]\((.+?)\): (.+)$", llms.contents(pages), re.MULTILINE)
    assert [url for _, url, _ in listed] == [page.url or "./" for page in pages]
    assert [text for _, _, text in listed if "import " in text and "=" in text] == []
    assert ":::" not in llms.full_text(pages)


GOOD = {
    "index.html": """
        <style>body { background: url("paper.png") }</style>
        <h1 id="top">Home</h1> <a href="#top">up</a> <a href="guide/#first">on</a> <a href="mailto:a@b.c">write</a>
        <img src="paper.png" srcset="paper.png 1x, guide/big.png 2x"> <p style="background: url(data:image/png,x)">
        """,
    "guide/index.html": """
        <h2 id="first">First</h2> <link rel="stylesheet" href="../style.css"> <a href="https://x.org">x</a>
        """,
    "style.css": "@import 'more.css'; p { background: url(paper.png) }",
    "more.css": "",
    "paper.png": "",
    "guide/big.png": "",
}
"""A site on which nothing is wrong."""

WRONG = {
    '<a href="nowhere/">': "links to nowhere/",
    '<a href="guide/#second">': "links to guide/#second",
    '<a href="#bottom">': "links to #bottom",
    '<img src="lost.png">': "loads lost.png",
    '<script src="https://cdn.x.org/a.js">': "loads https://cdn.x.org/a.js",
    '<script src="//cdn.x.org/a.js">': "loads //cdn.x.org/a.js",
    '<img srcset="paper.png 1x, lost.png 2x">': "loads lost.png",
    '<video poster="lost.png">': "loads lost.png",
    '<p style="background: url(lost.png)">': "loads lost.png",
    "<style>@import 'https://fonts.x.org/a.css';</style>": "loads https://fonts.x.org/a.css",
    "<style>p { src: url(//fonts.x.org/a.woff) }</style>": "loads //fonts.x.org/a.woff",
}


def build(site: Path) -> None:
    for name, text in GOOD.items():
        path = site / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_nothing_is_wrong_with_a_good_site(check: ModuleType, tmp_path: Path) -> None:
    build(tmp_path)
    assert [*check.dead_links(tmp_path)] == []


@pytest.mark.parametrize(("element", "fault"), WRONG.items())
def test_what_leads_nowhere_or_is_loaded_from_elsewhere_is_found(
    check: ModuleType, tmp_path: Path, element: str, fault: str
) -> None:
    build(tmp_path)
    with (tmp_path / "index.html").open("a", encoding="utf-8") as page:
        page.write(element)
    assert [*check.dead_links(tmp_path)] == [f"index.html {fault}"]


def test_a_style_sheet_is_read_too(check: ModuleType, tmp_path: Path) -> None:
    build(tmp_path)
    (tmp_path / "style.css").write_text("p { background: url('lost.png') }", encoding="utf-8")
    assert [*check.dead_links(tmp_path)] == ["style.css loads lost.png"]
