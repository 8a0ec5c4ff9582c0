"""lld's ThinLTO cache, fed the bitcode of a project's crates: the reference for what an edit should redo."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from cratewright.cache.history import decode_history
from cratewright.formats.stage_record import history_in
from cratewright.rules.output_name import state_path
from cratewright_native.toolchains.choose import choose_toolchain
from tests.native_e2e.native_scons import NativeProject
from tests.support.native_project import TARGET

__all__ = ["LIBRARY", "PROGRAM", "LldCache", "new_entries", "redone"]

PROGRAM = ("-pie", "-e", "main")
"""Flags that link a program."""
LIBRARY = ("-shared", "--undefined=main", "--version-script=main.map")
"""Flags whose symbol resolution suits any crate type, as a crate's LTO result must."""

_FILE = re.compile(r" FILE .* (\S+)$", re.MULTILINE)
_JOB = re.compile(r"optimize_thin: .*: thin LTO of (.+)\.bc")


class LldCache:
    """Links a project's bitcode with lld, with a cache of its own."""

    def __init__(self, project: NativeProject, crates: Sequence[str], kind: Sequence[str]) -> None:
        """Link the first of `crates` whole and the others as archives; `kind` is `PROGRAM` or `LIBRARY`."""
        self._project = project
        self._crates = crates
        self._kind = kind
        self._directory = project.path / ".lld" / kind[0].lstrip("-")
        self._directory.mkdir(parents=True)
        (self._directory / "main.map").write_text("{ global: main; local: *; };\n")
        toolchain = choose_toolchain(str(project.path), compiler=project.environ["CRATE_CC"])
        self._linker = toolchain.lld(TARGET)
        self._seen: set[str] = set()

    def fresh(self) -> list[str]:
        """Link, and return the sources of the modules that missed the cache."""
        inputs: list[str] = []
        for crate in self._crates:
            for name, module in self._project.linked_modules(crate).items():
                path = self._directory / f"{crate}-{name.replace('/', '-')}"
                path.write_bytes(module.data)
                inputs.append(str(path))
            if crate == self._crates[0]:
                inputs.append("--start-lib")
        words = [*self._kind, "--lto-O3", "--thinlto-cache-dir=cache", "-o", "/dev/null"]
        subprocess.run([*self._linker, *words, *inputs, "--end-lib"], check=True, cwd=self._directory)
        return new_entries(self._directory / "cache", self._seen)


def new_entries(cache: Path, seen: set[str]) -> list[str]:
    """Return the sources of lld's cache entries that are not in `seen`, and add them to it.

    Shape: names without directories, as objects have them; sorted.
    """
    fresh = sorted({path.name for path in cache.glob("llvmcache-*")} - seen)
    seen.update(fresh)
    words = ["readelf", "-sW", *fresh]
    symbols = subprocess.run(words, cwd=cache, capture_output=True, text=True, check=True).stdout if fresh else ""
    sources = _FILE.findall(symbols)
    assert len(sources) == len(fresh), f"{len(fresh)} objects name these sources: {sources}"
    return sorted(sources)


def redone(directory: Path, output: str, program: str) -> list[str]:
    """Return the sources of the modules that thin LTO optimized again in the SCons run that printed `output`.

    Shape: names without directories, sorted.
    """
    if f"crate {program}: thin LTO" not in output:
        return []
    history = decode_history(history_in(Path(state_path(str(directory / f"{program}.bin.lto"))).read_bytes()))
    found = {label: _JOB.fullmatch(label) for label, record in history.items() if record.causes}
    return sorted(os.path.basename(match[1]) for match in found.values() if match)
