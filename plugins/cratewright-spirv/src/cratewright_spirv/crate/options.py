"""The options of the backend, besides those of all backends."""

from __future__ import annotations

from cratewright import OptionKind, OptionSpec

__all__ = ["SPIRV_OPTIONS"]


def _flag(name: str, default: bool, text: str) -> OptionSpec:
    return OptionSpec(name=name, kind=OptionKind.FLAG, default=default, help=text)


def _directory(name: str, text: str) -> OptionSpec:
    return OptionSpec(name=name, kind=OptionKind.DIRECTORY, default="", help=text)


SPIRV_OPTIONS: tuple[OptionSpec, ...] = (
    OptionSpec(
        name="spirv_metadata",
        kind=OptionKind.CHOICE,
        default="none",
        words=("none", "name-variables", "full"),
        help="names that an image without debug information keeps",
    ),
    OptionSpec(
        name="strip",
        kind=OptionKind.CHOICE,
        default="none",
        words=("none", "split"),
        help="split: put each image's debug information into a file beside it (.dbg.spv)",
    ),
    _flag("spirv_opt", True, "run the optimizer when opt_level or debuginfo needs it"),
    _flag("spirv_val", True, "validate images before they are written"),
    _flag("preserve_bindings", False, "keep descriptors that no entry point uses"),
    _flag("relax_struct_store", False, "validator: allow storing structs with a compatible layout"),
    _flag("relax_logical_pointer", False, "validator: allow more uses of logical pointers"),
    _flag("relax_block_layout", False, "validator: VK_KHR_relaxed_block_layout"),
    _flag("uniform_buffer_standard_layout", False, "validator: std430 for uniform buffers"),
    _flag("scalar_block_layout", False, "validator: VK_EXT_scalar_block_layout"),
    _flag("skip_block_layout", False, "validator: do not check block layouts"),
    _flag("disassemble", False, "write a disassembly beside each image (.spvasm)"),
    _directory("dump_source", "directory for the text of each unit as the compiler sees it, even if it fails"),
    _directory("dump_pre_link", "directory for copies of the modules to link"),
    _directory("dump_post_merge", "directory for copies of the linker's result"),
    _directory("dump_post_split", "directory for copies of each image after splitting"),
    _directory("dump_post_opt", "directory for copies of each image after it was optimized, before it is validated"),
    _directory("dump_post_link", "directory for copies of each image before optimization"),
)
