"""Writes the public interface of the three packages into interface.txt, one line for each name, method and field.

    python codegen/interface.py [--check]

With ``--check`` it writes nothing, and exits with status 1 and the lines that differ if the file is not up to date. The
sources are read by griffe and not imported, so that the text is the same on every Python.
"""

import argparse
import contextlib
import difflib
import sys
from collections.abc import Iterator
from pathlib import Path

import griffe

ROOT = Path(__file__).resolve().parent.parent
TEXT = ROOT / "interface.txt"
PACKAGES = ("keystone_client_core", "keystone_client", "keystone_client_testing")
FIXTURES = "keystone_client_testing.plugin"
HEADING = """\
The public interface: what the three packages promise to their users. Written by `hatch run generate`.
A line that changes here is a change for users: it needs a fragment in changes/.
A line that goes, or takes less than before, needs a deprecation first: docs/deprecations.md.
"""
DIFFERS = """
The public interface is not what interface.txt says. Did you mean to change it?
- If not, undo the lines above.
- If so: `hatch run generate` writes interface.txt anew, and a fragment in changes/ tells users (see changes/README.md).
  What goes or takes less than before is deprecated first: docs/deprecations.md.
"""
INTERNAL = {
    f"keystone_client_testing._world.{name}"
    for name in ("state.World", "transactions.World", "store.Snapshot", "store.Store", "store.Write")
}
"""What `fake.world` leads to: it is there for the curious, and nothing in it is promised."""
MARKS = ("async", "classmethod", "deprecated")
"""What is said of a function before its name."""
UNSPOKEN = {"__slots__", "__repr__", "__reduce__", "__dir__", "__getattr__", "__del__", "__hash__", "__eq__", "__all__"}
"""Special names by which nobody calls anything."""


class Interface:
    """The names that users can reach: those that the packages export, and those that stand in their signatures."""

    def __init__(self) -> None:
        """Read the sources of the three packages."""
        loader = griffe.GriffeLoader(search_paths=[str(path) for path in ROOT.glob("packages/*/src")])
        self._modules = {name: loader.load(name) for name in PACKAGES}
        loader.resolve_aliases(external=False)
        self._collection = loader.modules_collection
        exported = [module[str(name)] for module in self._modules.values() for name in module.exports or ()]
        self._public = {self._final(each).path for each in exported}
        self._described: set[str] = set()
        self._mentioned: set[str] = set()

    def lines(self) -> Iterator[str]:
        """Yield the lines of the description."""
        for name, module in self._modules.items():
            yield from self._module(name, module)
        yield f"\nfixtures of {FIXTURES}"
        yield from self._fixtures()
        yield "\nnamed in signatures"
        while remaining := sorted(self._mentioned - self._described):
            for path in remaining:
                yield from self._object(path, self._collection[path])

    def _module(self, path: str, module: griffe.Object | griffe.Alias) -> Iterator[str]:
        yield f"\nmodule {path}"
        names = sorted(str(name) for name in module.exports or module.members if not str(name).startswith("_"))
        modules = []
        for name in names:
            found = module.all_members[name]
            if isinstance(found, griffe.Alias) and not found.target_path.startswith(PACKAGES):
                continue  # imported for the module's own use
            if found.is_module:
                modules.append((f"{path}.{name}", found))
            else:
                yield from self._object(name, found)
        for where, inner in modules:
            yield from self._module(where, inner)

    def _fixtures(self) -> Iterator[str]:
        for name, found in sorted(self._collection[FIXTURES].functions.items()):
            if any("fixture" in str(decorator.value) for decorator in found.decorators) and not name.startswith("_"):
                yield from self._function(name, found)

    def _object(self, name: str, found: griffe.Object | griffe.Alias) -> Iterator[str]:
        target = self._final(found)
        if target.path in self._described:
            yield f"    {name} is {target.path}"
            return
        self._described.add(target.path)
        if str(getattr(target, "value", "")).startswith("TypeVar("):
            return
        if isinstance(target, griffe.Class):
            yield from self._class(name, target)
        elif isinstance(target, griffe.Function):
            yield from self._function(name, target)
        elif isinstance(target, griffe.Attribute):
            yield from self._attribute(name, target)

    def _class(self, name: str, found: griffe.Class) -> Iterator[str]:
        bases = ", ".join(self._text(base) for base in found.bases if self._is_told(base))
        yield f"    class {name}({bases})" if bases else f"    class {name}"
        members = dict(self._members(found))
        for key, member in members.items():
            if isinstance(member, griffe.Attribute):
                yield from (f"    {line}" for line in self._attribute(key, member))
        for key, member in sorted(members.items()):
            if isinstance(member, griffe.Function):
                yield from (f"    {line}" for line in self._function(key, member))

    def _members(self, found: griffe.Class) -> Iterator[tuple[str, griffe.Object]]:
        """What a class has, and what it inherits from bases that are not described themselves."""
        for key, member in found.all_members.items():
            target = self._final(member)
            home = target.parent or found
            is_told_elsewhere = home is not found and home.path in self._public
            is_special = key.startswith("__") and key not in UNSPOKEN
            if (is_special or not key.startswith("_")) and not is_told_elsewhere:
                yield key, target

    @staticmethod
    def _final(found: griffe.Object | griffe.Alias) -> griffe.Object:
        return found.final_target if isinstance(found, griffe.Alias) else found

    def _function(self, name: str, found: griffe.Function) -> Iterator[str]:
        for variant in found.overloads or [found]:
            for parameter in variant.parameters:
                self._text(parameter.annotation)
            self._text(variant.returns)
            marks = "".join(f"{mark} " for mark in MARKS if self._is(mark, found) or self._is(mark, variant))
            yield f"    {marks}def {variant.signature(return_type=True, name=name)}"

    def _attribute(self, name: str, found: griffe.Attribute) -> Iterator[str]:
        kind = self._text(found.annotation or self._of_parameter(found))
        is_alias_of_types = isinstance(found.parent, griffe.Module) and not name.rpartition(".")[2].isupper()
        value = self._text(found.value) if is_alias_of_types else str(found.value)
        if "property" in found.labels:
            yield f"    property {name}: {kind}"
        elif kind and "Final" not in kind and "TypeAlias" not in kind:
            yield f"    {name}: {kind}"
        else:
            yield f"    {name} = {value if len(value) < 300 else '...'}"

    @staticmethod
    def _of_parameter(found: griffe.Attribute) -> str | griffe.Expr | None:
        """The type of the parameter of the constructor that an attribute keeps."""
        constructor = found.parent.members.get("__init__") if isinstance(found.parent, griffe.Class) else None
        if not isinstance(constructor, griffe.Function) or str(found.value) not in constructor.parameters:
            return None
        return constructor.parameters[str(found.value)].annotation

    @staticmethod
    def _is(mark: str, found: griffe.Function) -> bool:
        return mark in found.labels or any(mark in str(decorator.value) for decorator in found.decorators)

    def _text(self, expression: str | griffe.Expr | None) -> str:
        """The text of an expression, whose names of our packages are remembered, so that they are described too."""
        if isinstance(expression, griffe.Expr):
            for part in expression.iterate(flat=True):
                if isinstance(part, griffe.ExprName | griffe.ExprAttribute):
                    self._mention(part.canonical_path)
        return "" if expression is None else str(expression)

    def _mention(self, path: str) -> None:
        with contextlib.suppress(KeyError):  # a name that is no member of a module: a parameter, a name of typing
            target = self._final(self._collection[path])
            if target.path.startswith(PACKAGES) and not target.is_module and target.path not in INTERNAL:
                self._mentioned.add(target.path)

    def _is_told(self, base: str | griffe.Expr) -> bool:
        """Whether a base is public, or not ours: what other bases bring is told as members of the class."""
        path = base.canonical_path if isinstance(base, griffe.Expr) else base
        return not path.startswith(PACKAGES) or self._final(self._collection[path]).path in self._public


def render() -> str:
    """Return the description as it should be."""
    return HEADING + "".join(f"{line}\n" for line in Interface().lines())


def main() -> int:
    """Run the command line. Return the exit status: 1 if ``--check`` found a difference, else 0."""
    parser = argparse.ArgumentParser(description="Describe the public interface in interface.txt.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if the interface differs")
    check = parser.parse_args().check
    described = TEXT.read_text(encoding="utf-8") if TEXT.exists() else ""
    found = render()
    if found == described:
        return 0
    if not check:
        TEXT.write_text(found, encoding="utf-8")
        print(f"written: {TEXT.name}")
        return 0
    difference = difflib.unified_diff(described.splitlines(), found.splitlines(), "interface.txt", "sources", "", "", 0)
    print("\n".join(line.rstrip() for line in difference), DIFFERS, sep="\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
