"""Which symbols a link exports, and the version script that says so."""

from __future__ import annotations

from collections.abc import Iterable

from cratewright import LinkError, LinkRequest, pattern

from ..binary.bitcode import is_bitcode

__all__ = ["check_symbols", "replaceable_symbols", "required_symbols", "version_script"]

# Functions that a program may define to replace those of the C and C++ libraries. LTO does not see the calls in these
# libraries. Source: the GNU C library's manual, "Replacing
# malloc"; ISO C++, "Replaceable allocation functions".
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
