"""One project twice, with and without the record of the previous build; the builds of both must be equal.

The record lets a build skip the declaration of crates with nothing to do. A project is settled if its build declares
no crate.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

from tests.support.scons_project import SconsProject

__all__ = ["COPY_STAMPS", "NEW_STAMPS", "ProjectPair", "run_both", "set_up_pair"]

NEW_STAMPS = """\
import cratewright.base.stamp
cratewright.base.stamp._FINE_NS = 0  # trust the stamp of even the newest file
import os
if os.path.basename(os.getcwd()) == "without_record":  # write no record
    import cratewright.scons.at_exit.write_record
    cratewright.scons.at_exit.write_record._write = lambda *found: None
"""
COPY_STAMPS = """\
# A copy of a file has the same stamp.
cratewright.base.stamp.file_stamp.__code__ = (lambda found: [found.st_mtime_ns, 1, found.st_size, 1]).__code__
"""
PRINT_DECLARED = """\
import atexit
def _print_declared():
    builds = env.fs.__dict__.get("cratewright_builds", {})
    print("DECLARED", *sorted(crate.name for build in builds.values() for crate in build.crates.values()))
atexit.register(_print_declared)
"""


def run_both(with_record: SconsProject, without_record: SconsProject, arguments: Sequence[str], own: str) -> None:
    """Run both projects, and check that status, output and files are equal.

    Shape: `without_record` lies in a directory of that name, by which `NEW_STAMPS` recognizes it; `own` matches the
    line of declared crates, which may differ.
    """
    found = []
    for project in (with_record, without_record):
        if project is without_record:
            (project.path / ".sconsign.crates").unlink(missing_ok=True)
        project.scons(*arguments, expect=None)
        text = re.sub(own, "", project.output).replace(str(project.path), "")
        files = {name: digest for name, digest in project.snapshot().items() if not name.startswith(".")}
        found.append((project.status, re.sub(r"\d+\.\d+ s.*", "", text), files))
    assert found[0] == found[1], f"{arguments}\n{found[0][:2]}\n{found[1][:2]}"


_SET_UP: dict[Hashable, int] = {}


def set_up_pair(projects: Sequence[SconsProject], key: Hashable, build: Callable[[], object]) -> None:
    """Set empty projects up with `build`, once for each `key`; later restore copies of the result.

    The copies are restored to the same paths, which the record contains; `COPY_STAMPS` gives them the same stamps.
    """
    number = _SET_UP.setdefault((*(str(project.path) for project in projects), key), len(_SET_UP))
    copies = [project.path.parent / "begun" / str(number) / project.path.name for project in projects]
    if not (known := copies[-1].exists()):
        build()
    for project, copy in zip(projects, copies, strict=True):
        source, target = (copy, project.path) if known else (project.path, copy)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, symlinks=True)


class ProjectPair:
    """Two projects, of which `without_record` always checks all crates.

    Shape: `header` begins their SConstructs, `files` are their other files. If `copied`, they are set up from copies,
    and stamps lack what a copy changes.
    """

    def __init__(
        self,
        with_record: SconsProject,
        without_record: SconsProject,
        header: str,
        files: Mapping[str, str],
        *,
        copied: bool = True,
    ) -> None:
        self.with_record, self.without_record = with_record, without_record
        self._header = NEW_STAMPS + COPY_STAMPS * copied + header
        self._copied = copied
        self._files = dict(files)
        self._is_set_up = False
        for project in self:
            # If a program is installed elsewhere on PATH meanwhile, all crates are checked.
            project.environ["PATH"] = "/usr/bin:/bin"

    def __iter__(self) -> Iterator[SconsProject]:
        yield from (self.with_record, self.without_record)

    def write(self, files: Mapping[str, str]) -> None:
        if not self._is_set_up:
            self._files |= files
        for project in self:
            project.write(files)

    def sconstruct(self, text: str) -> None:
        self.write({"SConstruct": self._header + PRINT_DECLARED + text})

    def run(self, *arguments: str) -> str:
        """Run both, check that they are equal, and return the names of the crates declared with the record."""
        run_both(self.with_record, self.without_record, arguments, own=r"DECLARED.*\n")
        return self._declared()

    def _declared(self) -> str:
        match = re.search(r"DECLARED(.*)", self.with_record.output)
        assert match, self.with_record.output
        return match[1].strip()

    def run_again(self, *arguments: str) -> None:
        """Run twice, and a third time if the second declared anything, because stamps were too new."""
        self.run(*arguments)
        if self.run(*arguments):
            self.run(*arguments)

    def settle(self, text: str, *arguments: str) -> None:
        """Set the projects up again, and build until they are settled."""
        self._is_set_up = True
        if self._copied:
            set_up_pair([*self], (text, arguments, *self._files.items()), lambda: self._settle(text, arguments))
        else:
            self._settle(text, arguments)

    def _settle(self, text: str, arguments: Sequence[str]) -> None:
        for project in self:
            shutil.rmtree(project.path)
        self.write(self._files)
        self.sconstruct(text)
        self.build_until_settled(*arguments)

    def is_settled(self) -> bool:
        """Return whether the last build declared nothing."""
        return not self._declared()

    def build_until_settled(self, *arguments: str) -> set[str]:
        """Build until nothing is declared, and return what was; `without_record` is built only once."""
        found = [self.run(*arguments)]
        while found[-1] and len(found) < 4:
            self.with_record.scons(*arguments, expect=None)
            found.append(self._declared())
        assert not found[-1], found
        return {*filter(None, found)}
