"""Looks at the built site in a browser: every page, wide and narrow, light and dark, and what its search finds.

    python site_tools/browser.py [SITE] [--pictures FOLDER]

It fails on a page that scrolls sideways, an error on the console, a request to another host, and a search whose first
page is not the right one. Chromium is the system's, or else playwright's own: `playwright install chromium`.
"""

import argparse
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from navigation import ROOT, pages
from playwright.sync_api import sync_playwright

WIDTHS = {"wide": 1400, "narrow": 400}
COLOURS = ("light", "dark")

FIRST_PAGES = {
    "update_request": "reference/request/",
    "status": "reference/request/",
    "FilterError": "reference/errors/",
    "timeout": "configuration/",
    "raise_not_exists": "errors/",
    "retry": "configuration/",
    "expire": "reference/request/",
    "chunk_size": "bulk/",
    "fake.fail": "fake-failures/",
    "cid": "logging/",
    "RetryPolicy": "reference/arguments/",
    "bulk_create_user": "reference/user/",
    "page_size": "listings/",
    "download_attachment": "reference/attachment/",
    "with_options": "reference/client/",
    "MembershipCreate": "reference/records/",
    "follow_audit_log": "reference/audit-log/",
    "encode_filters": "reference/core/",
    "pytest": "testing/",
    "asyncio": "async/",
    "HTTPS_PROXY": "configuration/",
    "spreadsheet": "import/",
    "csv": "reports/",
    "ldap": "sync/",
    "most_gone": "plans/",
    "ensure_team": "reference/team/",
    "PostgreSQL": "server-facts/",
    "install": "install/",
}
"""What users type, and the page that must come first."""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """Print nothing for each request."""


@contextmanager
def serving(site: Path) -> Iterator[str]:
    """Serve a folder on the loopback address inside the block. Yield the URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()


def faults_of_pages(browser: Any, url: str, pictures: Path | None) -> Iterator[str]:
    """Yield what is wrong with the pages themselves: their width, the console, requests to other hosts."""
    tab, seen = browser.new_page(), list[str]()
    tab.on("console", lambda said: seen.append(f"console: {said.text}") if said.type == "error" else None)
    tab.on("pageerror", lambda error: seen.append(f"error: {error}"))
    tab.on("request", lambda request: seen.extend(_foreign(request.url, url)))
    for page in pages():
        tab.goto(url + page.url, wait_until="load")
        for (name, width), colour in product(WIDTHS.items(), COLOURS):
            tab.set_viewport_size({"width": width, "height": 900})
            tab.emulate_media(color_scheme=colour)
            needed = tab.evaluate("document.documentElement.scrollWidth")
            if needed > width:
                seen.append(f"{name}, {colour}: needs {needed} pixels of {width}")
            if pictures:
                tab.screenshot(path=pictures / f"{page.name.replace('/', '-')}-{name}-{colour}.png")
        yield from (f"{page.name}: {fault}" for fault in seen)
        seen.clear()
    tab.close()


def _foreign(asked: str, url: str) -> list[str]:
    parts = urlsplit(asked)
    return [] if parts.scheme in ("data", "blob") or parts.netloc == urlsplit(url).netloc else [f"asks {asked}"]


def faults_of_search(browser: Any, url: str) -> Iterator[str]:
    """Yield the words that lead to another page than they should."""
    tab = browser.new_page(viewport={"width": WIDTHS["wide"], "height": 900})
    tab.goto(url, wait_until="load")
    for word, wanted in FIRST_PAGES.items():
        found = _first(tab, word).removeprefix(url).partition("#")[0].partition("?")[0]
        if found != wanted:
            yield f"search for {word!r}: {found or 'nothing'} comes before {wanted}"
    tab.close()


def _first(tab: Any, word: str) -> str:
    """Return the address of the first result; the empty text if there is none."""
    tab.locator(".md-search__input").fill(word)
    tab.locator(".md-search__input").press("End")  # it listens to keys
    shown, before = "-", ""
    while shown != before:  # what has been found for the beginning of the word is replaced until the index has answered
        before = shown
        tab.wait_for_timeout(700)
        shown = tab.locator("[data-md-component=search-result]").inner_text()
    address: str = tab.evaluate("document.querySelector('[data-md-component=search-result] li a')?.href ?? ''")
    return address


def main() -> int:
    """Run the command line. Return the exit status: 1 if something is wrong, else 0."""
    parser = argparse.ArgumentParser(description="Look at the built site in a browser.")
    parser.add_argument("site", type=Path, nargs="?", default=ROOT / "site", help="the folder of the built site")
    parser.add_argument("--pictures", type=Path, help="a folder for a picture of each page, in each form")
    options = parser.parse_args()
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    with serving(options.site) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        faults = [*faults_of_pages(browser, url, options.pictures), *faults_of_search(browser, url)]
        browser.close()
    print(*faults, sep="\n")
    forms = len(WIDTHS) * len(COLOURS)
    print(f"{len(pages())} pages in {forms} forms, {len(FIRST_PAGES)} searches, {len(faults)} faults")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
