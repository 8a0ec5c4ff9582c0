"""Which stages allow an operation or a built-in variable: tables from the Vulkan and SPIR-V specifications.

Names are those of GLSL.
"""

from __future__ import annotations

from collections.abc import Collection

from cratewright import dataclass

from ..base.stages import STAGES
from . import opcodes as op
from .enumerants import DERIVATIVE_GROUP_LINEAR, DERIVATIVE_GROUP_QUADS, INPUT, OUTPUT

_DERIVATIVE_GROUPS = frozenset({DERIVATIVE_GROUP_QUADS, DERIVATIVE_GROUP_LINEAR})
_KNOWN = frozenset(stage.name for stage in STAGES)
_FRAGMENT, _GEOMETRY, _MESH, _TASK, _VERTEX = ("fragment",), ("geometry",), ("mesh",), ("task",), ("vertex",)
_GROUPS = ("compute", "mesh", "task")
_TESSELLATION = ("tess-control", "tess-eval")
_BEFORE_RASTER = ("vertex", "tess-control", "tess-eval", "geometry", "mesh")
_HITS = ("intersection", "any-hit", "closest-hit")
_ONE_VERTEX = ("vertex", "tess-eval", "geometry")
_READ_ONE, _READ_EACH = ("vertex", "fragment"), ("tess-control", "tess-eval", "geometry")
_WRITE_ONE, _WRITE_EACH = (*_ONE_VERTEX, "fragment"), ("tess-control", "mesh")
_RAYS = ("raygen", "intersection", "any-hit", "closest-hit", "miss", "callable")


@dataclass(frozen=True, slots=True)
class Restriction:
    """An operation that only some stages have; `groups` have it too if they declare a derivative group."""

    what: str
    stages: tuple[str, ...]
    verb: str = "can only run"
    groups: tuple[str, ...] = ()
    hint: str = ""

    def permits(self, stage: str, modes: Collection[int]) -> bool:
        """Return whether an entry point of this stage, with these execution modes, may reach it."""
        if stage in self.stages or stage not in _KNOWN:
            return True
        return stage in self.groups and not _DERIVATIVE_GROUPS.isdisjoint(modes)


def shared_variable(name: str) -> Restriction:
    """Return the restriction of a variable that a workgroup shares."""
    return Restriction(f"the shared variable `{name}`", _GROUPS, "only exists")


def located_variable(name: str, storage: int, *, is_array: bool, is_patch: bool) -> Restriction:
    """Return the restriction of an input or output at a location; an array may have an element for each vertex."""
    what = f"the {'patch ' if is_patch else ''}{'input' if storage == INPUT else 'output'} `{name}`"
    what += "" if is_array or is_patch else ", which is not an array,"
    if is_patch:
        return Restriction(what, ("tess-eval",) if storage == INPUT else ("tess-control",), "only exists")
    one, each = (_READ_ONE, _READ_EACH) if storage == INPUT else (_WRITE_ONE, _WRITE_EACH)
    return Restriction(what, (*one, *each) if is_array else one, "only exists")


def _derivative(name: str) -> Restriction:
    return Restriction(f"`{name}`", _FRAGMENT, groups=_GROUPS)


def _operation(name: str, *stages: str) -> Restriction:
    return Restriction(f"`{name}`", stages)


_SAMPLING = Restriction(
    "`texture` with an implicit level of detail",
    _FRAGMENT,
    groups=_GROUPS,
    hint="use textureLod, textureGrad or texelFetch there",
)
_DERIVATIVES = ("dFdx", "dFdy", "fwidth")
_IMPLICIT_LOD = (
    *(op.IMAGE_SAMPLE_IMPLICIT_LOD, op.IMAGE_SAMPLE_DREF_IMPLICIT_LOD),
    *(op.IMAGE_SAMPLE_PROJ_IMPLICIT_LOD, op.IMAGE_SAMPLE_PROJ_DREF_IMPLICIT_LOD),
    *(op.IMAGE_SPARSE_SAMPLE_IMPLICIT_LOD, op.IMAGE_SPARSE_SAMPLE_DREF_IMPLICIT_LOD),
    *(op.IMAGE_SPARSE_SAMPLE_PROJ_IMPLICIT_LOD, op.IMAGE_SPARSE_SAMPLE_PROJ_DREF_IMPLICIT_LOD),
)
_DISCARD = _operation("discard", *_FRAGMENT)
_TRACE = _operation("traceRayEXT", "raygen", "closest-hit", "miss")
_CALLABLE = _operation("executeCallableEXT", "raygen", "closest-hit", "miss", "callable")

# by opcode; a barrier is restricted only if its scope is the workgroup, or if it orders only shared memory
OPERATIONS: dict[int, Restriction] = {
    **dict.fromkeys(_IMPLICIT_LOD, _SAMPLING),
    op.IMAGE_QUERY_LOD: _derivative("textureQueryLod"),
    **{op.DPDX + at: _derivative(name) for at, name in enumerate(_DERIVATIVES)},
    **{op.DPDX_FINE + at: _derivative(f"{name}Fine") for at, name in enumerate(_DERIVATIVES)},
    **{op.DPDX_COARSE + at: _derivative(f"{name}Coarse") for at, name in enumerate(_DERIVATIVES)},
    op.EMIT_VERTEX: _operation("EmitVertex", *_GEOMETRY),
    op.END_PRIMITIVE: _operation("EndPrimitive", *_GEOMETRY),
    op.EMIT_STREAM_VERTEX: _operation("EmitStreamVertex", *_GEOMETRY),
    op.END_STREAM_PRIMITIVE: _operation("EndStreamPrimitive", *_GEOMETRY),
    op.CONTROL_BARRIER: _operation("barrier", "tess-control", *_GROUPS),
    op.MEMORY_BARRIER: _operation("memoryBarrierShared", *_GROUPS),
    op.KILL: _DISCARD,
    op.COLOR_ATTACHMENT_READ_EXT: _operation("colorAttachmentReadEXT", *_FRAGMENT),
    op.DEPTH_ATTACHMENT_READ_EXT: _operation("depthAttachmentReadEXT", *_FRAGMENT),
    op.STENCIL_ATTACHMENT_READ_EXT: _operation("stencilAttachmentReadEXT", *_FRAGMENT),
    op.TERMINATE_INVOCATION: _DISCARD,
    op.TRACE_RAY_KHR: _TRACE,
    op.EXECUTE_CALLABLE_KHR: _CALLABLE,
    op.IGNORE_INTERSECTION_KHR: _operation("ignoreIntersectionEXT", "any-hit"),
    op.TERMINATE_RAY_KHR: _operation("terminateRayEXT", "any-hit"),
    op.EMIT_MESH_TASKS_EXT: _operation("EmitMeshTasksEXT", *_TASK),
    op.SET_MESH_OUTPUTS_EXT: _operation("SetMeshOutputsEXT", *_MESH),
    op.REPORT_INTERSECTION_KHR: _operation("reportIntersectionEXT", "intersection"),
    op.IGNORE_INTERSECTION_NV: _operation("ignoreIntersectionNV", "any-hit"),
    op.TERMINATE_RAY_NV: _operation("terminateRayNV", "any-hit"),
    op.TRACE_NV: _TRACE,
    op.EXECUTE_CALLABLE_NV: _CALLABLE,
    op.BEGIN_INVOCATION_INTERLOCK_EXT: _operation("beginInvocationInterlockARB", *_FRAGMENT),
    op.END_INVOCATION_INTERLOCK_EXT: _operation("endInvocationInterlockARB", *_FRAGMENT),
    # A new glslang compiles `discard` to the same.
    op.DEMOTE_TO_HELPER_INVOCATION: Restriction("`discard` or `demote`", _FRAGMENT),
    op.IS_HELPER_INVOCATION_EXT: _operation("helperInvocationEXT", *_FRAGMENT),
}

# by instruction of GLSL.std.450
EXTENDED: dict[int, Restriction] = {
    76: _operation("interpolateAtCentroid", *_FRAGMENT),
    77: _operation("interpolateAtSample", *_FRAGMENT),
    78: _operation("interpolateAtOffset", *_FRAGMENT),
}

_BUILT_IN_STAGES: dict[tuple[str, ...], dict[int, str]] = {
    _BEFORE_RASTER: {0: "Position", 1: "PointSize"},
    (*_BEFORE_RASTER, "fragment"): {3: "ClipDistance", 4: "CullDistance", 4440: "ViewIndex"},
    ("vertex", "tess-eval", "geometry", "mesh", "fragment"): {9: "Layer", 10: "ViewportIndex"},
    (*_TESSELLATION, "geometry", "mesh", "fragment", *_HITS): {7: "PrimitiveID"},
    ("tess-control", "geometry"): {8: "InvocationID"},
    _TESSELLATION: {11: "TessLevelOuter", 12: "TessLevelInner", 14: "PatchVerticesIn"},
    ("tess-eval",): {13: "TessCoord"},
    _FRAGMENT: {
        15: "FragCoord",
        16: "PointCoord",
        17: "FrontFacing",
        18: "SampleID",
        19: "SamplePosition",
        20: "SampleMask",
        22: "FragDepth",
        23: "HelperInvocation",
        4992: "BaryCoordNoPerspAMD",
        4993: "BaryCoordNoPerspCentroidAMD",
        4994: "BaryCoordNoPerspSampleAMD",
        4995: "BaryCoordSmoothAMD",
        4996: "BaryCoordSmoothCentroidAMD",
        4997: "BaryCoordSmoothSampleAMD",
        4998: "BaryCoordPullModelAMD",
        4444: "ShadingRateEXT",
        5014: "FragStencilRefARB",
        5264: "FullyCoveredNV",
        5286: "BaryCoordEXT",
        5287: "BaryCoordNoPerspEXT",
        5292: "FragSizeEXT",
        5293: "FragInvocationCountEXT",
    },
    _GROUPS: {
        24: "NumWorkGroups",
        25: "WorkGroupSize",
        26: "WorkGroupID",
        27: "LocalInvocationID",
        28: "GlobalInvocationID",
        29: "LocalInvocationIndex",
        38: "NumSubgroups",
        40: "SubgroupID",
    },
    _VERTEX: {42: "VertexIndex", 43: "InstanceIndex", 4424: "BaseVertex", 4425: "BaseInstance"},
    ("vertex", "mesh", "task"): {4426: "DrawID"},
    ("vertex", "tess-eval", "geometry", "mesh"): {
        5253: "ViewportMask",
        5257: "SecondaryPositionNV",
        5258: "SecondaryViewportMaskNV",
        5261: "PositionPerViewNV",
        5262: "ViewportMaskPerViewNV",
    },
    _MESH: {
        5294: "PrimitivePointIndicesEXT",
        5295: "PrimitiveLineIndicesEXT",
        5296: "PrimitiveTriangleIndicesEXT",
        5299: "CullPrimitiveEXT",
    },
    _RAYS: {5319: "LaunchIDEXT", 5320: "LaunchSizeEXT"},
    (*_HITS, "miss"): {
        5321: "WorldRayOriginEXT",
        5322: "WorldRayDirectionEXT",
        5325: "RayTminEXT",
        5326: "RayTmaxEXT",
        5334: "CurrentRayTimeNV",
        5351: "IncomingRayFlagsEXT",
    },
    _HITS: {
        5323: "ObjectRayOriginEXT",
        5324: "ObjectRayDirectionEXT",
        5327: "InstanceCustomIndexEXT",
        5330: "ObjectToWorldEXT",
        5331: "WorldToObjectEXT",
        5352: "GeometryIndexEXT",
    },
    ("any-hit", "closest-hit"): {5333: "HitKindEXT", 5335: "HitTriangleVertexPositionsEXT"},
}
# by SPIR-V number
BUILT_INS: dict[int, Restriction] = {
    number: Restriction(f"`gl_{name}`", stages, "only exists")
    for stages, names in _BUILT_IN_STAGES.items()
    for number, name in names.items()
}

_POSITIONS, _DISTANCES = {0: "Position", 1: "PointSize"}, {3: "ClipDistance", 4: "CullDistance"}
_LAYERS = {9: "Layer", 10: "ViewportIndex"}
_INTERFACES: tuple[tuple[int, bool, str, dict[int, str], tuple[str, ...]], ...] = (
    (OUTPUT, False, "one vertex", _POSITIONS | _DISTANCES, _ONE_VERTEX),
    (OUTPUT, True, "every vertex", _POSITIONS | _DISTANCES, _WRITE_EACH),
    (INPUT, False, "a fragment", _DISTANCES, _FRAGMENT),
    (INPUT, True, "every vertex", _POSITIONS | _DISTANCES, _READ_EACH),
    (OUTPUT, False, "one primitive", _LAYERS, _ONE_VERTEX),
    (OUTPUT, False, "one primitive", {7: "PrimitiveID"}, _GEOMETRY),
    (OUTPUT, False, "one primitive", {4432: "PrimitiveShadingRateEXT"}, ("vertex", "geometry")),
    (OUTPUT, True, "every primitive", {**_LAYERS, 7: "PrimitiveID", 4432: "PrimitiveShadingRateEXT"}, _MESH),
    (INPUT, False, "a fragment", _LAYERS, _FRAGMENT),
)
# by storage class, whether there is an element for each vertex or primitive, and SPIR-V number
INTERFACES: dict[tuple[int, bool, int], Restriction] = {
    (storage, is_array, number): Restriction(f"`gl_{name}` of {whose}", stages, "only exists")
    for storage, is_array, whose, names, stages in _INTERFACES
    for number, name in names.items()
}
