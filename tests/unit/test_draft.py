"""Draft workspaces for the sources in a directory."""

from __future__ import annotations

import pytest
import tomli

from cratewright.values.crate_type import CrateType
from cratewright.workspace.draft import DraftCrate, draft_crates, draft_sconstruct, draft_toml

SHADERS = {"spirv": ((".glsl", ".comp", ".frag", ".hlsl"), [CrateType.RLIB, CrateType.CDYLIB])}
NATIVE = {"native": ((".c", ".cpp"), [CrateType.RLIB, CrateType.BIN])}
MAIN = "int main(void) { return 0; }"


def test_shaders_depend_on_a_library() -> None:
    crates = draft_crates(
        "sky", SHADERS, {"a.comp": "void main() {}", "lib/n.glsl": "float n();", "b.frag": "void main() {}"}
    )
    assert crates == [
        DraftCrate("sky-lib", "spirv", "rlib", ("lib/n.glsl",)),
        DraftCrate("sky", "spirv", "cdylib", ("a.comp", "b.frag"), ("sky-lib",)),
    ]


def test_included_file_is_not_a_source() -> None:
    texts = {"a.comp": '#include "k.glsl"\n#  include <inc/v.glsl>\nvoid main() {}', "k.glsl": "", "x/inc/v.glsl": ""}
    assert draft_crates("sky", SHADERS, texts) == [
        DraftCrate("sky", "spirv", "cdylib", ("a.comp",), include_dirs=("x",))
    ]


def test_include_in_a_comment_is_ignored() -> None:
    crates = draft_crates("sky", SHADERS, {"a.comp": '/*\n#include "k.glsl"\n*/ void main() {}', "k.glsl": "float k;"})
    assert [crate.sources for crate in crates] == [("k.glsl",), ("a.comp",)]


def test_single_program_is_one_crate() -> None:
    texts = {"main.c": MAIN, "b.c": "", "b.h": ""}
    assert draft_crates("tool", NATIVE, texts) == [DraftCrate("tool", "native", "bin", ("b.c", "main.c"))]


def test_several_programs_share_a_library() -> None:
    crates = draft_crates("9 tools!", NATIVE, {"x/a.c": MAIN, "y/a.c": MAIN, "b.c": ""})
    assert [(crate.name, crate.type, crate.deps) for crate in crates] == [
        ("crate-9-tools-lib", "rlib", ()),
        ("a", "bin", ("crate-9-tools-lib",)),
        ("crate-9-tools-a", "bin", ("crate-9-tools-lib",)),
    ]


def test_crates_of_two_backends_have_different_names() -> None:
    crates = draft_crates("game", {**SHADERS, **NATIVE}, {"main.c": MAIN, "a.comp": "void main() {}"})
    assert [crate.name for crate in crates] == ["game-spirv", "game-native"]


def test_no_sources_give_no_crates() -> None:
    assert draft_crates("x", SHADERS, {"readme.h": ""}) == []


def test_generated_files_describe_the_draft() -> None:
    crate = DraftCrate("a", "spirv", "cdylib", ('ä "q".comp', *(f"{n:040}.comp" for n in range(4))), ("b",), (".",))
    read = tomli.loads(draft_toml([crate, DraftCrate("b", "spirv", "rlib", ("b.glsl",))]))["crate"]
    assert read["a"] == {
        "sources": list(crate.sources),
        "type": "cdylib",
        "backend": "spirv",
        "deps": ["b"],
        "include-dirs": ["."],
    }
    assert read["b"] == {"sources": ["b.glsl"], "backend": "spirv"}
    calls: list[tuple[object, ...]] = []

    class Environment:
        def __init__(self, **words: object) -> None:
            pass

        def Crate(self, name: str, sources: list[str], **words: object) -> str:
            calls.append((name, sources, words))
            return name

    exec(draft_sconstruct([crate]), {"Environment": Environment, "Default": lambda *_: None})
    words = {"backend": "spirv", "crate_type": "cdylib", "deps": ["b"], "include_dirs": ["."]}
    assert calls == [("a", list(crate.sources), words)]


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["a.hlsl"], {"spirv": ["a.hlsl"]}),
        (["a.comp", "b.hlsl"], {"spirv": ["a.comp", "b.hlsl"]}),
        (["a.slang", "b.hlsl"], {"slang": ["a.slang", "b.hlsl"]}),
        (["a.slang", "b.hlsl", "c.comp"], {"slang": ["a.slang"], "spirv": ["b.hlsl", "c.comp"]}),
        (["a.c", "b.comp"], {"native": ["a.c"], "spirv": ["b.comp"]}),
        (["a.c", "b.watx"], {"wasm": ["a.c", "b.watx"]}),
    ],
)
def test_each_source_has_one_backend(paths: list[str], expected: dict[str, list[str]]) -> None:
    rlib = (CrateType.RLIB,)
    backends = {
        "native": ((".c", ".cpp", ".S"), rlib),
        "slang": ((".slang", ".hlsl"), rlib),
        "spirv": ((".comp", ".frag", ".hlsl"), rlib),
        "wasm": ((".c", ".watx"), rlib),
    }
    crates = draft_crates("x", backends, dict.fromkeys(paths, ""))
    assert {crate.backend: list(crate.sources) for crate in crates} == expected
