"""Links modules in Slang's IR to the SPIR-V of one entry point, specialising generics and interfaces.

It reads the attributes that `unit` stores in modules, and knows nothing of images.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from cratewright import DebugInfo, LinkError, LinkModule, LinkRequest, UnsupportedError, VersionError
from cratewright_spirv.sharing import ImageEntry
from cratewright_spirv.sharing.linking import RequestedEntry, separate_entry_points, with_relative_files

from .com import Object
from .file_system import ROOT, outside
from .files import SOURCE, CompiledFiles
from .grouping import grouped
from .layout import entry_point_of, layout_of, moved
from .libslang import Refused, SlangModule, SlangSession, parameter_count, renamed
from .options import settings_of
from .unit import log_errors
from .wheel import build_tag

_NOT_EXPORTED = "E45001"
_NOT_EXPORTED_HINT = (
    "an `extern` is defined by a module that the entry point's source imports: import one that exports it"
)


def code_of_entries(request: LinkRequest, asked: Sequence[RequestedEntry]) -> list[bytes]:
    """Return the code of entry points, each given with its module first, then the modules it needs.

    Raises: LinkError, VersionError; UnsupportedError for a generic entry point.
    """
    for entry, items in asked:
        _check(request, entry, items)
    places = {id(item): at for at, item in enumerate(request.modules)}
    members = [(entry, tuple(places[id(item)] for item in items)) for entry, items in asked]
    needed = {entry: items for entry, items in asked}
    made: dict[ImageEntry, bytes] = {}
    for group in grouped(request, members, across=True):
        entries = [entry for entry, _ in group]
        together = _together(request, [(entry, needed[entry]) for entry in entries]) if len(entries) > 1 else [None]
        for entry, code in zip(entries, together, strict=True):
            made[entry] = _alone(request, entry, needed[entry]) if code is None else code
    return [made[entry] for entry, _ in asked]


def _alone(request: LinkRequest, entry: ImageEntry, items: Sequence[LinkModule]) -> bytes:
    path = items[0].module.attribute("source")
    with _opened(request, items) as (session, files):
        try:
            module = _load(session, items[0])
            _check_loaded(request, items, session, files)
            found = _find(module, entry)
            count = parameter_count(found)
            if count:
                raise UnsupportedError(
                    f"{path}: entry point '{entry.own_name}' has {count} generic parameter{'s' if count > 1 else ''}",
                    context=(("crate", request.crate),),
                    hint="write an entry point that calls it with concrete types",
                )
            return with_relative_files(session.code(session.link([module.object, found])), ROOT, outside)
        except Refused as refused:
            raise LinkError(
                diagnostics=log_errors(refused.log, path),
                context=(("entry point", entry.own_name),),
                hint=_NOT_EXPORTED_HINT if _NOT_EXPORTED in refused.log else "",
            ) from None


def _together(request: LinkRequest, group: Sequence[RequestedEntry]) -> list[bytes | None]:
    """Return the code of entry points compiled as one program; None for those that must be compiled alone.

    Errors are reported when an entry point is compiled alone.
    """
    nothing: list[bytes | None] = [None] * len(group)
    if request.options.debuginfo is DebugInfo.FULL or request.options.flag("preserve_bindings"):
        return nothing  # these describe the whole program
    items = list({id(item): item for _, needed in group for item in needed}.values())
    with _opened(request, items) as (session, files):
        try:
            own = {id(needed[0]): _load(session, needed[0]) for _, needed in group}
            _check_loaded(request, items, session, files)
            modules = [own[id(needed[0])] for _, needed in group]
            found = [_find(module, entry) for module, (entry, _) in zip(modules, group, strict=True)]
            if any(map(parameter_count, found)):
                return nothing
            alone = [
                layout_of(session.link([module.object, each])) for module, each in zip(modules, found, strict=True)
            ]
            names = [f"entry{at}" for at in range(len(group))]
            parts = [module.object for module in own.values()] + list(map(renamed, found, names))
            program = session.link(parts)
            whole = layout_of(program)
            moves = [moved(layout, whole, at) for at, layout in enumerate(alone)]
            if not any(moves):
                return nothing
            code = with_relative_files(session.code_of_all(program), ROOT, outside)
        except (Refused, LinkError):
            return nothing
    wanted = [((entry.stage, name), entry.inner) for (entry, _), name in zip(group, names, strict=True)]
    apart = iter(separate_entry_points(code, [(*each, move) for each, move in zip(wanted, moves, strict=True) if move]))
    return [next(apart) if move else None for move in moves]


@contextmanager
def _opened(request: LinkRequest, items: Sequence[LinkModule]) -> Iterator[tuple[SlangSession, CompiledFiles]]:
    files = CompiledFiles({item.module.attribute("source"): item.module.data for item in items})
    directories = dict.fromkeys(name for item in items for name in json.loads(item.module.attribute("paths") or "[]"))
    session = SlangSession(settings_of(request.options, request.target, paths=tuple(directories)), files.read)
    try:
        yield session, files
    finally:
        session.close()


def _load(session: SlangSession, item: LinkModule) -> SlangModule:
    path = item.module.attribute("source")
    return session.load_ir(path.removesuffix(SOURCE), path, item.module.data)[0]


def _find(module: SlangModule, entry: ImageEntry) -> Object:
    for at in range(module.entry_count()):
        if entry_point_of(module, at)[0] == entry.own_name:
            return module.entry_point(at)
    raise Refused(f"there is no entry point '{entry.own_name}'")


def _check(request: LinkRequest, entry: ImageEntry, items: Sequence[LinkModule]) -> None:
    for item in items:
        made, module = item.module.attribute("slang"), f"crate '{item.crate}', {item.module.attribute('source')}"
        if made != build_tag():
            raise VersionError(
                f"{module}: a module of Slang {made or 'of no version'} cannot be read by Slang {build_tag()}",
                hint="build its crate again",
            )
        if item.module.attribute("alike") != items[0].module.attribute("alike"):
            raise LinkError(
                f"crate '{request.crate}': modules of one program are compiled with different options",
                context=[
                    (each.module.attribute("source"), each.module.attribute("alike")) for each in (items[0], item)
                ],
                hint="give both crates the same",
            )


def _check_loaded(
    request: LinkRequest, items: Sequence[LinkModule], session: SlangSession, files: CompiledFiles
) -> None:
    """Refuse modules found at other paths than when they were compiled.

    Shape: crates may have other include directories, or Slang takes two modules imported by the same words for one.
    """
    wanted = {item.module.attribute("source") for item in items}
    # Slang's built-in modules have other names.
    loaded = {source for module in session.modules() if (source := files.source_of(module.path)) is not None}
    if wanted != loaded:
        raise LinkError(
            f"{items[0].module.attribute('source')}: the link finds the modules that it imports elsewhere",
            context=(
                ("compiled with", " ".join(sorted(wanted - loaded))),
                ("linked with", " ".join(sorted(loaded - wanted))),
            ),
            hint="give all crates of one program the same include_dirs"
            if loaded - wanted
            else "import modules of one program by different words: Slang takes those of the same words for one",
        )
