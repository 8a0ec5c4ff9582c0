"""Finding and checking plugins.

Knows nothing of what backends do.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from pathlib import Path

import pytest

import cratewright
from cratewright import registry as registry_module
from cratewright import testing
from cratewright.backend import CodegenBackend
from cratewright.errors import PluginError, UnknownNameError
from cratewright.registry import Registry
from cratewright.testing import StubBackend


class Incomplete(CodegenBackend):
    """A class that lacks methods and names."""

    NAME = "incomplete"

    def fingerprint(self) -> str:
        """Return nothing."""
        return ""


class Old(StubBackend):
    """A class of another contract."""

    NAME = "old"
    API_VERSION = 0


class Other(StubBackend):
    """A class whose name is taken."""


class Third(StubBackend):
    """A class with a name of its own."""

    NAME = "third"


def _plugin(found: object, name: str = "plugin", hook: str = "cratewright_register_backend") -> types.ModuleType:
    module = types.ModuleType(name)

    def register() -> object:
        return found

    register.__name__ = hook
    setattr(module, hook, cratewright.hookimpl(register))
    return module


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


def test_several_plugins() -> None:
    registry = Registry()
    registry.register(testing)
    registry.register(_plugin(Third))
    assert registry.names == ("stub", "third")


@pytest.mark.parametrize(
    ("module", "said"),
    [
        (_plugin(Third, hook="cratewright_register_backends"), "implements a hook that does not exist"),
        (types.ModuleType("plugin"), "registers no backend"),
        (_plugin(None), "registers no backend"),
        (_plugin(StubBackend()), "which is no CodegenBackend"),
        (_plugin(int), "which is no CodegenBackend"),
        (_plugin(Old), "speaks contract version 0, this cratewright 1"),
        (_plugin(Incomplete), "Incomplete lacks TARGETS, SUFFIXES, supported_crate_types, compile_codegen_unit"),
        (_plugin(Other), "two plugins offer a backend 'stub'"),
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
    registry.register(_plugin(Third, name="another"))
    assert registry.names == ("stub", "third")


def test_two_modules_of_one_name() -> None:
    registry = Registry()
    registry.register(_plugin(StubBackend, "same"))
    with pytest.raises(PluginError, match="same"):
        registry.register(_plugin(Third, "same"))
    assert registry.names == ("stub",)


def test_a_hook_that_fails() -> None:
    module = types.ModuleType("plugin")

    def cratewright_register_backend() -> object:
        raise ZeroDivisionError("oh")

    module.cratewright_register_backend = cratewright.hookimpl(cratewright_register_backend)  # type: ignore[attr-defined]
    with pytest.raises(PluginError, match="plugin 'plugin'") as caught:
        Registry().register(module)
    assert "ZeroDivisionError('oh')" in str(caught.value)


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


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[dict[str, str]], Registry]:
    """Give a function that discovers plugins, modules by their source, in a checkout of their own."""

    def discover(sources: dict[str, str]) -> Registry:
        for name, source in sources.items():
            project = tmp_path / "plugins" / f"cratewright-{name}"
            module = f"{name}_{tmp_path.name}".replace("-", "_")
            (project / "src").mkdir(parents=True)
            (project / "src" / f"{module}.py").write_text(source)
            (project / "pyproject.toml").write_text(f'[project.entry-points.cratewright]\n{name} = "{module}"\n')
        monkeypatch.setattr(registry_module, "__file__", str(tmp_path / "site_scons" / "cratewright" / "registry.py"))
        monkeypatch.setattr(registry_module.metadata, "entry_points", lambda group: [])
        monkeypatch.syspath_prepend(str(tmp_path))
        registry = Registry()
        registry.discover()
        return registry

    return discover


GOOD = """\
import cratewright
from cratewright.testing import StubBackend

class Found(StubBackend):
    NAME = "found"

@cratewright.hookimpl
def cratewright_register_backend():
    return Found
"""


def test_a_checkout_finds_its_plugins(found: Callable[[dict[str, str]], Registry]) -> None:
    registry = found({"good": GOOD})
    assert registry.names == ("found",)
    assert registry.origin("found") == "plugins/cratewright-good"


def test_a_broken_plugin_is_set_aside(found: Callable[[dict[str, str]], Registry]) -> None:
    registry = found({"bad": "import no_such_module", "good": GOOD, "odd": "1 / 0", "twice": GOOD, "zero": ""})
    assert registry.names == ("found",)
    assert registry.broken["bad"] == "ModuleNotFoundError: No module named 'no_such_module'"
    assert registry.broken["odd"] == "ZeroDivisionError: division by zero"
    assert "two plugins offer a backend 'found'" in registry.broken["twice"]
    assert "registers no backend" in registry.broken["zero"]
    with pytest.raises(UnknownNameError) as caught:
        registry.backend("bad")
    assert ("plugin bad", registry.broken["bad"]) in caught.value.context


def test_a_checkout_without_plugins(found: Callable[[dict[str, str]], Registry]) -> None:
    assert found({}).names == ()
