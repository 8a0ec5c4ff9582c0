"""Libraries that are no crates, as words of a link and as members of an archive.

Knows nothing of crates, nor of how a linker is run.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterable, Sequence

from cratewright.archive import MAGIC, read_archive
from cratewright.errors import ConfigurationError, LinkError, ToolError, UnsupportedError
from cratewright.native_library import LibraryKind, NativeLibrary

from .targets import Target
from .toolchain import Toolchain

__all__ = ["bundled_objects", "library_words", "pkg_config"]


def library_words(
    libraries: Iterable[NativeLibrary], directories: Sequence[str], target: Target, toolchain: Toolchain
) -> list[str]:
    """Return what a link is told of libraries.

    Shape: `directories` are relative to the project root or absolute.
    Raises: LinkError for a static library that is not found; UnsupportedError for a framework outside macOS.
    """
    words = [f"-L{os.path.join(toolchain.root, directory)}" for directory in directories]
    for library in libraries:
        if library.kind is LibraryKind.DYLIB:
            words.append(f"-l{library.name}")
        elif library.kind is LibraryKind.STATIC:
            path = _find_static(library, directories, target, toolchain)
            if not library.whole_archive:
                words.append(path)
            elif target.format == "macho":
                words.append(f"-Wl,-force_load,{path}")
            else:
                words += ["-Wl,--whole-archive", path, "-Wl,--no-whole-archive"]
        elif target.format == "macho":
            words += ["-framework", library.name]
        else:
            raise UnsupportedError(
                f"there are no frameworks on target '{target.name}'", context=(("library", library),)
            )
    return words


def bundled_objects(
    libraries: Iterable[NativeLibrary], directories: Sequence[str], target: Target, toolchain: Toolchain
) -> list[tuple[str, bytes]]:
    """Return the members, by name, of the static libraries that become part of a crate's own archive.

    Raises: LinkError for a library that is not found or refers to its members by path; FormatError.
    """
    found: list[tuple[str, bytes]] = []
    for library in dict.fromkeys(libraries):
        if library.kind is not LibraryKind.STATIC or not library.bundle:
            continue
        path = _find_static(library, directories, target, toolchain)
        with open(path, "rb") as file:
            data = file.read()
        if not data.startswith(MAGIC):
            raise LinkError(
                f"static library '{library.name}' cannot become part of a staticlib",
                context=(("file", path), ("reason", "it is a thin archive, or a linker script")),
                hint=f"write static:-bundle={library.name}, and link it where the staticlib is used",
            )
        found += [(member.name, member.data) for member in read_archive(data, path=path)]
    return found


def _find_static(library: NativeLibrary, directories: Sequence[str], target: Target, toolchain: Toolchain) -> str:
    name = f"lib{library.name}.a"
    for directory in directories:
        path = os.path.join(toolchain.root, directory, name)
        if os.path.isfile(path):
            return path
    asked = toolchain.run(
        (*toolchain.cc(target.name), f"-print-file-name={name}"), cwd=toolchain.root, what=f"looking for {name}"
    )
    # A driver that finds nothing repeats what it was asked.
    path = asked.stdout.decode().strip()
    if os.path.isabs(path) and os.path.isfile(path):
        return path
    raise LinkError(
        f"static library '{library.name}' is not there",
        context=(("looked for", name), ("looked in", "\n".join((*directories, "the toolchain's own directories")))),
        hint="add the directory that holds it to lib_dirs",
    )


def pkg_config(*names: str, static: bool = False) -> dict[str, list[str]]:
    """Return the options of a crate that uses packages known to pkg-config, for `env.Crate(..., **options)`.

    Shape: `include_dirs`, `defines`, `flags`, `lib_dirs`, `libs`, `ldflags`; lists, those left out that are empty.
    Raises: ConfigurationError if pkg-config does not know one; ToolError if there is no pkg-config.
    """
    command = [os.environ.get("PKG_CONFIG", "pkg-config"), "--cflags", "--libs", *(["--static"] if static else [])]
    try:
        done = subprocess.run([*command, *names], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    except OSError as error:
        raise ToolError("pkg-config cannot be run", context=(("reason", error.strerror),)) from error
    if done.returncode:
        raise ConfigurationError(
            f"pkg-config does not know {' '.join(names)}",
            context=(("said", done.stderr.strip()),),
            hint="install the package's development files, or set PKG_CONFIG_PATH",
        )
    options: dict[str, list[str]] = {}
    kinds = {"-I": "include_dirs", "-D": "defines", "-L": "lib_dirs", "-l": "libs"}
    for word in shlex.split(done.stdout):
        option = kinds.get(word[:2])
        if option:
            options.setdefault(option, []).append(word[2:])
        else:
            options.setdefault("ldflags" if word.startswith("-Wl,") else "flags", []).append(word)
    return options
