"""The table of variants: which source is compiled under which name with which defines.

Names and defines are those of llama.cpp's own generator, `vulkan-shaders-gen.cpp`; `python generator.py` compares them.
These are left out, so that glslang 13.1.1 compiles every row and `spirv-val` accepts it:

    *_q8_1 (scalar), *_int8          need GL_EXT_integer_dot_product
    *_cm2                            need GL_NV_cooperative_matrix2
    *_bf16_cm1, flash_attn_*_bf16*   need GL_EXT_bfloat16
    *_ocp                            need GL_EXT_float_e2m1 and GL_EXT_float_e4m3
    *_dot2                           use SPV_VALVE_mixed_float_dot_product, which spirv-val does not know
    get_rows_iq1_m*                  13.1.1 copies a laid-out array into a local one; spirv-val refuses it
    rope_{norm,neox,multi}_f16       13.1.1 converts half to half; spirv-val refuses it
    matmul_id*, matmul_*_f16acc*     compile (300 of them), but only repeat the sources of matmul
"""

from table.elements import elementwise, movement, reduction
from table.matrices import flash_attn, matmul, mul_mat_vec, quantise
from table.networks import layers
from table.row import Variant

CRATES: dict[str, list[Variant]] = {
    topic.__name__: list(topic())
    for topic in (matmul, mul_mat_vec, flash_attn, quantise, elementwise, movement, reduction, layers)
}
VARIANTS: list[Variant] = [variant for members in CRATES.values() for variant in members]
