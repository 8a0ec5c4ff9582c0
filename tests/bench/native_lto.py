"""Link-time optimization of native crates, compared with a plain SCons build with the same compiler.

    python -m tests.bench native-lto [--cc clang-19] [--repeat N] [--rounds N] [--every] [--zstd DIRECTORY]

It builds, edits one file and rebuilds, and reads sizes, CPU seconds and the modules that were optimized again. The
project is Lua 5.4 (`examples/lua`), or with `--zstd` zstd from a directory of sources: with its own program if there is
`programs` beside `lib`, as in a release, otherwise with a small program around the library, as in `src/c/zstd` of the
source distribution of `backports.zstd`. The plain build uses lld's cache for thin LTO. In every round each edit is
a different text, which no cache has, and is made to all builds in turn, in the opposite order every other round. With
`--every` each source gets a new function in turn, for the two thin builds.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from tests.native_e2e.lld_cache import new_entries, redone

from .measure import scons
from .native_lto_projects import NOT_LUA, Project, Run, lua, run_command, zstd


class Crates:
    """The project as crates, in its own directory."""

    def __init__(self, project: Project, where: Path, compiler: str, lto: str) -> None:
        self.name = f"crates, {lto}"
        self.where = where
        self.project = project
        project.copy(where, project.crates)
        self._lto = lto
        self._environ = {**os.environ, "CRATE_CC": compiler, "CRATE_CACHE": str(where / ".crate-cache")}

    def build(self) -> Run:
        """Build the program."""
        words = scons(f"lto={self._lto}", self.project.program)
        return run_command(*words, cwd=self.where, env=self._environ)

    def redone(self, output: str) -> list[str]:
        """Return the modules that thin LTO optimized again."""
        return redone(self.where, output, self.project.program)


class Plain:
    """A plain SCons build of the same sources; thin LTO uses lld's cache."""

    def __init__(self, project: Project, where: Path, compiler: str, lto: str) -> None:
        self.name = f"plain SCons, {lto}"
        self.where = where
        self.project = project
        project.copy(where, project.plain)
        self._environ = {**os.environ, "BENCH_CC": compiler}
        self._words = [f"lto={lto}", *(["cache=.lto"] if lto == "thin" else [])]
        self._seen: set[str] = set()

    def build(self) -> Run:
        """Build the program."""
        words = ["-Q", "-j2", *self._words, self.project.program]
        return run_command(sys.executable, "-m", "SCons", *words, cwd=self.where, env=self._environ)

    def redone(self, output: str) -> list[str]:
        """Return the modules that were not in lld's cache."""
        return new_entries(self.where / ".lto", self._seen)


Builds = dict[tuple[str, str], Crates | Plain]


def main(arguments: list[str]) -> int:
    """Measure and print tables in Markdown."""
    parser = argparse.ArgumentParser(description="measure LTO of native crates beside a plain SCons build")
    parser.add_argument("--cc", default="clang-19", help="a numbered clang, with its lld and llvm-ar installed")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each program")
    parser.add_argument("--rounds", type=int, default=5, help="how often each edit is made")
    parser.add_argument("--every", action="store_true", help="edit every source once as well")
    parser.add_argument("--zstd", type=Path, help="a directory of zstd's sources")
    given = parser.parse_args(arguments)
    project = zstd(given.zstd) if given.zstd else lua()
    with tempfile.TemporaryDirectory(prefix="native-lto-") as work:
        builds: Builds = {}
        for lto in ("off", "thin", "fat"):
            builds["Plain", lto] = Plain(project, Path(work, f"plain-{lto}"), given.cc, lto.replace("fat", "full"))
            builds["Crates", lto] = Crates(project, Path(work, f"crates-{lto}"), given.cc, lto)
        clean(builds)
        speed(builds, given.repeat)
        if given.rounds:
            edits(builds, given.rounds)
        if given.every:
            every(builds["Plain", "thin"], builds["Crates", "thin"])
    return 0


def clean(builds: Builds) -> None:
    """Build all from scratch, and compare the sizes of the outputs."""
    print("| build | CPU s | stripped bytes | ratio |\n|---|---|---|---|")
    for lto in ("off", "thin", "fat"):
        sizes = {}
        for kind in ("Plain", "Crates"):
            build = builds[kind, lto]
            done = build.build()
            build.redone(done.output)
            run_command("strip", "-o", "stripped", build.project.program, cwd=build.where)
            sizes[kind] = (build.where / "stripped").stat().st_size
            print(f"| {build.name} | {done.cpu:.1f} | {sizes[kind]} | {sizes[kind] / sizes['Plain']:.3f} |")


def speed(builds: Builds, repeat: int) -> None:
    """Run the same work with all programs in turn; print the least CPU time of each."""
    times: dict[tuple[str, str], float] = {}
    for _ in range(repeat):
        for key, build in builds.items():
            project = build.project
            done = run_command(build.where / project.program, *project.arguments, cwd=build.where)
            times[key] = min(times.get(key, done.cpu), done.cpu)
    print("\n| program | CPU s | ratio |\n|---|---|---|")
    for (kind, lto), seconds in times.items():
        print(f"| {builds[kind, lto].name} | {seconds:.3f} | {seconds / times['Plain', lto]:.3f} |")


def edits(builds: Builds, rounds: int) -> None:
    """Edit one file and rebuild, side by side; print the cost, and whether the same modules were optimized again."""
    chosen = [(kind, lto) for lto in ("thin", "fat") for kind in ("Plain", "Crates")]
    runs: dict[tuple[str, str, str], list[Run]] = defaultdict(list)
    agreed: dict[str, list[str]] = {}
    project = builds["Plain", "thin"].project
    for number in range(1, rounds + 1):
        for name, edit in project.edits.items():
            modules = {}
            for key in chosen if number % 2 else reversed(chosen):
                build = builds[key]
                make(build.where, edit, number)
                done = build.build()
                runs[(name, *key)].append(done)
                if key[1] == "thin":
                    modules[key[0]] = build.redone(done.output)
            ours, theirs = modules["Crates"], modules["Plain"]
            said = f"{len(ours)}, the same" if ours == theirs else f"ours {ours}, lld's {theirs}"
            agreed.setdefault(name, []).append(said)
    times = "CPU s, best | median | wall s, best | median"
    print(f"\n| edit | build | {times} | x lld cache, CPU | wall | fat / this, CPU | wall |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, edit in project.edits.items():
        for key in chosen:
            row = times_row(*(runs[(name, *other)] for other in (key, ("Plain", "thin"), ("Plain", "fat"))))
            print(f"| {name} ({os.path.basename(edit[0])}) | {builds[key].name} | {row} |")
    print("\nRatios are of the best times; fat is that of the plain build. Modules done anew, in each round:")
    for name, words in agreed.items():
        print(f"  {name}: {'; '.join(words)}")


def every(plain: Plain | Crates, crates: Plain | Crates) -> None:
    """Add a function to each source in turn, and compare the costs of the two builds."""
    project = plain.project
    files = [path.relative_to(plain.where) for path in sorted(plain.where.glob(project.sources))]
    files = [file for file in files if file.name not in NOT_LUA]
    pairs: list[tuple[Run, Run]] = []
    same = 0
    for number, file in enumerate(files):
        done: dict[Plain | Crates, Run] = {}
        for build in (plain, crates) if number % 2 else (crates, plain):
            with (build.where / file).open("a", encoding="utf-8") as stream:
                stream.write(f"\nint bench_added_{number}(int x) {{ return x * {number + 3}; }}\n")
            done[build] = build.build()
        same += plain.redone(done[plain].output) == crates.redone(done[crates].output)
        pairs.append((done[crates], done[plain]))
    print(f"\n{len(files)} sources edited, each once; the same modules done anew for {same}. Ratios to lld's cache:")
    for unit, seconds in (
        ("CPU", [(ours.cpu, theirs.cpu) for ours, theirs in pairs]),
        ("wall", [(ours.wall, theirs.wall) for ours, theirs in pairs]),
    ):
        ratios = sorted(ours / theirs for ours, theirs in seconds)
        total = sum(ours for ours, _ in seconds) / sum(theirs for _, theirs in seconds)
        print(
            f"  {unit}: in all {total:.2f}, median {statistics.median(ratios):.2f}, {ratios[0]:.2f} to {ratios[-1]:.2f}"
        )


def make(where: Path, edit: tuple[str, str, int], number: int) -> None:
    """Make the edit of round `number`."""
    file, before, value = edit
    path = where / file
    pattern = rf"({re.escape(before)})\d+"
    text, count = re.subn(pattern, rf"\g<1>{value + number}", path.read_text(encoding="utf-8"))
    if count != 1:
        sys.exit(f"{file} has {before!r} {count} times")
    path.write_text(text, encoding="utf-8")


def times_row(this: list[Run], cached: list[Run], fat: list[Run]) -> str:
    """Return the cells of a row: the cost of one kind of build, and its ratios to two others."""
    cells: list[str] = []
    for seconds in ([run.cpu for run in this], [run.wall for run in this]):
        cells += [f"{min(seconds):.2f}", f"{statistics.median(seconds):.2f}"]
    best = [(min(run.cpu for run in runs), min(run.wall for run in runs)) for runs in (this, cached, fat)]
    cells += [f"{mine / theirs:.2f}" for mine, theirs in zip(best[0], best[1], strict=True)]
    cells += [f"{theirs / mine:.1f}" for mine, theirs in zip(best[0], best[2], strict=True)]
    return " | ".join(cells)
