"""Symbols whose names LTO must keep, because something that it does not see uses them."""

from __future__ import annotations

import os

from cratewright import LinkError, LinkRequest, LtoMode

from ..arguments.symbols import kept_by_flags, script_reader
from ..binary.elf import elf_symbols

__all__ = ["kept_symbols"]


def kept_symbols(request: LinkRequest, root: str) -> tuple[str, ...]:
    """Return, sorted, the symbols that the user's linker flags name, and those that dylibs share.

    Raises: LinkError for a module that holds only code; FormatError for a damaged dylib.
    """
    _check_representations(request)
    defined = {symbol.name for item in request.modules for symbol in item.module.exports}
    by_flags = kept_by_flags(request.options.texts("ldflags"), defined, script_reader(root, request))
    return tuple(sorted(by_flags | _shared_symbols(request, defined, root)))


def _check_representations(request: LinkRequest) -> None:
    """Refuse modules that hold only code, because their crate was built where no link had LTO."""
    for item in request.modules:
        takes_part = request.lto is not LtoMode.THIN_LOCAL or item.crate == request.crate
        if takes_part and item.module.attribute("representation") == "code":
            raise LinkError(
                f"crate '{request.crate}' has lto='{request.lto.value}', but '{item.crate}' was compiled without",
                context=(("module", item.module.name), ("reason", "no link in the build that compiled it had lto")),
                hint=f"build '{item.crate}' where a link of it has lto, or where nothing links it; or set lto='off'",
            )


def _shared_symbols(request: LinkRequest, defined: set[str], root: str) -> set[str]:
    """Return the symbols that a dylib of the link uses, or defines as well: it binds to the program's."""
    shared: set[str] = set()
    for library in request.libraries:
        with open(os.path.join(root, library.path), "rb") as file:
            shared |= {symbol.name for symbol in elf_symbols(file.read(), name=library.path, dynamic=True)}
    return defined & shared
