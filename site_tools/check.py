"""Checks the built site: all public names, fields and error attributes are on it, and every link leads somewhere.

    python site_tools/check.py [SITE]

It prints what it counted, and exits with status 1 and one line for each thing that is missing. A strict build checks
most links already; this checks them in the pages as they are served, those of signatures and raw HTML included, and
that nothing is loaded from elsewhere.
"""

import ast
import re
import sys
import zlib
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote, urlsplit

from keystone_client_core import RESOURCES
from navigation import ROOT

PACKAGES = ("keystone_client", "keystone_client_core", "keystone_client_testing")
WITH_METHODS = ("KeystoneClient", "AsyncKeystoneClient", "Job")
LOADING = {
    **dict.fromkeys(("audio", "embed", "iframe", "img", "script", "source", "track", "video"), "src"),
    "link": "href",
    "object": "data",
    "use": "href",
}
"""The elements that have a browser load something, and where they say what."""
STYLED = re.compile(r"""url\(\s*["']?(?P<url>[^"')]+)["']?\s*\)|@import\s+["'](?P<imported>[^"']+)""")
"""What a style loads."""


def public_names() -> Iterator[str]:
    """Yield each public name of the packages, and each public method of the clients and of jobs."""
    for package in PACKAGES:
        module = import_module(package)
        yield from (f"{package}.{name}" for name in module.__all__ if not _is_module(module, name))
    client = import_module("keystone_client")
    former = import_module("keystone_client._hints.former_names").ON_CLASSES
    for kind in WITH_METHODS:
        names = [name for name in dir(getattr(client, kind)) if not name.startswith("_") and name not in former]
        yield from (f"keystone_client.{kind}.{name}" for name in names)


def _is_module(module: object, name: str) -> bool:
    return isinstance(getattr(module, name), type(sys))


def error_attributes() -> Iterator[tuple[str, str]]:
    """Yield each public error with each attribute that its constructor sets or its body names, inherited ones too."""
    client = import_module("keystone_client")
    public = [getattr(client, name) for name in client.__all__]
    assigned = _assigned_in_classes()
    for kind in public:
        if isinstance(kind, type) and issubclass(kind, Exception):
            names = {name for base in kind.__mro__ for name in assigned.get(base.__name__, ())}
            yield from ((kind.__name__, name) for name in sorted(names) if not name.startswith("_"))


def _assigned_in_classes() -> dict[str, set[str]]:
    """Return the attributes of each class in the modules of errors, by the name of the class."""
    found: dict[str, set[str]] = {}
    for path in ROOT.glob("packages/*/src/*/**/*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.name.endswith(("Error", "Warning")):
                found[node.name] = {*_assigned(node)}
    return found


def _assigned(kind: ast.ClassDef) -> Iterator[str]:
    for node in ast.walk(kind):
        match node:
            case ast.AnnAssign(target=ast.Name(id=name)) if node in kind.body:
                yield name
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                yield name
            case ast.FunctionDef(name=name, decorator_list=[ast.Name(id="property")]):
                yield name


class Links(HTMLParser):
    """The anchors of a page, where its links lead, and what it loads."""

    def __init__(self, text: str) -> None:
        """Read the text of a page."""
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self._in_style = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take in one element."""
        given = {name: value for name, value in attrs if value}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in LOADING and LOADING[tag] in given:
            self.loads.append(given[LOADING[tag]])
        if "srcset" in given:
            self.loads += [each.split()[0] for each in given["srcset"].split(", ")]
        self.loads += [given["poster"]] if "poster" in given else []
        self.loads += loaded_by_style(given.get("style", ""))
        self._in_style = tag == "style"

    def handle_data(self, data: str) -> None:
        """Take in text: only that of a style has a browser load something."""
        if self._in_style:
            self.loads += loaded_by_style(data)

    def handle_endtag(self, tag: str) -> None:
        """Note the end of a style."""
        self._in_style = False


def loaded_by_style(style: str) -> list[str]:
    """Return the addresses that a style sheet, or a style in a page, has a browser load."""
    return [found["url"] or found["imported"] for found in STYLED.finditer(style)]


def missing_names(site: Path) -> Iterator[str]:
    """Yield each public name that is not in the inventory of the site."""
    inventory = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    known = {line.split(" ", 1)[0] for line in zlib.decompress(inventory).decode().splitlines()}
    yield from (f"{name} is on no page" for name in public_names() if name not in known)


def missing_fields(site: Path) -> Iterator[str]:
    """Yield each field that is not on the page of its resource: in its table, or among the filters."""
    for name, resource in RESOURCES.items():
        page = (site / "reference" / name.replace("_", "-") / "index.html").read_text(encoding="utf-8")
        for field in resource.fields.values():
            if (f"<code>{field.name}</code>" if field.hidden else f'<h3 id="{field.name}">') not in page:
                yield f"{name}.{field.name} is not on its page"


def missing_attributes(site: Path) -> Iterator[str]:
    """Yield each attribute of an error that is not in the line of that error."""
    page = (site / "reference" / "errors" / "index.html").read_text(encoding="utf-8")
    for error, name in error_attributes():
        line = page.partition(f'#keystone_client.{error}"><code>')[2].partition("</tr>")[0]
        if f"<code>{name}</code>" not in line:
            yield f"{error}.{name} is not on the page of errors"


def dead_links(site: Path) -> Iterator[str]:
    """Yield each link and each file to load that does not exist within the site, and all that is loaded from elsewhere.

    Anchors are followed too.
    """
    pages = {path: Links(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    loads = {path: page.loads for path, page in pages.items()}
    loads |= {path: loaded_by_style(path.read_text(encoding="utf-8")) for path in site.rglob("*.css")}
    for path, addresses in loads.items():
        for each in addresses:
            if urlsplit(each).netloc or not _leads_somewhere(site, path, each, pages):
                yield f"{path.relative_to(site)} loads {each}"
    for path, page in pages.items():
        for each in page.links:
            if not urlsplit(each).netloc and not _leads_somewhere(site, path, each, pages):
                yield f"{path.relative_to(site)} links to {each}"


def _leads_somewhere(site: Path, path: Path, address: str, pages: dict[Path, Links]) -> bool:
    """Return whether an address on a page or in a style exists; one with a scheme, as ``data:``, is not looked up."""
    split = urlsplit(address)
    found, target = path, unquote(split.path)
    if split.scheme:
        return True
    if target:
        found = site / target.lstrip("/") if target.startswith("/") else path.parent / target
        found = found / "index.html" if target.endswith("/") or found.is_dir() else found
        found = Path(*found.resolve().parts)
    if found not in pages:
        return found.is_file()
    return not split.fragment or unquote(split.fragment) in pages[found].anchors


def main(arguments: list[str]) -> int:
    """Check a site. Return the exit status: 1 if anything is missing, else 0."""
    site = (Path(arguments[0]) if arguments else ROOT / "site").resolve()
    wrong = [*missing_names(site), *missing_fields(site), *missing_attributes(site), *dead_links(site)]
    print("\n".join(wrong))
    counts = {
        "pages": len([*site.rglob("*.html")]),
        "names": len([*public_names()]),
        "fields": sum(len(resource.fields) for resource in RESOURCES.values()),
        "attributes of errors": len([*error_attributes()]),
        "missing": len(wrong),
    }
    print(", ".join(f"{count} {name}" for name, count in counts.items()))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
