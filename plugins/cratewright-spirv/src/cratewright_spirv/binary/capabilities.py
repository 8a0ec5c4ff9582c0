"""What in a program needs a capability: a table from the SPIR-V specification, of those that devices may lack.

A capability that is not listed counts as needed wherever it is declared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from cratewright import dataclass

from . import enumerants as spv
from . import opcodes as op
from .operands import Instruction

_DIMENSIONS = {0: "1D image", 3: "cube image", 4: "rectangle image", 5: "buffer image", 6: "subpass image"}
_STORAGE_IMAGE = 2
# Every device that has storage images has these formats; 0 is that of an image without one.
_FORMATS = frozenset({*range(6), *range(21, 25), *range(30, 34)})
_OPERANDS = {0x10: "offset", 0x20: "offsets", 0x80: "least level of detail"}
_DESCRIPTORS = frozenset({spv.UNIFORM_CONSTANT, spv.UNIFORM, spv.STORAGE_BUFFER})
_WIDTHS = {op.TYPE_INT: "integer", op.TYPE_FLOAT: "float"}
_DECORATIONS = {op.DECORATE: 2, op.DECORATE_ID: 2, op.MEMBER_DECORATE: 3}
_IMAGE_OPERANDS = {number: layout.index("I") + 1 for number, (_, layout) in op.INSTRUCTIONS.items() if "I" in layout}


@dataclass(frozen=True, slots=True)
class Needed:
    """What needs a capability, and the extension that has it in older versions of SPIR-V.

    Shape: `uses` are words of `uses` below, any of which needs it or one that it implies; the name of an operation may
    end in `*`.
    """

    name: str
    uses: tuple[str, ...]
    extension: str = ""

    def needed_by(self, used: Iterable[str]) -> bool:
        """Return whether any of these uses needs it."""
        exact = frozenset(self.uses)
        starts = tuple(each[:-1] for each in self.uses if each.endswith("*"))
        return any(each in exact or (starts and each.startswith(starts)) for each in used)


_INDEXING, _ADD = "SPV_EXT_descriptor_indexing", "SPV_EXT_shader_atomic_float_add"
_EXTREMES, _DOT = "SPV_EXT_shader_atomic_float_min_max", "SPV_KHR_integer_dot_product"
_NARROW, _NARROWER = ("integer 16", "float 16"), ("integer 8", "float 8")
_STORAGE16, _STORAGE8 = "SPV_KHR_16bit_storage", "SPV_KHR_8bit_storage"
_NON_UNIFORM, _DOTS = ("decoration 5300",), ("OpSDot*", "OpUDot*", "OpSUDot*")
_SUBGROUPS = ("OpGroupNonUniform*", *(f"built-in {each}" for each in (36, 38, 40, 41, *range(4416, 4421))))

CAPABILITIES: Mapping[int, Needed] = {
    9: Needed("Float16", ("float 16",)),
    10: Needed("Float64", ("float 64",)),
    11: Needed("Int64", ("integer 64",)),
    12: Needed("Int64Atomics", ("integer 64",)),
    22: Needed("Int16", ("integer 16",)),
    25: Needed("ImageGatherExtended", ("offset", "offsets")),
    27: Needed("StorageImageMultisample", ("multisampled storage image",)),
    32: Needed("ClipDistance", ("built-in 3",)),
    33: Needed("CullDistance", ("built-in 4",)),
    34: Needed("ImageCubeArray", ("cube image array",)),
    35: Needed("SampleRateShading", ("decoration 17", "built-in 18", "built-in 19")),
    36: Needed("ImageRect", ("rectangle image",)),
    37: Needed("SampledRect", ("rectangle image",)),
    39: Needed("Int8", _NARROWER),
    40: Needed("InputAttachment", ("subpass image",)),
    41: Needed("SparseResidency", ("OpImageSparse*",)),
    42: Needed("MinLod", ("least level of detail",)),
    43: Needed("Sampled1D", ("1D image",)),
    44: Needed("Image1D", ("1D image",)),
    45: Needed("SampledCubeArray", ("cube image array",)),
    46: Needed("SampledBuffer", ("buffer image",)),
    47: Needed("ImageBuffer", ("buffer image",)),
    48: Needed("ImageMSArray", ("multisampled storage image",)),
    49: Needed("StorageImageExtendedFormats", ("image of rare format",)),
    50: Needed("ImageQuery", ("OpImageQuery*",)),
    51: Needed("DerivativeControl", ("OpDPdxFine", "OpDPdyFine", "OpFwidthFine", "OpDPdxCoarse", "OpDPdyCoarse",
                                         "OpFwidthCoarse")),
    52: Needed("InterpolationFunction", ("extended 76", "extended 77", "extended 78")),
    61: Needed("GroupNonUniform", ("OpControlBarrier", "OpMemoryBarrier", *_SUBGROUPS)),
    62: Needed("GroupNonUniformVote", _SUBGROUPS),
    63: Needed("GroupNonUniformArithmetic", _SUBGROUPS),
    64: Needed("GroupNonUniformBallot", _SUBGROUPS),
    65: Needed("GroupNonUniformShuffle", _SUBGROUPS),
    66: Needed("GroupNonUniformShuffleRelative", _SUBGROUPS),
    67: Needed("GroupNonUniformClustered", _SUBGROUPS),
    68: Needed("GroupNonUniformQuad", _SUBGROUPS),
    4422: Needed("FragmentShadingRateKHR", ("built-in 4432", "built-in 4444"), "SPV_KHR_fragment_shading_rate"),
    4427: Needed("DrawParameters", ("built-in 4424", "built-in 4425", "built-in 4426"),
                     "SPV_KHR_shader_draw_parameters"),
    4433: Needed("StorageBuffer16BitAccess", _NARROW, _STORAGE16),
    4434: Needed("UniformAndStorageBuffer16BitAccess", _NARROW, _STORAGE16),
    4435: Needed("StoragePushConstant16", _NARROW, _STORAGE16),
    4436: Needed("StorageInputOutput16", _NARROW, _STORAGE16),
    4437: Needed("DeviceGroup", ("built-in 4438",), "SPV_KHR_device_group"),
    4439: Needed("MultiView", ("built-in 4440",), "SPV_KHR_multiview"),
    4448: Needed("StorageBuffer8BitAccess", _NARROWER, _STORAGE8),
    4449: Needed("UniformAndStorageBuffer8BitAccess", _NARROWER, _STORAGE8),
    4450: Needed("StoragePushConstant8", _NARROWER, _STORAGE8),
    4472: Needed("RayQueryKHR", ("OpTypeRayQueryKHR", "OpTypeAccelerationStructureKHR"), "SPV_KHR_ray_query"),
    4478: Needed("RayTraversalPrimitiveCullingKHR", ("OpTypeRayQueryKHR", "OpTypeAccelerationStructureKHR"),
                     "SPV_KHR_ray_query"),
    5013: Needed("StencilExportEXT", ("built-in 5014",), "SPV_EXT_shader_stencil_export"),
    5016: Needed("Int64ImageEXT", ("integer 64",), "SPV_EXT_shader_image_int64"),
    5055: Needed("ShaderClockKHR", ("OpReadClockKHR",), "SPV_KHR_shader_clock"),
    5265: Needed("FragmentFullyCoveredEXT", ("built-in 5264",), "SPV_EXT_fragment_fully_covered"),
    5284: Needed("FragmentBarycentricKHR", ("built-in 5286", "built-in 5287", "decoration 5285"),
                     "SPV_KHR_fragment_shader_barycentric"),
    5301: Needed("ShaderNonUniform", _NON_UNIFORM, _INDEXING),
    5302: Needed("RuntimeDescriptorArray", ("run-time array of descriptors",), _INDEXING),
    5303: Needed("InputAttachmentArrayDynamicIndexing", ("subpass image",), _INDEXING),
    5304: Needed("UniformTexelBufferArrayDynamicIndexing", ("buffer image",), _INDEXING),
    5305: Needed("StorageTexelBufferArrayDynamicIndexing", ("buffer image",), _INDEXING),
    5306: Needed("UniformBufferArrayNonUniformIndexing", _NON_UNIFORM, _INDEXING),
    5307: Needed("SampledImageArrayNonUniformIndexing", _NON_UNIFORM, _INDEXING),
    5308: Needed("StorageBufferArrayNonUniformIndexing", _NON_UNIFORM, _INDEXING),
    5309: Needed("StorageImageArrayNonUniformIndexing", _NON_UNIFORM, _INDEXING),
    5310: Needed("InputAttachmentArrayNonUniformIndexing", ("subpass image", *_NON_UNIFORM), _INDEXING),
    5311: Needed("UniformTexelBufferArrayNonUniformIndexing", ("buffer image", *_NON_UNIFORM), _INDEXING),
    5312: Needed("StorageTexelBufferArrayNonUniformIndexing", ("buffer image", *_NON_UNIFORM), _INDEXING),
    spv.PHYSICAL_STORAGE_BUFFER_ADDRESSES: Needed(
        "PhysicalStorageBufferAddresses", (f"pointer {spv.PHYSICAL_STORAGE_BUFFER}",), "SPV_KHR_physical_storage_buffer"
    ),
    5379: Needed("DemoteToHelperInvocation", ("OpDemoteToHelperInvocation*", "OpIsHelperInvocation*"),
                     "SPV_EXT_demote_to_helper_invocation"),
    5612: Needed("AtomicFloat32MinMaxEXT", ("OpAtomicFMin*", "OpAtomicFMax*"), _EXTREMES),
    5613: Needed("AtomicFloat64MinMaxEXT", ("OpAtomicFMin*", "OpAtomicFMax*"), _EXTREMES),
    5616: Needed("AtomicFloat16MinMaxEXT", ("OpAtomicFMin*", "OpAtomicFMax*"), _EXTREMES),
    5629: Needed("ExpectAssumeKHR", ("OpAssumeTrue*", "OpExpect*"), "SPV_KHR_expect_assume"),
    6016: Needed("DotProductInputAll", _DOTS, _DOT),
    6017: Needed("DotProductInput4x8Bit", ("integer 8", *_DOTS), _DOT),
    6018: Needed("DotProductInput4x8BitPacked", _DOTS, _DOT),
    6019: Needed("DotProduct", _DOTS, _DOT),
    6022: Needed("CooperativeMatrixKHR", ("OpTypeCooperativeMatrixKHR",), "SPV_KHR_cooperative_matrix"),
    6026: Needed("GroupNonUniformRotateKHR", _SUBGROUPS, "SPV_KHR_subgroup_rotate"),
    6033: Needed("AtomicFloat32AddEXT", ("OpAtomicFAdd*",), _ADD),
    6034: Needed("AtomicFloat64AddEXT", ("OpAtomicFAdd*",), _ADD),
    6095: Needed("AtomicFloat16AddEXT", ("OpAtomicFAdd*",), "SPV_EXT_shader_atomic_float16_add"),
}  # fmt: skip
"""By number."""


def uses(instructions: Iterable[Instruction]) -> frozenset[str]:
    """Return what instructions use, as far as a capability in the table may be needed for it.

    Shape: names of operations, and words of the table.
    """
    opcodes: set[int] = set()
    found: set[str] = set()
    arrays: set[int] = set()
    for words in instructions:
        opcode = words[0] & 0xFFFF
        opcodes.add(opcode)
        if opcode in _FOUND:
            found.update(_FOUND[opcode](words, arrays))
        elif opcode in _IMAGE_OPERANDS and len(words) > _IMAGE_OPERANDS[opcode]:
            found.update(name for bit, name in _OPERANDS.items() if words[_IMAGE_OPERANDS[opcode]] & bit)
    found.update(op.INSTRUCTIONS[opcode][0] for opcode in opcodes if opcode in op.INSTRUCTIONS)
    return frozenset(found)


def _width(words: Instruction, _arrays: set[int]) -> Iterator[str]:
    yield f"{_WIDTHS[words[0] & 0xFFFF]} {words[2]}"


def _image(words: Instruction, _arrays: set[int]) -> Iterator[str]:
    dimension, layers, samples, kind, form = words[3], words[5], words[6], words[7], words[8]
    name = _DIMENSIONS.get(dimension, "image")
    yield name
    if layers:
        yield f"{name} array"
    if samples and kind == _STORAGE_IMAGE:
        yield "multisampled storage image"
    if form not in _FORMATS:
        yield "image of rare format"


def _pointer(words: Instruction, arrays: set[int]) -> Iterator[str]:
    yield f"pointer {words[2]}"
    if words[2] in _DESCRIPTORS and words[3] in arrays:
        yield "run-time array of descriptors"


def _untyped_pointer(words: Instruction, _arrays: set[int]) -> Iterator[str]:
    yield f"pointer {words[2]}"


def _array(words: Instruction, arrays: set[int]) -> Iterator[str]:
    arrays.add(words[1])
    yield from ()


def _decoration(words: Instruction, _arrays: set[int]) -> Iterator[str]:
    at = _DECORATIONS[words[0] & 0xFFFF]
    yield f"decoration {words[at]}"
    if words[at] == spv.BUILT_IN:
        yield f"built-in {words[at + 1]}"


def _extended(words: Instruction, _arrays: set[int]) -> Iterator[str]:
    yield f"extended {words[4]}"


_FOUND: Mapping[int, Callable[[Instruction, set[int]], Iterator[str]]] = {
    op.TYPE_INT: _width,
    op.TYPE_FLOAT: _width,
    op.TYPE_IMAGE: _image,
    op.TYPE_POINTER: _pointer,
    op.TYPE_UNTYPED_POINTER_KHR: _untyped_pointer,
    op.TYPE_RUNTIME_ARRAY: _array,
    op.DECORATE: _decoration,
    op.DECORATE_ID: _decoration,
    op.MEMBER_DECORATE: _decoration,
    op.EXT_INST: _extended,
}
