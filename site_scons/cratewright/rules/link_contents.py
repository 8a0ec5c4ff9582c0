"""What goes into a link besides the crates' own modules: exported symbols, foreign libraries, the allocator shim."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..base.errors import LinkError, near_miss
from ..values.crate_type import CrateType
from ..values.module import ModuleCodegen, ModuleKind
from ..values.native_library import LibraryKind, NativeLibrary
from .dependency_format import Linkage


def exported_symbols(
    crate: str,
    crate_type: CrateType,
    own: Sequence[ModuleCodegen],
    linked: Iterable[ModuleCodegen],
    exports: Sequence[str],
    keep_exports: bool = False,
) -> tuple[str, ...]:
    """Return the sorted symbols that a linked file exports.

    Shape: `linked` are the modules of statically linked crates; `exports` is the user's own list. A dylib exports
    everything that its crates export, since it replaces their rlibs. A cdylib and a staticlib export the listed
    symbols, or the crate's own exports if none are listed. So does an object, or with `keep_exports` the same as a
    dylib. A program exports its entry points and the listed symbols.
    Raises: LinkError for an undefined listed symbol.
    Source: rustc's two levels of exported symbols: `C` for programs, cdylibs and staticlibs, `Rust` for the rest.
    """
    linked = list(linked)
    mine = {symbol.name for module in own for symbol in module.exports}
    theirs = {symbol.name for module in linked for symbol in module.exports}
    for name in exports:
        if name not in mine | theirs:
            raise LinkError(
                f"crate '{crate}' is to export '{name}', which is not defined",
                context=(("crate type", crate_type.value),),
                hint=near_miss(name, sorted(mine)),
            )
    everything = crate_type is CrateType.OBJECT and keep_exports
    if everything or crate_type in (CrateType.DYLIB, CrateType.RLIB):
        offered = mine | theirs
    elif crate_type is CrateType.BIN:
        offered = {entry.name for module in own for entry in module.entry_points} | set(exports)
    else:
        offered = set(exports) or mine
    return tuple(sorted(offered))


def libraries_to_link(
    own: Sequence[NativeLibrary], dependencies: Sequence[tuple[Linkage, Sequence[NativeLibrary]]]
) -> tuple[NativeLibrary, ...]:
    """Return the libraries of a link: the crate's own, then those of its dependencies, given in link order.

    Shape: the static libraries of a crate reached only through a dylib are in that dylib already; its dynamic ones are
    linked nevertheless. Adjacent repeats collapse.
    Source: the order of rustc's native link line.
    """
    wanted = list(own)
    for linkage, libraries in dependencies:
        if linkage is Linkage.STATIC:
            wanted += [item for item in libraries if item.kind is LibraryKind.STATIC]
    for _, libraries in dependencies:
        wanted += [item for item in libraries if item.kind is not LibraryKind.STATIC]
    return tuple(item for index, item in enumerate(wanted) if index == 0 or wanted[index - 1] != item)


def brings_allocator_shim(modules: Iterable[ModuleCodegen]) -> bool:
    """Return whether a dylib exports the allocator shim, by the modules in its metadata."""
    return any(module.kind is ModuleKind.ALLOCATOR for module in modules)


def allocator_provider(words: Mapping[str, str]) -> tuple[bool, str]:
    """Return whether any crate of a link needs an allocator, and the crate that provides it or an empty string.

    Shape: `words` is the option `allocator` of each crate, by name.
    Raises: LinkError if two crates provide one.
    """
    providers = [crate for crate, word in words.items() if word == "provides"]
    if len(providers) > 1:
        raise LinkError(
            f"crates '{providers[0]}' and '{providers[1]}' both provide the global allocator",
            hint="one program has one; set allocator='needs' or 'none' on the other",
        )
    return bool(providers) or "needs" in words.values(), (providers or [""])[0]
