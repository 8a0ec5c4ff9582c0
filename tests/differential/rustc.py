"""Asks the real rustc how it links a crate.

Only the linker is replaced: ours records its arguments and, for a dylib, leaves the metadata that later crates read.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cratewright.rules.dependency_format import Available, Linkage
from cratewright.rules.linkage_conflict import ConflictKind
from cratewright.values.crate_type import CrateType

from .crate_graphs import Build, Node

__all__ = ["Answer", "Rustc", "RustcUnavailableError"]

_LINKER = """\
#!/bin/sh
printf '%s\\n' "$@" > "$LINK_LINE"
for word; do
    case $word in */rmeta.o) metadata=$word ;; esac
    [ "$before" = -o ] && output=$word
    before=$word
done
[ -z "$metadata" ] || cp "$metadata" "$output"
"""
_LIBRARY = re.compile(r"lib(\w+?)(?:-[0-9a-f]{16})?\.(rlib|so)")
_OBJECT = re.compile(r"(\w+?)(?:-[0-9a-f]{16})?\..*\.o")
_ERRORS = {
    re.compile(r"error: cannot satisfy dependencies so `(\w+)` only shows up once"): ConflictKind.TWICE,
    re.compile(r"error: crate `(\w+)` required to be available in rlib format, .*"): ConflictKind.NO_RLIB,
    re.compile(r"error: crate `(\w+)` required to be available in dylib format, .*"): ConflictKind.NO_DYLIB,
}
_NOTE = re.compile(r"note: native-static-libs: (.*)")
_NOTED = re.compile(r"-l(c\d+|std)\b(?:-[0-9a-f]{16})?")
_LOADED = re.compile(r"register crate `(\w+)` \(cnum")
# Always linked statically.
ALWAYS_LINKED = "compiler_builtins"


class RustcUnavailableError(Exception):
    """No usable rustc was found; the message says why."""


@dataclass(frozen=True)
class Answer:
    """How each crate is linked (crates that are not linked are omitted), or the conflicts.

    Shape: `wrong` has the conflicts; `loaded` the crates in the order of loading.
    """

    linked: frozenset[tuple[str, Linkage]] = frozenset()
    wrong: frozenset[tuple[str, ConflictKind]] = frozenset()
    loaded: tuple[str, ...] = ()


class Rustc:
    """The rustc of this machine, and its std."""

    def __init__(self, directory: Path) -> None:
        """Find rustc, and write our linker into `directory`.

        Raises: RustcUnavailableError.
        """
        found = shutil.which("rustc")
        if found is None or shutil.which("ar") is None:
            raise RustcUnavailableError(f"there is no {'ar' if found else 'rustc'} on PATH")
        done = subprocess.run([found, "-vV", "--print=sysroot"], capture_output=True, text=True, check=False)
        if done.returncode or "-linux-" not in done.stdout:
            raise RustcUnavailableError(f"{found} does not work, or not for Linux: {done.stderr.strip()}")
        self.version = done.stdout.splitlines()[0]
        # Not rustup's proxy, which takes a third of the time of each call.
        own = Path(done.stdout.splitlines()[-1]) / "bin" / "rustc"
        self._command = str(own) if own.exists() else found
        self._linker = directory / "linker"
        self._linker.write_text(_LINKER, encoding="utf-8")
        self._linker.chmod(0o755)
        self.std = self._find_std(directory / "std")

    def _find_std(self, directory: Path) -> tuple[Available, ...]:
        directory.mkdir()
        empty, program = Node("empty", ()), (CrateType.BIN,)
        alone = self.build(empty, Build(program), directory, directory)
        shared = self.build(empty, Build(program, prefer_dynamic=True), directory, directory)
        if not alone.loaded:
            raise RustcUnavailableError(f"{self.version} does not log which crates it loads")
        if shared.linked != {("std", Linkage.DYNAMIC)}:
            raise RustcUnavailableError(f"{self.version} has no dylib of std")
        # In loading order; the dylib of std includes all the others.
        std, *others = alone.loaded
        recorded = tuple((name, Linkage.STATIC) for name in others)
        return (Available(std, True, True, recorded), *(Available(name, True, False) for name in others))

    def target_specifications(self) -> dict[str, dict[str, object]]:
        """Return rustc's specification of each target."""
        command = [self._command, "--print=all-target-specs-json", "-Zunstable-options"]
        environ = {**os.environ, "RUSTC_BOOTSTRAP": "1"}
        printed = subprocess.run(command, env=environ, capture_output=True, check=True).stdout
        specifications: dict[str, dict[str, object]] = json.loads(printed)
        return specifications

    def build(self, node: Node, build: Build, libraries: Path, output: Path) -> Answer:
        """Build a crate into `output`, with dependencies from `libraries`.

        Raises: AssertionError for an error other than a linkage conflict.
        """
        source = output / f"{node.name}.rs"
        source.write_text(_source(node), encoding="utf-8")
        line = output / f"{node.name}.line"
        environ = {**os.environ, "LINK_LINE": str(line), "RUSTC_LOG_COLOR": "never"}
        environ["RUSTC_LOG"] = "rustc_metadata::creader=info"
        done = subprocess.run(
            [self._command, *self._arguments(build), f"-L{libraries}", f"--out-dir={output}", str(source)],
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        wrong = frozenset(_wrong(done.stderr))
        assert bool(wrong) == bool(done.returncode), f"{self.version} failed unexpectedly:\n{done.stderr}"
        loaded = tuple(_LOADED.findall(done.stdout + done.stderr))
        archive = output / f"lib{node.name}.a"
        found = {*_from_line(line), *_from_archive(archive), *_from_note(done.stderr)}
        linked = frozenset((name, linkage) for name, linkage in found if name not in (node.name, ALWAYS_LINKED))
        for leftover in (source, line, archive):
            leftover.unlink(missing_ok=True)
        return Answer(frozenset() if wrong else linked, wrong, loaded)

    def _arguments(self, build: Build) -> Iterator[str]:
        yield from ("--edition=2021", "--print=native-static-libs")
        yield from ("-Copt-level=0", "-Cdebuginfo=0", "-Ccodegen-units=1", "--emit=link,metadata")
        yield f"-Clinker={self._linker}"
        yield f"--crate-type={','.join(kind.value for kind in build.crate_types)}"
        if build.prefer_dynamic:
            yield "-Cprefer-dynamic"


def _source(node: Node) -> str:
    lines = [f"pub extern crate {dep};" for dep in node.dependencies]
    return "\n".join([*lines, f"pub fn of_{node.name}() {{}}", "pub fn main() {}", ""])


def _wrong(text: str) -> Iterator[tuple[str, ConflictKind]]:
    for line in text.splitlines():
        if not line.startswith("error") or line.startswith("error: aborting"):
            continue
        matches = [(match[1], kind) for pattern, kind in _ERRORS.items() if (match := pattern.fullmatch(line))]
        assert matches, f"rustc failed unexpectedly:\n{text}"
        yield from matches


def _from_line(line: Path) -> Iterator[tuple[str, Linkage]]:
    for word in line.read_text(encoding="utf-8").splitlines() if line.exists() else ():
        if match := _LIBRARY.fullmatch(os.path.basename(word)):
            yield match[1], Linkage.STATIC if match[2] == "rlib" else Linkage.DYNAMIC


def _from_archive(archive: Path) -> Iterator[tuple[str, Linkage]]:
    if archive.exists():
        listed = subprocess.run(["ar", "t", archive], capture_output=True, text=True, check=True).stdout
        yield from ((match[1], Linkage.STATIC) for name in listed.splitlines() if (match := _OBJECT.fullmatch(name)))


def _from_note(text: str) -> Iterator[tuple[str, Linkage]]:
    # A dylib cannot be put into an archive; rustc prints a note that it must be linked.
    for noted in _NOTE.findall(text):
        yield from ((name, Linkage.DYNAMIC) for name in _NOTED.findall(noted))
