"""The command `verify-reproducible`: builds a project in two places and compares the results."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..base.digest import content_digest
from ..base.errors import ConfigurationError, CratewrightError, ToolError
from .build import is_scons_project

_LEFT_OUT = shutil.ignore_patterns(
    ".git", ".hg", ".svn", "__pycache__", ".venv", "node_modules", ".crate-cache", ".sconsign*", ".*.state"
)
_NOTES = (".state", ".pyc")
_SHOWN = 8
_LINES = 20


def add_verify(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `verify-reproducible` to a command line."""
    parser = commands.add_parser(
        "verify-reproducible",
        help="build in two places and list files that differ",
        description="Copies the project here to two places, builds both without a cache, and compares every file that "
        "the builds made. Arguments after -- are passed on to SCons.",
    )
    parser.add_argument("words", nargs="*", metavar="TARGET", help="targets (default: those that scons builds)")
    parser.set_defaults(run=_verify, passes=True)


def _verify(arguments: argparse.Namespace) -> None:
    clean, one_job, four_jobs = (_command(arguments, word) for word in ("-c", "-j1", "-j4"))
    root = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="cratewright-") as scratch:
        places = (Path(scratch, "a", "project"), Path(scratch, "another place", "deeper", root.name or "project"))
        shutil.copytree(root, places[0], symlinks=True, ignore=_LEFT_OUT)
        # Remove the outputs of earlier builds.
        _run(places[0], clean)
        shutil.copytree(places[0], places[1], symlinks=True)
        # Paths of other lengths, another number of jobs, another hash of strings, another time zone.
        first = _built(places[0], one_job, TZ="UTC0", PYTHONHASHSEED="1")
        second = _built(places[1], four_jobs, TZ="XYZ-9", PYTHONHASHSEED="2")
        names = sorted({*first, *second})
        if not names:
            raise ConfigurationError("the build makes nothing to compare", hint="name a target")
        found = [name for name in names if first.get(name) != second.get(name)]
        if found:
            raise _difference(found, places, (first, second))
    print(f"{len(names)} file{'s are' if len(names) != 1 else ' is'} the same in both builds")


def _command(arguments: argparse.Namespace, word: str) -> list[str]:
    if is_scons_project():
        return [sys.executable, "-m", "SCons", "-Q", word, *arguments.passed, *arguments.words]
    return [sys.executable, "-m", "cratewright", "build", *arguments.words, "--", word, *arguments.passed]


def _run(place: Path, command: list[str], **surroundings: str) -> tuple[int, str]:
    environment = {**os.environ, "CRATE_CACHE": "off", **surroundings}
    environment.pop("CRATE_EVENTS", None)
    done = subprocess.run(
        command, cwd=place, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def _built(place: Path, command: list[str], **surroundings: str) -> Mapping[str, str]:
    """Build a copy of a project and return the digests of the files that the build has made."""
    before = {name: (place / name).stat().st_mtime_ns for name in _files(place)}
    status, output = _run(place, command, **surroundings)
    if status:
        raise ToolError(
            "the build fails in a copy of the project",
            context=(
                ("command", " ".join(command)),
                ("output", "\n".join(output.strip().splitlines()[-_LINES:])),
            ),
            hint="all inputs must be in this directory, or be named by absolute paths",
        )
    return {
        name: content_digest((place / name).read_bytes())
        for name in _files(place)
        if before.get(name) != (place / name).stat().st_mtime_ns
    }


def _files(place: Path) -> Iterable[str]:
    for directory, inner, files in os.walk(place):
        inner[:] = [name for name in inner if name not in (".crate-cache", "__pycache__")]
        for name in files:
            path = Path(directory, name)
            if (
                not name.startswith(".sconsign")
                and not name.endswith(_NOTES)
                and path.is_file()
                and not path.is_symlink()
            ):
                yield path.relative_to(place).as_posix()


def _difference(
    found: list[str], places: tuple[Path, Path], made: tuple[Mapping[str, str], Mapping[str, str]]
) -> CratewrightError:
    name, *others = found
    rows = []
    if name not in made[0] or name not in made[1]:
        rows.append(("difference", f"only the {'first' if name in made[0] else 'second'} build makes it"))
        hint = "outputs must not depend on where, when or with how many jobs a build runs"
    else:
        one, other = ((place / name).read_bytes() for place in places)
        at = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
        rows.append(("first difference", f"byte {at} of {len(one)} and {len(other)}"))
        rows += [("in the first build", _shown(one, at)), ("in the second build", _shown(other, at))]
        inside = any(os.fsencode(place) in data for place, data in zip(places, (one, other), strict=True))
        hint = (
            "it contains the path of the project; pass relative paths to tools, or map them (-ffile-prefix-map)"
            if inside
            else "look for clocks, the order of sets or directories, and anything that depends on the number of jobs"
        )
    if others:
        more = f"\nand {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
        rows.append(("also different", "\n".join(others[:_SHOWN]) + more))
    return CratewrightError(f"{name} differs between two builds of one project", context=rows, hint=hint)


def _shown(data: bytes, at: int) -> str:
    start = max(0, at - 8)
    return f"{data[start : at + 24]!r}"
