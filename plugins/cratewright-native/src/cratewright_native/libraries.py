"""Libraries that are not crates, as arguments of a link."""

from __future__ import annotations

import os
import posixpath
import shlex
from collections.abc import Iterable, Sequence

from cratewright import (
    ConfigurationError,
    LibraryKind,
    LinkError,
    NativeLibrary,
    ToolError,
    UnsupportedError,
    run_program,
)

from .toolchains.targets import Target
from .toolchains.toolchain import Toolchain


def library_words(
    libraries: Iterable[NativeLibrary], directories: Sequence[str], target: Target, toolchain: Toolchain
) -> list[str]:
    """Return the link arguments for libraries.

    Shape: `directories` are relative to the project root or absolute.
    Raises: LinkError for a static library that is not found; UnsupportedError for a framework outside macOS.
    """
    words = [f"-L{os.path.join(toolchain.root, directory)}" for directory in directories]
    for library in libraries:
        if library.path and library.kind is LibraryKind.DYLIB:
            words.append(os.path.join(toolchain.root, library.path))
        elif library.kind is LibraryKind.DYLIB:
            words.append(f"-l{library.name}")
        elif library.kind is LibraryKind.STATIC:
            found, _ = find_static(library, directories, target, toolchain)
            path = os.path.join(toolchain.root, found)
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


def find_static(
    library: NativeLibrary, directories: Sequence[str], target: Target, toolchain: Toolchain
) -> tuple[str, tuple[str, ...]]:
    """Return the path of a static library, and the missing paths before it.

    Shape: relative to the project root, or absolute outside it.
    Raises: LinkError if it is not found.
    """
    if library.path:
        if os.path.isfile(os.path.join(toolchain.root, library.path)):
            return library.path, ()
        raise LinkError(f"cannot find static library '{library.path}'", hint="check the path in libs")
    name = library.name[1:] if library.name.startswith(":") else f"lib{library.name}.a"
    paths = [posixpath.join(directory, name) for directory in directories]
    for index, path in enumerate(paths):
        if os.path.isfile(os.path.join(toolchain.root, path)):
            return path, tuple(paths[:index])
    done = toolchain.run(
        (*toolchain.cc(target.name), f"-print-file-name={name}"), cwd=toolchain.root, what=f"looking for {name}"
    )
    # A driver that finds nothing prints the name.
    path = done.stdout.decode().strip()
    if os.path.isabs(path) and os.path.isfile(path):
        return path, tuple(paths)
    raise LinkError(
        f"cannot find static library '{library.name}'",
        context=(("looked for", name), ("looked in", "\n".join((*directories, "the toolchain's own directories")))),
        hint="add the directory that holds it to lib_dirs",
    )


def pkg_config(*names: str, static: bool = False) -> dict[str, list[str]]:
    """Return the options of a crate that uses packages known to pkg-config, for `env.Crate(..., **options)`.

    Shape: `include_dirs`, `defines`, `flags`, `lib_dirs`, `libs`, `ldflags`; lists, empty ones omitted.
    Raises: ConfigurationError if pkg-config does not know one; ToolError if there is no pkg-config.
    """
    command = [os.environ.get("PKG_CONFIG", "pkg-config"), "--cflags", "--libs", *(["--static"] if static else [])]
    try:
        done = run_program([*command, *names], what="pkg-config")
    except OSError as error:
        raise ToolError("pkg-config cannot be run", context=(("reason", error.strerror),)) from error
    if done.status:
        raise ConfigurationError(
            f"pkg-config does not know {' '.join(names)}",
            context=(("output", os.fsdecode(done.stderr).strip()),),
            hint="install the package's development files, or set PKG_CONFIG_PATH",
        )
    options: dict[str, list[str]] = {}
    kinds = {"-I": "include_dirs", "-D": "defines", "-L": "lib_dirs", "-l": "libs"}
    for word in shlex.split(os.fsdecode(done.stdout)):
        option = kinds.get(word[:2])
        if option:
            options.setdefault(option, []).append(word[2:])
        else:
            options.setdefault("ldflags" if word.startswith("-Wl,") else "flags", []).append(word)
    return options
