"""Reducing libraries to what an entry point calls, directly or through other modules."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cratewright import (
    CORE_OPTIONS,
    CrateType,
    EntryPoint,
    LinkModule,
    LinkRequest,
    LtoMode,
    ModuleCodegen,
    Options,
    Symbol,
)
from cratewright_spirv.backend import SpirvBackend
from cratewright_spirv.link.reduction import reduce_part

from .conftest import Programs

HEAD = """
OpCapability Shader
OpCapability Linkage
OpMemoryModel Logical GLSL450
{entry}
{names}
{links}
%1 = OpTypeVoid
%2 = OpTypeFunction %1
%3 = OpTypeFloat 32
%4 = OpTypePointer Private %3
%5 = OpConstant %3 {value}
%6 = OpVariable %4 Private
"""
MAIN = 'OpEntryPoint GLCompute %10 "main" %6\nOpExecutionMode %10 LocalSize 1 1 1'


def _module(
    spirv: Programs,
    name: str,
    functions: dict[str, tuple[str, ...]],
    *,
    entry: bool = False,
    value: int = 1,
    initialiser: str = "",
) -> ModuleCodegen:
    """Return a module of functions, each with its callees; callees that it does not define are imported."""
    imports = [each for each in dict.fromkeys(sum(functions.values(), ())) if each not in functions]
    ids = {each: 10 + index * 2 for index, each in enumerate([*functions, *imports])}
    exports = [] if entry else list(functions)
    links = [f'OpDecorate %{ids[each]} LinkageAttributes "{each}" Export' for each in exports]
    links += [f'OpDecorate %{ids[each]} LinkageAttributes "{each}" Import' for each in imports]
    text = HEAD.format(
        entry=MAIN if entry else "",
        names="\n".join(f'OpName %{ids[each]} "{each}"' for each in ids),
        links="\n".join(links),
        value=value,
    )
    for each in imports:
        text += f"%{ids[each]} = OpFunction %1 None %2\nOpFunctionEnd\n"
    for each, callees in functions.items():
        calls = "".join(f"%{ids[each] * 100 + at} = OpFunctionCall %1 %{ids[c]}\n" for at, c in enumerate(callees))
        text += f"%{ids[each]} = OpFunction %1 None %2\n%{ids[each] + 1} = OpLabel\n{calls}"
        text += "OpStore %6 %5\nOpReturn\nOpFunctionEnd\n"
    return ModuleCodegen(
        name=name,
        data=spirv.assemble(text),
        exports=tuple(Symbol(each, each, f"{name}.glsl", 7) for each in exports if each != initialiser),
        imports=tuple(Symbol(each, each, f"{name}.glsl", 9) for each in imports),
        entry_points=(EntryPoint("compute", "main"),) if entry else (),
        attributes=(("initialiser", initialiser),) if initialiser else (),
    )


def _request(*modules: ModuleCodegen, **options: str) -> LinkRequest:
    specs = (*CORE_OPTIONS, *SpirvBackend.OPTIONS)
    return LinkRequest(
        crate="app",
        crate_type=CrateType.CDYLIB,
        target="vulkan1.2",
        options=Options(tuple(sorted((spec.name, spec.default) for spec in specs))).override(options),
        modules=tuple(LinkModule("app" if module.entry_points else "maths", module) for module in modules),
        part="main.comp",
    )


def _exported(request: LinkRequest) -> dict[str, list[str]]:
    return {item.module.name: [symbol.name for symbol in item.module.exports] for item in request.modules}


def test_only_called_functions_stay(spirv: Programs) -> None:
    main = _module(spirv, "main", {"main": ("a",)}, entry=True)
    near = _module(spirv, "near", {"a": ("b", "far"), "b": (), "c": ("other",)})
    far = _module(spirv, "far", {"d": (), "far": ("deep",)})
    deep = _module(spirv, "deep", {"deep": ()})
    other = _module(spirv, "other", {"other": ()})
    reduced = reduce_part(_request(main, near, far, deep, other))
    assert _exported(reduced) == {"main": [], "near": ["a"], "far": ["far"], "deep": ["deep"]}
    assert reduced.modules[0].module == main
    for item in reduced.modules:
        spirv.validate(item.module.data, "spv1.5")
    text = spirv.disassemble(reduced.modules[1].module.data)
    assert text.count("OpFunction ") == 3, "a, b that it calls, and the declaration of far"
    assert '"c"' not in text


def test_edit_of_an_unused_function_changes_nothing(spirv: Programs) -> None:
    main = _module(spirv, "main", {"main": ("b",)}, entry=True)
    before = _module(spirv, "near", {"a": ("c",), "b": ("c",), "c": ()})
    after = _module(spirv, "near", {"a": ("c", "c", "new"), "b": ("c",), "c": (), "new": ()})
    moved = replace(after, exports=tuple(replace(symbol, line=70) for symbol in after.exports))
    assert reduce_part(_request(main, before)) == reduce_part(_request(main, moved))
    changed = _module(spirv, "near", {"a": ("c",), "b": ("c", "c"), "c": ()})
    assert reduce_part(_request(main, before)) != reduce_part(_request(main, changed))


def test_initialisers_stay(spirv: Programs) -> None:
    main = _module(spirv, "main", {"main": ("a",)}, entry=True)
    near = _module(spirv, "near", {"a": (), "b": (), "$init": ("far",)}, initialiser="$init")
    far = _module(spirv, "far", {"far": ()})
    reduced = reduce_part(_request(main, near, far))
    assert _exported(reduced) == {"main": [], "near": ["a"], "far": ["far"]}
    assert '"$init"' in spirv.disassemble(reduced.modules[1].module.data)


@pytest.mark.parametrize("debuginfo", ["none", "line", "full"])
def test_full_debug_information_keeps_modules_whole(spirv: Programs, debuginfo: str) -> None:
    main = _module(spirv, "main", {"main": ("a",)}, entry=True)
    near = _module(spirv, "near", {"a": (), "b": ()})
    reduced = reduce_part(_request(main, near, debuginfo=debuginfo))
    assert _exported(reduced)["near"] == (["a", "b"] if debuginfo == "full" else ["a"])


def test_memory_estimate_grows_with_the_modules(spirv: Programs) -> None:
    first = _module(spirv, "first", {"main": ("used",)}, entry=True)
    library = _module(spirv, "used", {"used": ()})
    spare = _module(spirv, "spare", {f"spare{at}": () for at in range(40)})
    memory = SpirvBackend().lto_memory

    def bytes_of(lto: LtoMode, *modules: ModuleCodegen) -> int:
        return memory(replace(_request(*modules), lto=lto))

    assert 0 < bytes_of(LtoMode.FAT, first) < bytes_of(LtoMode.FAT, first, library)
    assert bytes_of(LtoMode.FAT, first, library, spare) - bytes_of(LtoMode.FAT, first, library) >= 40 * len(spare.data)
    # Nothing reaches `spare`, so thin LTO does not load it.
    assert bytes_of(LtoMode.THIN, first, library, spare) == bytes_of(LtoMode.FAT, first, library)
