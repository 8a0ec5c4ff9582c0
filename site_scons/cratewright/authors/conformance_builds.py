"""The builds that the rules of `Conformance` compare, and how they report a broken rule."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, NoReturn

import pytest

from ..contract.backend import CodegenBackend
from ..plugins.loading import default_registry
from ..values.crate_type import CrateType
from .trial import Built, Trial
from .watching import child_environment


class Builds:
    """The builds of a backend that is tested, as described in `Conformance`."""

    backend: ClassVar[str | type[CodegenBackend]]
    sources: ClassVar[Mapping[str, str]]
    files: ClassVar[Mapping[str, str]] = {}
    options: ClassVar[Mapping[str, object]] = {}
    crate_types: ClassVar[tuple[CrateType, ...]] = ()
    target: ClassVar[str] = ""
    environ: ClassVar[Mapping[str, str]] = {}
    bad_source: ClassVar[tuple[str, str] | None] = None

    def behaviour(self, artifacts: Mapping[str, bytes], directory: Path) -> object:
        """Run a result and return what it does, which LTO must not change; None if it cannot be run."""
        return None

    def with_tool(self, tool: Path) -> Mapping[str, str] | None:
        """Return settings `CRATE_...` with which the backend runs `tool` in place of its own; None if it runs none."""
        return None

    @classmethod
    def _kind(cls) -> type[CodegenBackend]:
        return default_registry().backend(cls.backend) if isinstance(cls.backend, str) else cls.backend

    @classmethod
    def _trial(cls) -> Trial:
        return Trial(
            backend=cls._kind(),
            sources={path: text.encode() for path, text in cls.sources.items()},
            files={path: text.encode() for path, text in cls.files.items()},
            options=cls.options,
            crate_types=cls.crate_types[:1],
            target=cls.target,
            environ=cls.environ,
        )

    @classmethod
    def _key(cls) -> tuple[str, str]:
        crate = cls._trial().crate()
        return crate.backend, crate.target

    def _build(self, root: Path, kind: CrateType | None = None, *, jobs: int = 1, **options: object) -> Built:
        root.mkdir(parents=True, exist_ok=True)
        trial = self._trial()
        trial = replace(trial, options={**trial.options, **options}, crate_types=(kind,) if kind else trial.crate_types)
        return trial.build(str(root), jobs=jobs)

    def _observed(self, root: Path) -> set[str]:
        trial = self._trial()
        engine = trial.engine(str(root), workers=False)
        backend = engine.backend(*self._key())
        units = [backend.compile_codegen_unit(stencil) for stencil in trial.stencils(engine)]
        return {os.path.normpath(item.path) for unit in units for item in unit.observed}

    def _elsewhere(self, root: Path, surroundings: Mapping[str, str], command: list[str] | None = None) -> str:
        root.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [
                *(command or []),
                sys.executable,
                "-m",
                "cratewright.authors.trial",
                str(root),
                *(["--here"] if command else []),
            ],
            input=self._trial().to_json(),
            capture_output=True,
            text=True,
            env=child_environment(surroundings),
            check=False,
        )
        if done.returncode:
            broken(f"a build in another process fails\n{done.stderr}", "see what it says")
        return done.stdout.strip()

    @staticmethod
    def _same(first: Built, second: Built, when: str, hint: str) -> None:
        if first.digest == second.digest:
            return
        names = sorted({*first.artifacts, *second.artifacts})
        differ = [name for name in names if first.artifacts.get(name) != second.artifacts.get(name)]
        old, new = ({item.name: item for item in built.modules} for built in (first, second))
        differ += [f"module {name}" for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
        broken(f"{', '.join(differ) or 'diagnostics'} differ {when}", hint)


def broken(what: str, hint: str) -> NoReturn:
    """Fail a test with the broken rule and a way out."""
    pytest.fail(f"{what}\n  hint: {hint}", pytrace=False)
