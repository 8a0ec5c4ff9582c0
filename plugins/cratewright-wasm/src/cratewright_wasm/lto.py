"""Link-time optimization: thin is clang's distributed ThinLTO; fat does the same after merging all modules into one.

wasm-ld plans: it decides what is linked and what each module needs to know of the others (`--thinlto-index-only`).
clang then optimizes one module at a time.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cratewright import (
    LinkModule,
    LinkRequest,
    ModuleCodegen,
    ModuleConfig,
    ThinBuffer,
    ThinModule,
    ToolError,
    content_digest,
    scratch_directory,
)

from .bitcode import is_raw_bitcode
from .linker import Inputs, check_types, run_linker
from .targets import CLibrary
from .toolchain import WasmToolchain
from .unit import HIDDEN, hidden_names

_INDEX, _IMPORTS = ".thinlto.bc", ".imports"
_FILE = re.compile(r"[0-9a-f]{24}(?:-\d+)?\.bc")
_NAME = re.compile(_FILE.pattern.encode() + b"\0")


def analyse(toolchain: WasmToolchain, request: LinkRequest, library: CLibrary) -> tuple[ThinModule, ...]:
    """Return the linked modules, each with its plan and what it imports."""
    with scratch_directory() as scratch:
        names = _plan(toolchain, request, library, scratch)
        by_name = {name: item for name, item in zip(names, request.modules, strict=True)}
        return tuple(
            ThinModule(
                name=item.module.name,
                crate=item.crate,
                data=item.module.data,
                index=_index(scratch, name),
                imports=tuple(
                    ThinBuffer(other, by_name[other].module.data) for other in _imports(scratch, name) if other != name
                ),
                attributes=item.module.attributes,
            )
            for name, item in by_name.items()
            if _index(scratch, name)
        )


def optimize_planned(toolchain: WasmToolchain, module: ThinModule, config: ModuleConfig) -> ModuleCodegen:
    """Optimize and lower one module."""
    with scratch_directory() as scratch:
        for item in module.imports:
            (scratch / item.name).write_bytes(item.data)
        data = _lower(toolchain, scratch, module.data, config, module.index)
    return ModuleCodegen(name=module.name, data=data)


def merge_linked(toolchain: WasmToolchain, request: LinkRequest, library: CLibrary) -> ModuleCodegen:
    """Return all linked modules merged into one, after its plan, which says what becomes internal."""
    with scratch_directory() as scratch:
        names = _plan(toolchain, request, library, scratch)
        first, *others = [name for name in names if _index(scratch, name)] or names[:1]
        words = (f"-O{request.options.opt_level.value}", "-triple", toolchain.triple(request.target))
        data = _join(toolchain, scratch, [first, *others], words)
    merged = LinkModule(
        request.crate, ModuleCodegen(name="merged", data=data, attributes=_hidden_in_any(request.modules))
    )
    with scratch_directory() as scratch:
        alone = replace(request, modules=(merged,), dependencies=(), whole=())
        (name,) = _plan(toolchain, alone, library, scratch, request.modules)
        index = _index(scratch, name)
    return replace(merged.module, data=len(index).to_bytes(8, "little") + index + data)


def optimize_merged(toolchain: WasmToolchain, module: ModuleCodegen, config: ModuleConfig) -> ModuleCodegen:
    """Optimize and lower what `merge_linked` returned."""
    size = int.from_bytes(module.data[:8], "little")
    index, data = module.data[8 : 8 + size], module.data[8 + size :]
    with scratch_directory() as scratch:
        return replace(module, data=_lower(toolchain, scratch, data, config, index))


def has_own_file_names(value: object) -> bool:
    """Return whether the file names in a result could be ours, since others write to a shared cache."""
    if isinstance(value, ThinModule):
        return _NAME.match(value.index) is not None and all(_FILE.fullmatch(item.name) for item in value.imports)
    return not isinstance(value, ModuleCodegen) or is_raw_bitcode(value.data) or _NAME.match(value.data, 8) is not None


def lower_alone(toolchain: WasmToolchain, module: ModuleCodegen, config: ModuleConfig) -> ModuleCodegen:
    """Lower one module by itself; an object is returned unchanged."""
    if not is_raw_bitcode(module.data):
        return module
    with scratch_directory() as scratch:
        return replace(module, data=_lower(toolchain, scratch, module.data, config, b""))


def _join(toolchain: WasmToolchain, directory: Path, names: Sequence[str], words: Sequence[str]) -> bytes:
    first, *others = names
    argv = [*toolchain.clang, "-cc1", *words, "-flto=thin", "-emit-llvm-bc", "-x", "ir", first, "-o", "merged.bc"]
    argv += (word for name in others for word in ("-mlink-bitcode-file", name))
    return _made(toolchain, argv, directory, "merged.bc", "merging modules")


def _hidden_in_any(modules: Sequence[LinkModule]) -> tuple[tuple[str, str], ...]:
    """Return the symbols that are hidden in any of the modules, as an attribute."""
    names = sorted({name for item in modules for name in hidden_names(item.module)})
    return ((HIDDEN, json.dumps(names)),) if names else ()


def _plan(
    toolchain: WasmToolchain,
    request: LinkRequest,
    library: CLibrary,
    directory: Path,
    sources: Sequence[LinkModule] = (),
) -> list[str]:
    """Let the linker plan, and return the names of the modules' files.

    Shape: names are made from contents, so that a module's plan does not depend on the number of modules; `sources` as
    in `Inputs`.
    """
    check_types((*request.modules, *request.opaque))
    names = _file_names(request.modules)
    everything = (*request.modules, *request.opaque)
    opaque = [f"opaque-{number}.o" for number in range(len(request.opaque))]
    inputs = Inputs(request, directory, everything, [*names, *opaque], sources)
    extra = ("--thinlto-index-only", "--thinlto-emit-imports-files")
    run_linker(toolchain, request, replace(library, first=()), inputs, extra=extra, output="out")
    return names


def _file_names(modules: Sequence[LinkModule]) -> list[str]:
    seen: Counter[str] = Counter()
    names = []
    for item in modules:
        digest = content_digest(item.module.data)[:24]
        names.append(f"{digest}.bc" if not seen[digest] else f"{digest}-{seen[digest]}.bc")
        seen[digest] += 1
    return names


def _index(scratch: Path, name: str) -> bytes:
    """Return the plan for a module, after the module's file name; empty if it is not linked."""
    path = scratch / f"{name}{_INDEX}"
    data = path.read_bytes() if path.is_file() else b""
    return name.encode() + b"\0" + data if data else b""


def _imports(scratch: Path, name: str) -> list[str]:
    path = scratch / f"{name}{_IMPORTS}"
    return sorted(path.read_text(encoding="utf-8").splitlines()) if path.is_file() else []


def _lower(toolchain: WasmToolchain, directory: Path, data: bytes, config: ModuleConfig, index: bytes) -> bytes:
    name, _, index = index.partition(b"\0") if index else (b"module.bc", b"", b"")
    file = name.decode()
    (directory / file).write_bytes(data)
    argv = [
        *toolchain.clang,
        f"--target={toolchain.triple(config.target)}",
        f"-O{config.options.opt_level.value}",
        "-x",
        "ir",
    ]
    if index:
        (directory / f"{file}{_INDEX}").write_bytes(index)
        argv.append(f"-fthinlto-index={file}{_INDEX}")
    argv += ["-Wno-override-module", "-c", file, "-o", "module.o"]
    return _made(toolchain, argv, directory, "module.o", "lowering a module")


def _made(toolchain: WasmToolchain, argv: Sequence[str], cwd: Path, name: str, what: str) -> bytes:
    done = toolchain.run(argv, what=what, cwd=cwd)
    path = cwd / name
    if done.status or not path.is_file() or not path.stat().st_size:
        output = done.stderr.decode(errors="replace").replace(str(cwd), ".").strip()
        raise ToolError(f"the compiler failed ({what})", context=(("output", output[-2000:] or "none"),))
    return path.read_bytes()
