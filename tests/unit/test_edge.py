"""What a plugin declares and answers is checked where it enters; each sentence is a golden."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

import cratewright
from cratewright import testing
from cratewright.base.digest import Digest
from cratewright.base.errors import CratewrightError, LinkError, PluginError, SourceError
from cratewright.contract.backend import Capability, CodegenBackend, Session
from cratewright.contract.declared import find_class_fault
from cratewright.contract.edge import guard, implements, open_backend, plugin_class
from cratewright.contract.promised import check_promised, could_return
from cratewright.plugins.registry import Registry
from cratewright.testing import StubBackend
from cratewright.values.call import BackendCall
from cratewright.values.construction import ConstructionVariable
from cratewright.values.crate_type import CrateType
from cratewright.values.module import CompiledUnit, EntryPoint, ModuleCodegen, Observed, Symbol
from cratewright.values.option_spec import OptionKind, OptionSpec
from cratewright.values.options import Options
from cratewright.values.request import Artifact, LinkPart, LinkRequest, LinkResult, ThinModule
from cratewright.values.stencil import UnitStencil

Golden = Callable[[str, str], None]

SESSION = Session(root="/nowhere", target="text")
NUMBER = OptionSpec(name="count", kind=OptionKind.INT, default=None, help="")
FILE = OptionSpec(name="words", kind=OptionKind.PATH, default="", help="")
FLAG = OptionSpec(name="loud", kind=OptionKind.FLAG, default=False, help="")


def _plugin(found: object) -> types.ModuleType:
    module = types.ModuleType("upper_plugin")

    def cratewright_register_backend() -> object:
        return found

    module.cratewright_register_backend = cratewright.hookimpl(cratewright_register_backend)  # type: ignore[attr-defined]
    return module


class Upper(CodegenBackend):
    """A sound class; what is wrong is changed in a copy."""

    NAME = "upper"
    API_VERSION = 1
    TARGETS = ("text",)
    SUFFIXES = (".txt",)
    supported_crate_types = frozenset({CrateType.BIN})

    def fingerprint(self) -> str:
        """Return the version."""
        return "upper 1"

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile."""
        return UNIT

    def output_names(self, crate: str, crate_type: CrateType, options: Options) -> tuple[str, ...]:
        """Return the one file."""
        return (f"{crate}.out",)

    def link(self, request: LinkRequest) -> LinkResult:
        """Link."""
        return LINKED


MODULE = ModuleCodegen(name=".o", data=b"x")
UNIT = CompiledUnit(modules=(MODULE,))
LINKED = LinkResult(artifacts=(Artifact("app.out", b"x"),))
DIGEST = "0" * 64


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


def _changed(words: Mapping[str, object]) -> type[CodegenBackend]:
    """Return a sound class with some of its words changed, or left out."""
    own = {name: value for name, value in vars(Upper).items() if not name.startswith("__") and name != "_abc_impl"}
    body = {**own, **words, "__module__": "upper_plugin"}
    return type("Upper", (CodegenBackend,), {name: value for name, value in body.items() if value is not ...})


def test_declared(golden: Golden) -> None:
    said: list[str] = []
    for name, words in DECLARED.items():
        registry = Registry()
        with pytest.raises(PluginError) as caught:
            registry.register(_plugin(_changed(words)))
        assert registry.names == (), name
        said.append(f"# {name}\n{caught.value}\n")
    golden("errors/plugin_classes.txt", "\n".join(said))


def test_kept_units_with_other_files_than_asked_for_are_none_of_ours() -> None:
    kind = _changed(
        {
            "OPTIONS": (OptionSpec(name="emit", kind=OptionKind.TEXTS, default=(), help=""),),
            "UNIT_OPTIONS": frozenset({"emit"}),
            "EMITTED": {"asm": ".s", "obj": ".o"},
        }
    )
    assert find_class_fault(kind) is None
    backend = open_backend(kind, SESSION)
    asked = replace(STENCIL, options=Options((("emit", ("obj", "asm")),)))
    for files, fits in (((".s", ".o"), True), ((".o", ".s"), False), ((".s",), False), ((), False)):
        unit = replace(UNIT, emitted=tuple((suffix, b"x") for suffix in files))
        assert could_return(backend, BackendCall(CodegenBackend.compile_codegen_unit, asked), unit) is fits
    nothing = replace(STENCIL, options=Options((("emit", ()),)))
    assert not could_return(
        backend,
        BackendCall(CodegenBackend.compile_codegen_unit, nothing),
        replace(UNIT, emitted=((".s", b"x"),)),
    )


def test_sound_classes_are_taken() -> None:
    assert find_class_fault(Upper) is None and find_class_fault(StubBackend) is None
    for words in (
        {"link": lambda self, request, more=1: LINKED},
        {"link": lambda self, *everything: LINKED},
        {"link": staticmethod(lambda request: LINKED)},
        {"OPTIONS": (replace(FLAG, kind=OptionKind.CHOICE, words=("a", "b"), default="b"),)},
        {"OPTIONS": (replace(FLAG, kind=OptionKind.TEXTS, default=("a",)),)},
        {"OPTIONS": (FLAG,), "LINK_OPTIONS": frozenset({"loud", "debuginfo"}), "MODULE_OPTIONS": frozenset({"loud"})},
    ):
        assert find_class_fault(_changed(words)) is None, words


class Name(str):
    """A string that is more."""


class Unit(CompiledUnit):
    """A unit that is more."""


STENCIL = UnitStencil(
    backend="upper", fingerprint="1", target="text", path="src/a.txt", source=b"a", options=Options(())
)
REQUEST = LinkRequest(crate="app", crate_type=CrateType.BIN, target="text", options=Options(()), modules=())


def _with_module(**words: Any) -> CompiledUnit:
    return CompiledUnit(modules=(replace(MODULE, **words),))


def _with_artifacts(*artifacts: Any) -> LinkResult:
    return LinkResult(artifacts=artifacts)


_BARE = object.__new__(CompiledUnit)
THIN = ThinModule(name="a", crate="app", data=b"")

ANSWERS: Mapping[str, tuple[str, tuple[Any, ...], Any]] = {
    "no unit": ("compile_codegen_unit", (STENCIL,), None),
    "a list of modules for a unit": ("compile_codegen_unit", (STENCIL,), [MODULE]),
    "a list of modules in a unit": ("compile_codegen_unit", (STENCIL,), CompiledUnit(modules=[MODULE])),  # type: ignore[arg-type]
    "no modules": ("compile_codegen_unit", (STENCIL,), CompiledUnit(modules=())),
    "text for bytes": ("compile_codegen_unit", (STENCIL,), _with_module(data="text")),
    "bytearray for bytes": ("compile_codegen_unit", (STENCIL,), _with_module(data=bytearray(b"x"))),
    "bytes for text": ("compile_codegen_unit", (STENCIL,), _with_module(name=b".o")),
    "text for a kind": ("compile_codegen_unit", (STENCIL,), _with_module(kind="regular")),
    "text for a symbol": ("compile_codegen_unit", (STENCIL,), _with_module(exports=("f",))),
    "a symbol with a wrong line": (
        "compile_codegen_unit",
        (STENCIL,),
        _with_module(exports=(Symbol("f", "f", "a", None),)),
    ),  # type: ignore[arg-type]
    "a pair for an entry point": ("compile_codegen_unit", (STENCIL,), _with_module(entry_points=(("comp", "main"),))),
    "attributes of three": ("compile_codegen_unit", (STENCIL,), _with_module(attributes=(("a", "b", "c"),))),
    "attributes a mapping": ("compile_codegen_unit", (STENCIL,), _with_module(attributes={"a": "b"})),
    "attributes in disorder": ("compile_codegen_unit", (STENCIL,), _with_module(attributes=(("b", ""), ("a", "")))),
    "a name that is more": ("compile_codegen_unit", (STENCIL,), _with_module(name=Name(".o"))),
    "a name with a line break": ("compile_codegen_unit", (STENCIL,), _with_module(name="a\nb")),
    "a unit that is more": ("compile_codegen_unit", (STENCIL,), Unit(modules=(MODULE,))),
    "a unit without fields": ("compile_codegen_unit", (STENCIL,), _BARE),
    "two modules of one name": ("compile_codegen_unit", (STENCIL,), CompiledUnit(modules=(MODULE, MODULE))),
    "a wrong digest": ("compile_codegen_unit", (STENCIL,), replace(UNIT, observed=(Observed("a.inc", "12"),))),
    "a path observed twice": (
        "compile_codegen_unit",
        (STENCIL,),
        replace(UNIT, observed=(Observed("a.inc", DIGEST),) * 2),
    ),
    "files that nobody asked for": ("compile_codegen_unit", (STENCIL,), replace(UNIT, emitted=((".s", b"x"),))),
    "diagnostics a string": ("compile_codegen_unit", (STENCIL,), replace(UNIT, diagnostics="a:1: warning: w")),
    "no form": ("canonical_form", (STENCIL,), b"key"),
    "no module of codegen": ("codegen", (MODULE, REQUEST.config), b"x"),
    "a shim of the wrong kind": ("codegen_allocator", (REQUEST.config, False), MODULE),
    "no fat module": ("run_fat_lto", (REQUEST,), (MODULE,)),
    "no thin modules": ("run_thin_lto", (REQUEST,), [THIN]),
    "two thin modules of one name": ("run_thin_lto", (REQUEST,), (THIN, THIN)),
    "memory negative": ("lto_memory", (REQUEST,), -1),
    "memory a float": ("lto_memory", (REQUEST,), 1.5),
    "perhaps": ("supports_lto", (MODULE,), None),
    "fingerprint none": ("fingerprint", (), None),
    "fingerprint of two lines": ("fingerprint", (), "one\ntwo"),
    "fingerprint empty": ("fingerprint", (), ""),
    "no names": ("output_names", ("app", CrateType.BIN, Options(())), ()),
    "one name": ("output_names", ("app", CrateType.BIN, Options(())), "app.out"),
    "a name outside": ("output_names", ("app", CrateType.BIN, Options(())), ("../app.out",)),
    "an absolute name": ("output_names", ("app", CrateType.BIN, Options(())), ("/tmp/app.out",)),
    "a directory first": ("output_names", ("app", CrateType.BIN, Options(())), ("app.d/", "app.json")),
    "a name twice": ("output_names", ("app", CrateType.BIN, Options(())), ("a", "a")),
    "a link outside": ("output_links", ("app", CrateType.BIN, Options(())), {"app": "../app.out"}),
    "a link that is a directory": ("output_links", ("app", CrateType.BIN, Options(())), {"app/": "app.out"}),
    "links in a ring": ("output_links", ("app", CrateType.BIN, Options(())), {"a": "b", "b": "c", "c": "b"}),
    "an artifact that is a link": ("link", (REQUEST,), _with_artifacts(Artifact("app.out", b"", link="x"))),
    "parts of strings": ("split_link", (REQUEST,), ("a",)),
    "a part with what is not there": ("split_link", (REQUEST,), (LinkPart("", (0,)),)),
    "two parts of one name": ("split_link", (REQUEST,), (LinkPart("a", ()), LinkPart("a", ()))),
    "no request": ("narrow_lto", (REQUEST,), None),
    "a request": ("link", (REQUEST,), REQUEST),
    "no link": ("link", (REQUEST,), None),
    "a pair for an artifact": ("link", (REQUEST,), _with_artifacts(("app.out", b"x"))),
    "an artifact of text": ("link", (REQUEST,), _with_artifacts(Artifact("app.out", "x"))),  # type: ignore[arg-type]
    "an artifact without a name": ("link", (REQUEST,), _with_artifacts(Artifact("", b"x"))),
    "an artifact outside": ("link", (REQUEST,), _with_artifacts(Artifact("../outside.out", b"x"))),
    "an artifact outside after all": ("link", (REQUEST,), _with_artifacts(Artifact("a/../../outside.out", b"x"))),
    "an artifact of a directory": ("link", (REQUEST,), _with_artifacts(Artifact("a/", b"x"))),
    "an absolute artifact": ("link", (REQUEST,), _with_artifacts(Artifact("/outside.out", b"x"))),
    "an artifact of Windows": ("link", (REQUEST,), _with_artifacts(Artifact("..\\outside.out", b"x"))),
    "an artifact twice": ("link", (REQUEST,), _with_artifacts(Artifact("app.out", b"x"), Artifact("app.out", b"y"))),
    "a report that is no JSON": ("link", (REQUEST,), replace(LINKED, report="{'a': 1}")),
    "a report of an object": ("link", (REQUEST,), replace(LINKED, report={"a": 1})),
    "timings of strings": ("print_pass_timings", (), {"pass": "1 s"}),
    "timings a list": ("print_pass_timings", (), [("pass", 1.0)]),
}


def _answering(method: str, answer: object) -> CodegenBackend:
    kind = _changed({method: lambda self, *arguments: answer})
    return open_backend(kind, SESSION)


def test_answers(golden: Golden) -> None:
    said: list[str] = []
    for name, (method, arguments, answer) in ANSWERS.items():
        with pytest.raises(PluginError) as caught:
            getattr(_answering(method, answer), method)(*arguments)
        said.append(f"# {name}\n{caught.value}\n")
    golden("errors/plugin_answers.txt", "\n".join(said))


def test_sound_answers_are_returned() -> None:
    entry = EntryPoint("comp", "main")
    module = replace(MODULE, entry_points=(entry,), exports=(Symbol("f", "f"),), attributes=(("a", "1"), ("b", "2")))
    unit = CompiledUnit(modules=(module,), observed=(Observed("a.inc", DIGEST), Observed("b.inc", None)))
    changed = replace(unit, observed=(Observed("a.inc", None), Observed("a.inc", DIGEST)))
    beside = replace(unit, observed=(Observed("a", Digest("directory")), Observed("b", Digest("unreadable"))))
    for method, arguments, answer in (
        ("compile_codegen_unit", (STENCIL,), unit),
        ("compile_codegen_unit", (STENCIL,), changed),
        ("compile_codegen_unit", (STENCIL,), beside),
        ("canonical_form", (STENCIL,), None),
        ("link", (REQUEST,), LinkResult(artifacts=(), report='{"a": 1}')),
        ("link", (REQUEST,), _with_artifacts(Artifact("/tmp/x", b"", dump=True), Artifact("a/b.out", b""))),
        ("run_thin_lto", (REQUEST,), (THIN, replace(THIN, crate="b"))),
        ("print_pass_timings", (), {"pass": 1, "other": 0.5}),
        ("output_names", ("a", CrateType.BIN, Options(())), ("a.json", "a.d/")),
    ):
        assert getattr(_answering(method, answer), method)(*arguments) is answer


def test_what_is_promised(golden: Golden) -> None:
    backend = guard(Upper())
    wide = _with_artifacts(Artifact("d/1", b""), Artifact("x", b"", dump=True), Artifact("b", b""), Artifact("a", b""))
    ordered = check_promised(backend, ("a", "b", "d/"), wide, "app")
    assert [item.path for item in ordered.artifacts] == ["a", "b", "d/1", "x"]
    said = []
    for result in (
        _with_artifacts(),
        _with_artifacts(Artifact("app.other", b"")),
        _with_artifacts(*wide.artifacts[2:]),
    ):
        with pytest.raises(PluginError) as caught:
            check_promised(backend, ("a", "d/") if result.artifacts[1:] else ("app.out",), result, "app")
        said.append(f"{caught.value}\n")
    golden("errors/plugin_promises.txt", "\n".join(said).replace(f"{__name__.partition('.')[0]}, no", "upper, no"))


class Odd(SourceError):
    """An error with a form of its own, which nobody else could make."""

    def __init__(self, line: int) -> None:
        super().__init__(f"a.txt:{line}: error: odd", context=(("line", line),), hint="even it")


class Uncaught(BaseException):
    """What `except Exception` does not catch."""


class Mute(Exception):
    """An exception that cannot say what it is."""

    def __str__(self) -> str:
        raise ValueError


RAISED: Mapping[str, Callable[[], BaseException]] = {
    "an exception": lambda: ZeroDivisionError("oh"),
    "without a text": KeyError,
    "a text of two lines": lambda: ValueError("one\ntwo"),
    "that cannot say what it is": Mute,
    "the end of the process": lambda: SystemExit(3),
    "an interrupt of its own": KeyboardInterrupt,
    "the end of a generator": GeneratorExit,
    "of a kind that nobody catches": lambda: Uncaught("oh"),
    "an error of ours": lambda: LinkError("app: no such symbol"),
    "an error of ours that says nothing": LinkError,
    "an error of ours with a number for a hint": lambda: LinkError("app: no", hint=3),  # type: ignore[arg-type]
    "an error of ours with a text for a diagnostic": lambda: LinkError("app: no", diagnostics=["a"]),  # type: ignore[list-item]
    "an error of its own": lambda: Odd(3),
}


@pytest.mark.parametrize("method", ["__init__", "init", "fingerprint", "compile_codegen_unit", "output_names"])
def test_exceptions(golden: Golden, method: str) -> None:
    said: list[str] = []
    for name, make in RAISED.items():

        def fail(self: object, *arguments: object, make: Callable[[], BaseException] = make) -> None:
            raise make()

        arguments = {"compile_codegen_unit": (STENCIL,), "output_names": ("app", CrateType.BIN, Options(()))}
        with pytest.raises(CratewrightError) as caught:
            getattr(open_backend(_changed({method: fail}), SESSION), method)(*arguments.get(method, ()))
        lines = str(caught.value).splitlines()
        said.append("\n".join([f"# {name}", *(line for line in lines if "test_edge.py:" not in line), ""]))
        assert caught.value.__class__.__module__ == "cratewright.base.errors"
        if isinstance(caught.value, PluginError):
            at = dict(caught.value.context)["raised at"]
            assert at.endswith("in fail: raise make()") and at.count("\n") == 0
    golden(f"errors/plugin_fails_{method.replace('__init__', 'made')}.txt", "\n".join(said))


def test_an_interrupt_by_the_user_is_no_fault_of_the_plugin() -> None:
    import signal

    class Slow(Upper):
        def fingerprint(self) -> str:
            signal.raise_signal(signal.SIGINT)
            return "upper 1"

    with pytest.raises(KeyboardInterrupt):
        open_backend(Slow, SESSION).fingerprint()


class Restless:
    """A value that cannot be looked at."""

    @property
    def __class__(self) -> type:  # type: ignore[override]
        raise ZeroDivisionError


def _deny(self: object, name: str) -> object:
    raise ZeroDivisionError(name)


def test_objects_that_answer_anything() -> None:
    """A backend, or what it returns, may have any metaclass, property and attribute there is."""
    for words, said in (
        ({"__new__": lambda cls: 3}, r"Upper\(\) made an int"),
        ({"__new__": lambda cls: None}, r"Upper\(\) made None"),
        ({"__getattribute__": _deny}, r"init\(\) failed: ZeroDivisionError: init"),
        ({"session": property(lambda self: 1 / 0, lambda self, value: None)}, "session.* failed: ZeroDivisionError"),
        ({"fingerprint": lambda self: Restless()}, r"fingerprint\(\) returned|fingerprint\(\) failed: ZeroDivision"),
        ({"fingerprint": lambda self: " "}, r"fingerprint\(\) returned ' '"),
        ({"fingerprint": lambda self: "\x1b[31m"}, r"fingerprint\(\) returned '.x1b"),
        ({"fingerprint": lambda self: "\udcff"}, r"fingerprint\(\) returned '.udcff"),
        ({"output_names": lambda self, *_: (Restless(),)}, r"output_names\(\) failed: ZeroDivisionError"),
    ):
        with pytest.raises(PluginError, match=rf"backend 'upper': {said}") as caught:
            backend = open_backend(_changed(words), SESSION)
            backend.fingerprint()
            backend.output_names("app", CrateType.BIN, Options(()))
        assert ("plugin", "upper_plugin, no version") in caught.value.context


def test_a_session_that_is_not_kept() -> None:
    with pytest.raises(PluginError, match=r"init\(\) does not keep the session"):
        open_backend(_changed({"init": lambda self, session: None}), SESSION)


def test_a_guarded_backend_is_like_the_plugins_own() -> None:
    backend = open_backend(StubBackend, SESSION)
    assert guard(backend) is backend and plugin_class(backend) is StubBackend
    assert (backend.NAME, backend.TARGETS, backend.session) == ("stub", ("text", "text2"), SESSION)
    assert backend.capabilities == StubBackend.capabilities and not backend.times_passes
    assert implements(backend, CodegenBackend.run_fat_lto) and not implements(backend, CodegenBackend.codegen)
    # What the contract does itself costs nothing.
    assert backend.codegen(MODULE, REQUEST.config) is MODULE
    assert type(backend).codegen is CodegenBackend.codegen and type(backend).OPTIONS is StubBackend.OPTIONS


def test_every_method_of_the_contract_is_guarded() -> None:
    own = [name for name, value in vars(CodegenBackend).items() if callable(value) and not name.startswith("_")]
    everything = _changed({name: lambda self, *arguments: {3} for name in own if name != "init"})
    backend = open_backend(everything, SESSION)
    for name in own:
        if name != "init":
            with pytest.raises(PluginError, match="returned a set"):
                getattr(backend, name)()


def test_the_stub_is_held_to_its_own_shape() -> None:
    """Types are compared by annotation: what a field says is what is asked."""
    backend = open_backend(StubBackend, SESSION)
    assert backend.fingerprint() == "stub 1"
    assert testing.StubBackend is plugin_class(backend)
    assert sys.modules[type(backend).__module__].__name__ == "cratewright.contract.edge"
