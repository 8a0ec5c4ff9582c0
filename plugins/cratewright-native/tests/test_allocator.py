"""The allocator shim, with and without a crate that allocates."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from cratewright import (
    LinkModule,
    ModuleKind,
)
from tests.support.native_link import link, request_for
from tests.support.native_project import Project

USER = """\
typedef __SIZE_TYPE__ size;
void *cratewright_alloc(size, size);
void *cratewright_alloc_zeroed(size, size);
void *cratewright_realloc(void *, size, size, size);
void cratewright_dealloc(void *, size, size);
int main(void) {
    static const size aligns[] = {1, 16, 64, 4096};
    for (int i = 0; i < 4; i++) {
        unsigned char *block = cratewright_alloc_zeroed(100, aligns[i]);
        if (!block || (size)block % aligns[i] || block[99]) return 1;
        block[0] = 7;
        block = cratewright_realloc(block, 100, aligns[i], 100000);
        if (!block || (size)block % aligns[i] || block[0] != 7) return 2;
        cratewright_dealloc(block, 100000, aligns[i]);
        block = cratewright_alloc(1, aligns[i]);
        if (!block || (size)block % aligns[i]) return 3;
        cratewright_dealloc(block, 1, aligns[i]);
    }
    return calls();
}
"""


PROVIDER = """\
typedef __SIZE_TYPE__ size;
static char memory[1 << 20] __attribute__((aligned(4096)));
static size used;
static int count;
int calls(void) { return count == 16 ? 42 : count; }
void *cratewright_global_alloc(size bytes, size align) {
    count++;
    used = (used + align - 1) & ~(align - 1);
    used += bytes;
    return memory + used - bytes;
}
void *cratewright_global_alloc_zeroed(size bytes, size align) { return cratewright_global_alloc(bytes, align); }
void *cratewright_global_realloc(void *block, size bytes, size align, size wanted) {
    char *moved = cratewright_global_alloc(wanted, align);
    for (size i = 0; i < bytes && i < wanted; i++) moved[i] = ((char *)block)[i];
    return moved;
}
void cratewright_global_dealloc(void *block, size bytes, size align) { (void)block, (void)bytes, (void)align; }
"""


@pytest.mark.parametrize("provided", [False, True])
def test_allocator_shim(project: Project, provided: bool) -> None:
    user = USER.replace("calls()", "calls()" if provided else "42").replace("int main", "int calls(void);\nint main", 1)
    crates = {"app": {"main.c": user}, **({"heap": {"heap.c": PROVIDER}} if provided else {})}
    request = request_for(project, crates)
    shim = project.backend.codegen_allocator(request.config, provided)
    assert shim.kind is ModuleKind.ALLOCATOR
    assert [symbol.name for symbol in shim.exports] == [
        f"cratewright_{name}" for name in ("alloc", "dealloc", "realloc", "alloc_zeroed")
    ]
    program = link(project, replace(request, modules=(*request.modules, LinkModule("app", shim))))
    status = subprocess.run([program], check=False).returncode
    # Three allocations for each of four alignments; frees are not counted.
    assert status == (12 if provided else 42)
