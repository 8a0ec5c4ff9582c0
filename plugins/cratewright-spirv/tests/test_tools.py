"""The operations of the SPIRV-Tools providers, and their errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import pytest

from cratewright import (
    ConfigurationError,
    FormatError,
    LinkError,
    SourceError,
    ToolError,
    ValidationError,
)
from cratewright_spirv.spirv_tools.results import version_of
from cratewright_spirv.spirv_tools.tools import Tools, ValidatorOptions

from .tools_samples import (
    ENV,
    HELPER,
    MAIN,
    OVERLAPPING,
    PLAIN,
    RELAXATIONS,
    RELAXED,
    VERTEX,
    fast,
    linked,
    objects,
    outcome,
    shared_library,
    wheel_programs,
)


@pytest.fixture(params=[shared_library, wheel_programs], ids=["library", "executables"])
def tools(request: pytest.FixtureRequest) -> Tools:
    make: Callable[[], Tools] = request.param
    return make()


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


def test_link_names_undefined_symbols(tools: Tools) -> None:
    with pytest.raises(LinkError) as caught:
        tools.link(objects(tools)[:1], env=ENV)
    assert caught.value.message == 'Unresolved external reference to "f(f1;".'


def test_link_names_duplicate_symbols(tools: Tools) -> None:
    main, helper = objects(tools)
    with pytest.raises(LinkError, match=r'Too many external references, 2, were found for "f\(f1;"'):
        tools.link([main, helper, helper], env=ENV)


def test_link_names_a_mismatch(tools: Tools) -> None:
    main, _ = objects(tools)
    whole = HELPER.replace("OpTypeFloat 32", "OpTypeInt 32 0").replace("OpFMul", "OpIMul")
    with pytest.raises(LinkError, match=r"Type mismatch on symbol"):
        tools.link([main, tools.assemble(whole.encode(), env=ENV, name="b")], env=ENV)


def test_link_needs_modules(tools: Tools) -> None:
    with pytest.raises(LinkError, match="no module"):
        tools.link([], env=ENV)


def test_preserve_bindings_keeps_an_unused_buffer(tools: Tools) -> None:
    unused = MAIN.replace("OpStore %to %r\n", "").replace("%r = OpFunctionCall %float %f %two\n", "")
    unused = unused.replace('"main" %out', '"main"').replace("%to = OpAccessChain %pfloat %out %zero\n", "")
    _, helper = objects(tools)
    module = tools.link([tools.assemble(unused.encode(), env="spv1.3", name="a"), helper], env=ENV)
    assert "Binding" not in tools.disassemble(fast(tools, module), env=ENV)
    assert "Binding" in tools.disassemble(fast(tools, module, preserve_bindings=True), env=ENV)


def test_unused_input_is_removed_only_on_request(tools: Tools) -> None:
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


def test_unknown_pass_is_an_error(tools: Tools) -> None:
    with pytest.raises(ToolError, match="Unknown flag '--no-such-pass'"):
        fast(tools, linked(tools), "--no-such-pass")


def test_invalid_module_is_not_optimized(tools: Tools) -> None:
    module = tools.assemble(RELAXED.encode(), env="spv1.0", name="a")
    relaxed = ValidatorOptions(relax_block_layout=True)
    for options, passes in ((PLAIN, False), (relaxed, True)):
        result = outcome(
            lambda options=options: tools.optimize(  # type: ignore[misc]
                module, env="vulkan1.0", passes=["-O"], validator=options, preserve_bindings=True
            )
        )
        assert (result[0] == "value") is passes, result


def test_object_with_imports_is_not_optimized(tools: Tools) -> None:
    main, helper = objects(tools)
    with pytest.raises(ToolError, match="imports functions") as caught:
        fast(tools, main)
    assert caught.value.hint == "link it first"
    assert fast(tools, helper)  # exports are accepted


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


def test_validation_errors_have_rule_and_instruction(tools: Tools) -> None:
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


def test_assembler_errors_have_places(tools: Tools) -> None:
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
def test_invalid_modules_are_refused(tools: Tools, data: bytes) -> None:
    for action in (
        lambda: tools.link([data], env=ENV),
        lambda: fast(tools, data),
        lambda: tools.validate(data, env=ENV, options=PLAIN),
        lambda: tools.disassemble(data, env=ENV),
    ):
        with pytest.raises(FormatError, match="not a SPIR-V module"):
            action()


def test_unknown_environment_is_refused(tools: Tools) -> None:
    module = linked(tools)
    for action in (
        lambda: tools.link([module], env="vulkan9"),
        lambda: tools.optimize(module, env="vulkan9", passes=["-O"], validator=PLAIN, preserve_bindings=True),
        lambda: tools.validate(module, env="vulkan9", options=PLAIN),
        lambda: tools.assemble(MAIN.encode(), env="vulkan9", name="a"),
    ):
        with pytest.raises(ConfigurationError, match="'vulkan9'"):
            action()


def test_version_has_no_paths_or_dates(tools: Tools) -> None:
    assert tools.version().startswith("SPIRV-Tools v")
    assert "/" not in tools.version()
    dated = "SPIRV-Tools v2024.1 unknown hash, 2024-02-03T04:05:06+00:00\n"
    assert version_of(dated) == "SPIRV-Tools v2024.1"


def test_results_repeat(tools: Tools) -> None:
    assert len({fast(tools, linked(tools)) for _ in range(5)}) == 1
