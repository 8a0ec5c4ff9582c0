"""The allocator shim: the functions that crates call to allocate memory, and what they forward to."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from cratewright import CORE_OPTIONS, ModuleCodegen, ModuleConfig, ModuleKind, Options, scratch_directory

from ..arguments.options import NATIVE_OPTIONS
from ..binary.module import module_from_output
from ..toolchains.compile_words import compile_words
from ..toolchains.toolchain import Toolchain

_NAME = "allocator_shim"
_PROVIDED = """\
typedef __SIZE_TYPE__ size;
void *cratewright_global_alloc(size, size);
void cratewright_global_dealloc(void *, size, size);
void *cratewright_global_realloc(void *, size, size, size);
void *cratewright_global_alloc_zeroed(size, size);
void *cratewright_alloc(size bytes, size align) { return cratewright_global_alloc(bytes, align); }
void cratewright_dealloc(void *block, size bytes, size align) { cratewright_global_dealloc(block, bytes, align); }
void *cratewright_realloc(void *block, size bytes, size align, size wanted) {
    return cratewright_global_realloc(block, bytes, align, wanted);
}
void *cratewright_alloc_zeroed(size bytes, size align) { return cratewright_global_alloc_zeroed(bytes, align); }
"""
# malloc aligns to two pointers everywhere.
_PLATFORM = """\
typedef __SIZE_TYPE__ size;
void *malloc(size);
void free(void *);
void *realloc(void *, size);
void *calloc(size, size);
void *memcpy(void *, const void *, size);
void *memset(void *, int, size);
#ifdef _WIN32
void *_aligned_malloc(size, size);
void _aligned_free(void *);
#define aligned_new(bytes, align) _aligned_malloc(bytes, align)
#define aligned_delete _aligned_free
#else
void *aligned_alloc(size, size);
#define aligned_new(bytes, align) aligned_alloc(align, ((bytes) + (align) - 1) & ~((align) - 1))
#define aligned_delete free
#endif
#define ORDINARY(align) ((align) <= 2 * sizeof(void *))
void *cratewright_alloc(size bytes, size align) {
    return ORDINARY(align) ? malloc(bytes) : aligned_new(bytes, align);
}
void cratewright_dealloc(void *block, size bytes, size align) {
    (void)bytes;
    if (ORDINARY(align)) free(block);
    else aligned_delete(block);
}
void *cratewright_realloc(void *block, size bytes, size align, size wanted) {
    if (ORDINARY(align)) return realloc(block, wanted);
    void *moved = aligned_new(wanted, align);
    if (moved) {
        memcpy(moved, block, bytes < wanted ? bytes : wanted);
        aligned_delete(block);
    }
    return moved;
}
void *cratewright_alloc_zeroed(size bytes, size align) {
    if (ORDINARY(align)) return calloc(1, bytes);
    void *block = aligned_new(bytes, align);
    return block ? memset(block, 0, bytes) : block;
}
"""


@cache
def allocator_module(config: ModuleConfig, provided: bool, toolchain: Toolchain) -> ModuleCodegen:
    """Return the shim: it forwards to the functions `cratewright_global_*` of a crate, or to the C library.

    Shape: `cratewright_alloc(size, align)`, `cratewright_dealloc(block, size, align)`,
    `cratewright_realloc(block, size, align, wanted)`, `cratewright_alloc_zeroed(size, align)`, as rustc's.
    Raises: ToolError if the compiler fails.
    """
    with scratch_directory() as directory:
        source, output = f"{_NAME}.c", f"{_NAME}.o"
        (directory / source).write_text(_PROVIDED if provided else _PLATFORM, encoding="utf-8")
        words = compile_words(toolchain, config.target, _complete(config.options), "c", source)
        toolchain.run(
            (*toolchain.cc(config.target), *words, "-c", source, "-o", output),
            cwd=directory,
            what="the allocator shim",
            outputs=[output],
        )
        module = module_from_output((directory / output).read_bytes(), path=source)
    return replace(module, name=_NAME + module.name, kind=ModuleKind.ALLOCATOR)


def _complete(options: Options) -> Options:
    """Return the options of a source that has none of its own: those of the link, but no instrumentation."""
    values = {spec.name: spec.default for spec in (*CORE_OPTIONS, *NATIVE_OPTIONS)}
    known = {name: value for name, value in options.values if name not in ("sanitize", "coverage")}
    return Options(tuple(sorted({**values, **known}.items())))
