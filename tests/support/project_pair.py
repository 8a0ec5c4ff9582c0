"""One project twice: in one of them nothing is ever known of the build before, and builds come to the same."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

from tests.support.scons_project import SconsProject

__all__ = ["COPIED", "YOUNG", "ProjectPair", "begin_alike", "run_alike"]

YOUNG = """\
import cratewright.base.stamp
cratewright.base.stamp._FINE_NS = 0  # no file is too young to be known by its stamp
import os
if os.path.basename(os.getcwd()) == "asked":  # the next build would forget what this one has found
    import cratewright.scons.at_exit.write_record
    cratewright.scons.at_exit.write_record._write = lambda *found: None
"""
COPIED = """\
# A copy of a file is known as the file is.
cratewright.base.stamp.file_stamp.__code__ = (lambda found: [found.st_mtime_ns, 1, found.st_size, 1]).__code__
"""
TELL = """\
import atexit
def _tell():
    builds = env.fs.__dict__.get("cratewright_builds", {})
    print("DECLARED", *sorted(crate.name for build in builds.values() for crate in build.crates.values()))
atexit.register(_tell)
"""


def run_alike(kept: SconsProject, asked: SconsProject, arguments: Sequence[str], own: str) -> None:
    """Run two projects, of which `asked` knows nothing of the build before: they come to the same.

    Shape: `asked` lies in a directory of that name, by which `YOUNG` tells it; `own` matches the line that says what
    has been declared, which may differ.
    """
    found = []
    for project in (kept, asked):
        if project is asked:
            (project.path / ".sconsign.crates").unlink(missing_ok=True)
        project.scons(*arguments, expect=None)
        text = re.sub(own, "", project.output).replace(str(project.path), "")
        files = {name: digest for name, digest in project.snapshot().items() if not name.startswith(".")}
        found.append((project.status, re.sub(r"\d+\.\d+ s.*", "", text), files))
    assert found[0] == found[1], f"{arguments}\n{found[0][:2]}\n{found[1][:2]}"


_BEGUN: dict[Hashable, int] = {}


def begin_alike(projects: Sequence[SconsProject], key: Hashable, build: Callable[[], object]) -> None:
    """Begin with what `build` makes of empty projects, once for each `key`; else put back what it has made there.

    They are found at the same paths, which what is known of a build contains, and known by `COPIED` stamps.
    """
    number = _BEGUN.setdefault((*(str(project.path) for project in projects), key), len(_BEGUN))
    copies = [project.path.parent / "begun" / str(number) / project.path.name for project in projects]
    if not (known := copies[-1].exists()):
        build()
    for project, copy in zip(projects, copies, strict=True):
        source, target = (copy, project.path) if known else (project.path, copy)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, symlinks=True)


class ProjectPair:
    """Two projects, of which `asked` always checks all crates.

    Shape: `header` is how their SConstructs begin, `files` are what they hold besides. Unless files are `copied` to
    begin anew, they are known by all that a stamp has.
    """

    def __init__(
        self, kept: SconsProject, asked: SconsProject, header: str, files: Mapping[str, str], *, copied: bool = True
    ) -> None:
        self.kept, self.asked = kept, asked
        self._header = YOUNG + COPIED * copied + header
        self._copied = copied
        self._files = dict(files)
        self._has_begun = False
        for project in self:
            # Somebody else may install programs meanwhile, and all crates would be checked.
            project.environ["PATH"] = "/usr/bin:/bin"

    def __iter__(self) -> Iterator[SconsProject]:
        yield from (self.kept, self.asked)

    def write(self, files: Mapping[str, str]) -> None:
        if not self._has_begun:
            self._files |= files
        for project in self:
            project.write(files)

    def sconstruct(self, text: str) -> None:
        self.write({"SConstruct": self._header + TELL + text})

    def run(self, *arguments: str) -> str:
        """Run both, which comes to the same, and return the names of the crates that were declared."""
        run_alike(self.kept, self.asked, arguments, own=r"DECLARED.*\n")
        return self._declared()

    def _declared(self) -> str:
        match = re.search(r"DECLARED(.*)", self.kept.output)
        assert match, self.kept.output
        return match[1].strip()

    def run_on(self, *arguments: str) -> None:
        """Run twice, and a third time if anything was declared in the second: what is too young is declared again."""
        self.run(*arguments)
        if self.run(*arguments):
            self.run(*arguments)

    def settle(self, text: str, *arguments: str) -> None:
        """Begin anew and build until nothing is declared."""
        self._has_begun = True
        if self._copied:
            begin_alike([*self], (text, arguments, *self._files.items()), lambda: self._settle(text, arguments))
        else:
            self._settle(text, arguments)

    def _settle(self, text: str, arguments: Sequence[str]) -> None:
        for project in self:
            shutil.rmtree(project.path)
        self.write(self._files)
        self.sconstruct(text)
        self.until_known(*arguments)

    def is_known(self) -> bool:
        """Say whether the last build declared nothing."""
        return not self._declared()

    def until_known(self, *arguments: str) -> set[str]:
        """Build until nothing is declared, and return what was; `asked` has nothing to do after the first build."""
        found = [self.run(*arguments)]
        while found[-1] and len(found) < 4:
            self.kept.scons(*arguments, expect=None)
            found.append(self._declared())
        assert not found[-1], found
        return {*filter(None, found)}
