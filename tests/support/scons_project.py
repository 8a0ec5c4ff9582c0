"""A small project in a directory of its own, built by the real `scons`."""

from __future__ import annotations

import atexit
import copy
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Hashable, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

from .bounds import HANG
from .paths import ROOT
from .scons_server import SconsServer, can_fork

__all__ = ["INSTALLED", "IN_PLACE", "STUB", "SconsProject", "available_forms", "server_of"]

IN_PLACE = "in place"
INSTALLED = "installed"

STUB = """\
import cratewright, cratewright.testing
DefaultEnvironment(tools=[]), cratewright.register(cratewright.testing)
env = Environment(tools=["filesystem", "install", "textfile", cratewright.tool], CRATE_BACKEND="stub")
"""
"""The start of an SConstruct for the `stub` backend, without C compilers, which SCons takes long to find."""

_SITE = str(ROOT / "site_scons")
_STEP = re.compile(r"(?:Compiling crate|Archiving|Linking) .*")
_COUNTS = re.compile(r"crate \S+: \d+ (?:unit|image)s?: .*")
_SILENT = re.compile(r"scons: .* is up to date\.|scons: Nothing to be done for .*")


@cache
def available_forms() -> tuple[str, ...]:
    """Return the forms of cratewright that tests can use here: the checkout and, if there is one, an installation."""
    found = any(True for _ in metadata.distributions(name="cratewright"))
    return (IN_PLACE, INSTALLED) if found else (IN_PLACE,)


class SconsProject:
    """A project directory, built by `scons`.

    Shape: `output` is the output of the last run, standard error after standard output; `errors` is standard error;
    `status` the exit status.
    Units: `timeout` of one run, in seconds.
    """

    def __init__(self, path: Path, *, form: str = IN_PLACE) -> None:
        self.path = path
        self.form = form
        self.output = self.errors = ""
        self.status = 0
        self.timeout = HANG
        self.environ = {"CRATE_CACHE": str(path / ".crate-cache")}
        path.mkdir(parents=True, exist_ok=True)

    def set_up_once(self, key: Hashable, build: Callable[[], object]) -> None:
        """Set this project up with `build`, which is called once for each `key`; later projects get a copy.

        Shape: the copy has the files with their times, the output and the variables.
        """
        full_key = (type(self), self.form, key)
        if full_key not in _SET_UP:
            build()
            _SET_UP[full_key] = self._copied(Path(tempfile.mkdtemp(dir=_kept())))
        else:
            _SET_UP[full_key]._copied(self.path, into=self)

    def _copied(self, path: Path, into: SconsProject | None = None) -> SconsProject:
        twin = into or copy.copy(self)
        shutil.copytree(self.path, path, symlinks=True, dirs_exist_ok=True)
        twin.path, twin.output, twin.errors = path, self.output, self.errors
        twin.environ = {name: text.replace(str(self.path), str(path)) for name, text in self.environ.items()}
        return twin

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write files, and create their directories."""
        for name, content in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def sconstruct(self, text: str, **files: str) -> None:
        """Write an SConstruct for the stub backend, and stub sources, named without suffix."""
        self.write({"SConstruct": STUB + text, **{f"{name}.stub": content for name, content in files.items()}})

    def remove(self, *names: str) -> None:
        """Remove files."""
        for name in names:
            (self.path / name).unlink()

    def read(self, name: str) -> str:
        """Return a file's text."""
        return (self.path / name).read_text(encoding="utf-8")

    def exists(self, name: str) -> bool:
        """Return whether a file or directory exists."""
        return (self.path / name).exists()

    def scons(
        self,
        *arguments: str,
        expect: int | None = 0,
        preexec: Callable[[], None] | None = None,
        input: str | None = None,
    ) -> str:
        """Run `scons`, with `input` as standard input, and return its output.

        Raises: AssertionError for another exit status than `expect`, unless that is None, or for a traceback in the
        output.
        """
        words = ["-Q", *(["--site-dir", _SITE] if self.form == IN_PLACE else []), *arguments]
        if preexec is None and input is None and can_fork(self.environ):
            server = server_of(self.form)
            done = server.run(words, cwd=self.path, environ=self._environment(), timeout=self.timeout)
        else:
            done = subprocess.run(
                [sys.executable, "-m", "SCons", *words],
                cwd=self.path,
                env=self._environment(),
                input=input or "",
                capture_output=True,
                text=True,
                timeout=self.timeout,
                check=False,
                preexec_fn=preexec,
            )
        self.output = done.stdout + done.stderr
        self.errors = done.stderr
        self.status = done.returncode
        print(f"scons {' '.join(arguments)}:\n{self.output}")  # shown by pytest if the test fails
        assert expect is None or done.returncode == expect, (
            f"exit status {done.returncode}, not {expect}:\n{self.output}"
        )
        assert "Traceback" not in self.output, self.output
        return self.output

    def steps(self) -> list[str]:
        """Return the lines of the stages that the last run executed, sorted."""
        return sorted(line for line in self.output.splitlines() if _STEP.fullmatch(line))

    def built(self) -> list[str]:
        """Return the lines with counts of units and images of the last run, sorted."""
        return sorted(line for line in self.output.splitlines() if _COUNTS.fullmatch(line))

    def up_to_date(self, *arguments: str) -> bool:
        """Run `scons` again and return whether it had nothing to do."""
        lines = self.scons(*arguments).splitlines()
        return bool(lines) and all(_SILENT.fullmatch(line) for line in lines)

    def snapshot(self) -> dict[str, str]:
        """Return the digest of every file except state files and databases."""
        return {
            name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.path.rglob("*"))
            if path.is_file() and not (name := path.relative_to(self.path).as_posix()).startswith(".")
            if not path.name.endswith((".state", ".dblite"))
        }

    def _environment(self) -> dict[str, str]:
        return {
            **_inherited(),
            "HOME": str(self.path),
            # Tests expect the glslang of the wheel, whatever else is installed.
            **({} if "CRATE_SPIRV_SDK" in self.environ else {"CRATE_GLSLANG": "wheel"}),
            **self.environ,
        }


_SET_UP: dict[Hashable, SconsProject] = {}


@cache
def _kept() -> str:
    """Return a directory that exists until this process ends."""
    directory = tempfile.mkdtemp(prefix="cratewright-tests-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return directory


def _inherited() -> dict[str, str]:
    # COVERAGE_* variables make coverage measure child processes.
    names = ("PATH", "LANG", "TMPDIR", "CRATE_WORKERS")
    kept = {name: text for name, text in os.environ.items() if name in names or name.startswith("COVERAGE_")}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1"}


@cache
def server_of(form: str) -> SconsServer:
    """Return the server that runs SCons with cratewright in one of its forms."""
    return SconsServer(_SITE if form == IN_PLACE else "", _inherited())
