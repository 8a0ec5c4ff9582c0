"""Distributed ThinLTO: one analysis of all modules, then an independent job for each."""

from __future__ import annotations

from pathlib import Path

from cratewright import (
    LinkRequest,
    ModuleCodegen,
    ModuleConfig,
    ThinBuffer,
    ThinModule,
    ToolError,
    pattern,
    scratch_directory,
)

from ..linking.link_errors import link_error
from ..linking.resolve import module_file, write_inputs
from ..remote.programs import run_closed
from ..toolchains.compile_words import lowering_words
from ..toolchains.toolchain import Toolchain

_NEEDED = "needed.rsp"
_INDEX = "index"
_OBJECT = "module.o"
_FILE = pattern(r"[0-9a-f]{32}(?:-([1-9][0-9]{0,5}))?\.bc")


def run_thin_link(request: LinkRequest, toolchain: Toolchain) -> tuple[ThinModule, ...]:
    """Analyse modules together.

    Shape: those that the link needs, in link order; `index` is the name of the module's file, a newline, and LLVM's
    index; `imports` are named by their files.
    Raises: LinkError if symbols clash.
    """
    if not request.modules:
        return ()
    with scratch_directory() as directory:
        argument, files = write_inputs(request, toolchain, directory)
        what = f"thin link of crate '{request.crate}'"
        words = (*toolchain.lld(request.target), "--lto=thin", f"--thinlto-index-only={_NEEDED}")
        toolchain.run(
            (*words, "--thinlto-emit-imports-files", argument, "-o", "unused"),
            cwd=directory,
            what=what,
            refused=link_error(request, f"{what} failed", files),
        )
        needed = [name for name in (directory / _NEEDED).read_text(encoding="utf-8").splitlines() if name]
        # A name that is not our file would be an archive member, which no job could read.
        strange = [name for name in needed if name not in files]
        if strange:
            raise ToolError(f"the thin link of crate '{request.crate}' names unknown modules: {' '.join(strange)}")
        return tuple(
            ThinModule(
                name=files[name].module.name,
                crate=files[name].crate,
                data=files[name].module.data,
                index=f"{name}\n".encode() + (directory / f"{name}.thinlto.bc").read_bytes(),
                imports=tuple(ThinBuffer(other, files[other].module.data) for other in _imports(directory, name)),
            )
            for name in needed
        )


def names_own_files(module: ThinModule) -> bool:
    """Return whether a module and its imports have names like those of `run_thin_link`, made from contents.

    Names become files and words of a command line, and an analysis may come from a cache that others write to.
    """
    own = module.index.partition(b"\n")[0].decode("utf-8", "replace")
    named = [(own, module.data), *((item.name, item.data) for item in module.imports)]
    return all(
        (match := _FILE.fullmatch(name)) is not None and name == module_file(data, int(match[1] or 0))
        for name, data in named
    )


def _imports(directory: Path, name: str) -> list[str]:
    text = (directory / f"{name}.imports").read_text(encoding="utf-8")
    return sorted(set(filter(None, text.splitlines())))


def run_thin_backend(module: ThinModule, config: ModuleConfig, toolchain: Toolchain) -> ModuleCodegen:
    """Optimize one module with what it imports, and lower it to an object.

    Raises: ToolError if LLVM fails or writes no output.
    """
    if not names_own_files(module):
        raise ToolError("the analysis of a thin link names files that are not its own")
    name, _, index = module.index.partition(b"\n")
    file = name.decode()
    words = (*toolchain.clang_ir(config.target), *lowering_words(config), "-x", "ir", file)
    data = run_closed(
        (*words, f"-fthinlto-index={_INDEX}", "-c", "-o", _OBJECT),
        toolchain,
        files={**{item.name: item.data for item in module.imports}, file: module.data, _INDEX: index},
        output=_OBJECT,
        what="thin LTO of a module",
    )
    return ModuleCodegen(name=module.name, data=data, attributes=(("lto", "thin"),))
