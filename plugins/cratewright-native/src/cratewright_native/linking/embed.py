"""Bytes inside a shared library: an object with one section that is never loaded."""

from __future__ import annotations

from pathlib import Path

from ..toolchains.targets import find_target
from ..toolchains.toolchain import Toolchain

EMBEDDED = ".cratewright"
"""The section that the bytes are in."""

_DATA = "embedded.bin"
_HEAD = {
    "elf": f'.section {EMBEDDED},"",%progbits\n',
    "coff": f'.section {EMBEDDED},"n"\n',
    "macho": f".section __DATA,__{EMBEDDED[1:]}\n",
    "wasm": f'.section .custom_section.{EMBEDDED[1:]},"",@\n',
}


def embed_object(data: bytes, target: str, toolchain: Toolchain, directory: Path) -> str:
    """Write an object that holds some bytes, and return the name of its file in `directory`.

    Raises: ToolError if the assembler fails.
    """
    head = _HEAD[find_target(target).format]
    if toolchain.kind == "gcc":
        # GNU ld also garbage-collects sections that are never loaded, unless marked SHF_GNU_RETAIN.
        head = head.replace('""', '"R"')
    # Without a stack note, GNU ld would make the whole program's stack executable.
    stack = '.section .note.GNU-stack,"",%progbits\n' if find_target(target).format == "elf" else ""
    (directory / _DATA).write_bytes(data)
    (directory / "embedded.s").write_text(f'{head}.incbin "{_DATA}"\n{stack}', encoding="utf-8")
    output = "embedded.o"
    toolchain.run(
        (*toolchain.cc(target), "-c", "embedded.s", "-o", output),
        cwd=directory,
        what="the metadata of a dylib",
        outputs=[output],
    )
    return output
