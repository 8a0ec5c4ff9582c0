"""A second checkout, at another path and with an empty local store, built from a cache on a server.

    python -m tests.bench remote-cache EXAMPLE URL [--latency MS] [--jobs N]

EXAMPLE is a project, such as examples/llama-shaders; each checkout is a copy. With a latency, all traffic goes through
a relay that delays it by that time. Exit status 1 if the second checkout computes anything, or its outputs differ from
those of the clean build.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from .measure import LEFT, scons

MADE = (".spv", ".so", ".a", ".rlib", ".bc")


def relay(host: str, port: int, seconds: float) -> int:
    """Start a relay to a server that delays all traffic; return its port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def pump(source: socket.socket, target: socket.socket) -> None:
        pieces: list[tuple[float, bytes]] = []
        ready = threading.Condition()

        def send() -> None:
            while True:
                with ready:
                    while not pieces:
                        ready.wait()
                    due, data = pieces.pop(0)
                time.sleep(max(0.0, due - time.monotonic()))
                if not data:
                    target.shutdown(socket.SHUT_WR)
                    return
                target.sendall(data)

        threading.Thread(target=send, daemon=True).start()
        while True:
            data = source.recv(1 << 16)
            with ready:
                pieces.append((time.monotonic() + seconds / 2, data))
                ready.notify()
            if not data:
                return

    def accept() -> None:
        while True:
            near, _ = listener.accept()
            far = socket.create_connection((host, port))
            for pair in ((near, far), (far, near)):
                pair[0].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=pump, args=pair, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return int(listener.getsockname()[1])


def _build(example: Path, scratch: Path, name: str, url: str, jobs: int) -> tuple[float, int, int, str]:
    """Return the seconds of a build, its numbers of computed and reused results, and the digest of its outputs."""
    directory = scratch / name / "checkout"
    shutil.copytree(example, directory, ignore=shutil.ignore_patterns(*LEFT))
    environ = {**os.environ, "CRATE_CACHE": f"{directory.parent / 'store'}, {url}" if url else "off"}
    start = time.monotonic()
    done = subprocess.run(scons(jobs=jobs), cwd=directory, env=environ, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - start
    if done.returncode or "cratewright: " in done.stderr:
        raise SystemExit(done.stdout[-2000:] + done.stderr)
    made = sum(int(count) for count in re.findall(r"(\d+) (?:compiled|linked)", done.stdout))
    reused = sum(int(count) for count in re.findall(r"(\d+) reused$", done.stdout, re.M))
    digest = hashlib.sha256()
    for path in sorted(directory.rglob("*")):
        if path.is_file() and (path.suffix in MADE or os.access(path, os.X_OK)):
            digest.update(path.relative_to(directory).as_posix().encode() + path.read_bytes())
    return seconds, made, reused, digest.hexdigest()[:12]


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="wall seconds of a clean build and of one from a cache on a server")
    parser.add_argument("example", type=Path)
    parser.add_argument("url")
    parser.add_argument("--latency", type=float, default=0.0, help="milliseconds of a round trip more")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args(arguments)
    url, parts = chosen.url, urlsplit(chosen.url)
    if chosen.latency:
        port = relay(parts.hostname or "", parts.port or 80, chosen.latency / 1000)
        url = url.replace(parts.netloc, f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{port}".lstrip("@"))
    print(f"{'':<10}{'wall s':>8}{'made':>7}{'reused':>8}  outputs")
    with tempfile.TemporaryDirectory(prefix="remote-cache-") as scratch:
        rows = []
        for name, place in (("clean", ""), ("first", chosen.url), ("second", url)):
            row = _build(chosen.example, Path(scratch), name, place, chosen.jobs)
            print(f"{name:<10}{row[0]:>8.2f}{row[1]:>7}{row[2]:>8}  {row[3]}", flush=True)
            rows.append(row)
    clean, _, second = rows
    print(f"{second[0] / clean[0]:.2f} of clean")
    return int(bool(second[1]) or second[3] != clean[3])
