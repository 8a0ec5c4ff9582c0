"""The command that compiles a unit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cratewright import dataclass

from ..toolchains.languages import language_of
from ..toolchains.toolchain import Completed, Toolchain


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCommand:
    """The command that compiles a unit.

    Shape: `path` is the source's name in messages, `file` where it is; `words` are the whole command without an output,
    and `driver` its first words, which name the program.
    """

    path: str
    file: str
    target: str
    words: tuple[str, ...]
    driver: tuple[str, ...]
    toolchain: Toolchain

    @property
    def language(self) -> str:
        """The language of the source."""
        return language_of(self.path)

    def run(self, words: Sequence[str], output: Path) -> bytes:
        """Run another command, and return what it writes to `output`.

        Raises: CratewrightError if it fails.
        """
        self.toolchain.run((*words, "-o", str(output)), cwd=self.toolchain.root, what=self.path)
        return output.read_bytes()

    def list_inputs(self, depfile: Path) -> Completed:
        """Make the preprocessor list the files that the unit reads, and the directories that it searches.

        Raises: CratewrightError if it fails, as compiling will.
        """
        words = (*self.words, "-w", "-v", "-M", "-MF", str(depfile), "-MT", "module")
        return self.toolchain.run(words, cwd=self.toolchain.root, what=self.path)
