"""What a backend class must declare to be registered."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import pytest

import cratewright
from cratewright.base.errors import PluginError
from cratewright.contract.declared import find_class_fault
from cratewright.plugins.registry import Registry
from cratewright.testing import StubBackend
from cratewright.values.capability import Capability
from cratewright.values.construction import ConstructionVariable
from cratewright.values.crate_type import CrateType
from cratewright.values.option_spec import OptionKind, OptionSpec
from tests.support.edge_backend import FLAG, LINKED, Upper, changed

Golden = Callable[[str, str], None]
NUMBER = OptionSpec(name="count", kind=OptionKind.INT, default=None, help="")
FILE = OptionSpec(name="words", kind=OptionKind.PATH, default="", help="")


def _plugin(found: object) -> types.ModuleType:
    module = types.ModuleType("upper_plugin")

    def cratewright_register_backend() -> object:
        return found

    module.cratewright_register_backend = cratewright.hookimpl(cratewright_register_backend)  # type: ignore[attr-defined]
    return module


async def _async(self: object, stencil: object) -> None: ...


def _generator(self: object, stencil: object) -> Iterator[None]:
    yield None


DECLARED: Mapping[str, Mapping[str, object]] = {
    "targets empty": {"TARGETS": ()},
    "variables no variables": {"VARIABLES": ("CPPPATH",)},
    "variable of no option": {"VARIABLES": (ConstructionVariable(name="X", option="include_dir"),)},
    "settings a set": {"SETTINGS": {"CRATE_X"}},
    "setting no string": {"SETTINGS": frozenset({3})},
    "setting of another name": {"SETTINGS": frozenset({"UPPER_X"})},
    "unknown path option": {"PATH_OPTIONS": frozenset({"nothing"})},
    "lto options a tuple": {"LTO_OPTIONS": ("lto",)},
    "unknown source option": {"SOURCE_OPTIONS": frozenset({"loud"})},
    "source option that no link sees": {"SOURCE_OPTIONS": frozenset({"opt_level"})},
    "objects and nothing to make them": {"supported_crate_types": frozenset({CrateType.OBJECT})},
    "targets a string": {"TARGETS": "text"},
    "targets a list": {"TARGETS": ["text"]},
    "target no string": {"TARGETS": ("text", 3)},
    "target twice": {"TARGETS": ("text", "text")},
    "target with a space": {"TARGETS": ("a text",)},
    "suffix without dot": {"SUFFIXES": ("txt",)},
    "suffixes empty": {"SUFFIXES": ()},
    "name no string": {"NAME": 3},
    "name none": {"NAME": None},
    "name empty": {"NAME": ""},
    "name with capitals": {"NAME": "Upper"},
    "no api version": {"API_VERSION": ...},
    "api version of tomorrow": {"API_VERSION": 99},
    "api version too old": {"API_VERSION": 0},
    "api version a string": {"API_VERSION": "1"},
    "api version true": {"API_VERSION": True},
    "crate types of strings": {"supported_crate_types": frozenset({"bin"})},
    "crate types a set": {"supported_crate_types": {CrateType.BIN}},
    "crate types empty": {"supported_crate_types": frozenset()},
    "crate types missing": {"supported_crate_types": ...},
    "capabilities of strings": {"capabilities": frozenset({"fat-lto"})},
    "capabilities a tuple": {"capabilities": (Capability.FAT_LTO,)},
    "fat without methods": {"capabilities": frozenset({Capability.FAT_LTO})},
    "thin without one method": {
        "capabilities": frozenset({Capability.THIN_LTO}),
        "run_thin_lto": lambda self, request: (),
    },
    "allocator without method": {"capabilities": frozenset({Capability.ALLOCATOR})},
    "dynamic without dylib": {"capabilities": frozenset({Capability.DYNAMIC_LINKAGE})},
    "unknown unit option": {"UNIT_OPTIONS": frozenset({"define"})},
    "unknown link option": {"LINK_OPTIONS": frozenset({"loud"})},
    "unit options a tuple": {"UNIT_OPTIONS": ("defines",)},
    "unit option no string": {"UNIT_OPTIONS": frozenset({3})},
    "module option that links do not see": {"MODULE_OPTIONS": frozenset({"defines"})},
    "options a list": {"OPTIONS": [FLAG]},
    "option no spec": {"OPTIONS": ("loud",)},
    "option with a string for its kind": {"OPTIONS": (replace(FLAG, kind="flag"),)},  # type: ignore[arg-type]
    "option that shadows": {"OPTIONS": (replace(FLAG, name="opt_level"),)},
    "option called like an argument": {"OPTIONS": (replace(FLAG, name="sources"),)},
    "option with a hyphen": {"OPTIONS": (replace(FLAG, name="very-loud"),)},
    "option twice": {"OPTIONS": (FLAG, FLAG)},
    "option with a wrong default": {"OPTIONS": (replace(FLAG, default="perhaps"),)},
    "option with a default of another form": {"OPTIONS": (replace(FLAG, default="1"),)},
    "number with a default beyond its bounds": {"OPTIONS": (replace(NUMBER, default=3, least=4),)},
    "number with bounds crossed": {"OPTIONS": (replace(NUMBER, least=4, most=3),)},
    "number with no step": {"OPTIONS": (replace(NUMBER, step=0),)},
    "number with a text for a bound": {"OPTIONS": (replace(NUMBER, least="1"),)},  # type: ignore[arg-type]
    "number with true for a default": {"OPTIONS": (replace(NUMBER, default=True),)},
    "flag with bounds": {"OPTIONS": (replace(FLAG, most=1),)},
    "path with a default": {"OPTIONS": (replace(FILE, default="a.txt"),)},
    "path that LTO may see": {"OPTIONS": (FILE,), "LINK_OPTIONS": frozenset({"words"})},
    "path of a source's own link options": {
        "OPTIONS": (FILE,),
        "LINK_OPTIONS": frozenset({"words"}),
        "MODULE_OPTIONS": frozenset(),
        "SOURCE_OPTIONS": frozenset({"words"}),
    },
    "number of a source without a default": {
        "OPTIONS": (NUMBER,),
        "LINK_OPTIONS": frozenset({"count"}),
        "SOURCE_OPTIONS": frozenset({"count"}),
    },
    "path among words that may be paths": {"OPTIONS": (FILE,), "PATH_OPTIONS": frozenset({"words"})},
    "variable of a path": {"OPTIONS": (FILE,), "VARIABLES": (ConstructionVariable(name="X", option="words"),)},
    "choice without words": {"OPTIONS": (replace(FLAG, kind=OptionKind.CHOICE, default="a"),)},
    "runs programs no bool": {"RUNS_PROGRAMS": 1},
    "emitted a tuple": {"EMITTED": ("asm",)},
    "emitted without an option": {"EMITTED": {"asm": ".s"}},
    "emitted with a path": {"EMITTED": {"asm": "/../s"}},
    "method missing": {"link": ...},
    "method no function": {"link": 3},
    "method with too few parameters": {"link": lambda self: LINKED},
    "method with too many": {"link": lambda self, request, more: LINKED},
    "async": {"compile_codegen_unit": _async},
    "generator": {"compile_codegen_unit": _generator},
}


def test_invalid_declarations_are_rejected(golden: Golden) -> None:
    messages: list[str] = []
    for name, words in DECLARED.items():
        registry = Registry()
        with pytest.raises(PluginError) as caught:
            registry.register(_plugin(changed(words)))
        assert registry.names == (), name
        messages.append(f"# {name}\n{caught.value}\n")
    golden("errors/plugin_classes.txt", "\n".join(messages))


def test_valid_classes_are_accepted() -> None:
    assert find_class_fault(Upper) is None and find_class_fault(StubBackend) is None
    for words in (
        {"link": lambda self, request, more=1: LINKED},
        {"link": lambda self, *everything: LINKED},
        {"link": staticmethod(lambda request: LINKED)},
        {"OPTIONS": (replace(FLAG, kind=OptionKind.CHOICE, words=("a", "b"), default="b"),)},
        {"OPTIONS": (replace(FLAG, kind=OptionKind.TEXTS, default=("a",)),)},
        {"OPTIONS": (FLAG,), "LINK_OPTIONS": frozenset({"loud", "debuginfo"}), "MODULE_OPTIONS": frozenset({"loud"})},
    ):
        assert find_class_fault(changed(words)) is None, words
