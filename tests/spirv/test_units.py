"""Several units of a stage behave like one unit with all their sources. The cases are in `units`."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from cratewright.base.errors import LinkError
from cratewright.formats.crate_metadata import CrateMetadata
from cratewright_spirv.binary import opcodes as op
from cratewright_spirv.binary.bindings import block_type
from cratewright_spirv.binary.enumerants import BUILT_IN, INVARIANT, OUTPUT, VOLATILE
from cratewright_spirv.binary.module import parse
from cratewright_spirv.binary.program import Program, reach
from tests.spirv.units import LINKED, REFUSED
from tests.spirv.units.case import COUNT, CompileRefused, Linked
from tests.support.memory_store import MemoryStore
from tests.support.shader_build import Image, ShaderBuild
from tests.support.vulkan_device import ComputeDevice, storage, uniform

PARAMETERS = np.arange(64, dtype=np.float32)


PUSH = np.array([7, 0, 0, 0], np.uint32).tobytes()[:8] + np.array([2, 5], np.float32).tobytes()


TYPES = range(op.TYPE_VOID, op.TYPE_POINTER + 1)


APART = ("GL_EXT_ray_tracing", "GL_EXT_mesh_shader", "GL_EXT_buffer_reference")


@dataclass(frozen=True)
class Shader:
    """One entry point of a case: its own source, and the source of the equivalent single unit."""

    case: Linked
    number: int
    position: int
    whole: str

    @property
    def suffix(self) -> str:
        return f".{self.case.stage}.hlsl" if self.case.hlsl else f".{self.case.stage}"

    @property
    def path(self) -> str:
        return f"c{self.number:02}_{self.position}{self.suffix}"


class Corpus:
    """All cases, written and compiled once."""

    def __init__(self, root: Path) -> None:
        self.build = ShaderBuild(root)
        self.shaders = [shader for number, case in enumerate(LINKED) for shader in self._write(number, case)]
        self.libraries = {number: self._libraries(number, case) for number, case in enumerate(LINKED)}
        self.whole = self.build.compile("whole", [f"one_{shader.path}" for shader in self.shaders])
        deps = list(self.libraries.values())
        # A device that lacks a stage cannot load a module that contains it, so the cases are grouped.
        self.crates = [
            self.build.compile(f"group{at}", [shader.path for shader in group], deps)
            for at, group in enumerate(self._groups())
        ]

    def _groups(self) -> list[list[Shader]]:
        groups: dict[tuple[object, ...], list[Shader]] = {}
        for shader in self.shaders:
            kind = next((kind for kind in APART if kind in shader.case.extensions), "")
            groups.setdefault((shader.case.size > 0, shader.case.hlsl, kind), []).append(shader)
        return list(groups.values())

    def _write(self, number: int, case: Linked) -> Iterator[Shader]:
        header = f"h{number:02}.h"
        guarded = f"#ifndef H{number}\n#define H{number}\n{case.header}#endif\n"
        files = {header: guarded}
        included = f'#include "{header}"'

        def text(*parts: str, hlsl: bool = case.hlsl) -> str:
            body = "".join(parts).replace("INCLUDE", included).replace("@", f"{number:02}")
            if hlsl:
                return body
            return "#version 460\n" + "".join(f"#extension {name} : require\n" for name in case.extensions) + body

        hlsl = case.hlsl_libraries
        for at, library in enumerate(case.libraries):
            files[f"l{number:02}_{at}.{'hlsl' if hlsl else 'glsl'}"] = text(library, hlsl=hlsl)
        bare = [library.replace("#pragma shader_stage(compute)\n", "") for library in case.libraries]
        for at, (layout, shader) in enumerate(((case.layout, case.shader), *case.others)):
            whole = case.one or layout + "".join(bare) + shader
            found = Shader(case, number, at, whole)
            files[found.path] = text(layout, shader)
            files[f"one_{found.path}"] = text(whole)
            yield found
        self.build.write(files)

    def _libraries(self, number: int, case: Linked) -> CrateMetadata:
        suffix = "hlsl" if case.hlsl_libraries else "glsl"
        return self.build.compile(f"l{number:02}", [f"l{number:02}_{at}.{suffix}" for at in range(len(case.libraries))])

    def linked(self, lto: str, multimodule: bool, opt_level: str) -> dict[str, Image]:
        deps, found = list(self.libraries.values()), dict[str, Image]()
        for crate in self.crates:
            found |= self.build.link(crate, deps, lto=lto, multimodule=multimodule, opt_level=opt_level)
        return found

    def alone(self, opt_level: str) -> dict[str, Image]:
        return self.build.link(self.whole, multimodule=True, opt_level=opt_level, lto="thin")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return Corpus(tmp_path_factory.mktemp("units"))


@pytest.fixture(scope="module")
def alone(corpus: Corpus) -> dict[str, dict[str, Image]]:
    return {level: corpus.alone(level) for level in ("0", "3")}


def interface_of(image: Image) -> dict[str, object]:
    """Return the interface of an image to its host, in both directions."""
    program = Program.of(parse(image.data, "image"))
    entry = next(
        each for each in program.entries() if (each.stage, each.name) == (image.row["stage"], image.row["name"])
    )
    reached = reach(program.graph(), entry.function)
    built_in = {
        words[1]: words[3] for words in program.preamble if words[0] & 0xFFFF == op.DECORATE and words[2] == BUILT_IN
    }
    variables = [words for each, words in program.variables().items() if each in reached]
    types = {words[1]: words for words in program.preamble if words[0] & 0xFFFF in TYPES}
    outputs = {each for words in variables if words[3] == OUTPUT for each in (words[2], block_type(types, words))}
    volatile = {words[1] for words in program.preamble if words[0] & 0xFFFF == op.DECORATE and words[2] == VOLATILE}
    row = {key: value for key, value in image.row.items() if key not in ("key", "name", "module", "source", "output")}
    return row | {
        "modes": sorted(
            words[2:] if words[0] & 0xFFFF == op.EXECUTION_MODE else (words[2],)
            for words in program.preamble
            if words[0] & 0xFFFF in (op.EXECUTION_MODE, op.EXECUTION_MODE_ID) and words[1] == entry.function
        ),
        "built-ins": sorted(built_in[words[2]] for words in variables if words[2] in built_in),
        "volatile": sorted(built_in[each] for each in volatile & built_in.keys() & reached.keys()),
        "invariant": sum(
            words[1] in outputs and words[-1] == INVARIANT and words[0] & 0xFFFF in (op.DECORATE, op.MEMBER_DECORATE)
            for words in program.preamble
        ),
        "storage": Counter(words[3] for words in variables),
    }


@pytest.fixture(scope="module", params=["off", "thin", "fat"])
def lto(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=[False, True])
def multimodule(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="module", params=["0", "3"])
def level(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def form(lto: str, multimodule: bool, level: str) -> tuple[str, bool, str]:
    return lto, multimodule, level


@pytest.fixture(scope="module")
def linked(form: tuple[str, bool, str], corpus: Corpus) -> dict[str, Image]:
    return corpus.linked(*form)


@pytest.mark.pairwise
def test_units_have_the_interface_of_one_unit(
    form: tuple[str, bool, str], linked: dict[str, Image], alone: dict[str, dict[str, Image]], corpus: Corpus
) -> None:
    wrong = {}
    for shader in corpus.shaders:
        found, expected = interface_of(linked[shader.path]), interface_of(alone[form[2]][f"one_{shader.path}"])
        differs = {key: (found[key], expected[key]) for key in expected if found[key] != expected[key]}
        if differs:
            wrong[f"{shader.case.name} ({shader.path})"] = differs
    assert not wrong, json.dumps(wrong, indent=1, default=str)


@pytest.mark.pairwise
def test_units_compute_the_results_of_one_unit(
    form: tuple[str, bool, str],
    linked: dict[str, Image],
    alone: dict[str, dict[str, Image]],
    corpus: Corpus,
    device: ComputeDevice,
) -> None:
    wrong = {}
    for shader in corpus.shaders:
        if not shader.case.size or shader.position:
            continue
        for constants in shader.case.constants:
            expected = run(device, alone["0"][f"one_{shader.path}"], shader.case, constants)
            found = run(device, linked[shader.path], shader.case, constants)
            if found != expected or not any(expected):
                wrong[f"{shader.case.name} ({shader.path}) {constants}"] = (found[:8], expected[:8])
    assert not wrong, json.dumps(wrong, indent=1)


def run(device: ComputeDevice, image: Image, case: Linked, constants: Mapping[int, int]) -> list[int]:
    found = device.run(
        image.data,
        [storage(0, np.zeros(COUNT, np.uint32)), uniform(1, PARAMETERS)],
        entry=image.row["name"],
        groups=(COUNT // case.size, 1, 1),
        constants=constants,
        push=PUSH,
    )
    values: list[int] = found[0].tolist()
    return values


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name.replace(" ", "-"))
def test_contradictory_units_are_rejected(case: CompileRefused, tmp_path: Path) -> None:
    build = ShaderBuild(tmp_path, store=STORE)
    head = "" if case.hlsl else "#version 460\n" + "".join(f"#extension {each} : require\n" for each in case.extensions)
    library, shader = ("lib.hlsl", f"main.{case.stage}.hlsl") if case.hlsl else ("lib.glsl", f"main.{case.stage}")
    build.write({library: head + case.library, shader: head + case.shader})
    deps = [build.compile("lib", [library])]
    crate = build.compile("image", [shader], deps)
    for lto, multimodule in itertools.product(("off", "thin", "fat"), (False, True)):
        with pytest.raises(LinkError) as caught:
            build.link(crate, deps, lto=lto, multimodule=multimodule)
        for word in case.words:
            assert word in str(caught.value), f"{lto}: {caught.value}"


STORE = MemoryStore()
