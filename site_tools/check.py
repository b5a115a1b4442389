"""Checks the built site: all public names, fields and error attributes are on it, and every link leads somewhere.

    python site_tools/check.py [SITE]

It prints what it counted, and exits with status 1 and one line for each thing that is missing. A strict build checks
most links already; this checks them in the pages as they are served, those of signatures and raw HTML included, and
that nothing is loaded from elsewhere.
"""

import ast
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
LOADING = {"img": "src", "script": "src", "source": "src", "iframe": "src", "link": "href"}
"""The elements that have a browser load something, and where they say what."""


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
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take in one element."""
        given = {name: value for name, value in attrs if value}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in LOADING and LOADING[tag] in given:
            self.loads.append(given[LOADING[tag]])


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
    """Yield each link within the site whose page or anchor does not exist, and all that is loaded from elsewhere."""
    pages = {path: Links(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    for path, page in pages.items():
        where = path.relative_to(site)
        yield from (f"{where} loads {each}" for each in page.loads if urlsplit(each).netloc)
        for link in page.links:
            found = urlsplit(link)
            if (
                not found.scheme
                and not found.netloc
                and not _leads_somewhere(site, path, unquote(found.path), found.fragment, pages)
            ):
                yield f"{where} links to {link}"


def _leads_somewhere(site: Path, path: Path, target: str, fragment: str, pages: dict[Path, Links]) -> bool:
    found = path
    if target:
        found = site / target.lstrip("/") if target.startswith("/") else path.parent / target
        found = found / "index.html" if target.endswith("/") or found.is_dir() else found
        found = Path(*found.resolve().parts)
    if found not in pages:
        return found.is_file()
    return not fragment or unquote(fragment) in pages[found].anchors


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
