"""gcc's coverage files: the notes of a crate's units, and where their counters are written.

Counters are named after sources only, so modules are the same everywhere. When a program ends, it writes them beside
itself, where its notes are.
"""

from __future__ import annotations

import base64
import os
import posixpath
from pathlib import Path

from cratewright import Artifact, CrateType, LinkError, LinkRequest, content_digest

from ..toolchains.toolchain import WORKING_DIRECTORY, Toolchain

_NOTES = "notes"
"""The attribute of a module with the notes of its unit and the name of their file."""

_FILE = "counters"
# gcov writes when the destructor of priority 100 runs, which is after this one.
_PLACE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
static char place[PATH_MAX + sizeof ".gcno"];
__attribute__((constructor(101))) static void find(void) {
    Dl_info found;
    char path[PATH_MAX];
    const char *file = PROGRAM ? "/proc/self/exe" : dladdr(place, &found) ? found.dli_fname : "";
    if (realpath(file, path)) snprintf(place, sizeof place, "%s.gcno", path);
}
__attribute__((destructor(101))) static void tell(void) {
    const char *ours = getenv("CRATEWRIGHT_COUNTERS");
    if (!place[0] || (getenv("GCOV_PREFIX") && !ours)) return;
    setenv("CRATEWRIGHT_COUNTERS", "1", 1);
    setenv("GCOV_PREFIX", place, 1);
    setenv("GCOV_PREFIX_STRIP", STRIP, 1);
}
"""


def notes_name(path: str) -> str:
    """Return the name of a source's notes, without suffix."""
    plain = posixpath.normpath(path)
    if posixpath.isabs(plain) or plain.startswith(".."):
        return f"{posixpath.basename(plain)}-{content_digest(plain.encode())[:8]}"
    return plain


def keep_notes(path: str, data: bytes) -> tuple[str, str]:
    """Return the attribute for the notes of a source."""
    return _NOTES, f"{notes_name(path)}.gcno\n{base64.b64encode(data).decode()}"


def notes_directory(output: str) -> str:
    """Return the directory, with a `/`, of the notes that belong to a linked file."""
    return f"{output}.gcno/"


def notes_of(request: LinkRequest, output: str) -> tuple[Artifact, ...]:
    """Return the notes of all units in a link.

    Raises: LinkError if two units share their counters.
    """
    found: dict[str, Artifact] = {}
    for item in request.modules:
        kept = item.module.attribute(_NOTES)
        if not kept:
            continue
        name, _, text = kept.partition("\n")
        artifact = Artifact(notes_directory(output) + name, base64.b64decode(text))
        if found.setdefault(name, artifact) != artifact:
            raise LinkError(
                f"crate '{request.crate}': two units would write their counters to the same file",
                context=(("file", name.removesuffix(".gcno")), ("crate", item.crate)),
                hint="compile the source with the same options in both crates, or in one of them without coverage",
            )
    return tuple(found.values())


def counters_object(request: LinkRequest, toolchain: Toolchain, directory: Path) -> list[str]:
    """Write the object that decides where counters are written, if there are any, and return its name."""
    if not any(item.module.attribute(_NOTES) for item in request.modules):
        return []
    (directory / f"{_FILE}.c").write_text(_PLACE, encoding="utf-8")
    strip = len(WORKING_DIRECTORY.strip(os.sep).split(os.sep))
    words = (f"-DPROGRAM={int(request.crate_type is CrateType.BIN)}", f'-DSTRIP="{strip}"', "-fPIC", "-O1")
    toolchain.run(
        (*toolchain.cc(request.target), *words, "-c", f"{_FILE}.c", "-o", f"{_FILE}.o"),
        cwd=directory,
        what="the object for coverage",
        outputs=[f"{_FILE}.o"],
    )
    return [f"{_FILE}.o"]
