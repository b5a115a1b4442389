"""Gone: a module of the official client up to 0.10. Importing it says what to write instead."""

from ._hints.former_names import retired_module

raise retired_module("log")
