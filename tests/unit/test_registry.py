"""Finding and checking plugins."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import cratewright
from cratewright import testing
from cratewright.base.errors import ConfigurationError, PluginError, UnknownNameError
from cratewright.contract.backend import CodegenBackend
from cratewright.plugins import discovery as discovery_module
from cratewright.plugins import loading
from cratewright.plugins import registry as registry_module
from cratewright.plugins.loading import load_plugins
from cratewright.plugins.registry import Registry
from cratewright.testing import StubBackend


class Incomplete(CodegenBackend):
    """A class that lacks methods and names."""

    NAME = "incomplete"
    API_VERSION = 1

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
        (_plugin(StubBackend()), "which is not a CodegenBackend"),
        (_plugin(int), "which is not a CodegenBackend"),
        (_plugin(Old), "class Old: API_VERSION is 0, which is too old"),
        (_plugin(Incomplete), "class Incomplete: lacks TARGETS, SUFFIXES, supported_crate_types, compile_codegen_unit"),
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
        monkeypatch.setattr(
            discovery_module, "__file__", str(tmp_path / "site_scons" / "cratewright" / "plugins" / "discovery.py")
        )
        monkeypatch.setattr(discovery_module.metadata, "entry_points", lambda group: [])
        monkeypatch.syspath_prepend(str(tmp_path))
        registry = Registry()
        load_plugins(registry)
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
    assert registry.broken["bad"].startswith("it cannot be imported: ModuleNotFoundError: No module named 'no_such_")
    assert registry.broken["odd"].startswith(
        "it cannot be imported: ZeroDivisionError: division by zero\n  raised at: "
    )
    assert "bad" not in registry.broken["odd"].splitlines()[1] and ":1: in <module>: 1 / 0" in registry.broken["odd"]
    assert "two plugins offer a backend 'found'" in registry.broken["twice"]
    assert "registers no backend" in registry.broken["zero"]
    with pytest.raises(UnknownNameError) as caught:
        registry.backend("bad")
    assert ("plugin bad", registry.broken["bad"]) in caught.value.context


def test_what_a_checkout_has_depends_on_files(found: Callable[[dict[str, str]], Registry], tmp_path: Path) -> None:
    """A directory that is no plugin yet may become one."""
    found({"good": GOOD})
    plugins = tmp_path / "plugins"
    (plugins / "later").mkdir()
    files = [plugins, plugins / "cratewright-good" / "pyproject.toml", plugins / "later" / "pyproject.toml"]
    assert discovery_module.checkout_places() == list(map(str, files))


def test_a_checkout_without_plugins(found: Callable[[dict[str, str]], Registry]) -> None:
    assert found({}).names == ()


class Fourth(StubBackend):
    """Another class with a name of its own."""

    NAME = "fourth"


@pytest.mark.parametrize("several", [[Third, Fourth], (Third, Fourth)])
def test_a_hook_may_return_several_backends(several: object) -> None:
    registry = Registry()
    registry.register(_plugin(several))
    assert registry.names == ("fourth", "third")
    assert [plugin.backends for plugin in registry.plugins] == [("third", "fourth")]


def test_of_several_backends_all_are_checked() -> None:
    registry = Registry()
    with pytest.raises(PluginError, match="API_VERSION is 0"):
        registry.register(_plugin([Third, Old]))
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
def test_wrappers_have_their_say_about_all_plugins(words: dict[str, bool], late: bool) -> None:
    registry = Registry()
    modules = [_plugin(Third), _plugin(Fourth, name="another")]
    for module in [*modules, _wrapper(**words)] if late else [_wrapper(**words), *modules]:
        registry.register(module)
    assert registry.names == ("loud-fourth", "loud-third")
    assert registry.origin("loud-third") == "registered by the build"


def test_a_wrapper_that_breaks_what_was_sound_is_refused() -> None:
    registry = Registry()
    registry.register(_plugin(Third))
    module = types.ModuleType("wrapper")

    def cratewright_register_backend() -> Iterator[None]:
        yield
        return [3]

    module.cratewright_register_backend = cratewright.hookimpl(wrapper=True)(cratewright_register_backend)  # type: ignore[attr-defined]
    with pytest.raises(PluginError, match="registers 3, which is not a CodegenBackend"):
        registry.register(module)
    assert registry.names == ("third",) and [plugin.name for plugin in registry.plugins] == ["plugin"]


def test_tryfirst_decides_who_opens_a_store() -> None:
    asked: list[str] = []
    registry = Registry()
    for name, words in (("one", {}), ("two", {"tryfirst": True}), ("three", {"trylast": True})):
        module = types.ModuleType(name)

        def cratewright_open_store(url: str, name: str = name) -> None:
            asked.append(name)

        module.cratewright_open_store = cratewright.hookimpl(**words)(cratewright_open_store)  # type: ignore[attr-defined]
        registry.register(module)
    with pytest.raises(UnknownNameError):
        registry.open_store("x://")
    assert asked == ["two", "one", "three"]


def test_a_plugin_may_be_any_object_with_hooks() -> None:
    class Hooks:
        @cratewright.hookimpl
        def cratewright_register_backend(self) -> type[CodegenBackend]:
            return Third

    registry = Registry()
    registry.register(Hooks(), name="object")
    assert registry.names == ("third",) and registry.plugins[0].hooks == ("cratewright_register_backend",)


def test_an_entry_point_may_name_an_attribute(found: Callable[[dict[str, str]], Registry], tmp_path: Path) -> None:
    registry = found({})
    project = tmp_path / "plugins" / "cratewright-inner"
    (project / "src").mkdir(parents=True)
    module = f"inner_{tmp_path.name}".replace("-", "_")
    (project / "src" / f"{module}.py").write_text(
        GOOD.replace("@cratewright.hookimpl\ndef ", "class Hooks:\n    @cratewright.hookimpl\n    def ")
        .replace("backend():\n    return", "backend(self):\n        return")
        .replace('"found"', '"inner"')
        + "\nhooks = Hooks()\n"
    )
    for target in (f"{module}:hooks", f"{module}:Hooks.nothing"):
        (project / "pyproject.toml").write_text(f'[project.entry-points.cratewright]\ninner = "{target}"\n')
        registry = Registry()
        load_plugins(registry)
        if target.endswith("hooks"):
            assert registry.names == ("inner",) and registry.plugins[0].target == target
        else:
            assert "AttributeError" in registry.broken["inner"]


@pytest.mark.parametrize("leaving", ["raise SystemExit(3)", "raise KeyboardInterrupt", "import sys; sys.exit('no')"])
def test_a_plugin_that_ends_the_process_on_import_is_broken(
    found: Callable[[dict[str, str]], Registry], leaving: str
) -> None:
    registry = found({"leaving": leaving, "good": GOOD})
    assert registry.names == ("found",)
    assert registry.broken["leaving"].startswith("it cannot be imported: ")


class _Denies(type(StubBackend)):  # type: ignore[misc]
    def __getattribute__(cls, name: str) -> object:
        if name == "TARGETS":
            raise SystemExit(3)
        return super().__getattribute__(name)


class _Any:
    """A plugin of one class; its own attributes are changed in copies."""

    @cratewright.hookimpl
    def cratewright_register_backend(self) -> object:
        return Third


def _raises(*_: object) -> object:
    raise ZeroDivisionError("oh")


@pytest.mark.parametrize(
    ("words", "said"),
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
def test_objects_that_answer_anything(words: dict[str, object], said: str) -> None:
    """The one that cannot be used is named, and the others are as they were, and can be added to."""
    registry = Registry()
    registry.register(_plugin(Other, name="good"))
    with pytest.raises(PluginError, match="plugin 'odd'") as caught:
        registry.register(type("Odd", (_Any,), words)(), name="odd")
    assert said in str(caught.value), caught.value
    assert registry.names == ("stub",) and [plugin.name for plugin in registry.plugins] == ["good"]
    registry.register(_plugin(Fourth, name="better"))
    assert registry.names == ("fourth", "stub")


def test_a_plugin_with_attributes_that_raise_is_used() -> None:
    odd = type("Odd", (_Any,), {"bad": property(_raises), "__getattr__": _raises})()
    registry = Registry()
    registry.register(odd)
    assert registry.names == ("third",) and registry.plugins[0].name == "Odd"


def test_what_a_plugin_prints_when_it_is_loaded_is_not_what_was_asked_for(
    found: Callable[[dict[str, str]], Registry], capsys: pytest.CaptureFixture[str]
) -> None:
    assert found({"prints": f"print('loaded')\n{GOOD}"}).names == ("found",)
    out = capsys.readouterr()
    assert (out.out, out.err) == ("", "loaded\n")


def test_a_plugin_can_be_blocked(found: Callable[[dict[str, str]], Registry]) -> None:
    found({"good": GOOD, "bad": "1 / 0"})
    registry = Registry()
    load_plugins(registry, ["bad", "good"])
    assert registry.names == () and set(registry.broken.values()) == {"blocked by CRATE_PLUGINS"}
    with pytest.raises(UnknownNameError) as caught:
        registry.backend("found")
    assert ("plugin good", "blocked by CRATE_PLUGINS") in caught.value.context
    with pytest.raises(ConfigurationError, match="CRATE_PLUGINS blocks 'goood', which is not a plugin") as misspelt:
        load_plugins(Registry(), ["goood"])
    assert misspelt.value.hint == "did you mean 'good'?"


@pytest.mark.parametrize(("text", "names"), [("", []), ("-a", ["a"]), ("-a, -b -c", ["a", "b", "c"])])
def test_words_of_crate_plugins(text: str, names: list[str]) -> None:
    assert loading._blocked(text) == names


@pytest.mark.parametrize("text", ["a", "-", "-a b", "+a"])
def test_other_words_of_crate_plugins_are_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="CRATE_PLUGINS takes names of plugins with '-' in front"):
        loading._blocked(text)


def test_tracing(found: Callable[[dict[str, str]], Registry], capsys: pytest.CaptureFixture[str]) -> None:
    registry = found({"good": GOOD, "odd": "1 / 0"})
    registry.trace()
    with pytest.raises(UnknownNameError):
        registry.open_store("x://y")
    said = capsys.readouterr().err
    assert "cratewright: plugin good (plugins/cratewright-good, good_" in said
    assert "backends: found; hooks: cratewright_register_backend" in said
    assert "cratewright: plugin odd (plugins/cratewright-odd, odd_" in said and "ZeroDivisionError" in said
    assert "cratewright_open_store" in said and "x://y" in said


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
