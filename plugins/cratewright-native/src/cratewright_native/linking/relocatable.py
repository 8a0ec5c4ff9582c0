"""One object with everything a crate needs, which can be linked again."""

from __future__ import annotations

from cratewright import LinkRequest, ModuleCodegen, Symbol, scratch_directory

from ..arguments.response_file import response_file
from ..binary.elf import elf_symbols
from ..binary.localise import with_local_symbols
from ..binary.module import MAIN_SYMBOLS
from ..toolchains.toolchain import Toolchain
from .demand import is_direct, needed_modules
from .link_errors import link_error
from .resolve import write_objects

_MERGED = "merged.o"


def merge_objects(request: LinkRequest, toolchain: Toolchain) -> ModuleCodegen:
    """Merge the objects of a crate with those that it needs of other crates.

    Shape: exports stay global, and so do symbols that many objects may define, such as C++ inline functions. All other
    definitions become local, so that they cannot clash. Undefined symbols are left to the next link.
    Raises: LinkError if symbols clash.
    """
    chosen = [item for item in request.modules if item.module.attribute("lto")]
    needed = needed_modules(request, request.exported)
    parts = [item for item in request.modules if item in needed or item in chosen or is_direct(item, request)]
    what = f"merging the objects of crate '{request.crate}'"
    with scratch_directory() as directory:
        files = write_objects(parts, directory)
        if toolchain.kind == "gcc":
            linker: tuple[str, ...] = (*toolchain.cc(request.target), "-nostdlib", "-fno-lto", "-Wl,--build-id=none")
        else:
            linker = toolchain.lld(request.target)
        toolchain.run(
            (*linker, "-r", response_file("arguments.rsp", list(files), directory), "-o", _MERGED),
            cwd=directory,
            what=what,
            outputs=[_MERGED],
            refused=link_error(request, f"{what} failed", files),
        )
        data = (directory / _MERGED).read_bytes()
    data = with_local_symbols(data, keep={*request.exported, *MAIN_SYMBOLS}, name=f"crate '{request.crate}'")
    symbols = elf_symbols(data, name=request.crate)
    return ModuleCodegen(
        name=_MERGED,
        data=data,
        exports=tuple(Symbol(each.name, each.name) for each in symbols if each.defined and not each.hidden),
        imports=tuple(Symbol(each.name, each.name) for each in symbols if not each.defined),
        attributes=(("representation", "none"),),
    )
