"""A backend in pure Python over text modules, which implements the whole contract.

It needs no toolchain, so the pipeline can be tested anywhere. `stub_language` describes the sources. A library `x` of a
crate is `x.lib` in one of lib_dirs, whose text becomes part of the link.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..base.errors import LinkError
from ..contract.backend import CodegenBackend
from ..values.capability import Capability
from ..values.crate import Crate
from ..values.crate_type import CrateType
from ..values.module import CompiledUnit, EntryPoint, ModuleCodegen, ModuleKind, Observed, Symbol
from ..values.option_spec import OptionKind, OptionSpec
from ..values.options import LtoMode, Options
from ..values.request import (
    Artifact,
    LinkModule,
    LinkPart,
    LinkRequest,
    LinkResult,
    ModuleConfig,
    ThinBuffer,
    ThinModule,
)
from ..values.stencil import UnitStencil
from .stub_language import StubCompilation, first_file


class StubBackend(CodegenBackend):
    """Text modules; calls are recorded in the modules they make."""

    NAME = "stub"
    API_VERSION = 1
    TARGETS = ("text", "text2")
    SUFFIXES = (".stub",)
    OPTIONS = (OptionSpec(name="shout", kind=OptionKind.FLAG, default=False, help="upper-case the image"),)
    UNIT_OPTIONS = frozenset({"include_dirs", "defines"})
    LINK_OPTIONS = frozenset({"opt_level", "debuginfo", "lto", "multimodule", "exports", "shout", "lib_dirs"})
    MODULE_OPTIONS = LINK_OPTIONS - {"lib_dirs"}
    supported_crate_types = frozenset(CrateType)
    capabilities = frozenset(Capability) - {Capability.VARIANTS, Capability.LIBRARY_VARIANTS}
    _marked = 0

    def fingerprint(self) -> str:
        """Return the stub's version."""
        return "stub 1"

    def compile_codegen_unit(self, stencil: UnitStencil) -> CompiledUnit:
        """Compile the stub language."""
        return StubCompilation(self.session.root, stencil).run()

    def included_names(self, text: bytes) -> tuple[str, ...]:
        """Return what follows the word `include`."""
        lines = text.decode(errors="replace").splitlines()
        return tuple(line[8:].strip() for line in lines if line.startswith("include "))

    def codegen_allocator(self, config: ModuleConfig, provided: bool) -> ModuleCodegen:
        """Return a module that defines the allocator, and calls a crate's own if there is one."""
        body = "@global_alloc" if provided else "malloc"
        return ModuleCodegen(
            name="allocator",
            data=f"export alloc {body}\n".encode(),
            kind=ModuleKind.ALLOCATOR,
            exports=(Symbol("alloc", "alloc"),),
            imports=(Symbol("global_alloc", "global_alloc"),) if provided else (),
        )

    def run_link(self, request: LinkRequest) -> ModuleCodegen:
        """Join the texts of what is reached from what is exported; the rest of the symbols become internal."""
        if len(request.modules) == 1 and request.lto is LtoMode.FAT:
            return request.modules[0].module
        reached = _closure(request, _roots(request), _offers(request.modules))
        inside = {symbol.name for index in reached for symbol in request.modules[index].module.exports}
        merged = _joined([request.modules[index].module for index in reached])
        lines = [
            line.replace("export", "internal", 1) if _defined(line) not in request.exported else line
            for line in merged.data.decode().splitlines(keepends=True)
        ]
        exports = tuple(symbol for symbol in merged.exports if symbol.name in request.exported)
        imports = tuple(
            symbol for index in reached for symbol in request.modules[index].module.imports if symbol.name not in inside
        )
        return replace(merged, data="".join(lines).encode(), exports=exports, imports=imports)

    def run_fat_lto(self, request: LinkRequest) -> ModuleCodegen:
        """Do as for an object."""
        return self.run_link(replace(request, lto=LtoMode.OFF))

    def optimize_fat(self, module: ModuleCodegen, config: ModuleConfig) -> ModuleCodegen:
        """Mark the module."""
        self._marked += 1
        return replace(module, data=module.data + b"optimized fat\n")

    def run_thin_lto(self, request: LinkRequest) -> tuple[ThinModule, ...]:
        """Return every module that is reached, with those whose symbols it imports."""
        offers = _offers(request.modules)
        return tuple(
            ThinModule(
                name=item.module.name,
                crate=item.crate,
                data=item.module.data,
                index=json.dumps(_interface(item.module)).encode(),
                imports=tuple(
                    ThinBuffer(symbol.name, request.modules[offers[symbol.name]].module.data)
                    for symbol in item.module.imports
                    if symbol.name in offers
                ),
            )
            for item in (request.modules[index] for index in _closure(request, _roots(request), offers))
        )

    def optimize_thin(self, module: ThinModule, config: ModuleConfig) -> ModuleCodegen:
        """Mark the module and what was inlined into it."""
        self._marked += 1
        inlined = "".join(f"inlined {item.name}\n" for item in module.imports)
        exports, imports, entries = json.loads(module.index)
        return ModuleCodegen(
            name=module.name,
            data=module.data + f"optimized thin\n{inlined}".encode(),
            exports=tuple(Symbol(name, name) for name in exports),
            imports=tuple(Symbol(name, name) for name in imports),
            entry_points=tuple(EntryPoint("stub", name) for name in entries),
        )

    def print_pass_timings(self) -> Mapping[str, float]:
        """Return the one pass there is, which always takes a quarter of a second by its own account."""
        marked, self._marked = self._marked, 0
        return {"mark": 0.25 * marked} if marked else {}

    def output_names(self, crate: str, crate_type: CrateType, options: Options) -> tuple[str, ...]:
        """Return a manifest and an image, or a directory of images."""
        image = f"{crate}.images/" if options.flag("multimodule") else f"{crate}.{crate_type.value}"
        return (f"{crate}.{crate_type.value}.json", image)

    def expected_images(self, crate: Crate) -> Mapping[str, str] | None:
        """Return what the words `entry` of the sources make, if all are there."""
        try:
            texts = [Path(self.session.root, source.location).read_text("utf-8") for source in crate.sources]
        except OSError:
            return None
        lines = [line.split() for text in texts for line in text.splitlines()]
        return {words[1]: f"{crate.name}.images/{words[1]}" for words in lines if words[:1] == ["entry"]}

    def split_link(self, request: LinkRequest) -> tuple[LinkPart, ...]:
        """Return one part, or one for each entry point with what it reaches."""
        offers = _offers(request.modules)
        if not request.options.flag("multimodule"):
            direct = (request.crate, *request.whole)
            own = [index for index, item in enumerate(request.modules) if item.crate in direct]
            return (LinkPart("", _closure(request, own, offers)),)
        return tuple(
            LinkPart(entry.name, _closure(request, [index], offers))
            for index, item in enumerate(request.modules)
            for entry in item.module.entry_points
        )

    def link(self, request: LinkRequest) -> LinkResult:
        """Join the texts of a part."""
        text = b"".join(item.module.data for item in request.modules)
        text += "".join(f"dylib {library.crate}\n" for library in request.libraries).encode()
        observed: dict[str, Observed] = {}
        for library in request.natives:
            places = (f"{directory}/{library.name}.lib" for directory in request.options.texts("lib_dirs"))
            _, found = first_file(self.session.root, places, observed)
            text += f"library {library}\n".encode() + found
        if request.options.flag("shout"):
            text = text.upper()
        text += request.embed
        directory = f"{request.crate}.images/{request.part}" if request.part else None
        image = Artifact(directory or f"{request.crate}.{request.crate_type.value}", text)
        return LinkResult(artifacts=(image,), observed=tuple(observed.values()))

    def finish_link(self, request: LinkRequest, results: Sequence[LinkResult]) -> LinkResult:
        """Put a manifest in front."""
        images = [artifact for result in results for artifact in result.artifacts]
        manifest = json.dumps({"images": [image.path for image in images]}, indent=1).encode()
        name = f"{request.crate}.{request.crate_type.value}.json"
        return LinkResult(artifacts=(Artifact(name, manifest), *images))


def _joined(modules: Sequence[ModuleCodegen]) -> ModuleCodegen:
    return ModuleCodegen(
        name="merged",
        data=b"".join(module.data for module in modules),
        exports=tuple(symbol for module in modules for symbol in module.exports),
        entry_points=tuple(entry for module in modules for entry in module.entry_points),
    )


def _offers(modules: Sequence[LinkModule]) -> dict[str, int]:
    offers: dict[str, int] = {}
    for index, item in enumerate(modules):
        for symbol in item.module.exports:
            if symbol.name in offers:
                raise LinkError(
                    f"symbol '{symbol.display}' is defined twice",
                    context=(("by", f"{modules[offers[symbol.name]].crate} and {item.crate}"),),
                )
            offers[symbol.name] = index
    return offers


def _closure(request: LinkRequest, roots: Sequence[int], offers: Mapping[str, int]) -> tuple[int, ...]:
    todo, seen = list(roots), set(roots)
    beside = _offers(request.opaque)
    while todo:
        item = request.modules[todo.pop()]
        for symbol in item.module.imports:
            if symbol.name not in offers:
                if request.libraries or symbol.name in beside:  # what a dylib offers, its own link has checked
                    continue
                raise LinkError(
                    f"unresolved symbol '{symbol.display}'",
                    context=(("needed by", f"{symbol.file}:{symbol.line}"), ("crate", item.crate)),
                )
            if offers[symbol.name] not in seen:
                seen.add(offers[symbol.name])
                todo.append(offers[symbol.name])
    return tuple(sorted(seen))


def _roots(request: LinkRequest) -> list[int]:
    wanted = {*request.exported, *(symbol.name for item in request.opaque for symbol in item.module.imports)}
    return [
        index
        for index, item in enumerate(request.modules)
        if item.module.entry_points or any(symbol.name in wanted for symbol in item.module.exports)
    ]


def _defined(line: str) -> str:
    word, _, rest = line.partition(" ")
    return rest.split()[0] if word == "export" and rest.split() else ""


def _interface(module: ModuleCodegen) -> tuple[list[str], ...]:
    return (
        [symbol.name for symbol in module.exports],
        [symbol.name for symbol in module.imports],
        [entry.name for entry in module.entry_points],
    )
