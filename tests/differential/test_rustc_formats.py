"""Our dependency formats against those of the real rustc, on random graphs.

`CRATE_RUSTC_GRAPHS` sets the number of graphs; those after the first 20 run with `--exhaustive`. `CRATE_RUSTC_SEED`
sets the first seed. The cases at the end are rare in random graphs, or were once decided wrongly.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cratewright.rules.dependency_format import Available, Linkage, Resolution, resolve
from cratewright.rules.linkage_conflict import ConflictKind
from cratewright.values.crate_type import CrateType

from .crate_graphs import Build, Forms, Node, Sample, available, random_graph
from .rustc import ALWAYS_LINKED, Answer, Rustc

GRAPHS = int(os.environ.get("CRATE_RUSTC_GRAPHS", "30"))
DEFAULT_GRAPHS = 20
FIRST_SEED = int(os.environ.get("CRATE_RUSTC_SEED", "0"))


@dataclass
class Report:
    """The results of a graph's builds."""

    differences: list[str] = field(default_factory=list)
    seen: Counter[object] = field(default_factory=Counter)


class Comparison:
    """Builds one graph with rustc, and compares each build with the result of our rules."""

    def __init__(self, rustc: Rustc, sample: Sample, directory: Path) -> None:
        self.report = Report()
        self._rustc = rustc
        self._sample = sample
        self._directory = directory
        self._libraries = {node.name: node for node in sample.libraries}
        self._forms = {name: Forms() for name in self._libraries}

    def run(self) -> Report:
        """Build the libraries, then the root with each of its builds."""
        self._directory.mkdir()
        for node in self._sample.libraries:
            self._build_library(node)
            if not node.lost_late:
                self._delete_lost(node)
        for node in self._sample.libraries:
            self._delete_lost(node)
        output = self._directory / "root"
        for build in self._sample.root.builds:
            output.mkdir()
            self._compare(self._sample.root, build, output)
            shutil.rmtree(output)
        shutil.rmtree(self._directory)
        return self.report

    def _build_library(self, node: Node) -> None:
        for build in node.builds:
            forms = self._compare(node, build, self._directory)
            if forms is not None:
                self._forms[node.name] = forms
                return
            for leftover in self._directory.glob(f"lib{node.name}.*"):
                leftover.unlink()

    def _delete_lost(self, node: Node) -> None:
        forms = self._forms[node.name]
        for form, suffix in ((CrateType.RLIB, "rlib"), (CrateType.DYLIB, "so")):
            if form in node.lost:
                (self._directory / f"lib{node.name}.{suffix}").unlink(missing_ok=True)
        forms.rlib = forms.rlib and CrateType.RLIB not in node.lost
        forms.dylib = forms.dylib and CrateType.DYLIB not in node.lost

    def _compare(self, node: Node, build: Build, output: Path) -> Forms | None:
        """Build one crate, record differences, and return its forms, or None if it cannot be linked."""
        crates = available(node, self._libraries, self._forms, self._rustc.std)
        resolutions = {kind: resolve(kind, crates, prefer_dynamic=build.prefer_dynamic) for kind in build.crate_types}
        ours = _expected(resolutions, crates)
        theirs = self._rustc.build(node, build, self._directory, output)
        self._record(node, build, ours, theirs)
        if theirs.wrong:
            return None
        recorded = resolutions[CrateType.DYLIB].formats.recorded if CrateType.DYLIB in resolutions else ()
        return Forms(CrateType.RLIB in resolutions, CrateType.DYLIB in resolutions, recorded)

    def _record(self, node: Node, build: Build, ours: Answer, theirs: Answer) -> None:
        seen = self.report.seen
        seen.update((str(build).split(" ", maxsplit=1)[0], "error" if theirs.wrong else "linked"))
        seen.update({kind for _, kind in theirs.wrong} | {linkage for _, linkage in theirs.linked})
        if ours != theirs:
            lines = (
                f"seed {self._sample.seed}: {node.name} as {build}; loaded {ours.loaded}, by rustc {theirs.loaded}",
                *(str(library) for library in (*self._sample.libraries, self._sample.root)),
                f"only we say:     {_described(ours.linked - theirs.linked, ours.wrong - theirs.wrong)}",
                f"only rustc says: {_described(theirs.linked - ours.linked, theirs.wrong - ours.wrong)}",
            )
            self.report.differences.append("\n  ".join(lines))


def _expected(resolutions: dict[CrateType, Resolution], crates: tuple[Available, ...]) -> Answer:
    conflicts = {(conflict.crate, conflict.kind) for found in resolutions.values() for conflict in found.conflicts}
    linked = {item for found in resolutions.values() for item in found.formats.recorded if item[0] != ALWAYS_LINKED}
    loaded = tuple(crate.name for crate in crates)
    return Answer(frozenset() if conflicts else frozenset(linked), frozenset(conflicts), loaded)


def _described(*facts: frozenset[tuple[str, Linkage]] | frozenset[tuple[str, ConflictKind]]) -> str:
    return ", ".join(sorted(f"{name} {fact.value}" for some in facts for name, fact in some))


@pytest.fixture(
    scope="module",
    params=[range(DEFAULT_GRAPHS), pytest.param(range(DEFAULT_GRAPHS, GRAPHS), marks=pytest.mark.exhaustive)],
)
def reports(request: pytest.FixtureRequest, rustc: Rustc, tmp_path_factory: pytest.TempPathFactory) -> list[Report]:
    directory = tmp_path_factory.mktemp("graphs")
    seeds = [FIRST_SEED + number for number in request.param]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda seed: Comparison(rustc, random_graph(seed), directory / str(seed)).run(), seeds))


def test_every_build_agrees_with_rustc(rustc: Rustc, reports: list[Report]) -> None:
    differences = [difference for report in reports for difference in report.differences]
    builds = sum(report.seen["linked"] + report.seen["error"] for report in reports)
    shown = "\n".join(differences[:5])
    assert not differences, f"{len(differences)} of {builds} builds differ from {rustc.version}:\n{shown}"


def test_random_graphs_cover_every_outcome(reports: list[Report]) -> None:
    seen = sum((report.seen for report in reports), Counter[object]())
    print({getattr(key, "value", key): count for key, count in seen.items()})
    for wanted in (*ConflictKind, Linkage.STATIC, Linkage.DYNAMIC, "error", "linked"):
        assert seen[wanted] >= len(reports) // 20, f"{wanted}: only {seen[wanted]} times"


def _library(
    name: str, dependencies: str, kinds: tuple[CrateType, ...], *, shared: bool = True, lost: str = ""
) -> Node:
    build = Build(kinds, shared)
    forms = tuple(kind for kind in kinds if kind.value in lost.split())
    return Node(name, tuple(dependencies.split()), (build,), forms, lost_late=True)


DYLIB, BOTH = (CrateType.DYLIB,), (CrateType.RLIB, CrateType.DYLIB)
BUILDS = tuple(
    Build((kind,), on)
    for kind in (CrateType.BIN, CrateType.CDYLIB, CrateType.DYLIB, CrateType.STATICLIB)
    for on in (False, True)
)
CASES = {
    "two dylibs with std inside": (
        (_library("c0", "", DYLIB, shared=False), _library("c1", "", DYLIB, shared=False)),
        Node("root", ("c0", "c1"), builds=BUILDS),
    ),
    "a dylib that another was linked with is deleted": (
        (_library("c0", "", BOTH, lost="dylib"), _library("c1", "c0", DYLIB)),
        Node("root", ("c1",), builds=BUILDS),
    ),
    "the first dylib shares what the second contains": (
        (
            _library("c0", "", BOTH, lost="dylib"),
            _library("c1", "c0", DYLIB),
            _library("c2", "c0", DYLIB, shared=False),
        ),
        Node("root", ("c1", "c2"), builds=BUILDS),
    ),
    "the first dylib contains what the second shares": (
        (
            _library("c0", "", BOTH, lost="dylib"),
            _library("c1", "c0", DYLIB),
            _library("c2", "c0", DYLIB, shared=False),
        ),
        Node("root", ("c2", "c1"), builds=BUILDS),
    ),
    "only metadata is left": (
        (_library("c0", "", BOTH, lost="rlib dylib"), _library("c1", "c0", (CrateType.RLIB,))),
        Node("root", ("c1",), builds=BUILDS),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_case_agrees_with_rustc(rustc: Rustc, case: str, tmp_path: Path) -> None:
    libraries, root = CASES[case]
    report = Comparison(rustc, Sample(0, libraries, root), tmp_path / "graph").run()
    assert not report.differences, "\n".join(report.differences)
