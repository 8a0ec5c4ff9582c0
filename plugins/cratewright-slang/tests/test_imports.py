"""Imports are loaded as compiled modules, and results depend on the files alone."""

from __future__ import annotations

import ctypes
import threading
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from cratewright import ToolError
from cratewright_slang.files import imported_names
from cratewright_slang.libslang import Refused, Settings, SlangSession
from cratewright_slang.module_compiler import ModuleCompiler
from cratewright_slang.shared_store import SharedStore
from cratewright_slang.wheel import installed_version

SETTINGS = Settings(profile="spirv_1_6", paths=("inc", "."), options=((46, 0), (52, 1)))
MAIN = b'%s[shader("compute")] [numthreads(1, 1, 1)] void main(RWStructuredBuffer<float> d) { d[0] = %s; }\n'


def compiler(root: Path) -> ModuleCompiler:
    return ModuleCompiler(SETTINGS, str(root), ())


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".slang").write_text(text)


def observed(made: object) -> dict[str, bool]:
    return {each.path: each.digest is not None for each in made.observed}  # type: ignore[attr-defined]


def test_order_of_compilation_does_not_matter(tmp_path: Path) -> None:
    write(
        tmp_path,
        lib__m="module m; import n; public float f() { return n(); }",
        lib__n="module n; public float n() { return 1; }",
    )
    text = MAIN % (b"import lib.m;\n", b"f()")
    fresh = compiler(tmp_path).compile("app/a.slang", text)
    used = compiler(tmp_path)
    used.compile("app/b.slang", MAIN % (b"import lib.n;\n", b"n()"))
    used.compile("lib/m.slang", (tmp_path / "lib/m.slang").read_bytes())
    assert used.compile("app/a.slang", text) == fresh
    assert fresh.imports == ("lib/m.slang", "lib/n.slang") and fresh.entries == (("main", 6),)
    seen = observed(fresh)
    assert seen["lib/m.slang"] and seen["lib/n.slang"]
    # Either file would take precedence if it existed.
    assert seen["app/lib/m.slang"] is False and seen["inc/lib/m.slang"] is False


def test_working_directory_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor its depth. Without search paths, Slang writes another path of itself into a module."""
    settings = replace(SETTINGS, paths=())
    made = []
    for place in (tmp_path, tmp_path / "some" / "deeper"):
        write(place, m="module m; public float f() { return 1; }")
        monkeypatch.chdir(place)
        made.append(ModuleCompiler(settings, str(place), ()).compile("m.slang", (place / "m.slang").read_bytes()).data)
    assert made[0] == made[1]


def test_edits_of_imports_are_noticed(tmp_path: Path) -> None:
    """Also by a process that has compiled the previous text."""
    write(tmp_path, m="module m; public float f() { return 1; }")
    text, used = MAIN % (b"import m;\n", b"f()"), compiler(tmp_path)
    first = used.compile("a.slang", text)
    write(tmp_path, m="module m; public float f() { return 2; }")
    second = used.compile("a.slang", text)
    assert second == compiler(tmp_path).compile("a.slang", text)
    assert second.data == first.data and second.observed != first.observed
    write(tmp_path, m="module m; public float g() { return 2; }")
    with pytest.raises(Refused, match="undefined identifier"):
        used.compile("a.slang", text)
    # A module that shadows it now.
    write(tmp_path, m="module m; public float f() { return 1; }")
    text = MAIN % (b"import lib.k;\n", b"k()")
    write(tmp_path, lib__k="module k; public float k() { return 1; }")
    assert used.compile("app/a.slang", text).imports == ("lib/k.slang",)
    write(tmp_path, app__lib__k="module k; public float k() { return 1; }")
    assert used.compile("app/a.slang", text).imports == ("app/lib/k.slang",)


def test_module_is_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it is a unit or an import first. A unit whose text is not the file's serves no import."""
    write(
        tmp_path, m="module m; import n; public float f() { return n(); }", n="module n; public float n() { return 1; }"
    )
    compiled: list[str] = []
    original = ModuleCompiler._load
    monkeypatch.setattr(
        ModuleCompiler, "_load", lambda self, path, *rest: (compiled.append(path), original(self, path, *rest))[1]
    )
    used, texts = compiler(tmp_path), {path: (tmp_path / path).read_bytes() for path in ("n.slang", "m.slang")}
    alone = compiler(tmp_path).compile("m.slang", texts["m.slang"])
    compiled.clear()
    first = [used.compile(path, text) for path, text in texts.items()]
    assert [used.compile(path, text) for path, text in texts.items()] == first and first[1] == alone
    used.compile("a.slang", MAIN % (b"import m;\n", b"f()"))
    assert compiled == ["n.slang", "m.slang", "a.slang"]
    other = used.compile("n.slang", b"module n; public float n() { return 2; }")
    assert other.data != first[0].data and used.compile("n.slang", texts["n.slang"]) == first[0]
    assert used.compile("m.slang", texts["m.slang"]) == first[1]


def test_import_made_by_a_macro(tmp_path: Path) -> None:
    write(tmp_path, m="module m; public float f() { return 1; }")
    plain = compiler(tmp_path).compile("a.slang", MAIN % (b"import m;\n", b"f()"))
    hidden = compiler(tmp_path).compile("a.slang", MAIN % (b"#define TAKE import\nTAKE m;\n", b"f()"))
    assert hidden.imports == plain.imports == ("m.slang",)
    # An import in a comment is not compiled, even if it would fail.
    write(tmp_path, bad="module bad; float f( {")
    assert compiler(tmp_path).compile("a.slang", MAIN % (b"/*\nimport bad;\n*/\n", b"1.0")).imports == ()


def test_pragma_once_counts_paths_not_texts(tmp_path: Path) -> None:
    for place in ("x", "y"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "k.h").write_text("#pragma once\nfloat NAME() { return 1; }\n")
    text = b"#define NAME a\n#include %s\n#undef NAME\n#define NAME b\n#include %s\n"
    source = text % (b'"x/k.h"', b'"../y/k.h"')
    made = compiler(tmp_path).compile("x/a.slang", source.replace(b"x/k", b"k") + MAIN % (b"", b"a() + b()"))
    assert {path for path, there in observed(made).items() if there} == {"x/k.h", "y/k.h"}
    with pytest.raises(Refused, match=r"> x/a\.slang:"):
        compiler(tmp_path).compile("x/a.slang", text % (b'"k.h"', b'"../x/k.h"') + MAIN % (b"", b"a() + b()"))


def test_scanned_import_names() -> None:
    text = b'import a.b_c;\n__include "x/y";\n #include <z.h>\n__exported import d;\nimportant e;\n'
    assert imported_names(text) == ("a/b_c.slang", "a/b-c.slang", "x/y.slang", "d.slang", "z.h")


def test_closing_a_session_frees_its_programs() -> None:
    """Each program takes megabytes, and a worker opens a session per link."""
    session = SlangSession(SETTINGS, lambda path: None)
    module, _ = session.load_source("m", "m.slang", MAIN % (b"", b"1"))
    programs = [session.link([module.object, module.entry_point(0)]) for _ in range(2)]
    assert all(program.pointer for program in programs) and session.code(programs[0])
    session.close()
    assert not any(program.pointer for program in programs)


def test_unknown_releases_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """By version, before a function is called: their ABI may differ."""
    for release in ("0.42.9", "0.43.0", "0.44.0", "1.0"):
        monkeypatch.setattr("importlib.metadata.version", lambda _name, release=release: release)
        with pytest.raises(ToolError, match=rf"slangpy {release} cannot be used[^$]*0\.43\.1 to below 0\.44"):
            installed_version()

    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", missing)
    with pytest.raises(ToolError, match="Slang is not installed"):
        installed_version()


def test_workers_share_compiled_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the module's files are unchanged."""
    shared = tmp_path / "shared"
    shared.mkdir()
    write(
        tmp_path, m="module m; import n; public float f() { return n(); }", n="module n; public float n() { return 1; }"
    )
    text, compiled = MAIN % (b"import m;\n", b"f()"), []
    load = SlangSession.load_source

    def recorded(self: SlangSession, name: str, path: str, text: bytes) -> object:
        if text.strip():  # an empty text loads the compiled code
            compiled.append(name)
        return load(self, name, path, text)

    monkeypatch.setattr(SlangSession, "load_source", recorded)

    def made() -> object:
        compiled.clear()
        return ModuleCompiler(SETTINGS, str(tmp_path), (), SharedStore(str(shared))).compile("a.slang", text)

    first = made()
    assert compiled == ["n", "m", "a"]
    assert made() == first and compiled == ["a"]
    write(tmp_path, n="module n; public float n() { return 2; }")
    assert made() != first and compiled == ["n", "m", "a"]


def test_shared_store_waits_for_another_maker(tmp_path: Path) -> None:
    inside, taken = threading.Event(), []

    def make() -> None:
        with SharedStore(str(tmp_path)).alone("a"):
            inside.set()
            other.join(0.2)
            SharedStore(str(tmp_path)).put("a", b"made")

    def wait() -> None:
        inside.wait()
        with SharedStore(str(tmp_path)).alone("b"):
            pass
        with SharedStore(str(tmp_path)).alone("a"):
            taken.append(SharedStore(str(tmp_path)).take("a"))

    other = threading.Thread(target=wait)
    maker = threading.Thread(target=make)
    other.start()
    maker.start()
    other.join()
    maker.join()
    assert taken == [b"made"] and SharedStore(str(tmp_path)).take("b") is None


def test_modules_hold_no_uninitialized_memory(tmp_path: Path) -> None:
    """Slang leaves a field of an `enum` unset; glibc can fill new memory with a given byte."""
    fill = getattr(ctypes.CDLL(None), "mallopt", None)
    if fill is None:
        pytest.skip("only glibc fills new memory")
    text = b"module m; public enum Kind { One = 3, Two }"
    made = set()
    try:
        for byte in (90, 170, 90):
            fill(-6, byte)
            made.add(compiler(tmp_path).compile("m.slang", text).data)
    finally:
        fill(-6, 0)
    assert len(made) == 1


@pytest.mark.parametrize(("own", "given"), [("double", "uint16_t"), ("half", "int64_t")])
def test_earlier_conversions_do_not_matter(tmp_path: Path, own: str, given: str) -> None:
    """In Slang, the first module with a conversion in a builtin generic declares its constructor."""
    text = f"module m; public vector<{own}, 3> f({given} x) {{ return vector<{own}, 3>(x); }}".encode()
    assert compiler(tmp_path).compile("m.slang", text) == compiler(tmp_path).compile("m.slang", text)
