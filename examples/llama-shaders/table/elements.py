"""Rows about elements: arithmetic, movement, reductions."""

from __future__ import annotations

from itertools import product

from table.row import BASE, FLOAT, GLSL, Rows, Variant, data_a, io

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
