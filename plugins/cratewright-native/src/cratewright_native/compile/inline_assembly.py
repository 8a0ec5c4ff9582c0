"""Refuses inline assembly that reads files: it would read them at code generation, outside every cache key."""

from __future__ import annotations

from pathlib import Path

from cratewright import SourceError

from ..binary.bitcode import is_bitcode
from ..binary.elf import embedded_bitcode
from ..lookups.assembly import assembly_of
from ..lookups.directives import may_read_files
from ..lookups.inputs import UnitFiles, assembled_files
from ..lookups.unit_command import UnitCommand


def refuse_file_reads(unit: UnitCommand, files: UnitFiles, directory: Path) -> None:
    """Refuse inline assembly that reads files, in the module that `directory` holds.

    Raises: SourceError.
    """
    if unit.language == "assembler":
        return
    ours = [facts.directives for path, facts in files.items() if facts is not None and path[:5] != "/usr/"]
    suspected = any(item.assembly for item in ours) and any(item.reading for item in ours)
    if not suspected and not unit.path.endswith(".bc"):
        return
    if _reads_files(unit, directory):
        suspects = (path for path, facts in files.items() if facts is not None and facts.directives.reading)
        raise SourceError.at(
            next(suspects, unit.path),
            1,
            "inline assembly that reads a file (.incbin) is not tracked",
            hint="put the .incbin into a .S source of the crate, or use #embed",
        )


def _reads_files(unit: UnitCommand, directory: Path) -> bool:
    """Let gcc's assembler list what it reads, or search the assembly that clang has put into the module."""
    toolchain = unit.toolchain
    if toolchain.kind == "gcc":
        words = (*unit.words, "-fno-lto", "-w", "-Wa,--MD,/dev/stdout", "-o", str(directory / "again.o"))
        return bool(assembled_files(unit, toolchain.run(words, cwd=toolchain.root, what=unit.path)))
    module = directory / "module.bc"
    data = module.read_bytes()
    if bitcode := embedded_bitcode(data):
        module = directory / "embedded.bc"
        module.write_bytes(bitcode)
    elif not is_bitcode(data):
        module = directory / "again.bc"
        words = (*unit.words, "-w", "-emit-llvm", "-o", str(module))
        toolchain.run(words, cwd=toolchain.root, what=unit.path, outputs=[module])
    words = (*toolchain.clang_ir(unit.target), "-x", "ir", str(module), "-S", "-emit-llvm")
    text = unit.run((*words, "-Xclang", "-disable-llvm-passes", "-w"), directory / "module.ll")
    return may_read_files("\n".join(assembly_of(text.decode("utf-8", "surrogateescape"))))
