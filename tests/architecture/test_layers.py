"""Who may import whom, as the first docstring of a package draws it.

Knows nothing of what the modules do: it reads their text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import cratewright

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "site_scons" / "cratewright"
PLUGINS = sorted(ROOT.glob("plugins/*/src/*")) + sorted(ROOT.glob("tests/support/*/src/*"))
LONGEST = 410
LARGE = 40
"""A package of as many modules is drawn as layers."""
# Tables rather than code.
TABLES = {"opcodes.py"}


def _layers(package: Path) -> dict[str, int]:
    """Return the layer of each module or package within a package, as the drawing in its docstring says."""
    drawing = ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8"))) or ""
    rows = [line for line in drawing.splitlines() if re.match(r" {4}\w", line)]
    names = [re.split(r" {2,}", row.strip())[0].split(", ") for row in rows]
    layers = {name: number for number, row in enumerate(names, 1) for name in row}
    # The docstring says nothing of these: a number that everyone may read, and the doors to all the rest.
    return {"version": 0, **layers, "__init__": len(rows), "__main__": len(rows)} if rows else {}


def _modules(package: Path) -> list[Path]:
    return sorted(path for path in package.rglob("*.py") if "__pycache__" not in path.parts)


def _name(path: Path, package: Path) -> tuple[str, ...]:
    parts = path.relative_to(package).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts


def _imports(path: Path, package: Path) -> Iterator[tuple[str, ...]]:
    """Yield what a module imports, absolute, imports inside functions and for type checking as well."""
    here = (package.name, *path.relative_to(package).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else ()
            module = (*base, *(node.module.split(".") if node.module else ()))
            yield module
            yield from ((*module, alias.name) for alias in node.names)


def _ids(paths: list[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in paths]


CORE_MODULES = _modules(CORE)
ALL_MODULES = CORE_MODULES + [path for plugin in PLUGINS for path in _modules(plugin)]


DRAWN = [package for package in (CORE, *PLUGINS) if _layers(package)]
DRAWN_MODULES = [(package, path) for package in DRAWN for path in _modules(package)]


def test_large_packages_have_a_drawing() -> None:
    assert [package for package in (CORE, *PLUGINS) if len(_modules(package)) >= LARGE] == DRAWN


@pytest.mark.parametrize("package", DRAWN, ids=_ids(DRAWN))
def test_the_drawing_names_every_module(package: Path) -> None:
    found = {_name(path, package)[0] for path in _modules(package)}
    assert found == set(_layers(package)) - ({"version", "__main__"} - found)


@pytest.mark.parametrize(("package", "path"), DRAWN_MODULES, ids=_ids([path for _, path in DRAWN_MODULES]))
def test_a_module_imports_from_its_own_layer_or_below(package: Path, path: Path) -> None:
    layers = _layers(package)
    own = _name(path, package)[0]
    for module in _imports(path, package):
        if module[0] == package.name and len(module) > 1 and module[1] in layers:
            assert layers[module[1]] <= layers[own], f"{own} imports {'.'.join(module)}"


@pytest.mark.parametrize("package", DRAWN, ids=_ids(DRAWN))
def test_no_cycle(package: Path) -> None:
    """Within a layer any order will do, so long as there is one."""
    known = {_name(path, package): path for path in _modules(package)}
    edges = {
        name: {
            other
            for module in _imports(path, package)
            if module[0] == package.name and (other := module[1:]) in known and other != name
        }
        for name, path in known.items()
    }
    while leaves := [name for name, others in edges.items() if not others & set(edges)]:
        for name in leaves:
            del edges[name]
    assert not edges


@pytest.mark.parametrize("path", ALL_MODULES, ids=_ids(ALL_MODULES))
def test_only_the_edge_imports_scons(path: Path) -> None:
    package = next(package for package in (CORE, *PLUGINS) if path.is_relative_to(package))
    found = {module for module in _imports(path, package) if module[0] == "SCons"}
    assert not found or path.is_relative_to(CORE / "scons")


PLUGIN_MODULES = [(plugin, path) for plugin in PLUGINS for path in _modules(plugin)]


PLUGIN_TESTS = [(path.parent, path) for path in sorted(ROOT.glob("plugins/*/tests/**/*.py"))]


@pytest.mark.parametrize(
    ("plugin", "path"),
    [*PLUGIN_MODULES, *PLUGIN_TESTS],
    ids=_ids([path for _, path in [*PLUGIN_MODULES, *PLUGIN_TESTS]]),
)
def test_a_plugin_goes_through_the_one_door(plugin: Path, path: Path) -> None:
    """From `cratewright`, in tests from `cratewright.testing`, and from what another plugin shares in its `sharing`.

    What else there is may change any day.
    """
    others = {other.name for other in PLUGINS} - {plugin.name}
    public = set(cratewright.__all__) - {"tool"}
    doors = {("cratewright",), ("cratewright", "testing")} if "tests" in path.parts else {("cratewright",)}
    for module in _imports(path, plugin):
        if module[0] == "cratewright":
            inside = module[:-1] in doors and (module[-1] in public or len(module) == 3)
            assert module in doors or inside, f"{path.name} imports {'.'.join(module)}"
        elif "tests" not in path.parts and module[0] in others:
            assert module[1:2] == ("sharing",), f"{path.name} imports {'.'.join(module)}"


@pytest.mark.parametrize("path", ALL_MODULES, ids=_ids(ALL_MODULES))
def test_a_module_says_what_it_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), "no docstring"
    if path.name not in TABLES:
        assert text.count("\n") <= LONGEST


def test_importing_the_package_loads_neither_scons_nor_tools() -> None:
    import subprocess
    import sys

    code = (
        f"import sys; sys.path.insert(0, {str(CORE.parent)!r}); import cratewright, cratewright.cli\n"
        "heavy = {'SCons', 'numpy', 'ctypes', 'asyncio', 'multiprocessing', 'tomli', 'hypothesis'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
