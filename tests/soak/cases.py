"""Cases at random: an SConstruct, edits and runs, as steps."""

# ruff: noqa: E501 - tables

from __future__ import annotations

import random
import re
from typing import Any

from .sconstructs import FILES, Script
from .statements import FLAGS, GATHERING, MADE, MATCHED, MERGING

__all__ = ["LOUD", "case_of"]

Step = list[Any]
LOUD = "loud"
"""The first word of a run that says how far SCons is."""

_OUTPUTS = ("*.spv", "*.spv", "*.rlib", "*.rlink", "*.json", "*.spvs/*", "*.spvs", "build/*", "o*.txt", "inst/*", "dump/*",
            "sub/*.spv", "c0.spvs/*", "*.spvasm", "*.dbg.spv", "dump", "each*", "e2.spv", "t1.spv", "build")  # fmt: skip
_STATES = (".*.state", ".sconsign.dblite", ".sconsign*", "sub/memory*", "*.state", ".*", ".crate-cache/*")
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
_HARMS = ("remove", "remove", "edit", "cut", "same", "copied", "linked", "directory", "dangling", "file", "empty", "pipe",
          "back", "touch", "mode", "more")  # fmt: skip
_RUNS: tuple[list[str], ...] = (
    *([[]] * 26),
    *([[LOUD]] * 4),
    *([name] for name in ("c0.spv", "c1.spv", "liblib0.rlib", "c0.rlink", "lib0.rlink", "c0.spvs", ".", "all", "nope", "act")),
    *([name] for name in ("s0.comp", "inst", "c0.spv.json", "o0.txt", "def", "sub", "build", "t1.spv", "c1.spvs", "inc")),
    ["c1.spv", "c0.spv"], ["c0.spv", "all"], ["c0.spvs/s0.comp.spv"], ["c0.spv.json", "c0.spv"], [".", "c0.spv"],
    *([word] for word in ("-j2", "-j4", "-k", "-n", "-q", "-s", "-c", "-i", "-h", "-p")),
    *([word] for word in ("--tree=all", "--tree=derived,prune", "--tree=status", "--debug=explain", "--random", "--no-progress")),
    *([word] for word in ("--debug=stacktrace", "--implicit-cache", "--max-drift=0", "--cache-disable")),
    *([word] for word in ("--implicit-deps-changed", "--implicit-deps-unchanged", "--hash-format=sha256", "--config=force")),
    *([word] for word in ("CRATE_OPT_LEVEL=3", "CRATE_OPT_LEVEL=0", "level=3", "Q=2", "CRATE_OPTLEVEL=3", "CRATE_CACHE=off")),
    *([word] for word in ("--mine", "CRATE_EVENTS=events.json", "CRATE_TRACE_PLUGINS=1", "CRATE_PROFILE=release", "--warn=no-all")),
    ["-c", "c0.spv"], ["-n", "c0.spv"], ["-q", "c0.spv"], ["-c", "."], ["-k", "-j2"], ["-f", "SConstruct"], ["-f", "Other"],
    ["--site-dir=sub"], ["-C", "sub"], ["-I", "inc"], ["CRATE_LTO=fat"], ["CRATE_MULTIMODULE=1"], ["--no-site-dir"],
)  # fmt: skip
_BELOW: tuple[list[str], ...] = (["-D"], ["-u"], ["-U"], ["-u", "x.spv"], ["-D", "#c0.spv"], ["-u", "."], ["-D", "."])
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
_KINDS = ('"cdylib"', '"cdylib"', '"cdylib"', '["rlib", "cdylib"]', '"rlib"')
_NEEDS = ("lib0", "lib0", '"lib0"', "lib1", "lib1, lib0", "")
_WORDS = ("multimodule=True", 'lto="thin"', 'opt_level="3"', 'debuginfo="line"')
_MATCHES = (
    "gen/*.comp",
    "gen/*.comp",
    "gen/*",
    "gen",
    "*.spv",
    "*.spv",
    "*.spvs/*",
    "o*.txt",
    "inst/*",
    "*.rlib",
    "s*.comp",
)
_SAID = ("-DQ=2", "-DQ=3", "-DR", "-Iinc2", "-Iother", "-D Q=4", "-DQ=5", "-lm")
_PLUGIN = """\
import cratewright


@cratewright.hookimpl
def cratewright_add_profiles():
    return cratewright.Profile(name="plug", options={"opt_level": "%s"}, inherits="%s")
"""


def case_of(seed: int) -> list[Step]:
    """Return a case."""
    rng = random.Random(seed)
    kind = rng.random()
    if kind < 0.5:
        return _case_of_parts(rng, others=kind < 0.3)
    if kind < 0.65:
        return _case_of_patterns_and_flags(rng)
    script = Script(rng)
    steps: list[Step] = [["write", name, text] for name, text in FILES.items()]
    files = dict(FILES)
    cache = rng.choice(("shared", "shared", "shared", "off", "@/.crate-cache"))
    steps.append(["environ", "CRATE_CACHE", cache])
    if rng.random() < 0.25:
        steps += _plugins(rng, first=True)
    if rng.random() < 0.1:
        steps.append(["environ", *_variable(rng)])
    usual = rng.choice(([], [], [LOUD])) if rng.random() < 0.85 else list(rng.choice(_RUNS[: 30 + 10]))
    steps += [*_written(script), ["run", usual], ["sleep", 0.12]]
    steps += [["run", usual]] * 3
    for _ in range(rng.randint(2, 6)):
        for _ in range(rng.choice((0, 1, 1, 1, 2))):
            steps += _edit(rng, script, files)
        arguments = usual if rng.random() < 0.6 else list(rng.choice(_RUNS))
        run: Step = ["run", arguments]
        chance = rng.random()
        if chance < 0.05:
            run = ["run", arguments, rng.randint(1, 8)]
        elif chance < 0.08:
            run = ["run", list(rng.choice(_BELOW)), 0, "sub"]
        elif chance < 0.09:
            run = [
                "run",
                ["--interactive"],
                0,
                "",
                f"build\nbuild c0.spv\nclean\nbuild {rng.choice(('', 'all', 'c0.rlink'))}\n",
            ]
        steps.append(run)
        if rng.random() < 0.5:
            steps += [["run", usual]] if rng.random() < 0.5 else [["sleep", 0.12], ["run", usual], ["run", usual]]
    steps += [["run", usual], ["run", []]]
    return steps


def _case_of_parts(rng: random.Random, *, others: bool) -> list[Step]:
    """Return a case of several crates, of which an edit concerns some; `others` are other things that SCons makes."""
    lines = ['lib0 = env.Crate("lib0", ["l0.glsl"])', 'lib1 = env.Crate("lib1", ["l1.glsl"], deps=[lib0])']
    names = [f"c{number}" for number in range(rng.randint(3, 6))]
    for number, name in enumerate(names):
        sources = [f"s{number}.comp", *(["s0.comp"] if rng.random() < 0.2 else [])]
        words = [f'crate_type={rng.choice(_KINDS)}, include_dirs=["inc"]', f"deps=[{rng.choice(_NEEDS)}]"]
        words += [
            word.replace("thin", rng.choice(("thin", "fat"))) for word in rng.sample(_WORDS, rng.choice((0, 0, 1, 2)))
        ]
        lines.append(f"{name} = env.Crate({name!r}, {sources}, {', '.join(words)})")
    some = rng.sample(names, rng.randint(1, len(names)))
    asked = ", ".join([*some, *(["lib0"] if rng.random() < 0.2 else [])])
    lines.append(
        rng.choice(
            ("", "", f"Default({asked})", f"Default([{asked}])", *(f"Default({name})" for name in some))
            if rng.random() < 0.7
            else (f"more = []\nfor each in ({asked},): more += each\nDefault(more)", f"more = lib0 + {some[0]}")
        )
    )
    script = Script(rng, lines)
    for _ in range(rng.choice((1, 1, 1, 2, 3)) if others else 0):
        script.add_other()
    files = {**FILES, **{f"s{number}.comp": FILES["s1.comp"] for number in range(4, 7)}}
    steps: list[Step] = [["write", name, text] for name, text in files.items()]
    steps.append(["environ", "CRATE_CACHE", rng.choice(("shared", "shared", "off", "@/.crate-cache"))])
    usual = rng.choice(([], [], ["-j2", "-k"], ["-k"], ["c0.spv.json"], ["."], ["-s"]))
    if others:
        usual = rng.choice(
            ([], [], [], ["-k"], ["o0.txt"], ["install"], ["inst"], ["-j2"], ["."], ["o1.txt", "c1.spv"])
        )
    steps += [*_written(script), ["run", usual], ["sleep", 0.12], ["run", usual], ["run", usual]]
    for _ in range(rng.randint(5, 12)):
        for _ in range(rng.choice((1, 1, 1, 2))):
            chance = rng.random()
            if others and chance < 0.35:
                steps += _edit_of_others(rng, script)
            elif chance < 0.65:
                steps += _edit_of_shader(
                    rng, files, rng.choice([*(f"s{n}.comp" for n in range(7)), "l1.glsl", "l0.glsl"])
                )
            elif chance < 0.80:
                steps.append(["harm", rng.choice(_OUTPUTS), rng.randrange(9), rng.choice(_HARMS)])
            elif chance < 0.87:
                # With several jobs, SCons waits for ever if its database cannot be opened.
                steps.append(
                    ["harm", rng.choice(_STATES), rng.randrange(9), rng.choice(_HARMS).replace("directory", "cut")]
                )
            elif chance < 0.94:
                steps.append(
                    ["harm", rng.choice(("s*.comp", "l*.glsl", "inc/*")), rng.randrange(9), rng.choice(_HARMS)]
                )
            else:
                steps.append(["write", rng.choice(("h.h", "k.h", "inc/k.h")), f"#define K {rng.randint(1, 9)}.0\n"])
        kill = [rng.randint(1, 6)] if rng.random() < 0.06 else []
        steps.append(["run", usual if rng.random() < 0.95 else [], *kill])
        if rng.random() < 0.3:
            steps += [["sleep", 0.12], ["run", usual]]
    return [*steps, ["run", usual], ["run", []]]


def _case_of_patterns_and_flags(rng: random.Random) -> list[Step]:
    """Return a case of patterns that match what the build makes, some of which is removed, and of flags in a file."""
    lines = ['lib0 = env.Crate("lib0", ["l0.glsl"])', *rng.sample(MADE, rng.randint(1, 3))]
    for number in range(rng.randint(1, 3)):
        sources = rng.choice((*MATCHED, f'["s{number}.comp"]', f'["s{number}.comp"]'))
        words = ["deps=[lib0]", f"crate_type={rng.choice(_KINDS)}", *rng.sample(_WORDS, rng.choice((0, 0, 1)))]
        words += [rng.choice(FLAGS)] if rng.random() < 0.7 else ['include_dirs=["inc"]']
        lines.append(f'c{number} = env.Crate("c{number}", {sources}, {", ".join(words)})')
    for text in rng.sample(GATHERING, rng.randint(0, 2)):
        lines.insert(rng.randint(1, len(lines)), text)
    for text in rng.sample(MERGING, rng.randint(0, 2)):
        lines.insert(rng.randint(0, len(lines)), text)
    script = Script(rng, lines)
    files = {**FILES, "flags.txt": "-Iinc\n", "inc2/h.h": "#define K 5.0\n"}
    steps: list[Step] = [["write", name, text] for name, text in files.items()]
    steps.append(["environ", "CRATE_CACHE", rng.choice(("shared", "off", "@/.crate-cache"))])
    usual = rng.choice(([], [], [], ["-k"], ["."], ["-j2", "-k"], ["c0.rlink"]))
    steps += [*_written(script), ["run", usual], ["sleep", 0.12], ["run", usual], ["run", usual]]
    for _ in range(rng.randint(5, 12)):
        for _ in range(rng.choice((1, 1, 2))):
            chance = rng.random()
            if chance < 0.40:
                pattern, harm = rng.choice(_MATCHES), "remove" if rng.random() < 0.8 else rng.choice(_HARMS)
                # What copies from a pipe waits.
                steps.append(["harm", pattern, rng.randrange(5), harm.replace("pipe", "cut")])
            elif chance < 0.65:
                steps.append(["write", "flags.txt", " ".join(["-Iinc", *rng.sample(_SAID, rng.randint(0, 2))]) + "\n"])
            elif chance < 0.80:
                steps += _edit_of_shader(rng, files, rng.choice(("s0.comp", "s1.comp", "l0.glsl", "inc/h.h")))
            elif chance < 0.90:
                place, some = rng.randrange(len(script.body)), (*MERGING, *GATHERING, *MADE)
                if _is_plain(script.body[place]) and rng.random() < 0.5:
                    del script.body[place]
                else:
                    script.body.insert(max(1, place), rng.choice(some))
                steps += _written(script)
            else:
                steps.append(["write", rng.choice(("gen/more.comp", "s5.comp", "o7.txt")), files["s1.comp"]])
        steps.append(["run", usual])
        if rng.random() < 0.4:
            steps += [["sleep", 0.12], ["run", usual]]
    return [*steps, ["run", usual], ["run", []]]


def _is_plain(line: str) -> bool:
    return not re.match(r"(?:lib|c)\d = ", line)


def _edit_of_others(rng: random.Random, script: Script) -> list[Step]:
    if rng.random() < 0.25:
        script.edit_other()
        return _written(script)
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
        harm = rng.choice(_HARMS).replace("pipe", "cut") if rng.random() < 0.5 else "remove"
        return [["harm", name, rng.randrange(5), harm]] if rng.random() < 0.6 else [["write", "flag", "1\n"]]
    text = {"h.in": "#define K %s.0\n", "x.c": "int main(void) { return %s; }\n"}
    return [["write", name, text.get(name, "%s\n") % rng.choice("123456")]]


def _written(script: Script) -> list[Step]:
    return [["write", name, text] for name, text in script.files().items()]


def _variable(rng: random.Random) -> list[Any]:
    name, values = rng.choice(_ENVIRON)
    return [name, rng.choice(values)]


def _plugins(rng: random.Random, *, first: bool = False) -> list[Step]:
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


def _edit_of_shader(rng: random.Random, files: dict[str, str], name: str) -> list[Step]:
    old, new = rng.choice(_SHADER_EDITS)
    if rng.random() < 0.3:
        old, new = new, old
    files[name] = files[name].replace(old, new) if old in files[name] else files[name] + "\n// more\n"
    return [["rewrite", name, files[name], rng.choice(("", "mtime", "old", "future", "moved"))]]


def _edit(rng: random.Random, script: Script, files: dict[str, str]) -> list[Step]:
    chance = rng.random()
    if chance < 0.30:
        script.edit()
        return _written(script)
    if chance < 0.45:
        return _edit_of_shader(rng, files, rng.choice([*filter(re.compile(r"\.(comp|glsl|h)$").search, files)]))
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
        return [["harm", rng.choice(_OUTPUTS), rng.randrange(4), rng.choice(_HARMS)]]
    if chance < 0.79:
        return [["harm", rng.choice(_STATES), rng.randrange(4), rng.choice(_HARMS)]]
    if chance < 0.84:
        return [["harm", rng.choice(_SOURCES), rng.randrange(4), rng.choice(_HARMS)]]
    if chance < 0.90:
        return [["environ", *_variable(rng)]]
    if chance < 0.93:
        return [
            [
                "tool",
                rng.choice(("glslang", "glslangValidator", "spirv-opt", "sh", "dxc")),
                rng.choice(("one", "two", "plain", "gone", "dangling")),
            ]
        ]
    if chance < 0.97:
        return _plugins(rng)
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
