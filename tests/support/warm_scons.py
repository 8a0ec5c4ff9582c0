"""What a server of `scons` runs imports and computes once, so that its forks need not."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import is_dataclass
from importlib.metadata import PathDistribution
from typing import Any

__all__ = ["warm"]

# The modules that a default environment and our plugins import.
_TOOLS = (
    *("FortranCommon", "JavaCommon", "ar", "as", "asm", "cc", "cxx", "default", "dmd", "dvipdf", "dvips", "f77", "f90"),
    *("f95", "filesystem", "g++", "g77", "gas", "gcc", "gdc", "gfortran", "gnulink", "gs", "gxx", "ifl", "ifort"),
    *("install", "jar", "javac", "javah", "latex", "ldc", "lex", "link", "linkCommon.LoadableModule"),
    *("linkCommon.SharedLibrary", "m4", "pdf", "pdflatex", "pdftex", "rmic", "rpcgen", "rpm", "swig", "tar", "tex"),
    *("textfile", "yacc", "zip"),
)
_MODULES = (
    *("SCons.Script", "SCons.Platform.posix", *(f"SCons.Tool.{name}" for name in _TOOLS)),
    *("cratewright.scons.environment", "cratewright.scons.methods", "cratewright.scons.declaring.by_hand"),
    *("cratewright.testing", "cratewright.workers.zygote", "cratewright.cache.database", "sqlite3"),
    *("cratewright.cli.build", "cratewright.cli.cache", "cratewright.cli.inspection", "cratewright.cli.init"),
    *("cratewright.system.elsewhere", "cratewright.formats.depfile", "difflib", "encodings.ascii"),
)
_PLUGINS = ("cratewright_native", "cratewright_slang", "cratewright_spirv", "cratewright_wasm")


def warm() -> None:
    """Do once what every run would repeat.

    Import modules, compile regular expressions, read installed distributions and the code that results depend on, build
    glslang's tables (as slow as the rest of a small shader build), and start Slang (half a second).
    """
    for name in _MODULES:
        with suppress(ImportError):  # a test's own site may lack some
            importlib.import_module(name)
    _keep_entry_points()
    _keep_checks(importlib.import_module("cratewright.contract.declared"))
    registry = importlib.import_module("cratewright.plugins.registry").Registry()
    importlib.import_module("cratewright.plugins.loading").load_plugins(registry)
    registry.register(importlib.import_module("cratewright.testing"))
    code = importlib.import_module("cratewright.contract.incremental_cache").results_code
    for name in registry.names:
        code(registry.backend(name))
    _keep_listings(registry)
    for name in _PLUGINS:
        with suppress(ImportError):  # not installed
            for module in pkgutil.walk_packages(importlib.import_module(name).__path__, f"{name}."):
                with suppress(Exception):
                    importlib.import_module(module.name)
    _finish_classes_and_patterns()
    importlib.import_module("cratewright_spirv.spirv_tools.tools").find_tools(None)
    importlib.import_module("cratewright_spirv.compilers.glslang").Glslang().warm("vulkan1.3", (450, 460))
    with suppress(Exception):  # the plugin may be installed without Slang
        importlib.import_module("cratewright_slang.wheel").library()


def _finish_classes_and_patterns() -> None:
    """Create what modules create on first use: `__init__` of value classes, and regular expressions."""
    values, patterns = (importlib.import_module(f"cratewright.base.{name}") for name in ("values", "patterns"))
    for module in [module for name, module in sys.modules.items() if name.startswith("cratewright")]:
        for found in list(vars(module).values()):
            if isinstance(found, patterns._Pattern):
                for name in ("match", "fullmatch", "search", "sub", "finditer", "findall", "split"):
                    getattr(found, name)
            elif is_dataclass(found) and found.__init__.__qualname__.startswith("_methods."):  # type: ignore[misc]
                found.__init__ = values._initialiser(found)  # type: ignore[misc]


def _keep_entry_points() -> None:
    """Read installed distributions once: a hundred are slow to read, and tests install theirs elsewhere."""
    installed = f"{sys.prefix}{os.sep}"

    def once(read: Callable[[PathDistribution], object]) -> Callable[[PathDistribution], object]:
        kept: dict[str, object] = {}

        def read_once(found: PathDistribution) -> object:
            path = str(found._path)
            if not path.startswith(installed):
                return read(found)
            if path not in kept:
                kept[path] = read(found)
            return kept[path]

        return read_once

    for name in ("_normalized_name", "entry_points"):
        setattr(PathDistribution, name, property(once(getattr(PathDistribution, name).fget)))


def _keep_checks(declared: Any) -> None:
    """Check the declarations of each backend class once, unless it changes."""
    find = declared.find_class_fault
    right: dict[type, dict[str, object]] = {}

    def find_once(kind: type) -> object:
        members = dict(vars(kind))
        fault = None if right.get(kind) == members else find(kind)
        if not fault:
            right[kind] = members
        return fault

    declared.find_class_fault = find_once


def _keep_listings(registry: Any) -> None:
    """List installed code and programs once; runs still check each listed file for changes."""
    installed = importlib.import_module("cratewright.scons.at_exit.installed_code")
    places = importlib.import_module("cratewright.contract.incremental_cache").code_places
    list_code, list_programs = installed.code_files, installed._programs
    code = {place: list_code(place) for name in registry.names for place in places(registry.backend(name))}
    programs: dict[str, list[str]] = {}
    for path in os.environ["PATH"].split(os.pathsep):
        with suppress(installed.UnrecordableBuild):
            programs[path] = [*list_programs({path})]

    def programs_once(paths: set[str]) -> Iterator[str]:
        for path in sorted(paths):
            yield from programs.get(path) or list_programs({path})

    installed.code_files = lambda place: code.get(place) or list_code(place)
    installed._programs = programs_once
    _leave_out_what_stays(installed)


def _leave_out_what_stays(installed: Any) -> None:
    """Exclude modules loaded here and installed distributions from the files that runs check for changes.

    Most runs load a third of these modules.
    """
    writing = importlib.import_module("cratewright.scons.at_exit.write_record")
    list_loaded, list_distributions = writing.loaded_files, installed._distributions
    here = {*list_loaded(())}
    there = tuple(f"{place}{os.sep}" for place in (sys.prefix, sys.base_prefix))

    writing.loaded_files = lambda known: (path for path in list_loaded(known) if path not in here)
    installed._distributions = lambda *words: (
        path
        for path in list_distributions(*words)
        if not path.startswith(there) or not path.endswith((".txt", ".dist-info"))
    )
