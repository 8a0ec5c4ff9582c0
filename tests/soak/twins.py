"""Two equal trees, of which one forgets the record of its last null build before each run.

A case is a list of steps in JSON: changes of both trees, and runs of SCons, after which the trees must agree in exit
status, output and all files.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.support.scons_project import IN_PLACE, server_of
from tests.support.scons_server import SconsServer

from .cases import LOUD, case_of
from .harm import DOERS, KEPT
from .sconstructs import FILES

__all__ = ["Mismatch", "case_of", "explain", "minimised", "run_case", "shown"]

Step = list[Any]
_LIMIT = 60
_VOLATILE = (
    ".sconsign",
    "__pycache__",
    "events.json",
    ".crate-cache",
    ".cache",
    "other",
    ".sconf_temp",
    "config.log",
    ".told",
    ".kill",
    ".tmp-",
)
_NORMAL = (
    (re.compile(r"\d+\.\d+ s\b"), "T s"),
    (re.compile(r"0x[0-9a-f]{6,}"), "0x"),
    (re.compile(r"\[\d+/\d+\] .*\n"), ""),
    (re.compile(r"\d+ steps?: .*"), "steps"),
    (re.compile(r"(Found dependency cycle\(s\):\n)(  .* -> .*\n)+"), r"\1"),  # in SCons, the order of a set
)
_SHARED = (
    (re.compile(r"\d+ (compiled|linked|optimized), \d+ reused"), r"N \1, reused"),
    (re.compile(r"crate .*: because .*\n"), ""),
)
"""Differences that are allowed where the trees share a cache."""


class Mismatch(Exception):
    """The trees differ after a step."""

    def __init__(self, step: int, text: str) -> None:
        super().__init__(text)
        self.step = step


class Twin:
    """A tree in which SCons runs.

    Shape: `forgets` is true for the tree that makes all calls in each run.
    """

    def __init__(self, parent: Path, server: SconsServer, *, forgets: bool) -> None:
        self.parent = parent
        self.path = parent / "tree"
        self.path.mkdir(parents=True)
        self.forgets = forgets
        self.environ: dict[str, str] = {}
        self.is_alone = False  # runs new processes, not forks of a server
        self._server = server

    def run(self, arguments: list[str], kill: int = 0, where: str = "", stdin: str | None = None) -> tuple[Any, ...]:
        """Run SCons; return its exit status, its output, and the files."""
        kept = self.path / KEPT
        if self.forgets and kept.exists() | kept.is_symlink():
            shutil.rmtree(kept) if kept.is_dir() and not kept.is_symlink() else kept.unlink()
        limit = Path(f"{self.path}.kill")
        limit.write_text(str(kill)) if kill else limit.unlink(missing_ok=True)
        Path(f"{self.path}.told").unlink(missing_ok=True)
        environ = {
            "PATH": f"{self.path}/bin:{os.environ['PATH']}",
            "HOME": str(self.parent),
            "CRATE_GLSLANG": "wheel",
            **{name: text.replace("@", str(self.path)) for name, text in self.environ.items()},
        }
        cwd = self.path / where
        words = arguments[1:] if arguments[:1] == [LOUD] else ["-Q", *arguments]
        if not cwd.is_dir():
            return (None,)
        if stdin is None and not self.is_alone:
            done = self._server.run(words, cwd=cwd, environ=environ, timeout=_LIMIT)
        else:
            done = subprocess.run(
                [sys.executable, "-m", "SCons", *words],
                cwd=cwd, env=environ, input=stdin, capture_output=True, text=True, timeout=_LIMIT, check=False,
            )  # fmt: skip
        if kill:
            time.sleep(0.05)  # until its children end
        script = self.path / "SConstruct"
        text = script.read_text() if script.is_file() else ""
        many = "num_jobs" in text or any(word.startswith("-j") for word in (*words, environ.get("SCONSFLAGS", "")))
        out, err = self._normal(done.stdout, many), self._normal(done.stderr, many)
        return done.returncode, out, err, self.snapshot()

    @property
    def executed(self) -> tuple[int, int]:
        """The calls that the last run executed, and the calls of its SConstruct."""
        path = Path(f"{self.path}.told")
        done, _, made = path.read_text().partition(" of ") if path.exists() else ("0", "", "0")
        return int(done), int(made)

    def snapshot(self) -> dict[str, str]:
        """Return a description of each path."""
        found: dict[str, str] = {}
        for path in sorted(self.path.rglob("*")):
            name = path.relative_to(self.path).as_posix()
            if any(part.startswith(_VOLATILE) for part in name.split("/")):
                continue
            status = path.lstat()
            mode = f"{stat.S_IMODE(status.st_mode):o} "
            if path.is_symlink():
                found[name] = f"link {os.readlink(path)}".replace(str(self.path), "<tree>")
            elif path.is_dir():
                found[name] = f"{mode} directory"
            elif not path.is_file():
                found[name] = "special"
            elif name.endswith(".state"):
                found[name] = "state"
            else:
                with open(path, "rb") as file:
                    data = file.read().replace(str(self.path).encode(), b"<tree>")
                found[name] = mode + hashlib.sha256(data).hexdigest()[:12]
        return found

    def _normal(self, text: str, many: bool) -> str:
        text = text.replace(str(self.path), "<tree>")
        for pattern, by in (*_NORMAL, *(_SHARED if self.environ.get("CRATE_CACHE", "").endswith("/shared") else ())):
            text = pattern.sub(by, text)
        return "\n".join(sorted(text.splitlines())) if many else text

    def do(self, step: Step) -> None:
        """Apply a step to the tree."""
        kind, *words = step
        DOERS[kind](self, *words)

    def matching(self, pattern: str, number: int) -> Path | None:
        """Return the path with this number among those that match, modulo their count; None if none does."""
        paths = sorted(path for path in self.path.glob(pattern) if path.name not in ("SConstruct", "body.txt", KEPT))
        return paths[number % len(paths)] if paths else None


def run_case(steps: list[Step], directory: Path, server: SconsServer, counts: Counter[str] | None = None) -> None:
    """Run the steps in two new trees.

    Raises: Mismatch.
    """
    counts = Counter() if counts is None else counts
    twins = [Twin(directory / name, server, forgets=forgets) for name, forgets in (("a", False), ("b", True))]
    shared = str(directory.parent / "shared")
    try:
        for number, step in enumerate(steps):
            if step[0] == "sleep":
                time.sleep(step[1])
                continue
            if step[0] != "run":
                words = [*step[:2], shared] if step == ["environ", "CRATE_CACHE", "shared"] else step
                for twin in twins:
                    twin.do(words)
                continue
            time.sleep(0.006)  # a tick of the clock of file times
            with ThreadPoolExecutor(2) as pool:
                waiting = {
                    twin.forgets: pool.submit(twin.run, *step[1:]) for twin in (twins if number % 2 else twins[::-1])
                }
                found = {forgets: each.result() for forgets, each in waiting.items()}
            counts["runs"] += 1
            done, made = twins[0].executed
            counts["known"] += made > done == 0
            counts["known in part"] += made > done > 0
            if found[False] != found[True]:
                raise Mismatch(number, _difference(found[False], found[True]))
    finally:
        _remove(directory)


def _remove(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)


def explain(seed: int) -> int:
    """Run a case and print it, minimised if it fails; return 1 if it fails, or 0."""
    server, steps = server_of(IN_PLACE), case_of(seed)
    with tempfile.TemporaryDirectory(prefix="cratewright-twins-") as scratch:
        directory = Path(scratch)
        try:
            run_case(steps, directory / "case", server)
        except Mismatch as error:
            steps = minimised(steps[: error.step + 1], directory, server)
            print("\n".join(shown(steps)))
            try:
                run_case(steps, directory / "case", server)
            except Mismatch as last:
                print(f"----\n{last}")
            return 1
    print("\n".join(shown(steps)))
    return 0


def _difference(ours: tuple[Any, ...], theirs: tuple[Any, ...]) -> str:
    lines = []
    if ours[0] != theirs[0]:
        lines.append(f"status {ours[0]}, should be {theirs[0]}")
    for name, one, two in zip(("stdout", "stderr"), ours[1:3], theirs[1:3], strict=False):
        if one != two:
            lines.append(f"{name}:\n{one}\n  should be:\n{two}")
    if len(ours) > 3 and len(theirs) > 3 and ours[3] != theirs[3]:
        for path in sorted(ours[3].keys() | theirs[3].keys()):
            if ours[3].get(path) != theirs[3].get(path):
                lines.append(f"{path}: {ours[3].get(path)}, should be {theirs[3].get(path)}")
    return "\n".join(lines)


def minimised(steps: list[Step], directory: Path, server: SconsServer, seconds: float = 120) -> list[Step]:
    """Return fewer steps, and SConstructs with fewer statements, after which the trees still differ."""
    until = time.monotonic() + seconds

    def fails(some: list[Step]) -> bool:
        try:
            run_case(some, directory / "mini", server)
        except Mismatch:
            return True
        except Exception:
            return False
        return False

    size = max(1, len(steps) // 4)
    while size and time.monotonic() < until:
        place = 0
        while place < len(steps) and time.monotonic() < until:
            fewer = steps[:place] + steps[place + size :]
            if fewer and fails(fewer):
                steps = fewer
            else:
                place += size
        size //= 2
    scripts = [step[2] for step in steps if step[0] == "write" and step[1] in _SCRIPTS]
    for line in dict.fromkeys(line for text in scripts for line in text.rpartition(_END_OF_HEAD)[2].split("\n")):
        if time.monotonic() > until:
            break
        fewer = [
            [*step[:2], _without(step[2], line)] if step[0] == "write" and step[1] in _SCRIPTS else step
            for step in steps
        ]
        if fewer != steps and fails(fewer):
            steps = fewer
    return steps


_SCRIPTS = ("SConstruct", "body.txt")
_END_OF_HEAD = "_build_targets = told\n"


def _without(text: str, line: str) -> str:
    head, middle, body = text.rpartition(_END_OF_HEAD)
    return head + middle + "\n".join(other for other in body.split("\n") if other != line)


def shown(steps: list[Step]) -> Iterator[str]:
    """Yield the steps as readable lines."""
    head = None
    for step in steps:
        if step[0] == "write" and step[1] in _SCRIPTS:
            text = step[2].rpartition(_END_OF_HEAD)[2]
            yield f"{step[1]}:\n{text}" if text != head else step[1]
            head = text
        elif step[0] != "write" or step[1] not in FILES or FILES[step[1]] != step[2]:
            yield json.dumps(step)
