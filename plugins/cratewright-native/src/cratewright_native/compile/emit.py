"""Files of a unit for people and other tools: assembly, LLVM IR, object.

They show the unit's own code before it is optimized with other units, whatever `lto` says.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cratewright import ModuleCodegen, ModuleConfig

from ..arguments.options import EMITTED
from ..toolchains.toolchain import Toolchain
from .codegen import lower_module, lowered

_PRINTED = {"asm": ("-S",), "llvm-ir": ("-S", "-emit-llvm")}


def emit_refusal(kind: str, language: str, toolchain: Toolchain) -> str:
    """Return why a source has no file of a kind; empty if it has one."""
    if language == "object":
        return "the source is an object already"
    if language == "assembler" and kind != "obj":
        return "the source is assembly"
    return "gcc has no LLVM IR" if kind == "llvm-ir" and toolchain.kind == "gcc" else ""


def assembly_words(words: Iterable[str], output: Path) -> tuple[str, ...]:
    """Return gcc's command for the assembly of what a command compiles, without data for LTO."""
    return (*("-S" if word == "-c" else word for word in words), "-fno-lto", "-o", str(output))


def emitted(
    module: ModuleCodegen, config: ModuleConfig, toolchain: Toolchain, directory: Path
) -> tuple[tuple[str, bytes], ...]:
    """Return the files of a unit by suffix; gcc wrote its assembly, `module.s`, while compiling the unit.

    Raises: ToolError.
    """
    files: list[tuple[str, bytes]] = []
    for kind, suffix in EMITTED.items():
        if kind not in config.options.texts("emit"):
            continue
        if kind == "obj":
            data = lower_module(module, config, toolchain).data
        elif toolchain.kind == "gcc":
            data = (directory / "module.s").read_bytes()
        else:
            data = lowered(module, config, toolchain, _PRINTED[kind])
        files.append((suffix, data))
    return tuple(files)
