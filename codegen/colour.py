"""Turns the text of a module written for tasks into its twin for threads, word by word.

What is awaited in one client is returned in the other, and nothing else may differ: so the shells are written once.
"""

import re

WORDS = {
    "async def ": "def ",
    "async with ": "with ",
    "async for": "for",
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
    "async_methods": "sync_methods",
    "async_driver": "sync_driver",
    "AsyncProvider": "Provider",
    "The client for tasks": "The client for threads",
    "between tasks, on asyncio or trio": "between threads",
}
"""What a word of the module for tasks is in the module for threads."""

_WORD = re.compile("|".join(map(re.escape, WORDS)))
_ASYNC_GENERATOR = re.compile(r"AsyncGenerator\[([^\[\]]+), None\]")


def for_threads(text: str) -> str:
    """The twin of a module for tasks; a generator for threads has one more type parameter."""
    text = _ASYNC_GENERATOR.sub(r"AsyncGenerator[\1, None, None]", text)
    return _WORD.sub(lambda found: WORDS[found[0]], text)
