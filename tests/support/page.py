"""Runs a page of the documentation: its code blocks are the files and commands of one project.

A block is a file if it begins with a comment that names one (`# SConstruct`, `// noise/hash.glsl`); a later block
replaces an earlier one of the same name. In a `console` block, lines that begin with `$ ` are commands, run in order;
the lines after a command are its output, in which a line `...` stands for any number of lines. `text` blocks are
ignored.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.scons_project import available_forms, server_of

__all__ = ["Block", "PageRunner", "blocks"]

_FENCE = re.compile(r"^( *)```([\w-]*)\n(.*?)^\1```$", re.M | re.S)
_NAME = re.compile(r"(?:#|//|;|--) ([\w./-]+)(?::? .*)?$")
_IGNORED = frozenset({"text"})
_SCONS = re.compile(r"scons(?: [\w=.-]+)*")


@dataclass(frozen=True)
class Block:
    """A fenced code block; `line` is where it begins."""

    line: int
    language: str
    text: str

    @property
    def name(self) -> str | None:
        """The file that it contains, if any."""
        found = _NAME.match(self.text.partition("\n")[0])
        return found[1] if found else None


def blocks(page: str) -> Iterator[Block]:
    """Yield the code blocks of a page in order, without ignored ones."""
    for found in _FENCE.finditer(page):
        if found[2] not in _IGNORED:
            text = "".join(line.removeprefix(found[1]) for line in found[3].splitlines(keepends=True))
            yield Block(page.count("\n", 0, found.start()) + 1, found[2], text)


class PageRunner:
    """Follows pages in a directory."""

    def __init__(self, directory: Path, environ: dict[str, str]) -> None:
        self.directory = directory
        self.environ = environ

    def follow(self, page: str) -> list[str]:
        """Write the files and run the commands of a page; return its errors, each with a line number."""
        problems = []
        for block in blocks(page):
            if block.language == "console":
                problems += [f"{block.line}: {text}" for text in self._run(block.text)]
            elif block.name is not None:
                path = self.directory / block.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.text, encoding="utf-8")
            else:
                problems.append(f"{block.line}: a block that is neither a file nor commands: {block.text[:60]!r}")
        return problems

    def _run(self, text: str) -> Iterator[str]:
        for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
            command, _, expected = part.partition("\n")
            status, printed = self._scons(command) if _SCONS.fullmatch(command) else self._shell(command)
            if not re.fullmatch(_pattern(expected), printed):
                yield f"$ {command}\n(exit status {status}) prints\n{printed}and not\n{expected}"

    def _shell(self, command: str) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.directory,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=240,
            check=False,
        )
        return done.returncode, done.stdout.decode()

    def _scons(self, command: str) -> tuple[int, str]:
        """Run `scons` in a fork, at a fifth of the cost; standard error comes last."""
        words = command.split()[1:]
        server = server_of(available_forms()[-1])
        done = server.run(words, cwd=self.directory, environ=self.environ, timeout=240)
        return done.returncode, done.stdout + done.stderr


def _pattern(expected: str) -> str:
    lines = expected.splitlines()
    return "".join(r"(?:.*\n)*?" if line == "..." else _line(line) + r"\n" for line in lines)


def _line(line: str) -> str:
    """Return a regular expression for a line, in which `...` stands for any text."""
    return ".*".join(re.escape(part) for part in line.split("..."))


def environ(home: Path) -> dict[str, str]:
    """Return a reader's environment: this Python's commands on PATH, and glslang from the wheel."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CRATE_", "SCONS"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    return {**kept, "PATH": path, "HOME": str(home), "LC_ALL": "C.UTF-8", "CRATE_GLSLANG": "wheel"}
