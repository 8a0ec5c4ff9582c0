"""Random edits in a case: of the SConstruct, the sources and the outputs."""

# ruff: noqa: E501 - tables

from __future__ import annotations

import random
import re
from typing import Any

from .sconstructs import Script

Step = list[Any]

OUTPUTS = ("*.spv", "*.spv", "*.rlib", "*.rlink", "*.json", "*.spvs/*", "*.spvs", "build/*", "o*.txt", "inst/*", "dump/*",
            "sub/*.spv", "c0.spvs/*", "*.spvasm", "*.dbg.spv", "dump", "each*", "e2.spv", "t1.spv", "build")  # fmt: skip

STATES = (".*.state", ".sconsign.dblite", ".sconsign*", "sub/memory*", "*.state", ".*", ".crate-cache/*")

_SOURCES = (
    "s*.comp",
    "l*.glsl",
    "inc/*",
    "inc2/*",
    "dep.txt",
    "sub/*",
    "VERSION",
    "inc",
    "crates.toml",
    "plug/*",
    "bin/*",
)

HARMS = ("remove", "remove", "edit", "cut", "same", "copied", "linked", "directory", "dangling", "file", "empty", "pipe",
          "back", "touch", "mode", "more")  # fmt: skip

_ENVIRON = (
    ("CRATE_OPT_LEVEL", ("3", "0", None)), ("MINE", ("1", "2", None)), ("CRATE_CACHE_VERIFY", ("1", None)),
    ("CRATE_PROFILE", ("dev", "release", None)), ("PATH", ("@/bin:/usr/bin:/bin", "bin:/usr/bin:/bin", "/usr/bin:/bin:@/bin")),
    ("CRATE_GLSLANG", ("wheel", None, "glslang")), ("SCONSFLAGS", ("-j2", "-k", "--tree=all", "-c", None)),
    ("CRATE_EVENTS", ("events.json", None)), ("HOME", ("@",)), ("SHLVL", ("7",)), ("CRATE_PLUGINS", ("-native", None)),
    ("CRATE_CACHE", ("off", "@/.crate-cache", "@/other")), ("LC_ALL", ("C",)), ("CRATE_LTO", ("fat", None)),
    ("CRATE_SPIRV_SDK", ("@/sdk", None)), ("GLSLDEFINES", ("Q=3", None)), ("TMPDIR", ("/tmp", "@/sub")),
)  # fmt: skip

_SHADER_EDITS = (
    ("K + ", "K - "), ("x * 2.0", "x * 7.0"), ("* Q", "* (Q + 1)"), ("#define K 2.0", "#define K 3.0"),
    ("#define K 2.0", '#include "k.h"'), ("void main", "// a comment\nvoid main"), ("float f0", "floaty f0"),
)  # fmt: skip

_PLUGIN = """\
import cratewright


@cratewright.hookimpl
def cratewright_add_profiles():
    return cratewright.Profile(name="plug", options={"opt_level": "%s"}, inherits="%s")
"""


def _is_plain(line: str) -> bool:
    return not re.match(r"(?:lib|c)\d = ", line)


def edit_of_others(rng: random.Random, script: Script) -> list[Step]:
    if rng.random() < 0.25:
        script.edit_other()
        return written(script)
    some = (
        "dep.txt",
        "dep.txt",
        "h.in",
        "VERSION",
        "flag",
        "x.c",
        "o*.txt",
        "inst/*",
        "inst",
        "*.o",
        "build/*",
        "b2/*",
        "b3/*",
    )
    name = rng.choice(some)
    if rng.random() < 0.15:
        return [["write", rng.choice(("sub/x.spv", "sub/y.spv", "sub/s9.comp", "sub/h.h")), "#define K 3.0\n"]]
    if "*" in name or name in ("flag", "inst"):
        harm = rng.choice(HARMS).replace("pipe", "cut") if rng.random() < 0.5 else "remove"
        return [["harm", name, rng.randrange(5), harm]] if rng.random() < 0.6 else [["write", "flag", "1\n"]]
    text = {"h.in": "#define K %s.0\n", "x.c": "int main(void) { return %s; }\n"}
    return [["write", name, text.get(name, "%s\n") % rng.choice("123456")]]


def written(script: Script) -> list[Step]:
    return [["write", name, text] for name, text in script.files().items()]


def variable(rng: random.Random) -> list[Any]:
    name, values = rng.choice(_ENVIRON)
    return [name, rng.choice(values)]


def plugins(rng: random.Random, *, first: bool = False) -> list[Step]:
    where = rng.choice(("plug", "plug", "site_scons"))
    steps: list[Step] = [
        ["write", f"{where}/plugprof.py", _PLUGIN % (rng.choice("03s"), rng.choice(("dev", "release")))]
    ]
    if first or rng.random() < 0.3:
        info = f"{where}/plugprof-1.0.dist-info"
        steps.append(["write", f"{info}/METADATA", "Metadata-Version: 2.1\nName: plugprof\nVersion: 1.0\n"])
        steps.append(["write", f"{info}/entry_points.txt", "[cratewright]\nplug = plugprof\n"])
    if rng.random() < 0.1:
        steps.append(["harm", f"{where}/*.dist-info", 0, "remove"])
    return steps


def edit_of_shader(rng: random.Random, files: dict[str, str], name: str) -> list[Step]:
    old, new = rng.choice(_SHADER_EDITS)
    if rng.random() < 0.3:
        old, new = new, old
    files[name] = files[name].replace(old, new) if old in files[name] else files[name] + "\n// more\n"
    return [["rewrite", name, files[name], rng.choice(("", "mtime", "old", "future", "moved"))]]


def edit(rng: random.Random, script: Script, files: dict[str, str]) -> list[Step]:
    chance = rng.random()
    if chance < 0.30:
        script.edit()
        return written(script)
    if chance < 0.45:
        return edit_of_shader(rng, files, rng.choice([*filter(re.compile(r"\.(comp|glsl|h)$").search, files)]))
    if chance < 0.56:
        name = rng.choice(("VERSION", "VERSION", "flag", "flag", "flag", "dep.txt", "h.in"))
        if name == "flag" and rng.random() < 0.4:
            return [["harm", "flag", 0, "remove"]]
        return [["write", name, {"h.in": "#define K %s.0\n"}.get(name, "%s\n") % rng.choice("123456")]]
    if chance < 0.62:
        name = rng.choice(
            ("inc2/h.h", "h.h", "sub/h.h", "inc/k.h", "inc2/k.h", "s5.comp", "build/s9.comp", "repo/inc/h.h", "k.h")
        )
        text = files["s1.comp"] if name.endswith(".comp") else f"#define K {rng.randint(1, 9)}.0\n"
        return [["write", name, text]] if rng.random() < 0.7 else [["harm", name, 0, "remove"]]
    if chance < 0.73:
        return [["harm", rng.choice(OUTPUTS), rng.randrange(4), rng.choice(HARMS)]]
    if chance < 0.79:
        return [["harm", rng.choice(STATES), rng.randrange(4), rng.choice(HARMS)]]
    if chance < 0.84:
        return [["harm", rng.choice(_SOURCES), rng.randrange(4), rng.choice(HARMS)]]
    if chance < 0.90:
        return [["environ", *variable(rng)]]
    if chance < 0.93:
        return [
            [
                "tool",
                rng.choice(("glslang", "glslangValidator", "spirv-opt", "sh", "dxc")),
                rng.choice(("one", "two", "plain", "gone", "dangling")),
            ]
        ]
    if chance < 0.97:
        return plugins(rng)
    if chance < 0.98:
        return [
            [
                "kept",
                rng.choice(
                    (
                        "remove",
                        "garbage",
                        "empty",
                        "list",
                        "directory",
                        "pipe",
                        "dangling",
                        "touch",
                        "cut",
                        "numbers",
                        "older",
                    )
                ),
            ]
        ]
    if chance < 0.99:
        return [["move", f"tree{rng.randrange(5)}"]]
    return [["link", rng.choice(("inc2", "h.h", "k.h")), rng.choice(("inc", "h.in", "nowhere"))]]
