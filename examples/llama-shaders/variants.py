"""The table of shader variants: which source is compiled under which name with which defines.

Knows nothing of where the sources lie, nor of SCons: it is a list of facts, read from the generator that
llama.cpp ships beside its shaders (`vulkan-shaders-gen.cpp`), in the same names.

It is held against that generator by `python generator.py`, which can give the rest, too. Left out, so that every row
compiles with glslang 13.1.1 and is accepted by `spirv-val`:

    *_q8_1 (scalar), *_int8          need GL_EXT_integer_dot_product
    *_cm2                            need GL_NV_cooperative_matrix2
    *_bf16_cm1, flash_attn_*_bf16*   need GL_EXT_bfloat16
    *_ocp                            need GL_EXT_float_e2m1 and GL_EXT_float_e4m3
    *_dot2                           use SPV_VALVE_mixed_float_dot_product, which spirv-val does not know
    get_rows_iq1_m*                  13.1.1 copies a laid-out array into a local one; spirv-val refuses it
    rope_{norm,neox,multi}_f16       13.1.1 converts half to half; spirv-val refuses it
    matmul_id*, matmul_*_f16acc*     compile (300 of them), but are the matmul sources once more: for time
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import product
from typing import NamedTuple

__all__ = ["CRATES", "TARGET", "VARIANTS", "Variant", "crates", "output", "whole_table"]

TARGET = "vulkan1.2"


class Variant(NamedTuple):
    """One shader to make: the name of the result, the source file and its defines; and how it is compiled."""

    name: str
    source: str
    defines: dict[str, str]
    target: str = TARGET
    optimized: bool = True

    @property
    def options(self) -> dict[str, object]:
        """Return what a crate is told of it."""
        return {"name": self.name, "defines": self.defines, **({} if self.optimized else {"spirv_opt": False})}


Rows = Iterator[Variant]

GLSL = {"f32": "float", "f16": "float16_t", "bf16": "uint16_t", "i32": "int", "u32": "uint"}

BLOCK_QUANTS = ("q1_0", "q2_0", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0")
K_QUANTS = ("q2_k", "q3_k", "q4_k", "q5_k", "q6_k")
WIDE_TABLE_QUANTS = ("iq1_s", "iq1_m", "iq2_xxs", "iq2_xs", "iq2_s", "iq4_xs")
TABLE_QUANTS = (*WIDE_TABLE_QUANTS, "iq3_xxs", "iq3_s", "iq4_nl", "mxfp4", "nvfp4")
TERNARY_QUANTS = ("tq1_0", "tq2_0")
QUANTS = (*BLOCK_QUANTS, *K_QUANTS, *TABLE_QUANTS, *TERNARY_QUANTS)
COPY_QUANTS = (*BLOCK_QUANTS, "iq4_nl")
INTEGER_MATRIX_QUANTS = (*BLOCK_QUANTS[2:], *K_QUANTS[1:], "iq4_nl", "iq4_xs", "mxfp4", "nvfp4")
OWN_MATRIX_VECTOR_SOURCE = {*K_QUANTS, *TERNARY_QUANTS, *TABLE_QUANTS} - {"iq4_nl", "mxfp4", "nvfp4"}

FLOAT = {"FLOAT_TYPE": "float"}
BASE = {**FLOAT, "FLOAT_TYPEV2": "vec2"}
VECTORS = {"f32": ("vec2", "vec4", "mat2x4"), "f16": ("f16vec2", "f16vec4", "f16mat2x4")}


def io(a: str = "", b: str = "", d: str = "") -> dict[str, str]:
    """Return the defines that name the element types of inputs A and B and of the output D."""
    given = (("A_TYPE", a), ("B_TYPE", b), ("D_TYPE", d))
    return {key: GLSL.get(kind, kind) for key, kind in given if kind}


def data_a(kind: str) -> dict[str, str]:
    """Return the define that says how matrix A is stored."""
    return {f"DATA_A_{kind.upper()}": "1"}


def matmul() -> Rows:
    """Yield matrix by matrix: scalar in single and half precision, and on cooperative matrices."""
    for suffix, kind, extra in (
        ("_fp32", "f32", {}),
        ("", "f16", {"FLOAT16": "1"}),
        ("_cm1", "f16", {"FLOAT16": "1", "COOPMAT": "1"}),
    ):
        load = "8" if kind == "f16" else "4"
        accumulator = {"ACC_TYPE": "float", "ACC_TYPEV2": "vec2", "ACC_TYPE_VEC4": "vec4"}
        common = {**accumulator, **extra, "D_TYPE": "float"}
        compute = _float_types(kind)
        inputs = {b: {"LOAD_VEC_B": load, **_matrix_b(b, wide=kind == "f16")} for b in ("f16", "f32")}

        for a, b in product(("f32", "f16"), ("f16", "f32")):
            name = "matmul_f16" if a == b == "f16" else f"matmul_{a}_{b}"
            stored = {**data_a(a), "LOAD_VEC_A": load}
            yield Variant(name + suffix, "mul_mm.comp", {**common, **compute, **inputs[b], **stored})
        for a, b in product(TABLE_QUANTS, ("f16", "f32")):
            stored = {**data_a(a), "LOAD_VEC_A": "8" if a in WIDE_TABLE_QUANTS else "4"}
            defines = {**common, **compute, **inputs[b], **stored}
            yield Variant(f"matmul_{a}_{b}{suffix}", "mul_mm.comp", defines)
        for b in ("f16", "f32"):
            defines = {**common, **compute, **inputs[b], "MULMAT_QUANT": "1"}
            yield Variant(f"matmul_quant_{b}{suffix}", "mul_mm.comp", defines)
        if suffix == "_cm1":
            for a in INTEGER_MATRIX_QUANTS:
                defines = {**common, **compute, **data_a(a), "D_TYPE_VEC4": "vec4"}
                yield Variant(f"matmul_{a}_q8_1_cm1", "mul_mmq_cm1.comp", defines)
        else:
            yield Variant("matmul_bf16" + suffix, "mul_mm.comp", {**common, **_scalar_bf16()})


def _float_types(kind: str) -> dict[str, str]:
    two, four, eight = VECTORS[kind]
    return {"FLOAT_TYPE": GLSL[kind], "FLOAT_TYPEV2": two, "FLOAT_TYPEV4": four, "FLOAT_TYPEV8": eight}


def _matrix_b(kind: str, *, wide: bool) -> dict[str, str]:
    _, four, eight = VECTORS[kind]
    return {"B_TYPE": eight if wide else four, "B_TYPE_SCALAR": GLSL[kind], "B_TYPEV4": four}


def _scalar_bf16() -> dict[str, str]:
    compute = {"FLOAT_TYPE": "float", "FLOAT_TYPEV2": "vec2", "FLOAT_TYPEV4": "vec4"}
    matrix_b = {"B_TYPE": "u16vec4", "B_TYPE_SCALAR": "uint16_t", "B_TYPEV4": "bf16vec4", "LOAD_VEC_B": "4"}
    stored = {**data_a("bf16"), "LOAD_VEC_A": "4", "TO_FLOAT_TYPE": "bf16_to_fp32"}
    return {**compute, **matrix_b, **stored, "B_IS_FLOAT": "1", "DATA_B_BF16": "1"}


REDUCTIONS = {
    "": {},
    "_subgroup": {"USE_SUBGROUP_ADD": "1"},
    "_subgroup_no_shmem": {"USE_SUBGROUP_ADD_NO_SHMEM": "1"},
}


def mul_mat_vec() -> Rows:
    """Yield matrix by vector for each storage of the matrix and each way to add up."""
    for a in ("f32", "f16", "bf16", *QUANTS):
        source = f"mul_mat_vec_{a}.comp" if a in OWN_MATRIX_VECTOR_SOURCE else "mul_mat_vec.comp"
        for (suffix, reduction), (routed, b) in product(REDUCTIONS.items(), (("", "f32"), ("", "f16"), ("id_", "f32"))):
            two, four, _ = VECTORS[b]
            vector = {**io(b=b, d="f32"), "B_TYPEV2": two, "B_TYPEV4": four}
            defines = {**BASE, **data_a(a), **vector, **reduction, **({"MUL_MAT_ID": "1"} if routed else {})}
            yield Variant(f"mul_mat_vec_{routed}{a}_{b}_f32{suffix}", source, defines)
    half = {**io("f16", "f32", "f32"), "A_TYPEV4": "f16vec4", "B_TYPEV4": "vec4"}
    yield Variant("mul_mat_vec_p021_f16_f32", "mul_mat_vec_p021.comp", half)
    yield Variant("mul_mat_vec_p021_f16_f32_subgroup_add", "mul_mat_vec_p021.comp", {**half, "USE_SUBGROUP_ADD": "1"})
    yield Variant("mul_mat_vec_nc_f16_f32", "mul_mat_vec_nc.comp", half)
    yield Variant("split_k_reduce", "mul_mat_split_k_reduce.comp", {})


def flash_attn() -> Rows:
    """Yield attention and what prepares and finishes it."""
    shapes = {"Q_TYPE": "float", "D_TYPE": "float", "D_TYPEV4": "vec4", **data_a("iq4_nl")}
    limit = "float16_t(65504.0)"
    for kind, accumulate in (("f32", "f32"), ("f16", "f32"), ("f16", "f16")):
        two, four, _ = VECTORS[kind]
        sum_two, sum_four, _ = VECTORS[accumulate]
        defines = {**shapes, "FLOAT_TYPE": GLSL[kind], "FLOAT_TYPEV2": two, "FLOAT_TYPEV4": four}
        defines |= {"ACC_TYPE": GLSL[accumulate], "ACC_TYPEV2": sum_two, "ACC_TYPEV4": sum_four}
        if kind == "f16":
            defines |= {"FLOAT16": "1", "FLOAT_TYPE_MAX": limit}
        if accumulate == "f16":
            defines |= {"ACC_TYPE_MAX": limit}
        name = "flash_attn_f32_f16" + ("_f16acc" if accumulate == "f16" else "")
        yield Variant(name + ("_fp32" if kind == "f32" else ""), "flash_attn.comp", defines)
        if kind == "f16":
            yield Variant(name + "_cm1", "flash_attn_cm1.comp", {**defines, "COOPMAT": "1"})
    yield Variant("fa_split_k_reduce", "flash_attn_split_k_reduce.comp", {})
    yield Variant("fa_mask_opt", "flash_attn_mask_opt.comp", {})
    yield Variant("fa_decode_ph1_cm1", "flash_attn_decode_phase_1.comp", {})
    yield Variant("fa_decode_ph2_cm1", "flash_attn_decode_phase_2.comp", {})
    yield Variant("fa_sparse_compact", "flash_attn_sparse_compact.comp", {})
    yield Variant("fa_sparse_compact_subgroup", "flash_attn_sparse_compact.comp", {"USE_SUBGROUPS": "1"})
    lightning = {**FLOAT, "FLOAT_TYPEV4": "vec4", **data_a("iq4_nl")}
    yield Variant("lightning_indexer_f32", "lightning_indexer.comp", lightning)
    yield Variant("lightning_indexer_subgroup_f32", "lightning_indexer.comp", {**lightning, "USE_SUBGROUP_ADD": "1"})


def quantise() -> Rows:
    """Yield conversions to and from the quantised storages, and row look-ups in them."""
    for a in ("f32", *QUANTS):
        yield Variant(f"dequant_{a}", f"dequant_{a}.comp", {**BASE, **data_a(a), **io(d="f16")})
    transposed = {**BASE, **data_a("q8_0"), **io(d="f16"), "DEQUANT_TRANSPOSE": "1"}
    yield Variant("dequant_q8_0_transpose", "dequant_q8_0.comp", transposed)
    for a in ("f32", "f16", "bf16", *(q for q in QUANTS if q != "iq1_m")):
        source = "get_rows_quant.comp" if a in QUANTS else "get_rows.comp"
        defines = {**BASE, **data_a(a), "TEMP_TYPE": "FLOAT_TYPE", "B_TYPE": "int"}
        workaround = {"OPTIMIZATION_ERROR_WORKAROUND": "1"} if a == "f16" else {}
        yield Variant(f"get_rows_{a}", source, {**defines, **io(d="f16"), **workaround})
        yield Variant(f"get_rows_{a}_f32", source, {**defines, **io(d="f32")})
    yield Variant("get_rows_i32", "get_rows.comp", {**io("u32", "i32", "u32"), "TEMP_TYPE": "uint"})
    for q in COPY_QUANTS:
        to, back = {"S_TYPE": "float", **io(d="f32"), **FLOAT}, {**io(d="f32"), **FLOAT}
        yield Variant(f"cpy_f32_{q}", "copy_to_quant.comp", {**to, **data_a(q)})
        yield Variant(f"cpy_{q}_f32", "copy_from_quant.comp", {**back, **data_a(q)})
    indexes = (("i32", {"B_TYPE": "uint", "B_SIZE": "32"}), ("i64", {"B_TYPE": "uvec2", "B_SIZE": "64"}))
    for s, q, (index, kind) in product(("f32", "f16"), ("f32", "f16", "bf16", *COPY_QUANTS), indexes):
        defines = {"SET_ROWS": "1", "S_TYPE": GLSL[s], **data_a(q), **kind, **io(d="f32"), **FLOAT}
        yield Variant(f"set_rows_{s}_{q}_{index}", "copy_to_quant.comp", defines)
    for block, group in product((False, True), (False, True)):
        name = "quantize_q8_1" + ("_x4" if block else "") + ("_subgroup" if group else "")
        defines = {**({"QBLOCK_X4": "1"} if block else {}), **({"USE_SUBGROUPS": "1"} if group else {})}
        yield Variant(name, "quantize_q8_1.comp", defines)


ROUNDING = "ceil floor round trunc"
ACTIVATIONS = "elu gelu gelu_erf gelu_quick hardsigmoid hardswish leaky_relu relu sigmoid silu softplus tanh xielu"
UNARY = f"abs clamp cos exp expm1 neg sgn sin sqr sqrt step {ROUNDING} {ACTIVATIONS}".split()
GATED = ("geglu", "geglu_erf", "geglu_quick", "reglu", "swiglu", "swiglu_clamp", "swiglu_oai")


def elementwise() -> Rows:
    """Yield arithmetic on elements: one input, one input and a gate, two inputs."""
    for op, kind in product(UNARY, ("f16", "f32")):
        yield Variant(f"{op}_{kind}", "unary.comp", {**io(kind, d=kind), "OP": f"op_{op}"})
    for op, kind in product(("gelu", "sigmoid", "silu", "softplus"), ("f16", "f32")):
        defines = {**io(kind, kind, kind), **FLOAT, "OP": f"op_{op}", "UNARY_MUL_FUSION": "1"}
        yield Variant(f"{op}_mul_{kind}", "unary.comp", defines)
    for source, kind in product(("log", "tri", "diag", *GATED), ("f16", "f32")):
        yield Variant(f"{source}_{kind}", f"{source}.comp", io(kind, d=kind))
    for op, a, b, d in product(("add", "sub", "mul", "div", "add_rms"), *[("f32", "f16")] * 3):
        source = op.removesuffix("_rms")
        defines = {**io(a, b, d), **FLOAT, "ADD_RMS": "1" if op == "add_rms" else "0"}
        yield Variant(f"{op}_{a}_{b}_{d}", f"{source}.comp", defines)
    for source in ("sub", "mul", "div", "acc"):
        yield Variant(f"{source}_f32", f"{source}.comp", {**io("f32", "f32", "f32"), **FLOAT})
    for a, b in (("f16", "f16"), ("f16", "f32"), ("f32", "f32")):
        yield Variant(f"add1_{a}_{b}", "add1.comp", {**io(a, b, a), **FLOAT})
    for name, rms in (("multi_add_f32", "0"), ("multi_add_rms_f32", "1")):
        yield Variant(name, "multi_add.comp", {**io("f32", "f32", "f32"), **FLOAT, "ADD_RMS": rms})
    yield Variant("add_id_f32", "add_id.comp", {**BASE, **io("f32", "f32", "f32")})
    yield Variant("silu_back_f32", "silu_back.comp", io("f32", "f32", "f32"))
    for source in ("scale", "arange"):
        yield Variant(f"{source}_f32", f"{source}.comp", {**io("f32", d="f32"), **FLOAT})
    for d in ("f32", "f16"):
        yield Variant(f"fill_{d}", "fill.comp", {**io(d=d), **FLOAT})
    for kind, stored in (("f32", {}), ("f16", {}), ("bf16", {"DATA_D_BF16": "1"})):
        yield Variant(f"snake_{kind}", "snake.comp", {**data_a(kind), **io(kind, d=kind), **stored})


def movement() -> Rows:
    """Yield what moves elements and computes nothing: copies, transposes, padding, repetition."""
    workaround = {"OPTIMIZATION_ERROR_WORKAROUND": "1"}
    copies = (
        *(("f32", d, {}) for d in ("f32", "f16", "i32")),
        *(("f16", d, workaround) for d in ("f16", "f32")),
        ("f32", "bf16", {"DATA_D_BF16": "1"}),
        ("bf16", "f32", {"DATA_A_BF16": "1"}),
        ("i32", "f32", {}),
    )
    for (prefix, source), (a, d, extra) in product((("cpy", "copy"), ("contig_cpy", "contig_copy")), copies):
        yield Variant(f"{prefix}_{a}_{d}", f"{source}.comp", {**io(a, d=d), **extra})
    for source, (width, kind) in product(("transpose", "transpose_02"), (("16", "uint16_t"), ("32", "uint"))):
        yield Variant(f"cpy_{source}_{width}", f"copy_{source}.comp", io(kind, d=kind))
    for width, kind in (("i8", "uint8_t"), ("i16", "uint16_t"), ("i32", "uint"), ("i64", "uvec2")):
        yield Variant(f"concat_{width}", "concat.comp", io(kind, kind, kind))
    for width, kind in (("i32", "int32_t"), ("i16", "int16_t")):
        yield Variant(f"repeat_{width}", "repeat.comp", io(kind, d=kind))
    for source in ("repeat_back", "pad", "pad_reflect_1d", "diag_mask_inf"):
        yield Variant(f"{source}_f32", f"{source}.comp", io("f32", d="f32"))
    yield Variant("get_rows_back_f32", "get_rows_back.comp", io("f32", "i32", "f32"))
    yield Variant("roll_f32", "roll.comp", {**BASE, **io("f32", d="f32")})
    yield Variant("upscale_f32", "upscale.comp", io("f32", "f32", "f32"))


SUMS = ("norm", "group_norm", "l2_norm", "sum_rows", "cumsum", "cumsum_multipass1", "cumsum_multipass2")
PAIRED = ("rms_norm_back", "soft_max_back", "cross_entropy_loss", "cross_entropy_loss_back", "solve_tri")
SORTS = ("argsort", "argsort_large", "topk_argsort", "topk_nary_search", "topk_radix_select")


def reduction() -> Rows:
    """Yield norms, soft-max, sorting, sums and losses."""
    for source in SUMS:
        yield Variant(f"{source}_f32", f"{source}.comp", {**BASE, **io("f32", d="f32")})
    whole = {**BASE, **io("f32", "f32", "f32")}
    for source in PAIRED:
        yield Variant(f"{source}_f32", f"{source}.comp", whole)
    added, stored = {"RMS_NORM_ADD_FUSION": "1"}, {"RMS_NORM_SET_ROWS_FUSION": "1"}
    yield Variant("rms_norm_f32", "rms_norm.comp", whole)
    yield Variant("rms_norm_mul_add_f32", "rms_norm.comp", {**whole, **added})
    yield Variant("rms_norm_partials_f32", "rms_norm_partials.comp", whole)
    yield Variant("rms_norm_mul_add_partials_f32", "rms_norm_partials.comp", {**whole, **added})
    for d in ("f32", "f16"):
        rotated = {"RMS_NORM_ROPE_FUSION": "1", "ROPE_D_TYPE": GLSL[d]}
        yield Variant(f"rms_norm_set_rows_f32_{d}", "rms_norm.comp", {**whole, **io(d=d), **stored})
        yield Variant(f"rms_norm_mul_rope_f32_{d}", "rms_norm.comp", {**whole, **rotated})
    for part, b in product(("", "_large1", "_large2", "_large3"), ("f32", "f16")):
        name = f"soft_max{part}_f32" + ("_f16" if b == "f16" else "")
        yield Variant(name, f"soft_max{part}.comp", {**whole, **io(b=b)})
    for source in SORTS:
        yield Variant(f"{source}_f32", f"{source}.comp", io("f32"))
    yield Variant("topk_moe_f32", "topk_moe.comp", {})
    yield Variant("argmax_f32", "argmax.comp", {**BASE, **io("f32", d="i32")})
    yield Variant("count_equal_i32", "count_equal.comp", {**BASE, **io("i32", "i32", "i32")})
    experts = {**BASE, **io("u32", d="u32")}
    yield Variant("count_experts", "count_experts.comp", experts)
    yield Variant("count_experts_subgroup", "count_experts.comp", {**experts, "USE_SUBGROUPS": "1"})


def layers() -> Rows:
    """Yield layers of networks: convolution, pooling, position, recurrence, and their optimisers."""
    for transposed, unrolled, a in product((False, True), (False, True), ("f32", "f16")):
        kind = "_f16" if a == "f16" else ""
        unroll = {"UNROLL": "[[unroll]]" if unrolled else ""}
        name = ("conv_transpose_2d" if transposed else "conv2d") + kind + "_f32"
        defines = {**io(a, "f32", "f32"), **unroll, "USE_COLLECTIVES": "1"}
        defines |= {"TRANSPOSE": "1"} if transposed else {}
        yield from _convolution(name, "conv2d_mm.comp", defines, unrolled=unrolled)
        if not transposed:
            defines = {**io(a, "f32", "f32"), **unroll}
            yield from _convolution(f"conv3d{kind}_f32", "conv3d_mm.comp", defines, unrolled=unrolled)
    for a, order in product(("f32", "f16"), ("WHCN", "CWHN")):
        name = f"conv2d_dw_{order.lower()}" + ("_f16" if a == "f16" else "") + "_f32"
        yield Variant(name, "conv2d_dw.comp", {**BASE, **io(a, "f32", "f32"), order: "1"})
    yield Variant("conv_transpose_1d_f32", "conv_transpose_1d.comp", io("f32", "f32", "f32"))
    for kind in ("f32", "f16", "bf16"):
        yield Variant(f"col2im_1d_{kind}", "col2im_1d.comp", {**data_a(kind), **io(kind, d=kind)})
    for dimension, (d, size, suffix), address in product(
        ("", "_3d"), (("f32", "4", "f32"), ("f16", "2", "f32_f16")), (False, True)
    ):
        defines = {**BASE, **io("f32", d=d), "D_SIZE": size, "BDA": "1" if address else "0"}
        name = f"im2col{dimension}_{suffix}" + ("_bda" if address else "")
        yield Variant(name, f"im2col{dimension}.comp", defines)
    for source in ("pool1d", "pool2d", "timestep_embedding"):
        yield Variant(f"{source}_f32", f"{source}.comp", {**BASE, **io("f32", d="f32")})
    for source in ("rope_norm", "rope_neox", "rope_multi"):
        for suffix, d in (("f32", "f32"), ("f32_f16", "f16")):
            yield Variant(f"{source}_{suffix}", f"{source}.comp", {**io("f32"), "ROPE_D_TYPE": GLSL[d]})
    for kind in ("f32", "f16"):
        yield Variant(f"rope_vision_{kind}", "rope_vision.comp", {**io(kind), "ROPE_D_TYPE": GLSL[kind]})
    yield from _recurrence()
    for source in ("opt_step_adamw", "opt_step_sgd"):
        yield Variant(f"{source}_f32", f"{source}.comp", {**BASE, **io("f32")})
    for source in ("out_prod", "dsv4_hc_comb", "dsv4_hc_pre", "dsv4_hc_post", "fwht"):
        yield Variant(f"{source}_f32", f"{source}.comp", {})
    yield Variant("fwht_shmem_f32", "fwht.comp", {"FWHT_SHMEM": "1"})


def _convolution(name: str, source: str, defines: dict[str, str], *, unrolled: bool) -> Rows:
    yield Variant(name + ("_unroll" if unrolled else ""), source, defines)
    if unrolled:
        yield Variant(name + "_cm1", source, {**defines, "COOPMAT": "1"})


def _recurrence() -> Rows:
    for name, source in (("rwkv_wkv6", "wkv6"), ("rwkv_wkv7", "wkv7"), ("gated_linear_attn", "gla")):
        yield Variant(f"{name}_f32", f"{source}.comp", {**BASE, **io("f32")})
    for suffix, add, cluster in (("", "1", "1"), ("_nocluster", "1", "0"), ("_shmem", "0", "0")):
        defines = {**BASE, "USE_SUBGROUP_ADD": add, "USE_SUBGROUP_CLUSTERED": cluster}
        yield Variant(f"gated_delta_net_f32{suffix}", "gated_delta_net.comp", defines)
    yield Variant("ssm_scan_f32", "ssm_scan.comp", io("f32"))
    yield Variant("ssm_scan_subgroup_f32", "ssm_scan.comp", {**io("f32"), "USE_SUBGROUP_ADD": "1"})
    yield Variant("ssm_conv_f32", "ssm_conv.comp", io("f32"))


CRATES: dict[str, list[Variant]] = {
    topic.__name__: list(topic())
    for topic in (matmul, mul_mat_vec, flash_attn, quantise, elementwise, movement, reduction, layers)
}
VARIANTS: list[Variant] = [variant for members in CRATES.values() for variant in members]


def crates(limit: int = 0, *, every: bool = False) -> dict[str, list[Variant]]:
    """Return variants by crate: the first two of each source, or `every` one.

    With a `limit`, about that many of them, spread evenly over the table.
    """
    return _spread(CRATES, VARIANTS if every else _first_of_each_source(), limit)


def whole_table(rows: Iterable[Variant], limit: int = 0) -> dict[str, list[Variant]]:
    """Return the rows of the generator by crate: those above, of each target one; `limit` is as there."""
    topics = {variant.source: name for name, members in CRATES.items() for variant in members}
    made: dict[str, list[Variant]] = {}
    for row in rows:
        name = topics.get(row.source) or _topic(row.source)
        made.setdefault(name if row.target == TARGET else f"{name}_{row.target.replace('.', '_')}", []).append(row)
    return _spread(made, [row for members in made.values() for row in members], limit)


def _topic(source: str) -> str:
    """Return the crate of a source that only the newest compiler takes."""
    starts = {"mul_mat_vec": "mul_mat_vec", "mul_mm": "matmul", "flash_attn": "flash_attn"}
    return next((topic for start, topic in starts.items() if source.startswith(start)), "layers")


def _spread(made: dict[str, list[Variant]], table: list[Variant], limit: int) -> dict[str, list[Variant]]:
    count = len(table)
    wanted = min(limit, count) if limit > 0 else count
    kept = {table[index * count // wanted].name for index in range(wanted)}
    chosen = {crate: [v for v in members if v.name in kept] for crate, members in made.items()}
    return {crate: members for crate, members in chosen.items() if members}


def _first_of_each_source(most: int = 2) -> list[Variant]:
    seen: Counter[str] = Counter()
    chosen: list[Variant] = []
    for variant in VARIANTS:
        seen[variant.source] += 1
        if seen[variant.source] <= most:
            chosen.append(variant)
    return chosen


def output(crate: str, variant: Variant) -> str:
    """Return where the multi-module image of a crate holds a variant, relative to the build directory."""
    return f"{crate}.spvs/{variant.name}.comp.spv"
