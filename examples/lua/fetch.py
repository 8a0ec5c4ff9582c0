"""Lua 5.4 with its own tests, out of the source distribution of lupa, fetched by pip.

Knows nothing of what is built from it: it yields a directory of pinned files.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from cratewright.base.errors import ConfigurationError, CratewrightError, FormatError, OutputError, ToolError

__all__ = ["fetch"]

NAME, VERSION = "lupa", "2.8"
SHA256 = "d8022641b9ec8ecf2c5ecbe9f47e5a70e0b87c4b5ae921b92cb02a638e0acd08"
STEM = f"{NAME}-{VERSION}"
VENDORED = f"{STEM}/third-party/lua54/"

COPY = "LUA_SDIST"
CACHE = ".sdist"


def fetch(beside: Path) -> Path:
    """Return the directory of Lua, making it first if it is not there.

    Raises: ConfigurationError, FormatError, OutputError, ToolError.
    """
    cache = beside / CACHE
    lua = cache / "lua54"
    if lua.is_dir():
        return lua
    try:
        cache.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as work:
            _unpack(_checked(_given() or _download(Path(work))), Path(work, "lua54"))
            Path(work, "lua54").rename(lua)
    except OSError as error:
        if not lua.is_dir():  # another build may have been first
            raise OutputError("Lua cannot be kept", context=[("in", cache), ("why", error)]) from error
    return lua


def _given() -> Path | None:
    copy = os.environ.get(COPY)
    if copy and not Path(copy).is_file():
        raise ConfigurationError(f"{COPY} names no file", context=[("file", copy)], hint="unset it to let pip fetch it")
    return Path(copy) if copy else None


def _download(work: Path) -> Path:
    # pip runs the build backend of a source distribution even to download it: given the digest in a file of
    # requirements, it checks the archive first. Only this package is wanted as source, not its build backend.
    requirements = work / "requirements.txt"
    requirements.write_text(f"{NAME}=={VERSION} --hash=sha256:{SHA256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-binary", NAME, "--dest", str(work), "--requirement", str(requirements)]
    print(f"fetching {NAME} {VERSION} (6 MB, once)", file=sys.stderr, flush=True)
    # Merely asked for its name it would translate itself once for each Lua that it brings, and build LuaJIT.
    environ = {**os.environ, "LUPA_NO_BUNDLE": "true", "LUPA_USE_BUNDLE": "true"}
    done = subprocess.run(command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    archive = work / f"{STEM}.tar.gz"
    if done.returncode or not archive.is_file():
        raise ToolError(
            f"pip could not fetch {NAME} {VERSION}",
            context=[("said", done.stderr.strip())],
            hint=f"set {COPY} to a copy of {STEM}.tar.gz to build without a network",
        )
    return archive


def _checked(archive: Path) -> Path:
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != SHA256:
        rows = [("file", archive), ("sha256", found), ("wanted", SHA256)]
        raise FormatError(f"{archive.name} is not {NAME} {VERSION}", context=rows)
    return archive


def _unpack(archive: Path, target: Path) -> None:
    try:
        with tarfile.open(archive) as members:
            for member in members:
                stream = members.extractfile(member) if member.name.startswith(VENDORED) else None
                if stream is not None:
                    path = target / member.name.removeprefix(VENDORED)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(stream.read())
    except (tarfile.TarError, EOFError) as error:
        raise FormatError("the archive is damaged", context=[("file", archive), ("why", error)]) from error


def main() -> int:
    """Fetch Lua beside this file, or the archive alone into a directory that is named, and print where it is."""
    parser = argparse.ArgumentParser(description="fetch Lua")
    parser.add_argument("--archive", metavar="DIRECTORY", type=Path, help="keep the archive there and unpack nothing")
    directory = parser.parse_args().archive
    try:
        print(_checked(_download(directory)) if directory else fetch(Path(__file__).resolve().parent))
    except CratewrightError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
