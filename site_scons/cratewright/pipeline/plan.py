"""Checks a crate against its backend before any work.

Missing sources are reported later, when they are read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ..base.errors import ConfigurationError, UnknownNameError, UnsupportedError, near_miss
from ..contract.backend import CodegenBackend
from ..formats.crate_metadata import CrateMetadata
from ..values.capability import Capability
from ..values.crate import Crate
from ..values.crate_type import CrateType
from ..values.native_library import parse_library
from ..values.option_spec import OptionSpec
from ..values.options import CORE_OPTIONS, LtoMode, Options, parse_options

LINKED_BY_PIPELINE = frozenset({"lto", "prefer_dynamic", "exports", "keep_exports"})
"""Options that the link step reads itself, for every backend."""


def option_table(backend: type[CodegenBackend]) -> tuple[OptionSpec, ...]:
    """Return the common options and those of a backend."""
    return (*CORE_OPTIONS, *backend.OPTIONS)


def source_table(backend: type[CodegenBackend]) -> tuple[OptionSpec, ...]:
    """Return the options that may be set for one source."""
    own = backend.UNIT_OPTIONS | backend.SOURCE_OPTIONS
    return tuple(spec for spec in option_table(backend) if spec.name in own)


def check_target(target: str, backend: type[CodegenBackend]) -> str:
    """Return the target, or the backend's default for an empty one.

    Raises: UnknownNameError with a suggestion.
    """
    if not target:
        return backend.TARGETS[0]
    if target not in backend.TARGETS:
        raise UnknownNameError(
            f"backend '{backend.NAME}' has no target '{target}'",
            context=(("targets", " ".join(backend.TARGETS)),),
            hint=near_miss(target, backend.TARGETS, listed=True),
        )
    return target


def check_buildable(crate: Crate, backend: CodegenBackend) -> None:
    """Refuse a crate that cannot be built as asked.

    Raises: ConfigurationError naming the crate: no sources, a duplicate source, an unknown suffix, a crate type
    or LTO mode that the backend does not declare, what the backend itself refuses, or two files of one name.
    """
    _check_sources(crate, backend)
    _check_variants(crate, backend)
    check_crate_types(crate.name, crate.crate_types, backend)
    _check_linking(crate, backend)
    _check_lto(crate, backend)
    backend.check_crate(crate)
    _check_files(crate, backend)


def check_crate_types(crate: str, types: Iterable[CrateType], backend: CodegenBackend) -> None:
    """Refuse crate types that a backend does not declare.

    Raises: UnsupportedError naming the crate.
    """
    for kind in types:
        if kind not in backend.supported_crate_types:
            supported = sorted(kind.value for kind in backend.supported_crate_types)
            raise UnsupportedError(
                f"backend '{backend.NAME}' cannot make crate type '{kind.value}'",
                context=(("crate", crate), ("it makes", " ".join(supported))),
            )


def check_linkable(crate: CrateMetadata, backend: CodegenBackend, kind: CrateType) -> None:
    """Refuse a crate, read from a file, that asks for what no declaration may ask for.

    Raises: ConfigurationError as `check_buildable`, and for missing, unknown or mistyped options.
    """
    where = f"the metadata of crate '{crate.name}'"
    table = option_table(type(backend))
    given = dict(crate.options.values)
    missing = (backend.LINK_OPTIONS | LINKED_BY_PIPELINE) - given.keys()
    if missing:
        raise ConfigurationError(f"{where} lacks option '{min(missing)}'", hint="build it again")
    for name, value in given.items():
        # A file has the words of each crate type as pairs, a declaration as a mapping.
        words = _by_type(value) if name == "lto" else value
        read = parse_options({name: words}, table, where=where)[name]
        if read != value or type(read) is not type(value):
            raise ConfigurationError(f"{where} has an invalid value for option '{name}'", hint="build it again")
    options = {spec.name: spec.default for spec in table} | given
    declared = Crate(
        name=crate.name,
        version=crate.version,
        backend=crate.backend,
        target=check_target(crate.target, type(backend)),
        profile="",
        crate_types=(kind,),
        sources=(),
        dependencies=crate.dependencies,
        options=Options(tuple(sorted(options.items()))),
        metadata=crate.metadata,
    )
    _check_linking(declared, backend)
    backend.check_crate(declared)


def _by_type(value: object) -> object:
    pairs = value if isinstance(value, tuple) else ()
    return {pair[0]: pair[1] for pair in pairs if isinstance(pair, tuple) and len(pair) == 2} or value


def _check_sources(crate: Crate, backend: CodegenBackend) -> None:
    if not crate.sources:
        raise ConfigurationError(
            f"crate '{crate.name}' has no sources", hint="name at least one; did a Glob() match nothing?"
        )
    for what, words in (
        # A source with a name of its own may be listed again under another name.
        ("source", (source.path for source in crate.sources if source.path.endswith(source.name))),
        ("unit", (source.name for source in crate.sources)),
    ):
        twice = _first_repeated(words)
        if twice:
            raise ConfigurationError(
                f"crate '{crate.name}' is given the {what} '{twice}' twice",
                hint='to compile one file several ways, give each a name: (path, {"name": ..., "defines": ...}), '
                "or one set of variants",
            )
    for source in crate.sources:
        if source.name.startswith("/") or ".." in source.name.split("/") or not source.name.isprintable():
            raise ConfigurationError(
                f"crate '{crate.name}': {source.name!r} cannot be the name of a unit",
                context=(("source", source.path),),
                hint="a name is part of file names below the crate's directory",
            )
        if not source.path.endswith(backend.SUFFIXES):
            suffix = source.path[source.path.rfind(".") :] if "." in source.path else source.path
            raise UnknownNameError(
                f"{source.path}: backend '{backend.NAME}' does not compile '{suffix}'",
                context=(("crate", crate.name), ("it compiles", " ".join(backend.SUFFIXES))),
                hint=near_miss(suffix, backend.SUFFIXES, listed=True),
            )


def _check_variants(crate: Crate, backend: CodegenBackend) -> None:
    """Refuse variants that could not be told apart in the output."""
    if not any(source.variant for source in crate.sources):
        return
    if Capability.VARIANTS not in backend.capabilities:
        raise UnsupportedError(
            f"backend '{backend.NAME}' does not support variants",
            context=(("crate", crate.name),),
            hint="leave out 'variants': a source that is linked with others is compiled only once",
        )
    images = not crate.crate_types or CrateType.CDYLIB in crate.crate_types
    if not images and Capability.LIBRARY_VARIANTS not in backend.capabilities:
        raise ConfigurationError(
            f"crate '{crate.name}' has variants, but no images",
            context=(("crate types", " ".join(kind.value for kind in crate.crate_types)),),
            hint='make it a crate_type="cdylib"',
        )


def _first_repeated(words: Iterable[str]) -> str:
    return next((word for word, count in Counter(words).items() if count > 1), "")


def _check_linking(crate: Crate, backend: CodegenBackend) -> None:
    for wanted, needed in (
        (crate.options.texts("libs"), Capability.NATIVE_LIBRARIES),
        (crate.options.text("allocator") != "none", Capability.ALLOCATOR),
        (crate.options.flag("prefer_dynamic"), Capability.DYNAMIC_LINKAGE),
    ):
        if wanted and needed not in backend.capabilities:
            raise UnsupportedError(
                f"backend '{backend.NAME}' has no {needed.value.replace('-', ' ')}",
                context=(("crate", crate.name),),
                hint=f"leave out '{_ASKED_BY[needed]}'",
            )
    if crate.options.flag("keep_exports") and CrateType.OBJECT not in crate.crate_types:
        raise ConfigurationError(
            f"crate '{crate.name}' sets keep_exports, but makes no object",
            context=(("crate types", " ".join(kind.value for kind in crate.crate_types)),),
            hint="it is for crate_type='object'; what other types export is set by 'exports'",
        )
    for item in crate.dependencies:
        if item.whole and Capability.WHOLE_CRATES not in backend.capabilities:
            raise UnsupportedError(
                f"backend '{backend.NAME}' cannot link a crate whole",
                context=(("crate", crate.name), ("dependency", item.name)),
                hint="depend on the crate itself: only what is used is linked",
            )
    for text in crate.options.texts("libs"):
        parse_library(text, where=f"crate '{crate.name}'")


def _check_files(crate: Crate, backend: CodegenBackend) -> None:
    """Refuse crate types that would overwrite each other's files."""
    taken: dict[str, CrateType] = {}
    for kind in crate.crate_types:
        if kind is CrateType.RLIB:
            continue
        what = (crate.name, kind, crate.options)
        for name in (*backend.output_links(*what), *backend.output_names(*what)):
            other = taken.setdefault(name, kind)
            if other is not kind:
                raise ConfigurationError(
                    f"crate '{crate.name}' asks for two files with the same name",
                    context=(("name", name), ("crate types", f"{other.value} {kind.value}")),
                    hint=f"leave one out, or make the {kind.value} a crate of its own that depends on this one",
                )


_ASKED_BY = {
    Capability.NATIVE_LIBRARIES: "libs",
    Capability.ALLOCATOR: "allocator",
    Capability.DYNAMIC_LINKAGE: "prefer_dynamic",
}


def _check_lto(crate: Crate, backend: CodegenBackend) -> None:
    """Refuse impossible LTO; a mode for all crate types does not apply to an rlib, which is not linked."""
    named = crate.options["lto"]
    for kind in crate.crate_types:
        lto = crate.options.lto_for(kind)
        if lto is LtoMode.OFF:
            continue
        if kind is CrateType.RLIB:
            if isinstance(named, tuple):
                raise UnsupportedError(
                    f"crate '{crate.name}' asks for lto='{lto.value}' of its rlib, which is not linked",
                    hint="LTO includes an rlib's modules wherever it is linked; ask for it there",
                )
            continue
        needed = Capability.FAT_LTO if lto is LtoMode.FAT else Capability.THIN_LTO
        if needed not in backend.capabilities:
            raise UnsupportedError(
                f"backend '{backend.NAME}' cannot do lto='{lto.value}'",
                context=(("crate", crate.name), ("crate type", kind.value)),
                hint="set lto='off'",
            )
    if isinstance(named, tuple):
        asked = [kind.value for kind in crate.crate_types]
        for item in named:
            if str(item[0]) not in asked:
                raise ConfigurationError(
                    f"crate '{crate.name}' sets lto for crate type '{item[0]}', which it does not make",
                    context=(("crate types", " ".join(asked)),),
                )
