"""The full set of the cache's fault tests: kills, corruption and a full disk.

    python -m tests.bench cache-faults [--kills N] [--corruptions N] [--fills N]

The full disk is a tmpfs of 300 kB, which requires the right to mount; without it that part is skipped, with a message.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from tests.support.cache_faults import corrupt_and_build, fill_and_build, kill_and_build


def _on_a_full_disk(directory: Path, times: int) -> str:
    store = directory / "disk"
    store.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(store)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"no full disk: {done.stderr.strip()}"
    try:
        return fill_and_build(directory, store, times=times)
    finally:
        subprocess.run(["umount", str(store)], check=True)


def main(arguments: list[str]) -> int:
    """Run all tests and print a summary; a failure is an assertion error."""
    parser = argparse.ArgumentParser(description="faults of a store while builds use it")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--corruptions", type=int, default=1000)
    parser.add_argument("--fills", type=int, default=60)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="cache-faults-") as scratch:
        for name, work in (
            ("corruptions", lambda path: corrupt_and_build(path, times=chosen.corruptions)),
            ("full disk", lambda path: _on_a_full_disk(path, chosen.fills)),
            ("kills", lambda path: kill_and_build(path, kills=chosen.kills, builds=4)),
        ):
            directory = Path(scratch, name.replace(" ", "-"))
            directory.mkdir()
            start = time.monotonic()
            with redirect_stdout(StringIO()):  # builds print their output, which only failing tests need
                answer = work(directory)
            print(f"{name}: {answer} ({time.monotonic() - start:.0f} s)", flush=True)
    return 0
