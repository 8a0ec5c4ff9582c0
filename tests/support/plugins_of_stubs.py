"""Plugins that register valid and invalid classes."""

from __future__ import annotations

import types

import cratewright
from cratewright.testing import StubBackend


class Old(StubBackend):
    """A class with an older API version."""

    NAME = "old"
    API_VERSION = 0


class Other(StubBackend):
    """A class with the name of another backend."""


class Third(StubBackend):
    """A class with a name of its own."""

    NAME = "third"


def plugin_of(found: object, name: str = "plugin", hook: str = "cratewright_register_backend") -> types.ModuleType:
    """Return a plugin whose hook returns what it is given."""
    module = types.ModuleType(name)

    def register() -> object:
        return found

    register.__name__ = hook
    setattr(module, hook, cratewright.hookimpl(register))
    return module


class Fourth(StubBackend):
    """Another class with a name of its own."""

    NAME = "fourth"
