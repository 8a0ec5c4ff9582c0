"""The linker command of a driver, which reports it once for many links.

clang takes longer to start than its lld takes to link a small program, and always adds the same start files and
libraries. It is asked with blanks, which are filled in afterwards.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from cratewright import ToolError, pattern, run_program

from .probe import remembered

_BLANK = "cratewright:{}"
_OUTPUT = _BLANK.format("output")
# Each word is quoted, with backslashes before some characters.
_QUOTED = pattern(r'"((?:[^"\\]|\\.)*)"')
_ESCAPED = pattern(r"\\(.)")
_LEVELS = 3


def link_line(
    driver: Sequence[str],
    words: Sequence[str],
    *,
    passed: Collection[str],
    output: str,
    about: tuple[object, ...],
    environment: Mapping[str, str],
) -> list[str]:
    """Return the command by which a driver would link, or nothing if unknown.

    Shape: `words` are the driver's arguments, of which it passes those in `passed`, and those after `-Wl,`, on in
    order; `about` changes with the driver.
    """
    question: list[str] = []
    filled: dict[str, list[str]] = {}
    for word in words:
        own = word.split(",")[1:] if word.startswith("-Wl,") else [word] if word in passed else []
        if not own:
            question.append(word)
            continue
        last = question[-1].removeprefix("-Wl,") if question else ""
        if last not in filled:
            last = _BLANK.format(len(filled))
            question.append(f"-Wl,{last}")
        filled.setdefault(last, []).extend(own)
    command = [*driver, *question, "-o", _OUTPUT, "-###"]

    def ask() -> str:
        # Run directly, because the output of other programs is shown with relative paths.
        done = run_program(command, what="how to link", env=environment)
        line = _last_command(done.stderr.decode("utf-8", "surrogateescape"))
        blanks = [word for word in line if word.startswith(_BLANK.format(""))]
        if done.status or sorted(blanks) != sorted([*filled, _OUTPUT]):
            raise ToolError(f"{os.path.basename(driver[0])} does not report how it links")
        return json.dumps([line, list(_found_files(word for word in line if word not in question))])

    def holds(answer: str) -> bool:
        return all(_changed(path) == when for path, when in json.loads(answer)[1])

    try:
        line = json.loads(remembered(f"link {json.dumps(command)}", about, ask, holds))[0]
    except (OSError, ToolError):
        return []
    filled[_OUTPUT] = [output]
    return [own for word in line for own in filled.get(word, [word])]


def _last_command(stderr: str) -> list[str]:
    """Return the last command that a driver shows, on a line that begins with a space."""
    shown = [line for line in stderr.splitlines() if line.startswith(' "')]
    return [_ESCAPED.sub(r"\1", word) for word in _QUOTED.findall(shown[-1])] if shown else []


def _found_files(line: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Yield the files that the driver found, their directories, and the times of change.

    Installing or removing a compiler or C library changes one of them.
    """
    found: dict[str, None] = {}
    for word in line:
        path = word.removeprefix("-L")
        if not os.path.isabs(path):
            continue
        for _ in range(_LEVELS):
            found[path] = None
            path = os.path.dirname(path)
    yield from ((path, _changed(path)) for path in found)


def _changed(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0
