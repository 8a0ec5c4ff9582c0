"""A project built on this machine and with its compilers on a server's machines: equal files, and the cost.

    python -m tests.bench remote-execution EXAMPLE [--server URL] [--sdk DIRECTORY] [--mode MODE] [NAME=VALUE...]

EXAMPLE is a project, such as examples/lua; each build is of a copy, with an empty cache. Without a server it runs
buildbox-casd, whose sandboxes contain the system and the SDK. Exit status 1 if a file differs, or nothing ran
remotely.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.casd import serving_casd

from .measure import LEFT, scons

_PYTHON = "/usr/bin/python3"
_EVENTS = "events.jsonl"


def _digests(directory: Path) -> dict[str, str]:
    """Return the digests of a build's outputs by path, without files that describe only this build."""
    return {
        path.relative_to(directory).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not any(part.startswith(".") or part == "__pycache__" for part in path.parts)
    }


def _build(example: Path, place: Path, words: list[str], environ: dict[str, str]) -> tuple[float, int, dict[str, str]]:
    """Return the seconds of a build, the number of programs that ran remotely, and its outputs."""
    directory = place / "project"
    shutil.copytree(example, directory, ignore=shutil.ignore_patterns(*LEFT))
    environ = {**os.environ, **environ, "CRATE_CACHE": str(place / "store"), "CRATE_EVENTS": str(place / _EVENTS)}
    start = time.monotonic()
    command = [*scons(jobs=os.cpu_count() or 1), *words]
    done = subprocess.run(command, cwd=directory, env=environ, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - start
    if done.returncode or "cratewright: " in done.stderr:
        raise SystemExit(done.stdout[-2000:] + done.stderr)
    ended = json.loads((place / _EVENTS).read_text(encoding="utf-8").splitlines()[-1])
    return seconds, ended["elsewhere"], _digests(directory)


def main(arguments: list[str]) -> int:
    """Build, compare and print."""
    parser = argparse.ArgumentParser(description="a project built here and on the machines of a server")
    parser.add_argument("example", type=Path)
    parser.add_argument("words", nargs="*", metavar="NAME=VALUE", help="words for scons")
    parser.add_argument("--server", help="its URL, as CRATE_REMOTE takes it (default: run buildbox-casd)")
    parser.add_argument("--sdk", type=Path, metavar="DIRECTORY", help="compile shaders by its programs")
    parser.add_argument("--mount", action="append", default=[], help="a directory that sandboxes have as well")
    parser.add_argument("--mode", default="", help="as CRATE_REMOTE_MODE takes it")
    parser.add_argument("--remote-jobs", default="2", metavar="N")
    chosen = parser.parse_intermixed_args(arguments)
    tools = {}
    if chosen.sdk:
        tools = {"CRATE_SPIRV_SDK": str(chosen.sdk.resolve()), "CRATE_GLSLANG": "sdk"}
    print(f"{'':<8}{'wall s':>8}{'elsewhere':>11}{'files':>7}")
    with tempfile.TemporaryDirectory(prefix="remote-execution-") as scratch:
        farm = Path(scratch, "farm")
        farm.mkdir()
        rows = []
        with _server(chosen, farm) as url:
            remote = {"CRATE_REMOTE": url, "CRATE_REMOTE_PYTHON": _PYTHON, "CRATE_REMOTE_JOBS": chosen.remote_jobs}
            if chosen.mode:
                remote["CRATE_REMOTE_MODE"] = chosen.mode
            for name, environ in (("here", tools), ("there", {**tools, **remote})):
                rows.append(_build(chosen.example, Path(scratch, name), chosen.words, environ))
                seconds, elsewhere, made = rows[-1]
                print(f"{name:<8}{seconds:>8.1f}{elsewhere:>11}{len(made):>7}", flush=True)
    here, there = rows[0][2], rows[1][2]
    differ = sorted(path for path in {*here, *there} if here.get(path) != there.get(path))
    print(f"{len(differ)} differ{'s' * (len(differ) == 1)}{': ' * bool(differ)}{' '.join(differ[:10])}")
    return int(bool(differ) or not rows[1][1])


@contextlib.contextmanager
def _server(chosen: argparse.Namespace, directory: Path) -> Iterator[str]:
    if chosen.server:
        yield chosen.server
        return
    mounts = [*chosen.mount, *([str(chosen.sdk.resolve())] if chosen.sdk else [])]
    with serving_casd(directory, mounts) as own:
        yield own
