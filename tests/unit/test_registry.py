"""Registering plugins, and looking up their backends by name."""

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
    """A backend class without required methods and attributes."""

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


def test_registering_twice_has_no_effect() -> None:
    registry = Registry()
    registry.register(testing)
    registry.register(testing)
    assert registry.names == ("stub",)


@pytest.mark.parametrize(
    ("module", "message"),
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
def test_invalid_plugin_is_rejected(module: types.ModuleType, message: str) -> None:
    """The error names the plugin, and the others stay registered."""
    registry = Registry()
    registry.register(testing)
    with pytest.raises(PluginError) as caught:
        registry.register(module)
    assert message in str(caught.value)
    assert "plugin" in str(caught.value)
    assert registry.names == ("stub",) and registry.backend("stub") is StubBackend
    registry.register(plugin_of(Third, name="another"))
    assert registry.names == ("stub", "third")


def test_second_plugin_of_a_name_is_rejected() -> None:
    registry = Registry()
    registry.register(plugin_of(StubBackend, "same"))
    with pytest.raises(PluginError, match="same"):
        registry.register(plugin_of(Third, "same"))
    assert registry.names == ("stub",)


def test_failing_hook_names_the_plugin() -> None:
    module = types.ModuleType("plugin")

    def cratewright_register_backend() -> object:
        raise ZeroDivisionError("oh")

    module.cratewright_register_backend = cratewright.hookimpl(cratewright_register_backend)  # type: ignore[attr-defined]
    with pytest.raises(PluginError, match="plugin 'plugin'") as caught:
        Registry().register(module)
    assert "ZeroDivisionError: oh" in str(caught.value)


def test_hook_with_unknown_arguments_is_rejected() -> None:
    module = types.ModuleType("plugin")

    def cratewright_register_backend(registry: object) -> object:
        return StubBackend

    module.cratewright_register_backend = cratewright.hookimpl(cratewright_register_backend)  # type: ignore[attr-defined]
    registry = Registry()
    with pytest.raises(PluginError, match="plugin 'plugin' implements a hook"):
        registry.register(module)
    registry.register(testing, name="plugin")
    assert registry.names == ("stub",)


def test_unknown_backend_has_a_suggestion() -> None:
    registry = Registry()
    registry.register(testing)
    with pytest.raises(UnknownNameError, match="unknown backend 'stb'") as caught:
        registry.backend("stb")
    assert caught.value.hint == "did you mean 'stub'?"


def test_hint_without_any_backends() -> None:
    with pytest.raises(UnknownNameError) as caught:
        Registry().backend("spirv")
    assert "pip install cratewright-spirv" in caught.value.hint


def test_names_of_distributions_are_not_looked_up_without_need(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lookup reads all installed distributions, too slow for a build with nothing to do."""
    lookups: list[str] = []

    def words(module: str) -> str:
        lookups.append(module)
        return module

    monkeypatch.setattr(registry_module, "plugin_words", words)
    registry = Registry()
    registry.register(testing)
    assert registry.names == ("stub",) and not lookups
