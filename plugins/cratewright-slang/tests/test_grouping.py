"""Entry points compiled as one program: they equal those compiled alone, or are left alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from cratewright import (
    CORE_OPTIONS,
    CrateType,
    EntryPoint,
    LinkError,
    LinkModule,
    LinkRequest,
    LtoMode,
    ModuleCodegen,
    Options,
    OptionValue,
    Session,
    Symbol,
    open_backend,
)
from cratewright_slang import link
from cratewright_slang.backend import SlangBackend
from cratewright_slang.grouping import entries_of_part, grouped
from cratewright_slang.macros import module_symbol
from cratewright_slang.module_compiler import ModuleCompiler
from cratewright_slang.options import settings_of, words_of
from cratewright_slang.unit import _STAGE_NAMES
from cratewright_slang.wheel import build_tag
from cratewright_spirv.sharing import entries_of
from cratewright_spirv.sharing.linking import independent_form, modules_of_entries

BUFFER = "RWStructuredBuffer<float> d;\n"
COMPUTE = '[shader("compute")] [numthreads(64, 1, 1)] void '
LIBRARY = """module lib;
public interface IShape { float area(float x); }
public struct A : IShape { public float k; public float area(float x) { return x * k; } }
public struct B : IShape { public float k; public float4 m; public float area(float x) { return x + k + m.x; } }
public struct C : IShape { public float area(float x) { return x; } }
public float any(IShape s, float x) { return s.area(x) + 1; }
public float generic<T : IShape>(T s, float x) { return s.area(x) + 1; }
public IShape pick(int k) { if (k == 0) { A a; a.k = 1; return a; } B b; b.k = 2; b.m = 1; return b; }
public static float counter = 3.0;
public float bump(float x) { counter += x; return counter; }
public groupshared float row[64];
public float turned(uint i, float x) { row[i] = x; GroupMemoryBarrierWithGroupSync(); return row[63 - i]; }
public static const float TABLE[4] = { 1, 2, 3, 4 };
public float listed(uint i) { return TABLE[i & 3]; }
[vk::constant_id(3)] public const int K = 5;
public Texture2D<float4> picture;
public SamplerState sampler_;
public float sampled(float x) { return picture.SampleLevel(sampler_, float2(x), 0).x; }
[Differentiable] public float cost(float x) { return x * x * x + exp(x); }
public float slope(float x) { var p = diffPair(x); bwd_diff(cost)(p, 1.0); return p.d; }
public float first(float x, RWStructuredBuffer<float> b) { return b[0] * x; }
public float chosen(int k) { switch (k) { case 0: return 3; case 1: return 5; default: return 7; } }
"""
FILLER = "".join(f"public float f{at}(float x) {{ return sin(x * {at}) + {at}; }}\n" for at in range(60))
LIBRARY += FILLER
BODIES = {
    "any_a": "A a; a.k = 2; d[i.x] = any(a, d[i.x]);",
    "any_b": "B b; b.k = 2; b.m = 2; d[i.x] = any(b, d[i.x]);",
    "made": "IShape s; if (i.x > 3) { A a; a.k = 1; s = a; } else { C c; s = c; } d[i.x] = s.area(3);",
    "generic_a": "A a; a.k = 2; d[i.x] = generic(a, d[i.x]);",
    "generic_b": "B b; b.k = 2; b.m = 3; d[i.x] = generic(b, d[i.x]);",
    "picked": "d[i.x] = pick(int(i.x)).area(d[i.x]);",
    "turned": "d[i.x] = turned(i.x, d[i.x]);",
    "listed": "d[i.x] = listed(i.x);",
    "constant": "d[i.x] = K;",
    "sampled": "d[i.x] = sampled(d[i.x]);",
    "slope": "d[i.x] = slope(d[i.x]);",
    "first": "d[i.x] = first(d[i.x], d);",
    "chosen": "d[i.x] = chosen(int(d[i.x]));",
    "plain": "d[i.x] = 1;",
    "half": "half h = half(d[i.x]); d[i.x] = float(h * h);",
    "double": "double h = double(d[i.x]); d[i.x] = float(h * h);",
    "long": "uint64_t h = uint64_t(d[i.x]); d[i.x] = float(h * h);",
    "waves": "d[i.x] = WaveActiveSum(d[i.x]);",
}
SOURCES = {f"app/{name}.slang": f"import lib;\n{BUFFER}{COMPUTE}main(uint3 i : SV_DispatchThreadID) {{ {text} }}\n"
           for name, text in BODIES.items()}  # fmt: skip


def request_of(root: Path, sources: Mapping[str, str], library: str = LIBRARY, **options: OptionValue) -> LinkRequest:
    """Return a request to link sources that import one module of another crate."""
    specs = (*CORE_OPTIONS, *SlangBackend.OPTIONS)
    chosen = Options(tuple(sorted((spec.name, spec.default) for spec in specs))).override(options)
    chosen = chosen.override({"include_dirs": ("lib",)})
    settings = settings_of(chosen, "vulkan1.3", paths=("lib",))
    texts = {**sources, "lib/lib.slang": library}
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    modules = []
    for path, text in texts.items():
        made = ModuleCompiler(settings, str(root), ()).compile(path, text.encode())
        entries = tuple(EntryPoint(_STAGE_NAMES[stage], name) for name, stage in made.entries)
        words = {"alike": words_of(chosen), "paths": '["lib"]', "slang": build_tag(), "source": path}
        module = ModuleCodegen(
            name=f"{path}-module",
            data=made.data,
            exports=(Symbol(path, path, path, 1),),
            imports=tuple(Symbol(each, each, path) for each in made.imports),
            entry_points=entries,
            attributes=tuple(sorted({**words, **({"exports": "1"} if made.exports else {})}.items())),
        )
        modules.append(LinkModule("app" if path in sources else "lib", module))
    lto = LtoMode(chosen.text("lto"))
    return LinkRequest(
        crate="app", crate_type=CrateType.CDYLIB, target="vulkan1.3", options=chosen, modules=tuple(modules), lto=lto
    )


def compared(request: LinkRequest) -> dict[str, bool]:
    """Return whether each entry point was compiled with others, after comparing each with itself compiled alone.

    Shape: by output name.
    """
    entries = entries_of(request)
    members = list(zip(entries, modules_of_entries(request, entries), strict=True))
    backend = SlangBackend()
    backend.session = Session(root=".", target="vulkan1.3")
    found: dict[str, bool] = {}
    for group in grouped(request, members, across=True):
        asked = [
            (entry, [request.modules[at] for at in (entry.module, *(each for each in needed if each != entry.module))])
            for entry, needed in group
        ]
        together = link._together(request, asked) if len(asked) > 1 else [None]
        for (entry, items), code in zip(asked, together, strict=True):
            found[entry.output] = code is not None
            if code is not None:
                alone = link._alone(request, entry, items)
                both = [independent_form(request, each, backend._tools()) for each in (code, alone)]
                assert both[0] == both[1], entry.output
    return found


ALONE = {"made", "picked", "chosen"}


@pytest.mark.parametrize("debuginfo", ["none", "line"])
def test_dynamic_dispatch_is_compiled_alone(tmp_path: Path, debuginfo: str) -> None:
    """Also code that only looks as if it needed dynamic dispatch."""
    found = compared(request_of(tmp_path, SOURCES, debuginfo=debuginfo))
    assert {name.partition(".")[0].removeprefix("app/") for name, together in found.items() if not together} == ALONE


def together(found: Mapping[str, bool]) -> list[str]:
    return sorted(name.partition(".")[0].removeprefix("app/") for name, with_others in found.items() if with_others)


def sources(*texts: str) -> dict[str, str]:
    return {f"app/e{at}.slang": text for at, text in enumerate(texts)}


def test_initialized_globals_are_compiled_alone(tmp_path: Path) -> None:
    """Slang puts their initialization into every entry point of a program."""
    texts = [f"import lib;\n{BUFFER}{COMPUTE}main() {{ d[0] = {what}; }}\n" for what in ("bump(1)", "1", "2")]
    assert together(compared(request_of(tmp_path, sources(*texts)))) == []
    assert together(compared(request_of(tmp_path, sources(*texts[1:])))) == ["e0", "e1"]


PLACES = """import lib;
RWStructuredBuffer<float> d;
Texture2D<float4> pictures[3];
struct Own%d { float4 a; Texture2D<float4> t; RWStructuredBuffer<float> o; };
ParameterBlock<Own%d> own;
[[vk::push_constant]] ConstantBuffer<float2> pushed;
[[vk::binding(7, 3)]] RWStructuredBuffer<float> fixed;
%s
[shader("compute")] [numthreads(64, 1, 1)] void main(uint3 i : SV_DispatchThreadID %s) {
    d[i.x] = pictures[i.x % 3].Load(int3(0)).x + own.a.x + own.o[0] + own.t.Load(int3(0)).x + pushed.x
        + sampled(1) + %s;
}
"""


def test_bindings_equal_those_compiled_alone(tmp_path: Path) -> None:
    """Though other sources of the program declare resources before them."""

    def text(at: int, more: str = "", parameter: str = "", value: str = "fixed[0]") -> str:
        words = (("%d", str(at)), ("%d", str(at)), ("%s", more), ("%s", parameter), ("%s", value))
        made = PLACES
        for mark, word in words:
            made = made.replace(mark, word, 1)
        return made

    request = request_of(tmp_path, sources(*(text(at) for at in range(3))))
    assert together(compared(request)) == ["e0", "e1", "e2"]
    plain = text(1, "uniform float scale;", value="scale")
    assert together(compared(request_of(tmp_path, sources(text(0), plain, text(2))))) == []
    given = text(1, parameter=", uniform Texture2D<float4> more", value="more.Load(int3(0)).x")
    assert together(compared(request_of(tmp_path, sources(text(0), given, text(2))))) == ["e0", "e1", "e2"]
    constant = text(1, "[SpecializationConstant] const int Q = 5;", value="Q")
    other = text(2, "[SpecializationConstant] const int Q = 6;", value="Q")
    assert together(compared(request_of(tmp_path, sources(text(0), constant, other)))) == ["e0", "e1"]


def test_sources_that_export_are_compiled_alone(tmp_path: Path) -> None:
    """An export for a library's `extern` would apply to all sources of a program."""
    library = "module lib;\nextern static const int COUNT = 1;\npublic float total(float x) { return x * COUNT; }\n"
    library += FILLER
    own = "export public static const int COUNT = 4;\n"
    texts = [f"import lib;\n{BUFFER}{more}{COMPUTE}main() {{ d[0] = total(d[1]); }}\n" for more in ("", own, "")]
    assert together(compared(request_of(tmp_path, sources(*texts), library))) == ["e0", "e2"]
    pasted = own.replace("export", "P(ex, port)")
    texts[1] = texts[1].replace(own, f"#define P(a, b) a##b\n{pasted}")
    assert together(compared(request_of(tmp_path, sources(*texts), library))) == ["e0", "e2"]


def test_entry_points_of_one_source_are_one_program(tmp_path: Path) -> None:
    """Whatever they import; ray tracing stages are compiled alone."""
    body = "float4 p = float4(vertex, 0, 0, 1);"
    text = f"""{BUFFER}uniform float scale;
[shader("vertex")] float4 vs(float vertex : POSITION) : SV_Position {{ {body} return p * scale; }}
[shader("fragment")] float4 fs(float4 at : SV_Position) : SV_Target {{ return at.x > 3 ? at * scale : 0; }}
{COMPUTE}cs(uint3 i : SV_DispatchThreadID) {{ d[i.x] = scale; }}
"""
    found = compared(request_of(tmp_path, sources(text)))
    assert len(found) == 3 and all(found.values())
    rays = '[shader("raygeneration")] void rg() { d[0] = scale; }\n'
    assert not any(compared(request_of(tmp_path, sources(text + rays))).values())


def test_module_in_two_crates_is_refused(tmp_path: Path) -> None:
    request = request_of(tmp_path, sources(f"import lib;\n{BUFFER}{COMPUTE}main() {{ d[0] = bump(1); }}\n"))
    (library,) = (item.module for item in request.modules if not item.module.entry_points)
    library = replace(library, exports=(module_symbol("lib/lib.slang", (), (), file="lib/lib.slang", line=1),))
    own = [item for item in request.modules if item.module.entry_points]
    twice = replace(request, modules=(*own, LinkModule("lib", library), LinkModule("other", library)))
    with pytest.raises(LinkError, match="is defined 2 times") as refused:
        open_backend(SlangBackend, Session(root=str(tmp_path), target="vulkan1.3")).split_lto(twice)
    assert "list its source in one crate" in str(refused.value)


@pytest.mark.parametrize("options", [{"debuginfo": "full"}, {"preserve_bindings": True}], ids=["full", "preserve"])
def test_whole_program_options_prevent_grouping(tmp_path: Path, options: dict[str, OptionValue]) -> None:
    assert not any(compared(request_of(tmp_path, dict(list(SOURCES.items())[:3]), **options)).values())


def test_groups_are_bounded(tmp_path: Path) -> None:
    """By the size of the imports and by a number, so that an edit of one source stays cheap."""
    text = f"import lib;\n{BUFFER}{COMPUTE}main(uint3 i : SV_DispatchThreadID) {{ d[i.x] = %d; }}\n"
    request = request_of(tmp_path, sources(*(text % at for at in range(20))), LIBRARY)
    backend = SlangBackend()
    backend.session = Session(root=".", target="vulkan1.3")
    parts = backend.split_lto(request)
    counts = [len(entries_of_part(request.of_part(part))) for part in parts]
    assert sum(counts) == 20 and 1 < max(counts) <= 16
    assert sorted(index for part in parts for index in part.modules if index < 20) == list(range(20))
    small = request_of(tmp_path, sources(*(text % at for at in range(4))), "module lib;\n")
    assert [part.name for part in backend.split_lto(small)] == [entry.output for entry in entries_of(small)]
