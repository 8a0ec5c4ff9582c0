"""Builds of shader crates in this process, without SCons or workers, in milliseconds."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cratewright.formats.crate_metadata import CrateMetadata
from cratewright.pipeline.codegen import codegen_crate
from cratewright.pipeline.engine import Engine
from cratewright.pipeline.link import link_crate
from cratewright.pipeline.link_inputs import Dependency
from cratewright.pipeline.plan import option_table
from cratewright.plugins.registry import Registry
from cratewright.rules.dependency_format import DependencyFormats, Linkage
from cratewright.values.crate import Crate, Source
from cratewright.values.crate_type import CrateType
from cratewright.values.options import Options, parse_options
from cratewright.values.variants import AXES_AND_CONDITIONS, Variant, Variants
from cratewright_spirv.backend import SpirvBackend
from tests.support.memory_store import MemoryStore

__all__ = ["Image", "ShaderBuild"]


@dataclass(frozen=True)
class Image:
    """An entry point after linking: its row in the manifest, and its module."""

    row: Mapping[str, Any]
    data: bytes


@dataclass
class ShaderBuild:
    """A project directory in which crates are compiled and linked.

    Shape: `store` has the results, and may be shared with other builds; `glslang` is the value of CRATE_GLSLANG.
    """

    root: Path
    target: str = "vulkan1.3"
    store: MemoryStore = field(default_factory=MemoryStore)
    glslang: str = "wheel"
    backend: type[SpirvBackend] = SpirvBackend

    def __post_init__(self) -> None:
        registry = Registry()
        registry._backends[self.backend.NAME] = self.backend
        self._engine = Engine(
            str(self.root), registry, {"CRATE_CACHE": "off", "CRATE_GLSLANG": self.glslang}, workers=False
        )
        self._engine._store = self.store
        self._table = option_table(self.backend)

    def write(self, files: Mapping[str, str]) -> None:
        """Write sources below the root."""
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def compile(
        self, name: str, sources: Sequence[str], deps: Sequence[CrateMetadata] = (), **options: object
    ) -> CrateMetadata:
        """Compile a crate, to be linked or used as a dependency.

        Shape: `options` may include `variants` and `when`, for all sources.
        Raises: CratewrightError.
        """
        variants = Variants.read({word: options.pop(word, None) for word in AXES_AND_CONDITIONS}, where="")
        given = {spec.name: spec.default for spec in self._table} | parse_options(options, self._table, where="")
        settled = Options(tuple(sorted(given.items())))
        crate = Crate(
            name=name,
            version="0",
            backend=self.backend.NAME,
            target=self.target,
            profile="dev",
            crate_types=(CrateType.RLIB, CrateType.CDYLIB),
            sources=tuple(self._source(path, settled, each) for path in sources for each in variants.chosen),
            dependencies=tuple(dep.reference for dep in deps),
            options=settled,
        )
        return codegen_crate(self._engine, crate).metadata

    def _source(self, path: str, options: Options, variant: Variant | None) -> Source:
        name = os.path.basename(path) if os.path.isabs(path) else path
        if variant is None:
            return Source(path=path, name=name, options=options)
        options = options.override({"defines": (*options.defines, *variant.defines)})
        unit = variant.unit_name(name, self.backend.SUFFIXES)
        return Source(path=path, name=unit, options=options, variant=variant.encode(name))

    def link(self, crate: CrateMetadata, deps: Sequence[CrateMetadata] = (), **options: object) -> dict[str, Image]:
        """Link a crate; return its entry points by source.

        Raises: CratewrightError.
        """
        files = self.link_all(crate, deps, **options)
        manifest = json.loads(files[f"{crate.name}.spv.json"])
        return {row["source"]: Image(row, files[row["module"]]) for row in manifest["entries"]}

    def link_all(self, crate: CrateMetadata, deps: Sequence[CrateMetadata] = (), **options: object) -> dict[str, bytes]:
        """Link a crate; return its files by name.

        Raises: CratewrightError.
        """
        changed = crate.options.override(parse_options(options, self._table, where=""))
        crate = CrateMetadata(**{**_fields(crate), "options": changed})
        formats = DependencyFormats(tuple(dep.name for dep in deps), (Linkage.STATIC,) * len(deps))
        static = [Dependency(dep.name, dep, Linkage.STATIC) for dep in deps]
        linked = link_crate(self._engine, crate, static, CrateType.CDYLIB, formats)
        return {artifact.path: artifact.data for artifact in linked.artifacts}


def _fields(crate: CrateMetadata) -> dict[str, Any]:
    return {name: getattr(crate, name) for name in CrateMetadata.__dataclass_fields__}
