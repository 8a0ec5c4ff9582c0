"""Links C sources with the native backend's own methods, without the pipeline."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from cratewright import Artifact, CrateType, LinkRequest, LtoMode, ModuleCodegen
from cratewright.values.request import LinkModule, ThinModule
from cratewright_native.binary.elf import elf_symbols

from .native_project import Project, options

__all__ = ["PROGRAM", "compiled", "finished", "link", "optimized_thin", "printed", "request_for", "symbols"]

PROGRAM = {
    "app": {
        "main.c": '#include <stdio.h>\nint twice(int);\nint main(void) { printf("%d\\n", twice(21)); return 0; }\n'
    },
    "maths": {
        "twice.c": "int twice(int x) { return 2 * x; }\n",
        "bad.c": "int gone(void);\nint bad(void) { return gone(); }\n",
    },
}
"""A program, and a crate with two modules, of which it needs one."""


def compiled(project: Project, sources: Mapping[str, str], **given: object) -> tuple[ModuleCodegen, ...]:
    """Write and compile sources; the modules are named after them."""
    modules = []
    for name, text in sources.items():
        (project.root / name).write_text(text, encoding="utf-8")
        (module,) = project.compile(name, **given).modules
        modules.append(replace(module, name=name + module.name))
    return tuple(modules)


def request_for(
    project: Project,
    crates: Mapping[str, Mapping[str, str]],
    crate_type: CrateType = CrateType.BIN,
    *,
    exported: tuple[str, ...] = ("main",),
    lto: LtoMode = LtoMode.OFF,
    **given: object,
) -> LinkRequest:
    """Compile crates and return the request to link the first; modules without support for LTO are `opaque`."""
    given = {"opt_level": "2", **given}
    modules = tuple(
        LinkModule(crate, module) for crate, sources in crates.items() for module in compiled(project, sources, **given)
    )
    takes = [lto is LtoMode.OFF or project.backend.supports_lto(item.module) for item in modules]
    request = LinkRequest(
        crate=next(iter(crates)),
        crate_type=crate_type,
        target=project.target,
        options=options(**given).only(project.backend.LINK_OPTIONS),
        modules=tuple(item for item, take in zip(modules, takes, strict=True) if take),
        opaque=tuple(item for item, take in zip(modules, takes, strict=True) if not take),
        exported=exported,
        lto=lto,
    )
    return replace(request, kept=project.backend.kept_symbols(request))


def optimized_thin(project: Project, request: LinkRequest) -> dict[str, tuple[ThinModule, ModuleCodegen]]:
    """Run thin LTO; return each module as analysed and as optimized, by name."""
    done = {}
    for item in project.backend.run_thin_lto(request):
        blank = replace(item, name="", crate="")
        done[item.name] = (item, project.backend.optimize_thin(blank, request.config))
    return done


def finished(project: Project, request: LinkRequest) -> Path:
    """Run the requested LTO, link, and return the output file."""
    if request.lto is LtoMode.THIN:
        done = [LinkModule(item.crate, module) for item, module in optimized_thin(project, request).values()]
    elif request.lto is LtoMode.FAT:
        merged = project.backend.run_fat_lto(request)
        done = [LinkModule(request.crate, project.backend.optimize_fat(merged, request.config))]
    else:
        return link(project, request)
    return link(project, replace(request, modules=tuple(done)))


def link(project: Project, request: LinkRequest) -> Path:
    """Lower the modules, link, and return the output file."""
    lowered = tuple(
        LinkModule(item.crate, project.backend.codegen(item.module, request.config))
        for item in (*request.modules, *request.opaque)
    )
    artifacts = project.backend.link(replace(request, modules=lowered, opaque=())).artifacts
    written = [_written(project, artifact) for artifact in artifacts]
    return written[0]


def _written(project: Project, artifact: Artifact) -> Path:
    path = project.root / artifact.path
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(artifact.data)
    path.chmod(0o755 if artifact.executable else 0o644)
    return path


def symbols(module: ModuleCodegen) -> dict[str, bool]:
    """Return the symbols of an object and whether it defines each."""
    return {symbol.name: symbol.defined for symbol in elf_symbols(module.data, name=module.name)}


def printed(program: Path) -> str:
    """Run a program and return what it prints."""
    return subprocess.run([program], capture_output=True, text=True, check=True).stdout
