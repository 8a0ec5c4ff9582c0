"""The final link: objects to a WebAssembly module."""

from __future__ import annotations

from pathlib import Path

from cratewright import (
    Artifact,
    CrateType,
    LinkError,
    LinkModule,
    LinkRequest,
    LinkResult,
    Session,
    ToolError,
    output_file_name,
    scratch_directory,
)

from .linker import LIBRARY_ENTRY, Inputs, exported_names, run_linker
from .objects import has_constructors, linkable_object
from .targets import CLibrary
from .toolchain import WasmToolchain

__all__ = ["link_objects"]

_MAGIC = b"\0asm"
_INITIALIZE = bytes.fromhex(
    "0061736d01000000 01040160000002190103656e76115f5f7761736d5f63616c6c5f63746f727300000302010007"
    "0f010b5f696e697469616c697a6500010a06010400 1000 0b"
)
"""(module (import "env" "__wasm_call_ctors" (func $f)) (func (export "_initialize") call $f))"""


def link_objects(toolchain: WasmToolchain, session: Session, request: LinkRequest, library: CLibrary) -> LinkResult:
    """Link objects to the output of a crate.

    Raises: LinkError, ToolError.
    """
    modules = list(request.modules)
    extra: list[str] = []
    if request.crate_type is CrateType.CDYLIB:
        if not exported_names(request):
            raise LinkError(
                f"crate '{request.crate}' exports nothing: the module would be empty",
                context=(("crate", request.crate),),
                hint="define a function that is not static, or name functions of other crates in `exports`",
            )
        if not library.first and any(has_constructors(item.module.data) for item in modules):
            # The host calls it once before all else, as in WASI's reactors. Otherwise the linker would run
            # constructors before each exported call.
            modules.insert(0, LinkModule(request.crate, linkable_object(_INITIALIZE, LIBRARY_ENTRY)))
            extra.append(f"--export={LIBRARY_ENTRY}")
    direct = {request.crate, *request.whole}
    names = [f"{number}.o" for number in range(len(modules))]
    output = output_file_name(request.crate, request.crate_type, request.target)
    with scratch_directory() as scratch:
        directory = Path(scratch)
        run_linker(
            toolchain,
            session,
            request,
            library,
            Inputs(directory, modules, names),
            directory,
            direct=[name for name, item in zip(names, modules, strict=True) if item.crate in direct],
            lazy=[name for name, item in zip(names, modules, strict=True) if item.crate not in direct],
            extra=extra,
            output="linked.wasm",
        )
        path = directory / "linked.wasm"
        data = path.read_bytes() if path.is_file() else b""
    if not data.startswith(_MAGIC):
        raise ToolError(f"the linker reported success, but did not write crate '{request.crate}'")
    return LinkResult(artifacts=(Artifact(output, data),), observed=library.observed)
