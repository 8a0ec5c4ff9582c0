"""The `slang` backend: Slang modules to Vulkan shader modules.

This module registers it; the rest is loaded when needed. Layers, each importing only from those before it:

    com, structures                 Slang's interfaces and structures, as its header declares them
    file_system, wheel              files that Slang reads, and where its library is
    libslang                        calls into the library
    files, macros, interface        what a module reads, defines and offers
    compiled, cached_modules        modules that are compiled
    shared_store                    compiled modules, shared between workers
    layout, diagnostics             where parameters lie, and what Slang reports
    options                         options of crates as Slang's
    module_compiler, unit           a module and those it imports to stored modules
    grouping, link                  stored modules to images
    backend                         cratewright's contract, implemented with the above
"""

from __future__ import annotations

from cratewright import CodegenBackend, hookimpl

__version__ = "0.1.0"


@hookimpl
def cratewright_register_backend() -> type[CodegenBackend]:
    from .backend import SlangBackend  # noqa: PLC0415 - a build with another backend need not load it

    return SlangBackend
