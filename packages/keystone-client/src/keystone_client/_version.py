"""The version of this distribution; a module of its own, because requests carry it in ``User-Agent``."""

__version__ = "1.0.0"
