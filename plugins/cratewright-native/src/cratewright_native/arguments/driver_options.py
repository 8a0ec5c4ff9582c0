"""Flags that a driver handles itself when it links, and how each is treated."""

from __future__ import annotations

from functools import cache

from cratewright import pattern

from .compiler_flags import compiler_flag_refusal
from .linker_options import LinkerOption, Treatment, linker_option_table

_KIND = "the crate type decides what is made"
_LTO = "cratewright runs LTO itself, module by module"
_SYSTEM = "the system's directories and programs are part of the toolchain: set CRATE_CC or CRATE_LLVM"

DRIVER_OPTIONS = linker_option_table(
    {
        (Treatment.FINAL, ""): """
        z= l= s pthread static static-pie nostartfiles nodefaultlibs nostdlib nolibc nostdlib++ shared-libgcc
        static-libgcc static-libstdc++ static-libgfortran shared-libasan static-libasan static-libubsan static-libtsan
        static-liblsan shared-libsan static-libsan static-openmp stdlib=? -stdlib=? rtlib=? -rtlib=? unwindlib=?
        -unwindlib=? -param=
        """,
        (Treatment.RESOLUTION, ""): "u= e=",
        (Treatment.ALL_SYMBOLS, ""): "rdynamic",
        (Treatment.LINKER_SCRIPT, ""): "T=",
        (Treatment.DIRECTORY, ""): "L= -sysroot=",
        (Treatment.REFUSED, _KIND): "shared pie no-pie nopie r dynamiclib bundle",
        (Treatment.REFUSED, _LTO): "flto=? fno-lto fwhole-program fuse-linker-plugin fno-use-linker-plugin",
        (Treatment.REFUSED, _SYSTEM): """
        fuse-ld=? -ld-path=? isysroot= -gcc-toolchain= -gcc-install-dir=? -gcc-triple=? -driver-mode=? target=
        -no-default-config ccc-gcc-name= ccc-install-dir=
        """,
    }
)
"""By name without the first dash."""

# Flags about code, which have no effect on a link of objects.
_ABOUT_CODE = pattern(r"-(?:g|std=|ansi\Z|W(?!a,|p,|l,)|w\Z|[DUI]|f(?:no-)?(?:pic|PIC|PIE|pie)\Z|pipe\Z)")
_LEVEL = pattern(r"-O(?:[0-3sgz]|fast)?\Z")
# Other flags of drivers: code generation, and which of their own start files and libraries they add.
_KNOWN = pattern(r"-(?:[fm][\w+-]+(?:=[^/@|]*)?|pg?|no-[\w-]+|-no-[\w-]+)\Z")


@cache
def driver_option(word: str) -> LinkerOption:
    """Return how a word that is not in the table is treated."""
    if _ABOUT_CODE.match(word):
        return LinkerOption("", Treatment.FINAL)
    if _LEVEL.match(word):
        return LinkerOption("", Treatment.NOT_WITH_LTO, reason="option 'opt_level' sets it")
    refused = compiler_flag_refusal([word])
    if refused is not None:
        return LinkerOption("", Treatment.REFUSED, reason=refused.reason)
    if _KNOWN.match(word):
        return LinkerOption("", Treatment.FINAL)
    return LinkerOption("", Treatment.REFUSED, reason="what it makes a link read, write or run is unknown")
