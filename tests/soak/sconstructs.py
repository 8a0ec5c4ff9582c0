"""Random SConstructs: crates, and whatever else an SConstruct may do with and around them.

Shape: a script is a list of statements, so edits can add, remove and change single ones.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from .foreign import FOREIGN, OTHERS
from .quiet import QUIET
from .statements import BEFORE, DEPS, INCLUDES, LISTS, OPTIONS, SOURCES, WHOLE

__all__ = ["FILES", "HEAD", "Script"]

HEAD = """\
import atexit, copy, os, sys
import cratewright, cratewright.base.stamp
import SCons.Node, SCons.Node.FS, SCons.Script.Main, SCons.Util

TOP = os.getcwd()


def write(path, text, always=False):
    if always or not os.path.exists(path) or open(path).read() != text:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        open(path, "w").write(text)


def read(path):
    return open(path).read() if os.path.exists(path) else ""


def told(*words, usual=SCons.Script.Main._build_targets):
    nodes = usual(*words)
    exec(read("late.py"))
    calls = [call for recorder in env.fs.__dict__.get("cratewright_recorder", {}).values() for call in recorder.calls]
    executed = [call for call in calls if call.is_executed]
    open(TOP + ".told", "w").write(f"{len(executed)} of {len(calls)}")
    return nodes


def lives(path, limit, here=os.replace, kill=os.kill):
    counted = []

    def replace(*words, **more):
        if not os.path.basename(words[1]).startswith(".sconsign"):  # only one of the trees keeps that record
            counted.append(words)
        if len(counted) == limit:
            kill(os.getpid(), 9)
        return here(*words, **more)

    os.replace = os.rename = replace


if os.path.exists(TOP + ".kill"):
    lives(TOP, int(read(TOP + ".kill")))
SCons.Script.Main._build_targets = told
"""

_SHADER = """\
#version 460
#include "h.h"
layout(local_size_x=64) in;
layout(set=0, binding=0) buffer B {{ float d[]; }};
float f0(float x);
#ifndef Q
#define Q 1
#endif
void main() {{ uint i = gl_GlobalInvocationID.x; d[i] = f0(d[i] * K + {}.0 * Q); }}
"""

FILES = {
    "inc/h.h": "#define K 2.0\n",
    "l0.glsl": "#version 460\nfloat f0(float x) { return x * 2.0; }\n",
    "l1.glsl": "#version 460\nfloat f0(float x);\nfloat f1(float x) { return f0(x) * 3.0; }\n",
    **{f"s{n}.comp": _SHADER.format(n) for n in range(4)},
    "sub/s9.comp": _SHADER.format(9),
    "h.in": "#define K 4.0\n",
    "VERSION": "2.0\n",
    "dep.txt": "0\n",
    "x.c": '#include "inc/h.h"\nint main(void) { return (int) K; }\n',
    "crates.toml": '[crate.t0]\nsources = ["l0.glsl"]\n\n[crate.t1]\nsources = ["s1.comp"]\ndeps = ["t0"]\n'
    'type = "cdylib"\ninclude_dirs = ["inc"]\n',
    "sub/SConscript": 'Import("env", "lib0")\nx = env.Crate("x", ["s9.comp"], deps=[lib0], crate_type="cdylib", '
    'include_dirs=["#inc"])\nReturn("x")\n',
}

_RUN_BODY = 'exec(compile(read("body.txt"), TOP + "/SConstruct", "exec"))\n'
_NAMES = re.compile(r"\b(?:lib\d|c\d|saved|SOURCES|INCLUDES)\b")


class Script:
    """An SConstruct as a list of statements; starts with `body`, or else with random ones."""

    def __init__(self, rng: random.Random, body: list[str] | None = None) -> None:
        self._rng = rng
        tools = rng.choice(
            ('"install", "textfile", cratewright.tool', "cratewright.tool", '"default", cratewright.tool')
        )
        if rng.random() < 0.7:
            tools = '"install", "textfile", cratewright.tool'
        more = rng.choice(
            (
                *[""] * 8,
                *[', CRATE_PROFILE="dev"', ', CRATE_PROFILE="release"', ", ENV=dict(os.environ)"] * 2,
                ", ENV=os.environ",
            )
        )
        self.young = rng.random() < 0.85
        self.begin = [
            *(["cratewright.base.stamp._FINE_NS = 0"] if self.young else []),
            f'env = Environment(tools=[{tools}], CRATE_BACKEND="spirv", CRATE_TARGET="vulkan1.3", Q="1", INC="inc", '
            f'SOURCE0="s0.comp"{more})',
        ]
        self.is_apart = rng.random() < 0.6
        self.body: list[str] = body or []
        if body is not None:
            return
        for number in range(rng.choice((1, 1, 1, 2))):
            self.body.append(self._lib(number))
        for number in range(rng.choice((1, 2, 2, 3))):
            self.body.append(self.image(number, plain=rng.random() < 0.85))
        for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
            self.add(foreign=rng.random() < 0.04)
        for _ in range(rng.choice((0, 1, 2))):
            self.add(foreign=rng.random() < 0.3, flag=1.0)

    def files(self) -> dict[str, str]:
        """Return the SConstruct and the file that it executes, if any."""
        body = "\n".join([*BEFORE, *self.body]) + "\n"
        if self.is_apart:
            return {"body.txt": body, "SConstruct": "\n".join([HEAD, *self.begin, _RUN_BODY])}
        return {"SConstruct": "\n".join([HEAD, *self.begin, body])}

    def add(
        self, *, foreign: bool | None = None, flag: float = 0.2, some: Sequence[str] = (), first: bool = False
    ) -> None:
        """Add a statement that declares no crate, somewhere after the names that it uses are defined.

        It is one of `some`, if given; with `first`, it comes as early as possible.
        """
        rng = self._rng
        foreign = rng.random() < 0.4 if foreign is None else foreign
        crates = self._named("c") or ["lib0"]
        words = {"c": rng.choice(crates), "d": rng.choice(crates), "lib": rng.choice(self._named("lib") or ["lib0"])}
        text = rng.choice(some or (FOREIGN if foreign else QUIET))
        for word, name in {**words, "n": str(rng.randrange(3))}.items():
            text = text.replace("{" + word + "}", name)
        text = text.replace("{{", "{").replace("}}", "}")
        if rng.random() < flag and "if os.path.exists" not in text:  # decided by a file, not by the SConstruct
            text = 'if os.path.exists("flag"):\n    ' + text.replace("\n", "\n    ")
        needed = set(_NAMES.findall(text))
        least = max((n + 1 for n, line in enumerate(self.body) if set(_given(line)) & needed), default=0)
        self.body.insert(least if first else rng.randint(least, len(self.body)), text)

    def add_other(self) -> None:
        """Add a statement whose targets SCons builds beside crates."""
        self.add(some=OTHERS, flag=0.1, first=self._rng.random() < 0.5)

    def edit_other(self) -> None:
        """Add such a statement, or remove one."""
        others = [n for n, line in enumerate(self.body) if not _is_crate(line)]
        if others and self._rng.random() < 0.4:
            del self.body[self._rng.choice(others)]
        else:
            self.add_other()

    def edit(self) -> None:
        """Make a random change."""
        rng = self._rng
        others = [n for n, line in enumerate(self.body) if not _is_crate(line)]
        what = rng.random()
        if what < 0.45:
            self.add()
        elif what < 0.60 and others:
            del self.body[rng.choice(others)]
        elif what < 0.75:
            images = [n for n, line in enumerate(self.body) if re.match(r"c\d =", line)]
            if images:
                place = rng.choice(images)
                self.body[place] = self.image(int(self.body[place][1]))
        elif what < 0.82:
            self.body.append(self.image(len(self._named("c"))))
        elif what < 0.88:
            self.body.insert(rng.randrange(len(self.body) + 1), "# a comment\n")
        elif what < 0.94:
            images = [n for n, line in enumerate(self.body) if re.match(r"c\d =", line)]
            if len(images) > 1:
                one, two = rng.sample(images, 2)
                self.body[one], self.body[two] = self.body[two], self.body[one]
        else:
            images = [n for n, line in enumerate(self.body) if re.match(r"c\d =", line)]
            if images:
                del self.body[rng.choice(images)]

    def image(self, number: int, *, plain: bool = False) -> str:
        """Return a statement that declares a crate with images."""
        rng = self._rng
        if plain or rng.random() < 0.6:
            sources = "[" + ", ".join(f'"s{n}.comp"' for n in rng.sample(range(3), rng.choice((1, 2)))) + "]"
        elif rng.random() < 0.3:
            sources = rng.choice(WHOLE)
        else:
            inner = ", ".join(rng.choice(SOURCES).format(a=n) for n in rng.sample(range(4), rng.choice((1, 2))))
            sources = rng.choice(LISTS).format(inner)
        dep = "lib0" if plain else rng.choice(DEPS)
        if "lib1" in self._named("lib") and rng.random() < 0.4:
            dep += rng.choice((", lib1", ', "lib1"'))
        count = rng.choice((0, 1)) if plain else rng.choice((0, 1, 1, 2, 3))
        chosen = {text.split("=")[0]: text for text in rng.sample(OPTIONS[: 5 if plain else None], count)}
        kind = (
            '"cdylib"' if plain else rng.choice(('"cdylib"', '"cdylib"', '["rlib", "cdylib"]', '["cdylib"]', '"rlib"'))
        )
        includes = '["inc"]' if plain else rng.choice(INCLUDES)
        env = (
            "env"
            if plain or rng.random() < 0.8
            else rng.choice(('env.Clone(Q="2")', "env.Clone()", 'env.Clone(CRATE_OPT_LEVEL="3")'))
        )
        words = [
            f'"c{number}"',
            sources,
            f"deps=[{dep}]",
            f"crate_type={kind}",
            f"include_dirs={includes}",
            *chosen.values(),
        ]
        return f"c{number} = {env}.Crate({', '.join(words)})"

    def _lib(self, number: int) -> str:
        deps = ', deps=["lib0"]' if number else ""
        return f'lib{number} = env.Crate("lib{number}", ["l{number}.glsl"]{deps})'

    def _named(self, kind: str) -> list[str]:
        return [name for line in self.body for name in _given(line) if re.fullmatch(kind + r"\d", name)]


def _given(line: str) -> list[str]:
    found = re.match(r"(\w+) = ", line)
    return [found.group(1)] if found else []


def _is_crate(line: str) -> bool:
    return re.match(r"(?:lib|c)\d = ", line) is not None
