"""Modules at run time: languages, exports and imports, and how they start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cratewright import CrateType, LinkError, SourceError
from cratewright_wasm.toolchain import WASI, WasmToolchain

MODES = ["off", "thin", "fat"]

CXX = """
template <class T> T twice(T x) { return x + x; }
struct Counter { Counter(); ~Counter() { value = 0; } int value; };
extern "C" int seven(void);
Counter::Counter() : value(seven()) {}
Counter counter;
extern "C" int count() { static Counter inner; return counter.value += twice(inner.value); }
"""
WAT = """
(module
  (import "env" "square" (func $square (param i32) (result i32)))
  (import "env" "log" (func $log (param i32)))
  (import "env" "memory" (memory 0))
  (import "env" "__indirect_function_table" (table 0 funcref))
  (type $unary (func (param i32) (result i32)))
  (type $pair (func (param i32) (result i32 i32)))
  (global $calls (mut i32) (i32.const 40))
  (func $twice (param i32) (result i32) (i32.add (local.get 0) (local.get 0)))
  (func (export "plus") (param i32) (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (call $log (global.get $calls))
    (call $twice (call $square (local.get 0))))
  (func (export "call") (param $f i32) (param $x i32) (result i32)
    (call_indirect (type $unary) (local.get $x) (local.get $f)))
  (func (export "second") (param i32) (result i32)
    local.get 0
    (block (type $pair) (param i32) (result i32 i32) (i32.const 1000))
    i32.add)
  (func (export "third") (param i32) (result i32) (i32.load8_u offset=2 (local.get 0)))
  (func (export "lane") (param i32) (result i32) (i32x4.extract_lane 3 (i32x4.splat (local.get 0)))))
"""
C = """
int call(int (*)(int), int), third(const char *);
int square(int x) { return x * x; }
int through(int x) { return call(square, x); }
int letter(void) { return third("abc"); }
"""


@pytest.mark.parametrize("lto", MODES)
def test_languages_link_with_each_other(module: Callable[..., bytes], run: Callable[..., Any], lto: str) -> None:
    sources = {
        "main.c": C,
        "part.wat": WAT,
        "count.cpp": CXX,
        "plain.ll": 'target triple = "wasm32-unknown-unknown"\ndefine i32 @seven() {\n  ret i32 7\n}\n',
    }
    instance = run(module(sources, lto=lto, opt_level="2", imports=["log"]))
    if "_initialize" in instance.names:
        instance.call("_initialize")
    assert [instance.call("plus", 3), instance.call("plus", 4), instance.logged] == [18, 32, [41, 42]]
    assert instance.call("second", 5) == 1005
    assert [instance.call("through", 9), instance.call("letter"), instance.call("lane", 6)] == [81, ord("c"), 6]
    assert [instance.call("count"), instance.call("count")] == [21, 35]
    assert {"square", "plus", "count", "seven"} < set(instance.names)


@pytest.mark.parametrize("lto", MODES)
def test_constructors_run_once_when_the_host_calls_initialize(
    module: Callable[..., bytes], run: Callable[..., Any], lto: str
) -> None:
    source = 'extern "C" void log(int);\nstruct A { A() { log(1); } } a;\nextern "C" int f() { return 2; }\n'
    instance = run(module({"a.cpp": source}, imports=["log"], lto=lto))
    assert [instance.call("_initialize"), instance.call("f"), instance.call("f")] == [None, 2, 2]
    assert instance.logged == [1]


@pytest.mark.parametrize("lto", MODES)
def test_exports_and_imports(module: Callable[..., bytes], run: Callable[..., Any], lto: str) -> None:
    source = """
    __attribute__((visibility("hidden"))) int quiet(void) { return 1; }
    __attribute__((weak)) int weak(void) { return 2; }
    static int inner(void) { return 3; }
    int loud(void) { return quiet() + weak() + inner(); }
    __attribute__((export_name("a name with $ and spaces"))) int odd(void) { return 4; }
    """
    assert run(module({"a.c": source}, lto=lto)).names == ["a name with $ and spaces", "loud"]
    listed = run(module({"a.c": source}, lto=lto, exports=["quiet", "weak"], opt_level="1"))
    assert listed.names == ["a name with $ and spaces", "quiet", "weak"]
    assert [listed.call("quiet"), listed.call("weak")] == [1, 2]


@pytest.mark.parametrize("lto", MODES)
def test_symbol_names_that_only_ir_allows(module: Callable[..., bytes], run: Callable[..., Any], lto: str) -> None:
    source = "".join(f'define i32 @"{name}"() {{\n  ret i32 1\n}}\n' for name in ("a b$c", "it's", "\\22\\5C x", "-f"))
    assert run(module({"a.ll": source}, lto=lto)).names == ['"\\ x', "-f", "a b$c", "it's"]


@pytest.mark.parametrize("lto", MODES)
def test_functions_that_codegen_calls(module: Callable[..., bytes], run: Callable[..., Any], lto: str) -> None:
    """No module names memset until codegen emits a call."""
    sources = {
        "memory.c": "void *memset(void *to, int what, unsigned long n) {\n"
        "    for (volatile char *p = to; n--;) *p++ = what;\n    return to;\n}\n",
        "main.c": "struct big { char data[5000]; };\nvoid use(struct big *);\nvoid log(int);\n"
        "int f(void) { struct big b = {0}; use(&b); return b.data[7]; }\n"
        "__attribute__((noinline)) void use(struct big *b) { log(b->data[4999]); b->data[7] = 9; }\n",
    }
    instance = run(module(sources, lto=lto, opt_level="1", imports=["log"], exports=["f"]))
    assert (instance.call("f"), instance.logged) == (9, [0])


@pytest.mark.exhaustive  # zig takes half a minute to build WASI's C library first
@pytest.mark.parametrize("lto", MODES)
def test_commands_and_libraries_of_wasi(module: Callable[..., bytes], run: Callable[..., Any], lto: str) -> None:
    import wasmtime

    source = (
        "#include <stdio.h>\n#include <stdlib.h>\n"
        'int main(int count, char **words) { char text[9]; sprintf(text, "%d", count + 41); return atoi(text); }\n'
    )
    command = run(module({"a.c": source}, kind=CrateType.BIN, target=WASI, lto=lto))
    with pytest.raises(wasmtime.ExitTrap) as ended:
        command.call("_start")
    assert ended.value.code == 41
    library = run(module({"a.c": '#include <string.h>\nint length(void) { return strlen("four"); }\n'}, target=WASI))
    library.call("_initialize")
    assert library.call("length") == 4


def test_freestanding_program_has_its_own_start(module: Callable[..., bytes], run: Callable[..., Any]) -> None:
    program = run(
        module({"a.c": "void log(int);\nvoid _start(void) { log(5); }\n"}, kind=CrateType.BIN, imports=["log"])
    )
    program.call("_start")
    assert program.logged == [5]
    with pytest.raises(LinkError, match="_start") as caught:
        module({"a.c": "int main(void) { return 0; }\n"}, kind=CrateType.BIN)
    assert "wasm32-wasi" in caught.value.hint


def test_memory_options(module: Callable[..., bytes]) -> None:
    import wasmtime

    data = module(
        {"a.c": "int f(void) { return 1; }\n"}, initial_memory="1M", max_memory="2M", stack_size="32K", strip="all"
    )
    (memory,) = [item for item in wasmtime.Module(wasmtime.Engine(), data).exports if item.name == "memory"]
    assert (memory.type.limits.min, memory.type.limits.max) == (16, 32)
    assert b"name" not in data
    taken = module({"a.c": "int f(void) { return 1; }\n"}, import_memory=True)
    assert [(item.module, item.name) for item in wasmtime.Module(wasmtime.Engine(), taken).imports] == [
        ("env", "memory")
    ]


@pytest.mark.parametrize("saved", ["second/k.h", "first/k.h", "main.c"])
def test_files_saved_while_the_compiler_runs(
    module: Callable[..., bytes],
    run: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    saved: str,
) -> None:
    """A header that changes, or appears earlier on the path, is read; a source that changes is an error."""
    run_tool, left = WasmToolchain.run, [saved]

    def save(*words: Any, **more: Any) -> Any:
        done = run_tool(*words, **more)
        for path in (left.pop() for _ in left[:]):
            (tmp_path / path).parent.mkdir(exist_ok=True)
            (tmp_path / path).write_text("#define K 2\n")
        return done

    monkeypatch.setattr(WasmToolchain, "run", save)
    files = {"second/k.h": "#define K 1\n", "first/other.h": ""}
    words = {"files": files, "include_dirs": ["first", "second"], "exports": ["k"]}
    if saved == "main.c":
        with pytest.raises(SourceError, match="changed while it was compiled"):
            module({"main.c": "#include <k.h>\nint k(void) { return K; }\n"}, **words)
    else:
        made = module({"main.c": "#include <k.h>\nint k(void) { return K; }\n"}, **words)
        assert run(made).call("k") == 2
