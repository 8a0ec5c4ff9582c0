"""Starts a new Python that is given a socket, on any system."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence

from ..base.host import WINDOWS, new_group


def isolated() -> list[str]:
    """Return the flags of a Python that ignores its environment, but keeps bytecode where this one does, if at all.

    Shape: a plugin is edited while its author builds, so bytecode that the author does not want may be out of date.
    """
    place = ["-X", f"pycache_prefix={sys.pycache_prefix}"] if sys.pycache_prefix else []
    return ["-I", *(["-B"] if sys.dont_write_bytecode else []), *place]


def start_interpreter(code: str, given: socket.socket, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a new Python that runs some code, and pass it a socket, which `adopt` returns there.

    Shape: its standard input is a pipe whose other end only this process holds; its output is discarded.
    Raises: OSError.
    """
    # The `python.exe` of a virtual environment starts another, whose process id would be unknown.
    program = getattr(sys, "_base_executable", sys.executable) if WINDOWS else sys.executable
    # `site` installs further finders, such as those of editable installs.
    plain = ["-S"] if all(getattr(finder, "__module__", "")[:7] == "_frozen" for finder in sys.meta_path) else []
    words: Sequence[str] = [program, *isolated(), *plain, "-c", code, *([] if WINDOWS else [str(given.fileno())])]
    process = subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env=dict(environ),
        pass_fds=() if WINDOWS else (given.fileno(),),
        **new_group(),
    )
    if WINDOWS:  # where sockets are not inherited
        assert process.stdin is not None
        data: bytes = given.share(process.pid)  # type: ignore[attr-defined, unused-ignore]
        process.stdin.write(len(data).to_bytes(4, "big") + data)
        process.stdin.flush()
    return process


def adopt() -> socket.socket:
    """Return the socket that this process was given at its start."""
    if len(sys.argv) > 1:
        given = socket.socket(fileno=int(sys.argv[1]))
        given.set_inheritable(False)
        return given
    size = int.from_bytes(_exactly(4), "big")
    return socket.fromshare(_exactly(size))  # type: ignore[attr-defined, no-any-return, unused-ignore]


def _exactly(size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = os.read(0, size - len(data))
        if not part:
            raise EOFError
        data += part
    return data
