"""Rows about matrices: products, attention, quantised storage."""

from __future__ import annotations

from itertools import product

from table.row import (
    BASE,
    BLOCK_QUANTS,
    FLOAT,
    GLSL,
    K_QUANTS,
    QUANTS,
    TABLE_QUANTS,
    TERNARY_QUANTS,
    VECTORS,
    WIDE_TABLE_QUANTS,
    Rows,
    Variant,
    data_a,
    io,
)

COPY_QUANTS = (*BLOCK_QUANTS, "iq4_nl")
INTEGER_MATRIX_QUANTS = (*BLOCK_QUANTS[2:], *K_QUANTS[1:], "iq4_nl", "iq4_xs", "mxfp4", "nvfp4")
OWN_MATRIX_VECTOR_SOURCE = {*K_QUANTS, *TERNARY_QUANTS, *TABLE_QUANTS} - {"iq4_nl", "mxfp4", "nvfp4"}


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
