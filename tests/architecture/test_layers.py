"""The rules of imports between layers, which the docstring of each package lists, and other rules for modules."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import cratewright

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "site_scons" / "cratewright"
PLUGINS = sorted(ROOT.glob("plugins/*/src/*")) + sorted(ROOT.glob("tests/support/*/src/*"))
LONGEST = 410
LONGEST_IN_CORE = 300
"""Except in `scons`, and the contract of backends, which is read as a whole."""
LARGE = 14
"""Packages with at least as many modules must list their layers."""
# Tables rather than code.
TABLES = {"opcodes.py"}


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _layers(package: Path) -> dict[str, int]:
    """Return the layer of each module or subpackage, from the list in the package's docstring."""
    listing = ast.get_docstring(_tree(package / "__init__.py")) or ""
    rows = [line for line in listing.splitlines() if re.match(r" {4}\w", line)]
    names = [re.split(r" {2,}", row.strip())[0].split(", ") for row in rows]
    layers = {name: number for number, row in enumerate(names, 1) for name in row}
    # Docstrings do not list these: the version, which every module may read, and the entry points.
    return {"version": 0, **layers, "__init__": len(rows), "__main__": len(rows)} if rows else {}


def _modules(package: Path) -> list[Path]:
    return sorted(path for path in package.rglob("*.py") if "__pycache__" not in path.parts)


def _name(path: Path, package: Path) -> tuple[str, ...]:
    parts = path.relative_to(package).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts


@cache
def _imports(path: Path, package: Path) -> frozenset[tuple[str, ...]]:
    """Return the absolute names that a module imports, also in functions and for type checking."""
    return frozenset(_imported(path, package))


def _imported(path: Path, package: Path) -> Iterator[tuple[str, ...]]:
    here = (package.name, *path.relative_to(package).parent.parts)
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else ()
            module = (*base, *(node.module.split(".") if node.module else ()))
            yield module
            yield from ((*module, alias.name) for alias in node.names)


def _ids(paths: list[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in paths]


PACKAGES = [CORE, *PLUGINS]
SUBPACKAGES = [path.parent for path in sorted(CORE.glob("*/__init__.py"))]
LAYERED = [package for package in [*PACKAGES, *SUBPACKAGES] if _layers(package)]

each_package = pytest.mark.parametrize("package", PACKAGES, ids=_ids(PACKAGES))
each_layered = pytest.mark.parametrize("package", LAYERED, ids=_ids(LAYERED))


def test_large_packages_list_their_layers() -> None:
    large = [package for package in [*PACKAGES, CORE / "scons"] if len(_modules(package)) >= LARGE]
    assert [package for package in large if package not in LAYERED] == []


@each_layered
def test_layers_list_every_module(package: Path) -> None:
    found = {_name(path, package)[0] for path in _modules(package)}
    assert found == set(_layers(package)) - ({"version", "__main__"} - found)


@each_layered
def test_module_imports_only_from_its_own_layer_or_below(package: Path) -> None:
    layers = _layers(package)
    above = [
        f"{path.relative_to(package)} imports {'.'.join(module)}"
        for path in _modules(package)
        for module in _imports(path, package)
        if module[0] == package.name and len(module) > 1 and module[1] in layers
        if layers[module[1]] > layers[_name(path, package)[0]]
    ]
    assert not above


@each_layered
def test_no_import_cycles(package: Path) -> None:
    """Within a layer, too."""
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


@each_package
def test_only_the_scons_package_imports_scons(package: Path) -> None:
    found = [path for path in _modules(package) if any(module[0] == "SCons" for module in _imports(path, package))]
    assert [path for path in found if not path.is_relative_to(CORE / "scons")] == []
    assert found or package != CORE


@pytest.mark.parametrize("plugin", PLUGINS, ids=_ids(PLUGINS))
def test_plugin_imports_only_public_names(plugin: Path) -> None:
    """It may import from `cratewright`, and from the module `sharing` of another plugin."""
    others = {other.name for other in PLUGINS} - {plugin.name}
    assert _private_imports(plugin, _modules(plugin), {("cratewright",)}) == []
    shared = [
        f"{path.relative_to(plugin)} imports {'.'.join(module)}"
        for path in _modules(plugin)
        for module in _imports(path, plugin)
        if module[0] in others and module[1:2] != ("sharing",)
    ]
    assert shared == []


TESTED = [directory for directory in sorted(ROOT.glob("plugins/*/tests")) if _modules(directory)]


@pytest.mark.parametrize("directory", TESTED, ids=_ids(TESTED))
def test_tests_of_a_plugin_import_only_public_names(directory: Path) -> None:
    """They may import from `cratewright.testing` as well."""
    assert _private_imports(directory, _modules(directory), {("cratewright",), ("cratewright", "testing")}) == []


def _private_imports(package: Path, paths: list[Path], allowed: set[tuple[str, ...]]) -> list[str]:
    public = set(cratewright.__all__) - {"tool"}
    return [
        f"{path.relative_to(package)} imports {'.'.join(module)}"
        for path in paths
        for module in _imports(path, package)
        if module[0] == "cratewright" and module not in allowed
        if module[:-1] not in allowed or not (module[-1] in public or len(module) == 3)
    ]


@each_package
def test_module_has_a_docstring_and_is_not_too_long(package: Path) -> None:
    for path in _modules(package):
        assert ast.get_docstring(_tree(path)), f"{path.name}: no docstring"
        lines = path.read_text(encoding="utf-8").count("\n")
        is_short = package == CORE and _name(path, package)[0] != "scons" and path.name != "backend.py"
        longest = LONGEST_IN_CORE if is_short else LONGEST
        assert lines <= longest or path.name in TABLES, f"{path.name}: {lines} lines"


def test_names_of_public_classes_are_unique() -> None:
    """So that an import line or a search shows which class is meant."""
    owners: dict[str, list[str]] = {}
    sources = [path for package in PACKAGES if not package.is_relative_to(ROOT / "tests") for path in _modules(package)]
    for path in sources:
        for node in _tree(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                owners.setdefault(node.name, []).append(path.relative_to(ROOT).as_posix())
    assert {name: paths for name, paths in owners.items() if len(paths) > 1} == {}


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


def test_type_checkers_know_the_public_names() -> None:
    """Type checkers read the imports; at run time names are found in the table of modules."""
    tree = _tree(Path(cratewright.__file__))
    imported = {
        f"{node.module}:{name.name}"
        for block in tree.body
        if isinstance(block, ast.If)
        for node in ast.walk(block)
        if isinstance(node, ast.ImportFrom)
        for name in node.names
        if name.asname == name.name
    }
    assert imported == {f"{module}:{name}" for name, module in cratewright._MODULE_OF.items()}
    assert all(hasattr(cratewright, name) for name in cratewright.__all__)
