"""Modules in Slang's IR to the SPIR-V of one entry point: generics and interfaces are specialised here.

Knows nothing of images; of modules it knows what `unit` has put into their attributes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from cratewright import LinkError, LinkModule, LinkRequest, UnsupportedError, VersionError
from cratewright_spirv.sharing import ImageEntry, with_relative_files

from .com import Object
from .file_system import ROOT
from .files import SOURCE, CompiledFiles
from .libslang import Module, Refused, Session, build_tag, entry_point_of, parameter_count
from .own_settings import settings_of
from .unit import errors_of

__all__ = ["entry_code"]

_NOT_EXPORTED = "E45001"
_NOT_EXPORTED_HINT = (
    "what is `extern` takes what a module exports that the entry point's source imports: import one that does"
)


def entry_code(request: LinkRequest, entry: ImageEntry, items: Sequence[LinkModule]) -> bytes:
    """Return the code of an entry point; its module comes first among those it needs.

    Raises: LinkError, VersionError; UnsupportedError for a generic that nothing says how to specialise.
    """
    _check(request, entry, items)
    own = items[0].module
    path = own.attribute("source")
    files = CompiledFiles({item.module.attribute("source"): item.module.data for item in items})
    directories = dict.fromkeys(name for item in items for name in json.loads(item.module.attribute("paths") or "[]"))
    session = Session(settings_of(request.options, request.target, paths=tuple(directories)), files.read)
    try:
        module, _ = session.load_ir(path.removesuffix(SOURCE), path, own.data)
        _check_loaded(request, entry, items, session, files)
        found = _find(module, entry)
        count = parameter_count(found)
        if count:
            raise UnsupportedError(
                f"{path}: entry point '{entry.own_name}' has {count} generic parameter{'s' if count > 1 else ''}",
                context=(("crate", request.crate),),
                hint="write an entry point that calls it with the types it is for: nothing here says which they are",
            )
        code, _ = session.code([module.object, found])
        return with_relative_files(code, ROOT)
    except Refused as refused:
        raise LinkError(
            diagnostics=errors_of(refused.log, path),
            context=(("entry point", entry.own_name),),
            hint=_NOT_EXPORTED_HINT if _NOT_EXPORTED in refused.log else "",
        ) from None
    finally:
        session.close()


def _find(module: Module, entry: ImageEntry) -> Object:
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
    request: LinkRequest, entry: ImageEntry, items: Sequence[LinkModule], session: Session, files: CompiledFiles
) -> None:
    """Refuse modules that are found elsewhere than when they were compiled: other directories may lead elsewhere."""
    wanted = {item.module.attribute("source") for item in items}
    # What Slang has within itself is called otherwise.
    loaded = {source for module in session.modules() if (source := files.source_of(module.path)) is not None}
    if wanted != loaded:
        raise LinkError(
            f"{items[0].module.attribute('source')}: the modules that it imports are found elsewhere by the link",
            context=(
                ("compiled with", " ".join(sorted(wanted - loaded))),
                ("linked with", " ".join(sorted(loaded - wanted))),
            ),
            hint="give all crates of one program the same include_dirs",
        )
