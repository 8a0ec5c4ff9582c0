"""Importers depend on interfaces: an edit of a module's code recompiles them only if they could contain it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cratewright import open_cache
from cratewright_slang import module_compiler
from cratewright_slang.interface import given_to_importers, may_inline_at_once

from .test_cached_modules import Builds

USER = """\
import m;
RWStructuredBuffer<float> d;
%s
[shader("compute")] [numthreads(1, 1, 1)] void main() { d[0] = u(d[0]); }
"""
CODE = {
    "a function": ("public float f(float x) { return x; }", "x; }", "x + 1; }", "float u(float x) { return f(x); }"),
    "inlined when linked": (
        "[ForceInline] public float f(float x) { return x; }",
        "x; }",
        "x + 1; }",
        "float u(float x) { return f(x); }",
    ),
    "a generic": (
        "public T f<T : IFloat>(T x) { return x; }",
        "x; }",
        "x + x; }",
        "float u(float x) { return f(x) + f(half(x)); }",
    ),
    "a private function": (
        "float g(float x) { return x; } public float f(float x) { return g(x); }",
        "return x; }",
        "return x * 3; }",
        "float u(float x) { return f(x); }",
    ),
    "methods, properties, subscripts, constructors": (
        "public struct S { public float a; public __init(float x) { a = x; } public float m() { return a; }\n"
        "public property float p { get { return a; } set { a = newValue; } }\n"
        "public __subscript(int i) -> float { get { return a + i; } } }",
        "return a; } set { a = newValue; }",
        "return a + 1; } set { a = newValue + 2; }",
        "float u(float x) { S s = S(x); s.p = 4; return s.p + s[3] + s.m(); }",
    ),
    "an interface, with associated types": (
        "public interface I { associatedtype A : IFloat; A g(); static int n(); }\n"
        "public struct S : I { public typealias A = float; public float g() { return 1; }\n"
        "public static int n() { return 2; } }\npublic extension float : I { public typealias A = float;\n"
        "public float g() { return this; } public static int n() { return 3; } }",
        "return this; }",
        "return this * 2; }",
        "T.A h<T : I>(T t) { return t.g(); } float u(float x) { S s; return h(s) + h(x) + S.n(); }",
    ),
    "derivatives": (
        "[Differentiable] public float f(float x) { return x * x; }\n"
        "[BackwardDerivative(dg)] public float g(float x) { return x; }\n"
        "public void dg(inout DifferentialPair<float> p, float d) { p = diffPair(p.p, d); }\n"
        "public struct P : IDifferentiable { public float a; public float b; }\n"
        "[Differentiable] public float h(P p) { return p.a * p.b; }",
        "return x * x; }",
        "return x * x * x; }",
        "[Differentiable] float v(float x) { return f(x) * g(x); }\n"
        "float u(float x) { var p = diffPair(x); bwd_diff(v)(p, 1.0); P q; q.a = x; q.b = x;\n"
        "DifferentialPair<P> r = diffPair(q); bwd_diff(h)(r, 1.0); return p.d + r.d.a + fwd_diff(f)(p).d; }",
    ),
    "a default argument that calls": (
        "public float g() { return 3; } public float f(float x = g()) { return x; }",
        "return 3; }",
        "return 4; }",
        "float u(float x) { return f() + x; }",
    ),
    "defaults of fields that call": (
        "public float g() { return 3; } public struct S { public float a = g(); public float b = 2; }",
        "return 3; }",
        "return 4; }",
        "float u(float x) { S s; S t = {}; S v = { x }; return s.a + t.b + v.a; }",
    ),
    "exceptions, optionals, tuples": (
        "public enum E : int { Bad, Worse }\npublic float f(float x) throws E { if (x < 0) throw E.Bad; return x; }\n"
        "public Optional<float> g(float x) { if (x > 0) return x; return none; }\n"
        "public Tuple<float, int> h(float x) { return makeTuple(x, 1); }",
        "return x; }",
        "return x + 1; }",
        "float u(float x) { do { return try f(x); } catch (e : E) { return g(x).hasValue ? h(x)._0 : 0; } }",
    ),
    "global parameters and buffers": (
        "public struct T { public float4 a; public Texture2D t; }\npublic ParameterBlock<T> block;\n"
        "public ConstantBuffer<float4> c; public float f(float x) { return block.a.x + c.y + x; }",
        "+ x; }",
        "* x; }",
        "float u(float x) { return f(x) + block.t.Load(int3(0)).x; }",
    ),
}
INTERFACE = {
    "a constant": ("public static const int N = 3;", "N = 3", "N = 4", "float u(float x) { float a[N]; return N; }"),
    "an argument's default": (
        "public float f(float x = 3) { return x; }",
        "3)",
        "4)",
        "float u(float x) { return f(); }",
    ),
    "a field's default": (
        "public struct S { public float a = 1; }",
        "a = 1",
        "a = 2",
        "float u(float x) { S s; return s.a; }",
    ),
    "an enumerator": ("public enum E { A = 1, B }", "A = 1", "A = 2", "float u(float x) { return (int)E.B; }"),
    "a layout": (
        "public struct S { public float a; public float b; }",
        "public float a; public float b;",
        "public float b; public float a;",
        "float u(float x) { S s = { x, 0 }; return s.a; }",
    ),
    "early inlining": (
        "[__unsafeForceInlineEarly] public float f(float x) { return x; }",
        "x; }",
        "x + 1; }",
        "float u(float x) { return f(x); }",
    ),
    "early inlining by a pasted name": (
        "#define GLUE(a, b) a##b\n[GLUE(__unsafeForceInline, Early)] public float f(float x) { return x; }",
        "x; }",
        "x + 1; }",
        "float u(float x) { return f(x); }",
    ),
    "what inlined code needs": (
        "float g(float x) { return x; } [__unsafeForceInlineEarly] public float f(float x) { return g(x); }",
        "return x; }",
        "return x + 1; }",
        "float u(float x) { return f(x); }",
    ),
}


@pytest.fixture
def builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Builds]:
    made = Builds(tmp_path, monkeypatch)
    monkeypatch.setattr("cratewright_slang.module_compiler.SharedStore", lambda directory: None)
    yield made
    open_cache(made.session).close()


@pytest.mark.parametrize("debuginfo", ["none", "full"])
@pytest.mark.parametrize("name", CODE)
def test_code_edit_compiles_no_importer(builds: Builds, name: str, debuginfo: str) -> None:
    module, old, new, user = CODE[name]
    builds.write({"lib/m.slang": f"module m;\n{module}\n", "lib/k.slang": "module k;\n__exported import m;\n"})
    builds.write({"a.slang": USER % user, "b.slang": (USER % user).replace("import m", "import k")})
    for path in ("a.slang", "b.slang"):
        builds.build_cached(path, debuginfo=debuginfo)
    edited = module.replace(old, new)
    assert edited != module
    builds.write({"lib/m.slang": f"module m;\n{edited}\n"})
    first = builds.build_cached("a.slang", debuginfo=debuginfo)
    assert builds.compiled == ["lib/m.slang"]
    second = builds.build_cached("b.slang", debuginfo=debuginfo)
    assert builds.compiled == []  # cached by the build before
    assert first == builds.fresh("a.slang", debuginfo=debuginfo)
    assert second == builds.fresh("b.slang", debuginfo=debuginfo)


@pytest.mark.parametrize("name", CODE)
def test_importers_are_the_same_without_code(builds: Builds, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Slang compiles an importer to the same bytes whether the module has code or not."""
    module, _, _, user = CODE[name]
    builds.write({"lib/m.slang": f"module m;\n{module}\n", "a.slang": USER % user})
    without = builds.fresh("a.slang").modules[0].data
    monkeypatch.setattr(module_compiler, "given_to_importers", lambda data, code: given_to_importers(data, b""))
    assert builds.fresh("a.slang").modules[0].data == without


@pytest.mark.parametrize("name", INTERFACE)
def test_interface_edit_compiles_importers(builds: Builds, name: str) -> None:
    module, old, new, user = INTERFACE[name]
    builds.write({"lib/m.slang": f"module m;\n{module}\n", "a.slang": USER % user})
    before = builds.build_cached("a.slang")
    edited = module.replace(old, new)
    assert edited != module
    builds.write({"lib/m.slang": f"module m;\n{edited}\n"})
    after = builds.build_cached("a.slang")
    assert builds.compiled == ["lib/m.slang", "a.slang"]
    assert after == builds.fresh("a.slang")
    assert name in {"a field's default", "what inlined code needs"} or after.modules[0].data != before.modules[0].data


def test_included_module_counts_as_text(builds: Builds) -> None:
    builds.write({"lib/m.slang": "float f(float x) { return x; }\n"})
    builds.write(
        {
            "a.slang": '#include "lib/m.slang"\n'
            + (USER % "float u(float x) { return f(x); }").replace("import m;\n", "")
        }
    )
    builds.build_cached("a.slang")
    builds.write({"lib/m.slang": "float f(float x) { return x + 1; }\n"})
    assert builds.build_cached("a.slang") == builds.fresh("a.slang")
    assert "a.slang" in builds.compiled


def test_files_and_macros_of_code_count(builds: Builds) -> None:
    """An edit of code may also change which files are looked for, which macros count, or which names are exported."""
    builds.write(
        {"lib/m.slang": "module m;\npublic float f(float x) { return x; }\n", "a.slang": USER % CODE["a function"][3]}
    )
    builds.build_cached("a.slang", defines={"FOG": "1"})
    for text in ("return FOG;", 'float y = x;\n#include "y.h"\nreturn y;', "return x; } export float z() { return 1;"):
        builds.write({"lib/m.slang": f"module m;\npublic float f(float x) {{ {text} }}\n", "lib/y.h": "y += 1;\n"})
        made = builds.build_cached("a.slang", defines={"FOG": "1"})
        assert made == builds.fresh("a.slang", defines={"FOG": "1"}), text
    assert any(each.path == "lib/m.slang" for each in made.observed)


def test_module_that_shadows_an_import_counts(builds: Builds) -> None:
    builds.write(
        {"lib/m.slang": "module m;\npublic float f(float x) { return x; }\n", "a.slang": USER % CODE["a function"][3]}
    )
    builds.build_cached("a.slang")
    builds.write({"m.slang": "module m;\npublic float f(float x) { return x + 1; }\n"})
    made = builds.build_cached("a.slang")
    assert made == builds.fresh("a.slang") and [each.name for each in made.modules[0].imports] == ["m.slang"]


def test_unknown_module_formats_are_kept_as_they_are() -> None:
    for data in (b"", b"RIFF", b"RIFF\xff\xff\xff\xffsmod\0\0\0\0", b"RIFF\x08\0\0\0smod\0\0\0\0"):
        assert given_to_importers(data, b"code") == data


@pytest.mark.parametrize(
    ("text", "may"),
    [
        (b"[__unsafeForceInlineEarly]", True),
        (b"[unsafeForceInline\\\r\nEarly]", True),
        (b"a##b", True),
        (b"[ForceInline]", False),
    ],
)
def test_early_inlining_is_detected(text: bytes, may: bool) -> None:
    assert may_inline_at_once(text) is may
