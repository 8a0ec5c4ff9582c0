"""Random crate graphs with random crate types and LTO print what a plain static build prints.

A mix that the linkage rules refuse is replaced by another. Most graphs are built only with `--exhaustive`.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from random import Random

import pytest

from tests.native_e2e.native_scons import HEADER, NativeProject
from tests.support.random_crates import CrateGraphSources, random_graph, random_mix, sconstruct
from tests.support.scons_project import available_forms

GRAPHS = 24
DEFAULT_GRAPHS = 6
KINDS = ("llvm", "zig", "gcc")
ATTEMPTS = 12


def _legal_build(project: NativeProject, graph: CrateGraphSources, random: Random) -> str:
    """Build the plain program and the first mix that the rules allow; return the mix."""
    project.write({name: text for files in graph.files for name, text in files.items()})
    for _ in range(ATTEMPTS):
        mix = random_mix(random, graph, thin=project.kind != "gcc")
        declared = sconstruct(graph, mix, "mixed")
        project.write({"SConstruct": HEADER + sconstruct(graph, None, "plain") + declared})
        try:
            project.scons("-j2")
        except AssertionError:
            if "cannot be linked together" not in project.output:
                raise
        else:
            return declared
    raise AssertionError(f"none of {ATTEMPTS} mixes was legal:\n{project.output}")


@pytest.mark.exhaustive(seed=tuple(range(DEFAULT_GRAPHS, GRAPHS)))
@pytest.mark.parametrize("seed", range(GRAPHS))
def test_mix_prints_what_the_plain_build_prints(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    project = NativeProject(tmp_path / "project", KINDS[seed % len(KINDS)], form=available_forms()[-1])
    graph = random_graph(random)
    mix = _legal_build(project, graph, random)
    last = len(graph.files) - 1
    plain, mixed = (
        subprocess.run([project.path / f"{kind}{last}"], capture_output=True, text=True, check=False)
        for kind in ("plain", "mixed")
    )
    assert (plain.returncode, mixed.returncode) == (0, 0), f"{mix}{mixed.stderr}"
    assert mixed.stdout == plain.stdout, mix
