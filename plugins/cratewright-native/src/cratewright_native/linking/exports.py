"""Which symbols a link exports or LTO keeps, and the version script that says so."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from cratewright import LibraryKind, LinkError, LinkRequest, LtoMode, Observed, digest_file, pattern

from ..arguments.ldflags import parse_ldflags
from ..arguments.linker_options import Treatment
from ..arguments.symbols import kept_by_flags, script_directories, script_places, script_reader
from ..binary.bitcode import is_bitcode
from ..binary.elf import elf_symbols, is_elf
from .link_files import file_names

# Functions that a program may define to replace those of the C and C++ libraries. LTO does not see the calls in these
# libraries. Source: the GNU C library's manual, "Replacing malloc"; ISO C++, "Replaceable allocation functions".
_REPLACEABLE = pattern(
    r"(?:malloc|free|calloc|realloc|aligned_alloc|malloc_usable_size|memalign|posix_memalign|pvalloc|valloc"
    r"|_Zn[wa][jmy].*|_Zd[la]P.*)\Z"
)

# Functions that the libraries of sanitizers and profilers call if a program defines them. Source: the interface
# headers of compiler-rt, `sanitizer/*_interface.h` and `profile/InstrProfiling.h`.
_HOOKS = pattern(r"__(?:asan|lsan|msan|tsan|ubsan|hwasan|sanitizer|scudo|sancov|gcov|llvm_profile|llvm_gcov)_")
_BASE = "cratewright"


def replaceable_symbols(defined: Iterable[str]) -> tuple[str, ...]:
    """Return, sorted, the symbols that would replace those of the C and C++ libraries if defined."""
    return tuple(sorted(filter(_REPLACEABLE.match, defined)))


def required_symbols(request: LinkRequest) -> tuple[str, ...]:
    """Return, sorted, the symbols whose names LTO must keep although no object requires it.

    Shape: exports of the result, what libraries may call, and symbols that opaque bitcode defines or uses.
    """
    defined = {symbol.name for item in request.modules for symbol in item.module.exports}
    required = {*request.exported, *replaceable_symbols(defined), *filter(_HOOKS.match, defined)}
    for item in request.opaque:
        if is_bitcode(item.module.data):
            required |= {symbol.name for symbol in (*item.module.imports, *item.module.exports)}
    return tuple(sorted(required))


def version_script(symbols: Iterable[str], *, named: bool = False) -> bytes:
    """Return a version script that exports exactly these symbols.

    Shape: `named` adds a name, and the versions in symbols such as `f@@V1`.
    Raises: LinkError as `check_symbols`.
    """
    symbols = check_symbols(symbols)
    plain = dict.fromkeys(symbol.partition("@")[0] for symbol in symbols)
    versions = dict.fromkeys(symbol.rpartition("@")[2] for symbol in symbols if "@" in symbol)
    offered = "".join(f'    "{symbol}";\n' for symbol in plain)
    head = f"{_BASE} " if named and versions else ""
    nodes = "".join(f"{version} {{ }};\n" for version in versions) if named else ""
    return f"{head}{{\n{'  global:' + chr(10) + offered if offered else ''}  local:\n    *;\n}};\n{nodes}".encode()


_UNQUOTABLE = pattern(r'[\x00-\x1f",\\\x7f\ud800-\udfff]')
_VERSION = pattern(r"\A[^@]*(?:@@?[\w.$-]+)?\Z")


def check_symbols(symbols: Iterable[str]) -> tuple[str, ...]:
    """Return names that can appear in a script and, between commas, in a driver's argument.

    Raises: LinkError for a name that would be parsed as something else.
    """
    names = tuple(symbols)
    for name in names:
        if _UNQUOTABLE.search(name) or not _VERSION.search(name):
            raise LinkError(
                f"a symbol called {name!r} cannot be exported under its name",
                hint="commas, quotes, backslashes and control characters have a meaning to linkers; rename it",
            )
    return names


def kept_symbols(request: LinkRequest, root: str) -> tuple[str, ...]:
    """Return, sorted, the symbols whose names LTO must keep: those that linker flags name, and those that dylibs share.

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


def kept_from(request: LinkRequest, root: str) -> tuple[Observed, ...]:
    """Return the scripts and libraries that `kept_symbols` reads, and the paths where it finds none."""
    flags = parse_ldflags(request.options.texts("ldflags"))
    named = [flag.value for flag in flags if flag.value and flag.option.treatment in _SCRIPTS]
    directories = script_directories(request)
    searched = [*(script_places(path, directories) for path in named), *_library_places(request)]
    paths = {path for places in searched for path in _up_to_first_file(places, root)}
    return tuple(Observed(path, digest_file(os.path.join(root, path))) for path in sorted(paths))


_SCRIPTS = (Treatment.SYMBOL_LIST, Treatment.VERSION_SCRIPT, Treatment.LINKER_SCRIPT)


def _library_places(request: LinkRequest) -> list[list[str]]:
    """Return where each dynamic library of the project may be, before linkers search directories of the system."""
    directories, places = request.options.texts("lib_dirs"), []
    for library in request.natives:
        if library.kind is LibraryKind.DYLIB and library.path:
            places.append([library.path])
        elif library.kind is LibraryKind.DYLIB:
            names = file_names(library.name, "elf")  # only ELF's dynamic libraries bind to a program's symbols
            places.append([os.path.join(directory, name) for directory in directories for name in names])
    return places


def _up_to_first_file(places: Iterable[str], root: str) -> Iterator[str]:
    for path in places:
        yield path
        if os.path.isfile(os.path.join(root, path)):
            return


def _shared_symbols(request: LinkRequest, defined: set[str], root: str) -> set[str]:
    """Return the program's symbols that a dynamic library uses, or defines too: it then takes the program's."""
    paths = [library.path for library in request.libraries]
    found = [path for places in _library_places(request) for path in _up_to_first_file(places, root)]
    paths += [path for path in found if os.path.isfile(os.path.join(root, path))]
    shared: set[str] = set()
    for path in paths:
        with open(os.path.join(root, path), "rb") as file:
            data = file.read()
            if is_elf(data):  # not an archive or a script
                shared |= {symbol.name for symbol in elf_symbols(data, name=path, dynamic=True)}
    return defined & shared
