"""Discovery of plugins: found, broken and blocked ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cratewright.base.errors import ConfigurationError, UnknownNameError
from cratewright.plugins import discovery as discovery_module
from cratewright.plugins import loading
from cratewright.plugins.loading import load_plugins
from cratewright.plugins.registry import Registry


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[dict[str, str]], Registry]:
    """Return a function that discovers plugins, given as `{name: source}`, in a new checkout."""

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


def test_plugins_of_a_checkout_are_found(found: Callable[[dict[str, str]], Registry]) -> None:
    registry = found({"good": GOOD})
    assert registry.names == ("found",)
    assert registry.origin("found") == "plugins/cratewright-good"


def test_broken_plugins_are_recorded(found: Callable[[dict[str, str]], Registry]) -> None:
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


def test_checkout_places_include_future_plugins(found: Callable[[dict[str, str]], Registry], tmp_path: Path) -> None:
    """A directory that is not a plugin may become one."""
    found({"good": GOOD})
    plugins = tmp_path / "plugins"
    (plugins / "later").mkdir()
    files = [plugins, plugins / "cratewright-good" / "pyproject.toml", plugins / "later" / "pyproject.toml"]
    assert discovery_module.checkout_places() == list(map(str, files))


def test_checkout_without_plugins(found: Callable[[dict[str, str]], Registry]) -> None:
    assert found({}).names == ()


def test_entry_point_may_name_an_attribute(found: Callable[[dict[str, str]], Registry], tmp_path: Path) -> None:
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


@pytest.mark.parametrize("statement", ["raise SystemExit(3)", "raise KeyboardInterrupt", "import sys; sys.exit('no')"])
def test_plugin_that_exits_on_import_is_broken(found: Callable[[dict[str, str]], Registry], statement: str) -> None:
    registry = found({"statement": statement, "good": GOOD})
    assert registry.names == ("found",)
    assert registry.broken["statement"].startswith("it cannot be imported: ")


def test_output_of_a_plugin_on_import_goes_to_stderr(
    found: Callable[[dict[str, str]], Registry], capsys: pytest.CaptureFixture[str]
) -> None:
    assert found({"prints": f"print('loaded')\n{GOOD}"}).names == ("found",)
    out = capsys.readouterr()
    assert (out.out, out.err) == ("", "loaded\n")


def test_blocked_plugins_are_not_loaded(found: Callable[[dict[str, str]], Registry]) -> None:
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
def test_parse_crate_plugins(text: str, names: list[str]) -> None:
    assert loading._blocked(text) == names


@pytest.mark.parametrize("text", ["a", "-", "-a b", "+a"])
def test_invalid_crate_plugins(text: str) -> None:
    with pytest.raises(ConfigurationError, match="CRATE_PLUGINS takes names of plugins with '-' in front"):
        loading._blocked(text)


def test_trace_lists_plugins_and_hook_calls(
    found: Callable[[dict[str, str]], Registry], capsys: pytest.CaptureFixture[str]
) -> None:
    registry = found({"good": GOOD, "odd": "1 / 0"})
    registry.trace()
    with pytest.raises(UnknownNameError):
        registry.open_store("x://y")
    printed = capsys.readouterr().err
    assert "cratewright: plugin good (plugins/cratewright-good, good_" in printed
    assert "backends: found; hooks: cratewright_register_backend" in printed
    assert "cratewright: plugin odd (plugins/cratewright-odd, odd_" in printed and "ZeroDivisionError" in printed
    assert "cratewright_open_store" in printed and "x://y" in printed
