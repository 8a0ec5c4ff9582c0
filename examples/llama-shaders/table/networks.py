"""Rows about layers of networks."""

from __future__ import annotations

from itertools import product

from table.row import BASE, GLSL, Rows, Variant, data_a, io


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
