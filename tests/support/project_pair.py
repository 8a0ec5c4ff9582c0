"""One project twice: in one of them nothing is ever known of the build before, and builds come to the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from tests.support.scons_project import SconsProject

__all__ = ["YOUNG", "ProjectPair", "run_alike"]

YOUNG = """\
import cratewright.base.stamp
cratewright.base.stamp._FINE_NS = 0  # no file is too young to be known by its stamp
"""
TELL = """
import atexit
def _tell():
    builds = env.fs.__dict__.get("cratewright_builds", {})
    print("DECLARED", *sorted(crate.name for build in builds.values() for crate in build.crates.values()))
atexit.register(_tell)
"""


def run_alike(kept: SconsProject, asked: SconsProject, arguments: Sequence[str], own: str) -> None:
    """Run two projects, of which `asked` knows nothing of the build before: they come to the same.

    Shape: `own` matches the line that says what has been declared, which may differ.
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


class ProjectPair:
    """Two projects, of which `asked` always checks all crates.

    Shape: `header` is how their SConstructs begin, `files` are what they hold besides.
    """

    def __init__(self, kept: SconsProject, asked: SconsProject, header: str, files: Mapping[str, str]) -> None:
        self.kept, self.asked = kept, asked
        self._header = header
        self._files = files
        for project in self:
            # Somebody else may install programs meanwhile, and all crates would be checked.
            project.environ["PATH"] = "/usr/bin:/bin"

    def __iter__(self) -> Iterator[SconsProject]:
        yield from (self.kept, self.asked)

    def write(self, files: Mapping[str, str]) -> None:
        for project in self:
            project.write(files)

    def sconstruct(self, text: str) -> None:
        self.write({"SConstruct": YOUNG + self._header + text + TELL})

    def run(self, *arguments: str) -> str:
        """Run both, which comes to the same, and return the names of the crates that were declared."""
        run_alike(self.kept, self.asked, arguments, own=r"DECLARED.*\n")
        match = re.search(r"DECLARED(.*)", self.kept.output)
        assert match, self.kept.output
        return match[1].strip()

    def settle(self, text: str, *arguments: str) -> None:
        """Build until nothing is declared."""
        self.write(self._files)
        self.sconstruct(text)
        for _ in range(5):
            if not self.run(*arguments):
                return
        raise AssertionError("it is not known that nothing is to be done")

    def until_known(self) -> set[str]:
        """Build until nothing is declared, and return what was; files that are too young may take a build more."""
        found = [self.run() for _ in range(2)]
        while found[-1] and len(found) < 6:
            found.append(self.run())
        assert not found[-1], found
        return {names for names in found if names}
