"""The rounds of a soak: each a kind of damage, and the check after it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from types import FrameType

from cratewright.cache.database import EmbeddedStore
from tests.support.cache_faults import corrupt_and_build, kill_and_build
from tests.support.decoders import DECODERS
from tests.support.engine_build import build_here
from tests.support.planted import plant
from tests.support.random_tree import RandomTree
from tests.support.scons_project import IN_PLACE, SconsProject, server_of

from .cases import case_of
from .twins import Mismatch, run_case

__all__ = ["soak"]

_HANG = 900
"""Seconds after which a round counts as hanging, even on a busy machine."""
_TRIED = (
    *("edits", "kills", "corruptions", "mutants", "planted entries", "planted builds"),
    *("twin cases", "twin runs", "of them known"),
)
_WRONG = ("mismatches", "hangs", "tracebacks", "orphans", "files outside")


class Hang(BaseException):
    """A round that did not end in time."""


def soak(seconds: float, seed: int) -> tuple[Counter[str], Counter[str]]:
    """Run rounds until the time is up, each kind at least once; return the counts of attempts and failures."""
    tried = Counter(dict.fromkeys(_TRIED, 0))
    wrong = Counter(dict.fromkeys(_WRONG, 0))
    start, number = time.monotonic(), 0
    while number < len(_ROUNDS) or time.monotonic() - start < seconds:
        work = _ROUNDS[number % len(_ROUNDS)]
        own = random.Random(f"{seed} {number}")
        number += 1
        with tempfile.TemporaryDirectory(prefix="cratewright-soak-") as scratch:
            directory = Path(scratch)
            try:
                with _limit(), redirect_stdout(StringIO()):
                    work(directory, own, tried)
            except Hang:
                _report(wrong, "hangs", work, seed, number)
            except AssertionError as error:
                kind = "orphans" if "outlived" in str(error) else "files outside" if "outside" in str(error) else ""
                _report(wrong, kind or "mismatches", work, seed, number)
            except Exception as error:
                late = isinstance(error, subprocess.TimeoutExpired)
                _report(wrong, "hangs" if late else "tracebacks", work, seed, number)
    return tried, wrong


def _report(wrong: Counter[str], what: str, work: _Round, seed: int, number: int) -> None:
    wrong[what] += 1
    print(f"{what}: {work.__name__} of seed {seed}, round {number - 1}", file=sys.stderr)
    traceback.print_exc()


@contextmanager
def _limit() -> Iterator[None]:
    def late(signum: int, frame: FrameType | None) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(_HANG)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


_Round = Callable[[Path, random.Random, "Counter[str]"], None]


def _edits(directory: Path, rng: random.Random, tried: Counter[str]) -> None:
    tree = RandomTree(rng.randrange(1 << 30), "stub")
    environ = {"CRATE_CACHE": str(directory / "store"), "CRATE_CACHE_VERIFY": rng.choice("01")}
    before: dict[str, str] = {}
    for _ in range(20):
        before = tree.write(directory / "tree", before)
        found = build_here(directory / "tree", environ, before["SConstruct"])
        assert found == build_here(directory / "tree", {"CRATE_CACHE": "off"}, before["SConstruct"])
        tree.edit()
        tried["edits"] += 1


def _kills(directory: Path, rng: random.Random, tried: Counter[str]) -> None:
    summary = kill_and_build(directory, kills=2, builds=2, seed=rng.randrange(1 << 30))
    tried["kills"] += int(summary.split()[0])


def _corruptions(directory: Path, rng: random.Random, tried: Counter[str]) -> None:
    corrupt_and_build(directory, times=20, seed=rng.randrange(1 << 30))
    tried["corruptions"] += 20


def _mutants(directory: Path, rng: random.Random, tried: Counter[str]) -> None:
    for decoder in DECODERS.values():
        for seed in decoder.seeds():
            for _ in range(40):
                with suppress(*decoder.errors):
                    decoder.decode(_mutated(seed, rng))
                tried["mutants"] += 1


def _mutated(data: bytes, rng: random.Random) -> bytes:
    for _ in range(rng.choice((1, 1, 2, 8))):
        first = rng.randrange(len(data) + 1)
        last = min(len(data), first + rng.choice((0, 1, 1, 4, 40)))
        middle = rng.choice(
            (b"", data[first:last] * 2, rng.randbytes(last - first), rng.randbytes(4), b"\xff" * rng.choice((1, 4, 8)))
        )
        data = data[:first] + middle + data[last:]
    return data


def _planted(directory: Path, rng: random.Random, tried: Counter[str]) -> None:
    """A planted entry may spoil results, but write nowhere else; once it is gone, results are right again."""
    tree = RandomTree(rng.randrange(1 << 30), "stub")
    root, store, outside = directory / "tree", directory / "store", directory / "outside"
    before = tree.write(root, {})
    os.mkfifo(root / "pipe")
    (root / "outside").mkdir()
    outside.mkdir()
    environ = {"CRATE_CACHE": str(store)}
    expected = build_here(root, environ, before["SConstruct"])
    opened = EmbeddedStore(str(store))
    whole = dict(opened.entries())
    there = _files(directory)
    for _ in range(12):
        opened.put_many({key: plant(key, data, rng) for key, data in whole.items()})
        opened.flush()
        tried["planted entries"] += len(whole)
        build_here(root, environ, before["SConstruct"])
        tried["planted builds"] += 1
    opened.put_many(whole)
    opened.close()
    assert build_here(root, environ, before["SConstruct"]) == expected
    new = {path for path in _files(directory) - there if not path.is_relative_to(store)}
    assert all(path.suffix == ".history" for path in new), f"files outside: {sorted(map(str, new))}"
    assert not list(outside.iterdir()) and not Path("/tmp/cratewright-planted").exists(), "files outside"


def _planted_scons(directory: Path, rng: random.Random, tried: Counter[str]) -> None:
    """The same through SCons, which writes outputs."""
    tree = RandomTree(rng.randrange(1 << 30), "stub")
    project, outside = SconsProject(directory / "tree"), directory / "outside"
    project.timeout = _HANG
    outside.mkdir()
    store = directory / "store"
    project.environ["CRATE_CACHE"] = str(store)
    project.write(tree.write(project.path, {}))
    project.scons()
    sources = set(tree.files())
    opened = EmbeddedStore(str(store))
    whole = dict(opened.entries())
    for _ in range(2):
        opened.put_many({key: plant(key, data, rng) for key, data in whole.items()})
        opened.flush()
        tried["planted entries"] += len(whole)
        project.scons("-c")
        project.scons("-j2", expect=None)
        tried["planted builds"] += 1
        assert not list(outside.iterdir()) and not (directory / "planted").exists(), "files outside"
        for path in sources:
            assert (project.path / path).read_text() == tree.files()[path], f"files outside: {path} was changed"
    opened.put_many(whole)
    opened.close()


def _twins(directory: Path, rng: random.Random, tried: Counter[str]) -> None:
    """With random SConstructs and edits, a recognised null build differs from a full run in nothing visible."""
    seed = rng.randrange(1 << 30)
    counts: Counter[str] = Counter()
    try:
        run_case(case_of(seed), directory / "twins", server_of(IN_PLACE), counts)
    except Mismatch as error:
        raise AssertionError(f"twins of seed {seed}, after step {error.step}:\n{error}") from error
    finally:
        tried["twin cases"] += 1
        tried["twin runs"] += counts["runs"]
        tried["of them known"] += counts["known"]


def _files(directory: Path) -> set[Path]:
    return {path for path in directory.rglob("*") if not path.is_dir()}


_ROUNDS: tuple[_Round, ...] = (
    _edits,
    _planted,
    _mutants,
    _corruptions,
    _edits,
    _planted,
    _mutants,
    _kills,
    _edits,
    _planted,
    _planted_scons,
    _twins,
)
