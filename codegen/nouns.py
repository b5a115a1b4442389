"""The English nouns for the resources, so that the generated docstrings are correct sentences."""

NOUNS = {
    "request": ("allocation request", "allocation requests"),  # "request" alone reads as an HTTP request
    "preference": ("notification preference", "notification preferences"),
    "audit_log": ("entry of the audit log", "entries of the audit log"),
    "request_log": ("entry of the request log", "entries of the request log"),
    "feed_entry": ("feed entry", "feed entries"),
}
"""The singular and the plural of a resource, where they differ from its name and its name with an ``s``."""


def noun(name: str) -> str:
    """Return the singular noun for a resource: ``task result`` for ``task_result``."""
    return NOUNS[name][0] if name in NOUNS else name.replace("_", " ")


def plural(name: str) -> str:
    """Return the plural noun for a resource: ``task results`` for ``task_result``."""
    return NOUNS[name][1] if name in NOUNS else f"{noun(name)}s"


def article(words: str) -> str:
    """Return the indefinite article for a noun: ``an`` before a vowel, except for a ``u`` as in ``user``."""
    return "an" if words[0].lower() in "aeio" else "a"
