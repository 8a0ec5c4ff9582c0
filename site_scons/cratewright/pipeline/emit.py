"""Writes the files of a link: all or none, and only where allowed."""

from __future__ import annotations

import os
import posixpath
import sys
from collections.abc import Iterable, Mapping, Sequence

from ..base.errors import OutputError
from ..contract.backend import CodegenBackend
from ..rules.output_place import check_output_path, check_output_paths, folded
from ..system.output_area import OutputArea
from ..values.option_spec import OptionKind
from ..values.options import Options
from ..values.request import Artifact


def output_area(root: str, directory: str, backend: CodegenBackend, options: Options) -> OutputArea:
    """Return where a link of a crate may write: below its output directory, and where its options ask for dumps."""
    return OutputArea(root, directory, *dump_directories(backend, options))


def dump_directories(backend: CodegenBackend, options: Options) -> tuple[str, ...]:
    """Return the directories that options ask for copies in, root-relative or absolute."""
    given = dict(options.values)
    names = [spec.name for spec in backend.OPTIONS if spec.kind is OptionKind.DIRECTORY]
    return tuple(dict.fromkeys(str(given[name]) for name in names if given.get(name)))


def assign_paths(
    artifacts: Sequence[Artifact], area: OutputArea, *, where: str
) -> tuple[dict[str, Artifact], tuple[str, ...]]:
    """Return the files of a link by root-relative path, and which of them are outputs rather than dumps.

    Shape: in the order of the artifacts; `where` names the crate in messages.
    Raises: OutputError for an invalid name, one outside its directory, or one that another file has.
    """
    outputs = check_output_paths((item.path for item in artifacts if not item.dump), where=where)
    _refuse_folded(outputs, area, where)
    files: dict[str, Artifact] = {}
    for artifact in artifacts:
        if artifact.dump:
            files[_dump(artifact.path, area.dumps, where)] = artifact
        else:
            files[posixpath.normpath(posixpath.join(area.directory, artifact.path))] = artifact
    return files, tuple(path for path, artifact in files.items() if not artifact.dump)


def leave(files: Iterable[tuple[str, bytes]], root: str, dumps: Sequence[str], *, where: str) -> None:
    """Write the dumps of a failed link.

    Raises: OutputError as `assign_paths`.
    """
    placed = [(_dump(path, dumps, where), data) for path, data in files]
    for path, data in placed:
        OutputArea(root, *dumps).write(path, data)


def emit(area: OutputArea, files: Mapping[str, Artifact], previous: Iterable[str]) -> None:
    """Write files, and remove those of an earlier link that are no longer made.

    Shape: the first file stands for the link and is written last, so that once it exists the others do too. Paths in
    `previous` outside the link's directories are left alone: the record may be forged.
    Raises: OutputError; then none of the files is left.
    """
    try:
        for path in sorted(set(previous) - set(files)):
            if area.holds(path):
                area.remove(path)
        for path, artifact in reversed(list(files.items())):
            if artifact.link:
                area.link(path, posixpath.relpath(artifact.link, posixpath.dirname(artifact.path) or "."))
            else:
                area.write(path, artifact.data, executable=artifact.executable)
    except BaseException:
        discard(area, files)
        raise


def discard(area: OutputArea, paths: Iterable[str]) -> None:
    """Remove the outputs of a failed link, so that an old image cannot pass for a new one."""
    for path in paths:
        full = os.path.join(area.root, path)
        try:
            if (os.path.isfile(full) or os.path.islink(full)) and area.holds(path):
                area.remove(path)
        except OutputError as error:
            # Report the failure that led here; mention this one in a line.
            print(error, file=sys.stderr)


def _dump(path: str, dumps: Sequence[str], where: str) -> str:
    for directory in dumps:
        start = directory.rstrip("/") + "/"
        if path.startswith(start):
            return start + check_output_path(path[len(start) :].lstrip("/"), where=where)
    raise OutputError(f"{where}: {path} is in no directory that an option names for dumps")


def _refuse_folded(outputs: Sequence[str], area: OutputArea, where: str) -> None:
    """Refuse names that differ only in case: some file systems would make them one file."""
    first: dict[str, str] = {}
    clashes = [(path, other) for path in outputs if (other := first.setdefault(folded(path), path)) != path]
    if clashes and area.folds_case():
        raise OutputError(
            f"{where}: {clashes[0][0]} and {clashes[0][1]} are the same file on a case-insensitive file system",
            hint='rename one source, or give it a name of its own: (path, {"name": ...})',
        )
