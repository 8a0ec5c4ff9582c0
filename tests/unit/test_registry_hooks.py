"""Hooks of several plugins: wrappers, order, and invalid plugin objects."""

from __future__ import annotations

import types
from collections.abc import Iterator

import pytest

import cratewright
from cratewright.base.errors import PluginError, UnknownNameError
from cratewright.contract.backend import CodegenBackend
from cratewright.plugins.registry import Registry
from cratewright.testing import StubBackend
from tests.support.plugins_of_stubs import Fourth, Old, Other, Third, plugin_of


@pytest.mark.parametrize("several", [[Third, Fourth], (Third, Fourth)])
def test_hook_may_return_several_backends(several: object) -> None:
    registry = Registry()
    registry.register(plugin_of(several))
    assert registry.names == ("fourth", "third")
    assert [plugin.backends for plugin in registry.plugins] == [("third", "fourth")]


def test_all_returned_backends_are_checked() -> None:
    registry = Registry()
    with pytest.raises(PluginError, match="API_VERSION is 0"):
        registry.register(plugin_of([Third, Old]))
    assert registry.names == () and registry.plugins == ()


def _wrapper(**words: bool) -> types.ModuleType:
    module = types.ModuleType("wrapper")

    def cratewright_register_backend() -> Iterator[None]:
        answers = yield
        if words.get("hookwrapper"):
            answers.force_result([_loud(item) for item in answers.get_result()])
            return None
        return [_loud(item) for item in answers]

    marked = cratewright.hookimpl(**words)(cratewright_register_backend)
    module.cratewright_register_backend = marked  # type: ignore[attr-defined]
    return module


def _loud(kind: type[CodegenBackend]) -> type[CodegenBackend]:
    return type("Loud", (kind,), {"NAME": f"loud-{kind.NAME}", "__module__": __name__})


@pytest.mark.parametrize("words", [{"wrapper": True}, {"hookwrapper": True}])
@pytest.mark.parametrize("late", [True, False])
def test_wrapper_applies_to_all_plugins(words: dict[str, bool], late: bool) -> None:
    registry = Registry()
    modules = [plugin_of(Third), plugin_of(Fourth, name="another")]
    for module in [*modules, _wrapper(**words)] if late else [_wrapper(**words), *modules]:
        registry.register(module)
    assert registry.names == ("loud-fourth", "loud-third")
    assert registry.origin("loud-third") == "registered by the build"


def test_wrapper_with_an_invalid_result_is_rejected() -> None:
    registry = Registry()
    registry.register(plugin_of(Third))
    module = types.ModuleType("wrapper")

    def cratewright_register_backend() -> Iterator[None]:
        yield
        return [3]

    module.cratewright_register_backend = cratewright.hookimpl(wrapper=True)(cratewright_register_backend)  # type: ignore[attr-defined]
    with pytest.raises(PluginError, match="registers 3, which is not a CodegenBackend"):
        registry.register(module)
    assert registry.names == ("third",) and [plugin.name for plugin in registry.plugins] == ["plugin"]


def test_tryfirst_and_trylast_order_the_hooks() -> None:
    called: list[str] = []
    registry = Registry()
    for name, words in (("one", {}), ("two", {"tryfirst": True}), ("three", {"trylast": True})):
        module = types.ModuleType(name)

        def cratewright_open_store(url: str, name: str = name) -> None:
            called.append(name)

        module.cratewright_open_store = cratewright.hookimpl(**words)(cratewright_open_store)  # type: ignore[attr-defined]
        registry.register(module)
    with pytest.raises(UnknownNameError):
        registry.open_store("x://")
    assert called == ["two", "one", "three"]


def test_any_object_with_hooks_is_a_plugin() -> None:
    class Hooks:
        @cratewright.hookimpl
        def cratewright_register_backend(self) -> type[CodegenBackend]:
            return Third

    registry = Registry()
    registry.register(Hooks(), name="object")
    assert registry.names == ("third",) and registry.plugins[0].hooks == ("cratewright_register_backend",)


class _Denies(type(StubBackend)):  # type: ignore[misc]
    def __getattribute__(cls, name: str) -> object:
        if name == "TARGETS":
            raise SystemExit(3)
        return super().__getattribute__(name)


class _Any:
    """A plugin object; subclasses change its attributes."""

    @cratewright.hookimpl
    def cratewright_register_backend(self) -> object:
        return Third


def _raises(*_: object) -> object:
    raise ZeroDivisionError("oh")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"__getattribute__": _raises}, "cannot be registered: ZeroDivisionError: oh"),
        ({"__eq__": _raises, "__hash__": object.__hash__}, "cannot be registered: ZeroDivisionError: oh"),
        ({"__hash__": None}, "TypeError: unhashable type"),
        ({"cratewright_register_backend": cratewright.hookimpl(lambda self: 1 / 0)}, "ZeroDivisionError: division"),
        ({"cratewright_register_backend": cratewright.hookimpl(lambda: Third)}, "fails in cratewright_register_bac"),
        (
            {"cratewright_register_backend": cratewright.hookimpl(lambda self: (x for x in [Third]))},
            "which is not a Code",
        ),
        ({"cratewright_register_backend": cratewright.hookimpl(lambda self: {Third})}, "which is not a CodegenBackend"),
        (
            {"cratewright_register_backend": cratewright.hookimpl(lambda self: [[Third]])},
            "which is not a CodegenBackend",
        ),
        ({"cratewright_register_backend": cratewright.hookimpl(lambda self: [])}, "registers no backend"),
        ({"cratewright_register_backend": cratewright.hookimpl(lambda self: [Third, Third])}, "two backends 'third'"),
        (
            {"cratewright_register_backend": cratewright.hookimpl(lambda self: _Denies("Odd", (Third,), {}))},
            "cannot be registered: SystemExit: 3",
        ),
    ],
    ids=range(11),
)
def test_plugin_object_that_raises_is_rejected(words: dict[str, object], message: str) -> None:
    """The error names the plugin; others stay registered, and more can be added."""
    registry = Registry()
    registry.register(plugin_of(Other, name="good"))
    with pytest.raises(PluginError, match="plugin 'odd'") as caught:
        registry.register(type("Odd", (_Any,), words)(), name="odd")
    assert message in str(caught.value), caught.value
    assert registry.names == ("stub",) and [plugin.name for plugin in registry.plugins] == ["good"]
    registry.register(plugin_of(Fourth, name="better"))
    assert registry.names == ("fourth", "stub")


def test_unrelated_attributes_may_raise() -> None:
    odd = type("Odd", (_Any,), {"bad": property(_raises), "__getattr__": _raises})()
    registry = Registry()
    registry.register(odd)
    assert registry.names == ("third",) and registry.plugins[0].name == "Odd"
