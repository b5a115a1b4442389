"""Writes ``llms.txt`` and ``llms-full.txt`` into the built site: its pages as one list, and as one text.

    python site_tools/llms.py [SITE]

They are made from the navigation and the sources of the pages when the site is built, so that they are never stale.
"""

import re
import sys
from pathlib import Path

from navigation import ROOT, Page, pages

HEADING = """# Keystone client

> The Python client for Keystone, the HPC allocation manager by Better HPC: `pip install keystone-api-client`, then
> `from keystone_client import KeystoneClient`. `AsyncKeystoneClient` has the same methods for asyncio and trio, and
> `keystone_client_testing` has a fake server for tests.
"""


def contents(found: list[Page]) -> str:
    """Return the list of the pages, by section, each with its title and its first sentence."""
    lines = [HEADING]
    for number, page in enumerate(found):
        if number == 0 or found[number - 1].section != page.section:
            lines.append(f"{'' if number == 0 else chr(10)}## {page.section}\n")
        lines.append(f"- [{title(page)}]({page.url or './'}): {summary(page)}")
    return "\n".join(lines) + "\n"


def full_text(found: list[Page]) -> str:
    """Return the text of all pages. In place of what is read out of the sources, it has the names alone."""
    texts = (
        re.sub(r"^( *)::: (\S+)\n(?:\1 {4}.*\n)*", r"\1- `\2`\n", page.source, flags=re.MULTILINE) for page in found
    )
    return HEADING + "\n" + "\n\n".join(text.strip() for text in texts) + "\n"


def title(page: Page) -> str:
    """Return the heading of a page."""
    found = re.search(r"^# (.+)$", page.source, re.MULTILINE)
    return found[1] if found else page.name.removesuffix(".md").capitalize()


def summary(page: Page) -> str:
    """Return the first sentence of a page, without links."""
    text = re.sub(r"<!--.*?-->|^( *)```.*?^\1```$|^    .*?$", "", page.source, flags=re.DOTALL | re.MULTILINE)
    for paragraph in text.split("\n\n"):
        line = " ".join(paragraph.split())
        if line and not re.match(r"[#|\-*=:!?`<>]|\d+\. ", line):
            return (
                re.sub(r"\[([^\]]+)\]\[?\(?[^)\]]*[)\]]", r"\1", re.split(r"(?<=[.:;]) ", line)[0]).rstrip(":;.") + "."
            )
    return title(page) + "."


def main(arguments: list[str]) -> int:
    """Write both files. Return the exit status."""
    site = Path(arguments[0]) if arguments else ROOT / "site"
    found = pages()
    (site / "llms.txt").write_text(contents(found), encoding="utf-8")
    (site / "llms-full.txt").write_text(full_text(found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
