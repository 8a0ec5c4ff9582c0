"""The inputs of LTO: modules as files, and lld's arguments to resolve symbols as the final link will."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cratewright import LinkError, LinkModule, LinkRequest, content_digest

from ..arguments.response_file import response_file
from ..arguments.symbols import resolution_words
from ..binary.bitcode import bitcode_major, is_bitcode
from ..toolchains.toolchain import Toolchain
from .demand import is_direct
from .exports import required_symbols, version_script

_ARGUMENTS = "arguments.rsp"
_SCRIPT = "offered.map"


def module_file(data: bytes, repeat: int = 0) -> str:
    """Return the name of a module's file, made from its content.

    LLVM writes file names into its results: without paths these are the same everywhere, and named by content they do
    not change with other modules. `repeat` distinguishes equal modules.
    """
    return f"{content_digest(data)[:32]}{f'-{repeat}' if repeat else ''}.bc"


def write_objects(modules: Iterable[LinkModule], directory: Path) -> dict[str, LinkModule]:
    """Write objects to numbered files, and return which is which."""
    files = {f"{index}.o": item for index, item in enumerate(modules)}
    for name, item in files.items():
        (directory / name).write_bytes(item.module.data)
    return files


def write_inputs(request: LinkRequest, toolchain: Toolchain, directory: Path) -> tuple[str, dict[str, LinkModule]]:
    """Write the modules of a request to files, and return lld's argument and the module of each file, by name.

    Shape: own modules are linked, those of dependencies if needed, as from an archive. Opaque objects take part in the
    resolution: LTO must not change what they define or use.
    Raises: LinkError for modules of a newer LLVM.
    """
    _check_reader(request.modules, toolchain)
    files: dict[str, LinkModule] = {}
    own: list[str] = []
    lazy: list[str] = []
    for item in request.modules:
        repeat = 0
        while (name := module_file(item.module.data, repeat)) in files:
            repeat += 1
        files[name] = item
        (directory / name).write_bytes(item.module.data)
        (own if is_direct(item, request) else lazy).append(name)
    for index, item in enumerate(request.opaque):
        if not is_bitcode(item.module.data):
            name = f"{index}.o"
            (directory / name).write_bytes(item.module.data)
            (own if is_direct(item, request) else lazy).append(name)
    kept = {*required_symbols(request), *request.kept}
    (directory / _SCRIPT).write_bytes(version_script(sorted(kept), named=True))
    # A shared library fits all crate types: symbols that keep their names may be replaced, all others are final.
    words = ["-shared", f"--version-script={_SCRIPT}", "--undefined-version"]
    words += [f"--undefined={symbol}" for symbol in request.exported if "@" not in symbol]
    words += resolution_words(request.options.texts("ldflags"))
    words += [*own, "--start-lib", *lazy, "--end-lib"]
    words += [str(Path(toolchain.root) / library.path) for library in request.libraries]
    return response_file(_ARGUMENTS, words, directory), files


def _check_reader(modules: Iterable[LinkModule], toolchain: Toolchain) -> None:
    """Refuse bitcode of an LLVM newer than its reader, which may not understand it.

    Raises: LinkError naming the crate, the module and both versions.
    """
    for item in modules:
        major = bitcode_major(item.module.data)
        if toolchain.llvm_major and major > toolchain.llvm_major:
            raise LinkError(
                f"module '{item.module.name}' of crate '{item.crate}' was made by a newer LLVM than the linker's",
                context=(("made by LLVM", major), ("linked by LLVM", toolchain.llvm_major)),
                hint="compile all crates with one toolchain: set CRATE_LLVM or CRATE_CC, or build again",
            )
