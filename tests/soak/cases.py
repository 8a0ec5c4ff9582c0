"""Random cases: an SConstruct, edits and runs of SCons, as steps."""

# ruff: noqa: E501 - tables

from __future__ import annotations

import random

from .edits import (
    HARMS,
    OUTPUTS,
    STATES,
    Step,
    _is_plain,
    edit,
    edit_of_others,
    edit_of_shader,
    plugins,
    variable,
    written,
)
from .sconstructs import FILES, Script
from .statements import FLAGS, GATHERING, MADE, MATCHED, MERGING

__all__ = ["LOUD", "case_of"]

LOUD = "loud"
"""The first argument of a run without -Q."""

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

_FLAGS_IN_FILE = ("-DQ=2", "-DQ=3", "-DR", "-Iinc2", "-Iother", "-D Q=4", "-DQ=5", "-lm")


def case_of(seed: int) -> list[Step]:
    """Return the steps of the case with this seed."""
    rng = random.Random(seed)
    kind = rng.random()
    if kind < 0.5:
        return _case_of_several_crates(rng, others=kind < 0.3)
    if kind < 0.65:
        return _case_of_patterns_and_flags(rng)
    script = Script(rng)
    steps: list[Step] = [["write", name, text] for name, text in FILES.items()]
    files = dict(FILES)
    cache = rng.choice(("shared", "shared", "shared", "off", "@/.crate-cache"))
    steps.append(["environ", "CRATE_CACHE", cache])
    if rng.random() < 0.25:
        steps += plugins(rng, first=True)
    if rng.random() < 0.1:
        steps.append(["environ", *variable(rng)])
    usual = rng.choice(([], [], [LOUD])) if rng.random() < 0.85 else list(rng.choice(_RUNS[: 30 + 10]))
    steps += [*written(script), ["run", usual], ["sleep", 0.12]]
    steps += [["run", usual]] * 3
    for _ in range(rng.randint(2, 6)):
        for _ in range(rng.choice((0, 1, 1, 1, 2))):
            steps += edit(rng, script, files)
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


def _case_of_several_crates(rng: random.Random, *, others: bool) -> list[Step]:
    """Return a case of several crates, of which an edit affects some; with `others`, SCons builds other targets, too."""
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
    targets = ", ".join([*some, *(["lib0"] if rng.random() < 0.2 else [])])
    lines.append(
        rng.choice(
            ("", "", f"Default({targets})", f"Default([{targets}])", *(f"Default({name})" for name in some))
            if rng.random() < 0.7
            else (f"more = []\nfor each in ({targets},): more += each\nDefault(more)", f"more = lib0 + {some[0]}")
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
    steps += [*written(script), ["run", usual], ["sleep", 0.12], ["run", usual], ["run", usual]]
    for _ in range(rng.randint(5, 12)):
        for _ in range(rng.choice((1, 1, 1, 2))):
            chance = rng.random()
            if others and chance < 0.35:
                steps += edit_of_others(rng, script)
            elif chance < 0.65:
                steps += edit_of_shader(
                    rng, files, rng.choice([*(f"s{n}.comp" for n in range(7)), "l1.glsl", "l0.glsl"])
                )
            elif chance < 0.80:
                steps.append(["harm", rng.choice(OUTPUTS), rng.randrange(9), rng.choice(HARMS)])
            elif chance < 0.87:
                # With several jobs, SCons hangs if it cannot open its database.
                steps.append(
                    ["harm", rng.choice(STATES), rng.randrange(9), rng.choice(HARMS).replace("directory", "cut")]
                )
            elif chance < 0.94:
                steps.append(["harm", rng.choice(("s*.comp", "l*.glsl", "inc/*")), rng.randrange(9), rng.choice(HARMS)])
            else:
                steps.append(["write", rng.choice(("h.h", "k.h", "inc/k.h")), f"#define K {rng.randint(1, 9)}.0\n"])
        kill = [rng.randint(1, 6)] if rng.random() < 0.06 else []
        steps.append(["run", usual if rng.random() < 0.95 else [], *kill])
        if rng.random() < 0.3:
            steps += [["sleep", 0.12], ["run", usual]]
    return [*steps, ["run", usual], ["run", []]]


def _case_of_patterns_and_flags(rng: random.Random) -> list[Step]:
    """Return a case of globs that match outputs, some of which are removed, and of flags in a file."""
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
    steps += [*written(script), ["run", usual], ["sleep", 0.12], ["run", usual], ["run", usual]]
    for _ in range(rng.randint(5, 12)):
        for _ in range(rng.choice((1, 1, 2))):
            chance = rng.random()
            if chance < 0.40:
                pattern, harm = rng.choice(_MATCHES), "remove" if rng.random() < 0.8 else rng.choice(HARMS)
                # Copying from a pipe would hang.
                steps.append(["harm", pattern, rng.randrange(5), harm.replace("pipe", "cut")])
            elif chance < 0.65:
                steps.append(
                    ["write", "flags.txt", " ".join(["-Iinc", *rng.sample(_FLAGS_IN_FILE, rng.randint(0, 2))]) + "\n"]
                )
            elif chance < 0.80:
                steps += edit_of_shader(rng, files, rng.choice(("s0.comp", "s1.comp", "l0.glsl", "inc/h.h")))
            elif chance < 0.90:
                place, some = rng.randrange(len(script.body)), (*MERGING, *GATHERING, *MADE)
                if _is_plain(script.body[place]) and rng.random() < 0.5:
                    del script.body[place]
                else:
                    script.body.insert(max(1, place), rng.choice(some))
                steps += written(script)
            else:
                steps.append(["write", rng.choice(("gen/more.comp", "s5.comp", "o7.txt")), files["s1.comp"]])
        steps.append(["run", usual])
        if rng.random() < 0.4:
            steps += [["sleep", 0.12], ["run", usual]]
    return [*steps, ["run", usual], ["run", []]]
