"""The options of the backend, besides those of all backends."""

from __future__ import annotations

from cratewright import OptionKind, OptionSpec


def _directory(name: str, text: str) -> OptionSpec:
    return OptionSpec(name=name, kind=OptionKind.DIRECTORY, default="", help=text)


SPIRV_OPTIONS: tuple[OptionSpec, ...] = (
    OptionSpec.choice(
        "spirv_metadata", ("none", "name-variables", "full"), "names that an image without debug information keeps"
    ),
    OptionSpec.choice(
        "strip", ("none", "split"), "split: put each image's debug information into a file beside it (.dbg.spv)"
    ),
    OptionSpec.flag("spirv_opt", "run the optimizer when opt_level or debuginfo needs it", default=True),
    OptionSpec.flag("spirv_val", "validate images before they are written", default=True),
    OptionSpec.flag("preserve_bindings", "keep descriptors that no entry point uses"),
    OptionSpec.flag("relax_struct_store", "validator: allow storing structs with a compatible layout"),
    OptionSpec.flag("relax_logical_pointer", "validator: allow more uses of logical pointers"),
    OptionSpec.flag("relax_block_layout", "validator: VK_KHR_relaxed_block_layout"),
    OptionSpec.flag("uniform_buffer_standard_layout", "validator: std430 for uniform buffers"),
    OptionSpec.flag("scalar_block_layout", "validator: VK_EXT_scalar_block_layout"),
    OptionSpec.flag("skip_block_layout", "validator: do not check block layouts"),
    OptionSpec.flag("disassemble", "write a disassembly beside each image (.spvasm)"),
    _directory("dump_source", "directory for the text of each unit as the compiler sees it, even if it fails"),
    _directory("dump_pre_link", "directory for copies of the modules to link"),
    _directory("dump_post_merge", "directory for copies of the linker's result"),
    _directory("dump_post_split", "directory for copies of each image after splitting"),
    _directory("dump_post_opt", "directory for copies of each image after it was optimized, before it is validated"),
    _directory("dump_post_link", "directory for copies of each image before optimization"),
)
