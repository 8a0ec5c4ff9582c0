"""A static library that becomes part of a crate: each member becomes a module, which is linked if needed."""

from __future__ import annotations

import os
from collections.abc import Sequence

from cratewright import (
    ARCHIVE_MAGIC,
    CompiledUnit,
    LinkError,
    ModuleCodegen,
    NativeLibrary,
    Observed,
    Symbol,
    content_digest,
    read_archive,
    read_bytes,
)

from ..binary.bitcode import is_bitcode
from ..binary.elf import elf_symbols, is_elf
from ..libraries import find_static
from ..toolchains.targets import find_target
from ..toolchains.toolchain import Toolchain
from .staticlib import member_names

_BUNDLED = "bundled"
_IF_NEEDED, _WHOLE = "if-needed", "whole"


def bundle_library(
    library: NativeLibrary, directories: Sequence[str], target: str, toolchain: Toolchain
) -> CompiledUnit:
    """Return the members of a static library as modules.

    Raises: LinkError for a library that is not found, refers to its members by path or holds bitcode; FormatError.
    """
    path, missed = find_static(library, directories, find_target(target), toolchain)
    data = read_bytes(os.path.join(toolchain.root, path), role="static library")
    if not data.startswith(ARCHIVE_MAGIC):
        raise _refusal(library, path, "it is a thin archive, or a linker script")
    members = read_archive(data, path=path)
    how = ((_BUNDLED, _WHOLE if library.whole_archive else _IF_NEEDED), ("representation", "none"))
    modules: list[ModuleCodegen] = []
    for name, member in zip(member_names(item.name for item in members), members, strict=True):
        if is_bitcode(member.data):
            raise _refusal(library, path, f"its member {member.name} is bitcode")
        symbols = elf_symbols(member.data, name=f"{path}({member.name})") if is_elf(member.data) else ()
        imports = tuple(Symbol(item.name, item.name, os.path.basename(path)) for item in symbols if not item.defined)
        # Its symbols are not the crate's: users of a crate see only what the crate itself exports.
        module_name = f"{os.path.basename(path)}/{name.rsplit('/', 1)[-1]}"
        modules.append(ModuleCodegen(name=module_name, data=member.data, imports=imports, attributes=how))
    observed = (*(Observed(item, None) for item in missed), Observed(path, content_digest(data)))
    return CompiledUnit(modules=tuple(modules), observed=observed)


def is_crate_module(module: ModuleCodegen) -> bool:
    """Return whether a module was compiled for its crate."""
    return not module.attribute(_BUNDLED)


def is_linked_whole(module: ModuleCodegen) -> bool:
    """Return whether a bundled module is linked even if nothing needs it."""
    return module.attribute(_BUNDLED) == _WHOLE


def _refusal(library: NativeLibrary, path: str, reason: str) -> LinkError:
    return LinkError(
        f"static library '{library.name}' cannot become part of a crate",
        context=(("file", path), ("reason", reason)),
        hint=f"write static:-bundle={library.name}: it is then linked where the crate is",
    )
