"""Writes the generated modules of core and client from ``facts.toml``, and the page of what the fake has built.

    python codegen/generate.py [--check]

With ``--check`` nothing is written, and a stale file is an exit status of 1.
"""

import argparse
import sys
from pathlib import Path

import facts
import methods
import operations
import records
import table

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "packages/keystone-client-core/src/keystone_client_core"
DOCS = ROOT / "docs"
CLIENT = ROOT / "packages/keystone-client/src/keystone_client"


def render() -> dict[Path, str]:
    """The text of every generated file, by its path."""
    known = facts.load(Path(__file__).with_name("facts.toml"))
    return {
        CORE / "_table.py": table.render(known),
        CORE / "choices.py": records.render_choices(known),
        CORE / "records.py": records.render_records(known),
        CLIENT / "_sync_methods.py": methods.render(known, methods.SYNC),
        CLIENT / "_async_methods.py": methods.render(known, methods.ASYNC),
        CLIENT / "_job_methods.py": methods.render_job(known),
        DOCS / "fake-operations.md": operations.render(
            Path(__file__).with_name("operations.txt"), DOCS / "fake-differences.md"
        ),
    }


def stale() -> list[Path]:
    """The generated files that are missing or differ from what the facts say."""
    return [path for path, text in render().items() if not path.exists() or path.read_text(encoding="utf-8") != text]


def main() -> int:
    """Run the command line; 1 if ``--check`` found stale modules."""
    parser = argparse.ArgumentParser(description="Write the modules generated from codegen/facts.toml.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a module is stale")
    check = parser.parse_args().check
    found = stale()
    rendered = render()
    for path in found:
        if not check:
            path.write_text(rendered[path], encoding="utf-8")
        print(f"{'stale' if check else 'written'}: {path.relative_to(ROOT)}")
    return int(bool(found) and check)


if __name__ == "__main__":
    sys.exit(main())
