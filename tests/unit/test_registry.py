"""Plugins are registered if they are sound, and found by name."""

from __future__ import annotations

import types

import pytest

import cratewright
from cratewright import testing
from cratewright.base.errors import PluginError, UnknownNameError
from cratewright.contract.backend import CodegenBackend
from cratewright.plugins import registry as registry_module
from cratewright.plugins.registry import Registry
from cratewright.testing import StubBackend
from tests.support.plugins_of_stubs import Old, Other, Third, plugin_of


class Incomplete(CodegenBackend):
    """A class that lacks methods and names."""

    NAME = "incomplete"
    API_VERSION = 1

    def fingerprint(self) -> str:
        """Return nothing."""
        return ""


def test_register_and_look_up() -> None:
    registry = Registry()
    registry.register(testing, origin="here")
    assert registry.names == ("stub",)
    assert registry.backend("stub") is StubBackend
    assert registry.origin("stub") == "here"


def test_registering_twice_is_nothing() -> None:
    registry = Registry()
    registry.register(testing)
    registry.register(testing)
    assert registry.names == ("stub",)


@pytest.mark.parametrize(
    ("module", "said"),
    [
        (plugin_of(Third, hook="cratewright_register_backends"), "implements a hook that does not exist"),
        (types.ModuleType("plugin"), "registers no backend"),
        (plugin_of(None), "registers no backend"),
        (plugin_of(StubBackend()), "which is not a CodegenBackend"),
        (plugin_of(int), "which is not a CodegenBackend"),
        (plugin_of(Old), "class Old: API_VERSION is 0, which is too old"),
        (
            plugin_of(Incomplete),
            "class Incomplete: lacks TARGETS, SUFFIXES, supported_crate_types, compile_codegen_unit",
        ),
        (plugin_of(Other), "two plugins offer a backend 'stub'"),
    ],
)
def test_refused(module: types.ModuleType, said: str) -> None:
    """A plugin that cannot be used is named, and leaves the others as they were."""
    registry = Registry()
    registry.register(testing)
    with pytest.raises(PluginError) as caught:
        registry.register(module)
    assert said in str(caught.value)
    assert "plugin" in str(caught.value)
    assert registry.names == ("stub",) and registry.backend("stub") is StubBackend
    registry.register(plugin_of(Third, name="another"))
    assert registry.names == ("stub", "third")


def test_two_modules_of_one_name() -> None:
    registry = Registry()
    registry.register(plugin_of(StubBackend, "same"))
    with pytest.raises(PluginError, match="same"):
        registry.register(plugin_of(Third, "same"))
    assert registry.names == ("stub",)


def test_a_hook_that_fails() -> None:
    module = types.ModuleType("plugin")

    def cratewright_register_backend() -> object:
        raise ZeroDivisionError("oh")

    module.cratewright_register_backend = cratewright.hookimpl(cratewright_register_backend)  # type: ignore[attr-defined]
    with pytest.raises(PluginError, match="plugin 'plugin'") as caught:
        Registry().register(module)
    assert "ZeroDivisionError: oh" in str(caught.value)


def test_a_hook_with_arguments_that_nobody_gives() -> None:
    module = types.ModuleType("plugin")

    def cratewright_register_backend(registry: object) -> object:
        return StubBackend

    module.cratewright_register_backend = cratewright.hookimpl(cratewright_register_backend)  # type: ignore[attr-defined]
    registry = Registry()
    with pytest.raises(PluginError, match="plugin 'plugin' implements a hook"):
        registry.register(module)
    registry.register(testing, name="plugin")
    assert registry.names == ("stub",)


def test_near_miss() -> None:
    registry = Registry()
    registry.register(testing)
    with pytest.raises(UnknownNameError, match="unknown backend 'stb'") as caught:
        registry.backend("stb")
    assert caught.value.hint == "did you mean 'stub'?"


def test_none_at_all() -> None:
    with pytest.raises(UnknownNameError) as caught:
        Registry().backend("spirv")
    assert "pip install cratewright-spirv" in caught.value.hint


def test_what_a_plugin_is_called_is_asked_when_it_offers_something(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes a look at all that is installed, which a build with nothing to do is not to pay for."""
    asked: list[str] = []

    def words(module: str) -> str:
        asked.append(module)
        return module

    monkeypatch.setattr(registry_module, "plugin_words", words)
    registry = Registry()
    registry.register(testing)
    assert registry.names == ("stub",) and not asked
