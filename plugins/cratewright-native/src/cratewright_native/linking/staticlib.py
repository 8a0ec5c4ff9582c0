"""A static library: all objects of a link in one archive."""

from __future__ import annotations

from collections.abc import Iterable

from cratewright import LinkRequest, content_digest, pattern, scratch_directory

from ..toolchains.toolchain import Toolchain

_ARCHIVE = "lib.a"
_UNFIT = pattern(r'[\x00-\x1f/"\\\x7f\ud800-\udfff]')
_LONGEST = 200


def write_staticlib(request: LinkRequest, toolchain: Toolchain) -> bytes:
    """Return the archive: own objects and those of crates linked statically, with the libraries bundled.

    Raises: ToolError if the archiver fails.
    """
    objects = [(object_name(item.crate, item.module.name), item.module.data) for item in request.modules]
    names = member_names(name for name, _ in objects)
    with scratch_directory() as directory:
        for name, (_, data) in zip(names, objects, strict=True):
            (directory / name).write_bytes(data)
        # D: no times and owners; S and s: the archiver indexes symbols.
        toolchain.run(
            (*toolchain.ar(), "rcsD", _ARCHIVE, *names),
            cwd=directory,
            what=f"archive of crate '{request.crate}'",
            outputs=[_ARCHIVE],
        )
        return (directory / _ARCHIVE).read_bytes()


def member_names(names: Iterable[str]) -> list[str]:
    """Return unique names: tools that unpack an archive would overwrite equal ones."""
    taken: set[str] = set()
    result: list[str] = []
    for name in names:
        stem, dot, suffix = name.rpartition(".")
        fresh, number = name, 1
        while fresh in taken:
            number += 1
            fresh = f"{stem or suffix}-{number}{dot}{suffix if stem else ''}"
        taken.add(fresh)
        result.append(fresh)
    return result


def object_name(crate: str, module: str) -> str:
    """Return a valid file name for a module's object."""
    stem = module.removesuffix(".o").removesuffix(".bc")
    name = _UNFIT.sub("_", f"{crate}.{stem}")
    if len(name.encode()) > _LONGEST:
        name = f"{name.encode()[:_LONGEST].decode(errors='ignore')}-{content_digest(name.encode())[:16]}"
    return f"{name}.o"
