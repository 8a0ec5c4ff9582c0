"""Error messages of the wasm backend."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cratewright import ConfigurationError, CrateType, CratewrightError, LinkError, SourceError, ToolError
from cratewright.testing import Built
from cratewright_wasm.flags import check_flags, standard_for
from cratewright_wasm.toolchain import WASI

F = "int f(void) { return 1; }\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(module (memory 1))", "a.wat:1: error: a module that is linked with others has no memory of its own"),
        ("(module\n(table 1 funcref))", "a.wat:2: error: .* no table"),
        ('(module\n (import "env" "memory" (memory 0))\n (data (i32.const 0) "x"))', "a.wat:3: error: .* no data"),
        ("(module (func $f) (start $f))", "a.wat:1: error: .* no start"),
        ('(module\n\n  (func (export "f") i32.bogus))', "a.wat:3:22: error: unknown operator"),
        ('(module (func (export "f") (result i32) ref.null extern i32.const 1', "a.wat:1:.*: error: "),
        ('(module (import "other" "memory" (memory 0)))', "a.wat:1: error: all modules share one memory"),
        (b"(module \xff)", "a.wat:1: error: the file is not valid UTF-8"),
        ('(module (func $f (export "g") (drop (ref.func $f))))', "a.wat:1: error: 'ref.func' cannot be linked"),
    ],
)
def test_unlinkable_wat(trial: Callable[..., Built], text: str | bytes, message: str) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        trial({"a.wat": text})
    (found,) = caught.value.diagnostics
    assert found.file == "a.wat" and found.line


@pytest.mark.parametrize(
    ("sources", "message", "hint"),
    [
        (
            {"a.c": "int g(void);\nint f(void) { return g(); }\n"},
            r"trial/(a\.c|merged): undefined symbol: g",
            "imports",
        ),
        ({"a.c": F, "b.c": F}, "duplicate symbol: f", "static"),
        ({"a.c": "static int f(void) { return 1; }\n"}, "exports nothing", "exports"),
        (
            {"a.c": "int g(int);\nint f(void) { return g(1); }\n", "b.c": "int g(long long x) { return x; }\n"},
            "signature mismatch: g",
            "declare it everywhere",
        ),
    ],
)
@pytest.mark.parametrize("lto", ["off", "thin", "fat"])
def test_impossible_links(
    trial: Callable[..., Built], sources: dict[str, str], message: str, hint: str, lto: str
) -> None:
    with pytest.raises(LinkError, match=message) as caught:
        trial(sources, lto=lto)
    assert hint in caught.value.hint
    if "duplicate symbol" in message or "mismatch" in message or (lto == "off" and "undefined" in message):
        (found,) = caught.value.diagnostics
        assert found.file == "a.c" and [place.file for place in found.related] == list(sources)
    assert "/dev/shm" not in str(caught.value) and ".o:" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.c", "int f(void) {\n  return x;\n}\n", r"a\.c:2:10: error: use of undeclared"),
        ("a.c", "const char *f(void) { return __TIME__; }\n", r"a\.c:1:.*: error: expansion of date or time"),
        ("a.c", '#include "none.h"\n', r"a\.c:1:10: fatal error: 'none.h' file not found"),
        ("a.c", '\n__asm__(".incbin \\"x\\"");\n', r"a\.c:2: error: .incbin"),
        ("a.ll", 'target triple = "x86_64-linux-gnu"\n', r"a\.ll:1: error: made for the target 'x86_64"),
        ("a.ll", "define i32 @f() {\n  ret i64 %x\n}\n", r"a\.ll:2:\d+: error: "),
        ("a.bc", "nothing", r"a\.bc:1:1: error: "),
        ("a.c", '__asm__("bogus");\n', r"a\.c: error: .*<inline asm>:1:1: error: invalid instruction"),
        ("a.cpp", "int f() { throw 1; }\n", r"a\.cpp:1:\d+: error: cannot use 'throw'"),
    ],
)
def test_compile_errors(trial: Callable[..., Built], name: str, text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        trial({name: text})
    assert {item.file for item in caught.value.diagnostics} == {name}


def test_full_text_of_template_errors(trial: Callable[..., Built]) -> None:
    """Three errors in a template two headers deep; including and instantiating lines are related places."""
    files = {
        "deep.h": "template <class T> int size(T t) {\n    t.none();\n    T::wrong();\n    return t.size();\n}\n",
        "near.h": '#include "deep.h"\ntemplate <class T> int twice(T t) { return 2 * size(t); }\n',
    }
    with pytest.raises(SourceError) as caught:
        trial({"a.cpp": '#include "near.h"\nint f() { return twice(3); }\nint g() { int unused; }\n'}, files=files)
    found = caught.value.diagnostics
    assert [item.place for item in found if item.severity.value == "error"] == [
        "deep.h:2:6",
        "deep.h:3:5",
        "deep.h:4:13",
    ]
    text = str(caught.value)
    for line in (
        "In file included from a.cpp:1:",
        "In file included from ./near.h:1:",
        "    4 |     return t.size();",
        "      |            ~^~~~~",
        "note: in instantiation of function template specialization 'size<int>' requested here",
        "note: in instantiation of function template specialization 'twice<int>' requested here",
        "warning: non-void function does not return a value",
        "1 warning and 3 errors generated.",
    ):
        assert line in text
    related = {(place.file, place.line) for item in found for place in item.related}
    assert {("a.cpp", 1), ("near.h", 1), ("near.h", 2), ("a.cpp", 2)} <= related


@pytest.mark.parametrize(
    "options",
    [
        {"stack_size": "many"},
        {"stack_size": "100"},
        {"stack_size": "-16"},
        {"initial_memory": "100000"},
        {"initial_memory": "2M", "max_memory": "1M"},
        {"initial_memory": "8G"},
        {"initial_memory": "64K", "stack_size": "1M"},
        {"std": ["c17", "c11"]},
        {"std": ["java"]},
        {"imports": ["two\nnames"]},
        {"imports": [""]},
        {"multimodule": True},
        {"entry_point": "f"},
        *({"flags": [word]} for word in ("-O2", "-g", "-Ix", "-DX", "-flto", "-std=c11", "-fexceptions", "-pthread")),
        *({"flags": [word]} for word in ("@file", "-Xclang", "-includex", "-fplugin=x", "-what", "a.c", "-Wl,x", "-o")),
    ],
)
def test_invalid_options(trial: Callable[..., Built], options: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        trial({"a.c": F}, **options)
    assert caught.value.hint or "language" in str(caught.value) or " takes a size in bytes" in str(caught.value)


def test_accepted_flags() -> None:
    check_flags(["-Wall", "-Werror=shadow", "-msimd128", "-mno-bulk-memory", "-fwrapv", "-fno-rtti"], where="a.c")
    assert standard_for("c", ["c++20", "gnu17"], where="a.c") == "gnu17"
    assert standard_for("c++", ["c++20", "gnu17"], where="a.c") == "c++20"


def test_missing_tools(trial: Callable[..., Built], tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="cannot find 'nothing'"):
        trial({"a.c": F}, environ={"CRATE_WASM_CLANG": "nothing"})
    with pytest.raises(ToolError, match="does not print its version"):
        trial({"a.c": F}, environ={"CRATE_WASM_CLANG": "true"})


def test_memory_beyond_the_maximum(trial: Callable[..., Built]) -> None:
    with pytest.raises(CratewrightError, match="memory") as caught:
        trial({"a.c": "char big[200000];\nchar *f(void) { return big; }\n"}, initial_memory="128K")
    assert caught.value.hint


@pytest.mark.parametrize("kind", [CrateType.DYLIB, CrateType.STATICLIB])
def test_unsupported_crate_types(trial: Callable[..., Built], kind: CrateType) -> None:
    with pytest.raises(ConfigurationError, match=kind.value):
        trial({"a.c": F}, kind=kind, target=WASI)
