"""The inputs of a unit, as the compiler reports them: files it read, and directories it searched."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from cratewright import CratewrightError, Digest, content_digest, dataclass

from ..toolchains.toolchain import Toolchain
from .assembly import files_asked_for, reads_nothing
from .directives import Query, asked_as
from .macros import answers, questions
from .observe import FileFacts
from .search_path import plain
from .world import World, path_in

__all__ = ["ListedUnit", "ask_assembler", "ask_preprocessor", "ask_texts", "called"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedUnit:
    """A unit that is compiled.

    Shape: `path` is its name in messages, `file` its place; `words` are the command that compiles it, without an
    output; `driver` those of them that name the compiling program.
    """

    path: str
    file: str
    target: str
    words: tuple[str, ...]
    driver: tuple[str, ...]
    toolchain: Toolchain

    def run(self, words: Sequence[str], output: Path) -> bytes:
        """Run the compiler with words, and return its output.

        Raises: CratewrightError if it fails.
        """
        command = (*words, "-o", str(output))
        self.toolchain.run(command, cwd=self.toolchain.root, what=self.path)
        return output.read_bytes()


_known: dict[tuple[str, tuple[tuple[str, str], ...]], tuple[Query, ...] | None] = {}
"""By content and words; one per process: the units of a crate read the same headers."""


def ask_texts(
    unit: ListedUnit, files: Mapping[str, FileFacts | None], read: Callable[[str], bytes]
) -> tuple[tuple[str, Query], ...] | None:
    """Return what a unit's files query through renamed `__has_include`, with the querying file.

    None if only the preprocessor can tell, which takes two more processes for each unit.
    """
    own = {path: facts for path, facts in files.items() if facts is not None}
    renamed = tuple(sorted({pair for facts in own.values() for pair in facts.directives.renamed}))
    kinds = dict(renamed)
    if (
        len(kinds) < len(renamed)
        or any(facts.directives.unclear for facts in own.values())
        or any(name in word for word in unit.words for name in ("__has_", *kinds))
    ):
        return None
    asked: list[tuple[str, Query]] = []
    for path, facts in own.items() if kinds else ():
        key = facts.digest, renamed
        if key not in _known:
            data = read(path)
            if content_digest(data) != facts.digest:
                return None
            _known[key] = asked_as(data, kinds)
        found = _known[key]
        if found is None:
            return None
        asked += [(path, item) for item in found]
    return tuple(asked)


def ask_preprocessor(
    unit: ListedUnit, files: Mapping[str, FileFacts | None], read: Callable[[str], bytes]
) -> tuple[tuple[tuple[str, Query], ...], bool]:
    """Return what a unit's files query through macros, with the querying file, and whether that is incomplete."""
    with unit.toolchain.scratch() as directory:
        try:
            listing = unit.run((*unit.words, "-E", "-dD", "-w"), directory / "listing.i").decode(
                "utf-8", "surrogateescape"
            )
            sources = {path: read(path) for path, facts in files.items() if facts is not None}
            names = {path: path for path in sources} | {path_in("./", path): path for path in sources}
            names |= {os.path.join(unit.toolchain.root, path): path for path in sources}
            text, asking = questions(listing, sources, names)
            (directory / "asked.c").write_bytes(text.encode("utf-8", "surrogateescape"))
            words = (*unit.driver, "-w", "-undef", "-nostdinc", "-x", "c", "-E", "-P", str(directory / "asked.c"))
            expanded = unit.run(words, directory / "expanded.i").decode("utf-8", "surrogateescape")
        except CratewrightError:
            return (), True
    return answers(expanded, asking)


def ask_assembler(unit: ListedUnit, directories: Iterable[str], *, preprocessed: bool) -> dict[str, Digest | None]:
    """Return what LLVM's assembler reads for a unit in assembly, and which paths are missing, as `World.found`.

    Raises: SourceError for one that cannot be followed.
    """
    root = unit.toolchain.root
    places = ("", *map(plain, directories))
    world = World(root, places[1:])

    def find(name: str) -> str:
        world.ask(name, places)
        there = (os.path.join(root, directory, name) for directory in places)
        return next((path for path in there if os.path.isfile(path)), "")

    with unit.toolchain.scratch() as directory:
        if preprocessed:
            text = unit.run((*unit.words, "-E", "-w"), directory / "module.s")
        else:
            text = Path(root, unit.file).read_bytes()
    if not reads_nothing(text):
        files_asked_for(text, unit.driver, unit.toolchain, find, path=unit.path)
    return world.found


def called(names: Iterable[str], root: str) -> tuple[str, ...]:
    """Return files by their project paths."""
    prefix = os.path.join(root, "")
    return tuple(dict.fromkeys(plain(name.removeprefix(prefix)) for name in names))
