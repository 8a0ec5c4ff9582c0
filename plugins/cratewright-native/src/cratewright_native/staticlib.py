"""A static library: every object of a link in one archive, with nothing left to look for but libraries.

Knows nothing of how objects were made.
"""

from __future__ import annotations

from collections.abc import Iterable

from cratewright.request import LinkRequest

from .toolchain import Toolchain

__all__ = ["member_names", "write_staticlib"]

_ARCHIVE = "lib.a"


def write_staticlib(request: LinkRequest, toolchain: Toolchain) -> bytes:
    """Return the archive: own objects and those of crates linked statically, with the libraries bundled.

    Raises: ToolError if the archiver fails.
    """
    objects = [(f"{item.crate}.{_object_name(item.module.name)}", item.module.data) for item in request.modules]
    names = member_names(name for name, _ in objects)
    with toolchain.scratch() as directory:
        for name, (_, data) in zip(names, objects, strict=True):
            (directory / name).write_bytes(data)
        # D: neither times nor owners; S and s: the archiver knows best which symbols an object has.
        toolchain.run(
            (*toolchain.ar(), "rcsD", _ARCHIVE, *names),
            cwd=directory,
            what=f"archive of crate '{request.crate}'",
            outputs=[_ARCHIVE],
        )
        return (directory / _ARCHIVE).read_bytes()


def member_names(names: Iterable[str]) -> list[str]:
    """Return names that are each there once: tools that unpack an archive would overwrite one with the other."""
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


def _object_name(name: str) -> str:
    stem = name.replace("/", "_").removesuffix(".o").removesuffix(".bc")
    return f"{stem}.o"
