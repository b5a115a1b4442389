"""Converts the text of an async module into the sync module, by replacing words.

The two clients differ only in what is awaited. So the async modules are written, and the sync ones are generated.
"""

import re
from collections.abc import Sequence

WORDS = {
    "async def ": "def ",
    "async for": "for",
    "async with": "with",
    "await ": "",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "asynccontextmanager": "contextmanager",
    "AsyncIterator": "Iterator",
    "AsyncGenerator": "Generator",
    "AsyncBaseTransport": "BaseTransport",
    "AsyncKeystoneClient": "KeystoneClient",
    "AsyncMethods": "SyncMethods",
    "AsyncDriver": "SyncDriver",
    "AsyncRunner": "SyncRunner",
    "AsyncRun": "SyncRun",
    "AsyncAhead": "SyncAhead",
    "async_methods": "sync_methods",
    "async_driver": "sync_driver",
    "async_runner": "sync_runner",
    "AsyncProvider": "Provider",
    "Awaitable[object]": "object",
    "Awaitable, ": "",
    "AsyncHook": "Hook",
    "AsyncPlan": "Plan",
    "_async_plan": "_plan",
    "NeedsAsyncWith": "NeedsWith",
    "client for tasks": "client for threads",
    "between tasks, on asyncio or trio": "between threads",
}
"""The rules: each text of an async module, and what it becomes in the sync module."""

_WORD = re.compile("|".join(map(re.escape, WORDS)))
_ASYNC_GENERATOR = re.compile(r"AsyncGenerator\[([^\[\]]+), None\]")


class UnusedRuleError(Exception):
    """A rule matches nothing in any of the converted texts, so it is misspelt or left over."""


def for_threads(texts: Sequence[str]) -> list[str]:
    """Convert the texts of all async modules.

    Args:
        texts: The text of each async module. All of them are given at once, because every rule must be of use in one.

    Returns:
        The text of each sync module, in the same order.

    Raises:
        UnusedRuleError: A rule matches nothing in any of the texts. The message names all such rules.
    """
    used = {found for text in texts for found in _WORD.findall(text)}
    unused = [word for word in WORDS if word not in used]
    if unused:
        raise UnusedRuleError(f"sync_twins.WORDS has rules that match nothing: {', '.join(map(repr, unused))}")
    return [_converted(text) for text in texts]


def _converted(text: str) -> str:
    text = _ASYNC_GENERATOR.sub(r"AsyncGenerator[\1, None, None]", text)  # Generator has one more type parameter
    return _WORD.sub(lambda found: WORDS[found[0]], text)
