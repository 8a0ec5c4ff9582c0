"""The names of a crate's linked files on each platform, as in rustc."""

from __future__ import annotations

import os
import posixpath

from ..base.errors import UnsupportedError
from ..base.host import is_absolute
from ..base.values import dataclass
from ..values.crate_type import CrateType

STATE_SUFFIX = ".state"


@dataclass(frozen=True, slots=True)
class _Names:
    """A platform's prefixes and suffixes; without dylibs, a cdylib may still have a name."""

    dylib: tuple[str, str] | None = ("lib", ".so")
    cdylib: tuple[str, str] | None = ("lib", ".so")
    staticlib: tuple[str, str] = ("lib", ".a")
    object: str = ".o"
    bin: str = ""


_ELF = _Names()
_DLL = ("", ".dll")
_WASM = ("", ".wasm")
_MACH_O = ("lib", ".dylib")
_ARCHIVE = ("lib", ".a")

# The first row that has one of its words among the parts of the triple.
_PLATFORMS: tuple[tuple[tuple[str, ...], _Names], ...] = (
    (("uefi",), _Names(dylib=None, cdylib=None, bin=".efi")),
    (("apple",), _Names(dylib=_MACH_O, cdylib=_MACH_O)),
    (("msvc",), _Names(dylib=_DLL, cdylib=_DLL, staticlib=("", ".lib"), object=".obj", bin=".exe")),
    (("windows", "cygwin"), _Names(dylib=_DLL, cdylib=_DLL, bin=".exe")),
    (("emscripten",), _Names(dylib=None, cdylib=_WASM, bin=".js")),
    (("wasm32", "wasm32v1", "wasm64"), _Names(dylib=None, cdylib=_WASM, bin=".wasm")),
    (("nvptx64",), _Names(dylib=None, cdylib=("", ".ptx"), bin=".ptx")),
    (("amdgcn",), _Names(dylib=None, cdylib=("", ".elf"))),
    (("aix",), _Names(dylib=_ARCHIVE, cdylib=_ARCHIVE)),
    (("vxworks",), _Names(bin=".vxe")),
    (("psx",), _Names(bin=".exe")),
    (("qurt", "3ds", "vita", "avr"), _Names(bin=".elf")),
)


def output_file_name(crate: str, crate_type: CrateType, target: str) -> str:
    """Return the name of a crate's linked file.

    Shape: `target` is a triple; a `-` in the crate's name stays in a program's name and becomes `_` in a library's.
    Raises: UnsupportedError if the target has no such file.
    """
    names = _names(target)
    if crate_type is CrateType.BIN:
        return f"{crate}{names.bin}"
    if crate_type is CrateType.OBJECT:
        return f"{crate}{names.object}"
    affixes = {
        CrateType.RLIB: ("lib", ".rlib"),
        CrateType.STATICLIB: names.staticlib,
        CrateType.DYLIB: names.dylib,
        CrateType.CDYLIB: names.cdylib,
    }[crate_type]
    if affixes is None:
        raise UnsupportedError(
            f"target '{target}' has no crates of type '{crate_type.value}'",
            context=(("crate", crate),),
            hint="use 'staticlib'" if names.cdylib is None else "use 'cdylib' or 'staticlib'",
        )
    prefix, suffix = affixes
    return f"{prefix}{crate.replace('-', '_')}{suffix}"


def seen_from(directory: str, other: str) -> str:
    """Return one directory's path relative to another; both are relative to the project root or absolute."""
    if is_absolute(directory) != is_absolute(other):
        return os.path.abspath(other).replace(os.sep, "/")
    return posixpath.relpath(other or ".", directory or ".")


def state_path(target: str) -> str:
    """Return the path of a target's state: a dot file beside it."""
    directory, name = os.path.split(target)
    return os.path.join(directory, f".{name}{STATE_SUFFIX}")


def state_target(path: str) -> str:
    """Return the target whose state is at a path; empty if the path is not that of a state."""
    directory, name = os.path.split(path)
    target = os.path.join(directory, name[1:].removesuffix(STATE_SUFFIX))
    return target if state_path(target) == path else ""


def variables_path(rlink: str) -> str:
    """Return the path of the file that lists the variables that a crate's backend did not take."""
    return state_path(f"{rlink}.variables")


def _names(target: str) -> _Names:
    parts = set(target.split("-"))
    return next((names for words, names in _PLATFORMS if not parts.isdisjoint(words)), _ELF)
