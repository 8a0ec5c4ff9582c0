"""The names of a dynamic library: its file, its soname, and the links between them."""

from __future__ import annotations

from collections.abc import Mapping

from cratewright import UNVERSIONED, ConfigurationError, Crate, CrateType, Options, output_file_name, pattern

from ..arguments.ldflags import parse_ldflags
from ..toolchains.targets import find_target

_DYNAMIC = (CrateType.DYLIB, CrateType.CDYLIB)
_VERSION = pattern(r"[0-9]+(?:\.[0-9]+)*\Z")
_NUMBER = pattern(r"[0-9A-Za-z][0-9A-Za-z.+_-]*\Z")


def file_name(crate: str, crate_type: CrateType, target: str, options: Options) -> str:
    """Return the name of the file that a link makes."""
    plain = output_file_name(crate, crate_type, find_target(target).rustc)
    version = _version(crate_type, options) or _number(crate_type, options)
    return f"{plain}.{version}" if version else plain


def soname(crate: str, crate_type: CrateType, target: str, options: Options) -> str:
    """Return the name by which programs look for a dynamic library."""
    plain = output_file_name(crate, crate_type, find_target(target).rustc)
    number = _number(crate_type, options)
    return f"{plain}.{number}" if number else plain


def file_links(crate: str, crate_type: CrateType, target: str, options: Options) -> Mapping[str, str]:
    """Return the links to a versioned library: from the name that `-l` finds to the soname, and on to the file."""
    plain = output_file_name(crate, crate_type, find_target(target).rustc)
    names = dict.fromkeys(
        (plain, soname(crate, crate_type, target, options), file_name(crate, crate_type, target, options))
    )
    return dict(zip(names, [*names][1:], strict=False))


def check_soname(crate: Crate) -> None:
    """Refuse versions that cannot be in file names, and contradictory names.

    Raises: ConfigurationError naming the crate and the option.
    """
    for kind in crate.crate_types:
        if kind not in _DYNAMIC:
            continue
        version, number = _version(kind, crate.options), _number(kind, crate.options)
        for option, text, syntax, example in (
            ("version", version, _VERSION, "numbers with dots between, such as 1.2.3"),
            ("soversion", number, _NUMBER, "letters, digits and . + - _, such as 1"),
        ):
            if text and not syntax.match(text):
                raise ConfigurationError(
                    f"crate '{crate.name}': {option} {text!r} cannot be part of a library's name",
                    context=(("crate type", kind.value),),
                    hint=f"write {example}",
                )
        flags = [flag for flag in parse_ldflags(crate.options.texts("ldflags")) if flag.option.name in ("soname", "h")]
        if not flags:
            continue
        own = soname(crate.name, kind, crate.target, crate.options)
        if number:
            raise ConfigurationError(
                f"crate '{crate.name}': '{flags[0].shown}' among 'ldflags' and its version both set the soname",
                context=(("soname", own),),
                hint="leave one of them out; soversion='...' sets a number other than the version's first",
            )
        if kind is CrateType.DYLIB and flags[-1].value != own:
            raise ConfigurationError(
                f"crate '{crate.name}': no file has the name {flags[-1].value} by which programs would find the dylib",
                context=(("file", own),),
                hint="leave '-soname' out of ldflags; set version or soversion",
            )


def _version(crate_type: CrateType, options: Options) -> str:
    version = options.text("version") if crate_type in _DYNAMIC else ""
    return "" if version == UNVERSIONED else version


def _number(crate_type: CrateType, options: Options) -> str:
    own = options.text("soversion") if crate_type in _DYNAMIC else ""
    return own or _version(crate_type, options).partition(".")[0]
