"""A small tree of crates, like `examples/particles`, with random edits of every kind that a cache could overlook.

It can be written in GLSL or in the language of the stub.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .scons_project import STUB

__all__ = ["RandomTree", "outputs_of"]

_BUILT = (".rlink", ".rlib", ".json", ".spv", ".cdylib")

_SPIRV = """\
import cratewright; DefaultEnvironment(tools=[])
env = Environment(tools=[cratewright.tool], CRATE_BACKEND="spirv", CRATE_TARGET="vulkan1.3")
"""
_CRATES = """\
dirs = ["near", "far"]
maths = env.Crate("maths", {maths}, include_dirs=dirs, defines={defines})
light = env.Crate("light", ["light/l{suffix}"], include_dirs=dirs, deps=[maths])
app = env.Crate("app", {entries}, include_dirs=dirs, deps=[light, maths], crate_type="cdylib",
                multimodule={multimodule}, opt_level="{level}", defines={own})
"""


@dataclass(slots=True)
class _State:
    """The current tree: numbers in sources and headers, existing files, options."""

    numbers: dict[str, int] = field(default_factory=lambda: {f"m{n}": n for n in range(3)} | {"l": 7})
    far: dict[str, int] = field(default_factory=lambda: {"one": 1, "two": 2, "unused": 3})
    near: dict[str, int] = field(default_factory=dict)
    entries: dict[str, int] = field(default_factory=lambda: {"e0": 10, "e1": 11})
    comments: dict[str, int] = field(default_factory=dict)
    define: int | None = None
    own: int | None = None
    multimodule: bool = True
    level: str = "0"
    backwards: bool = False
    broken: str = ""


class RandomTree:
    """A tree and its edits, the same for the same seed.

    Shape: `language` is `glsl` or `stub`.
    """

    def __init__(self, seed: int, language: str) -> None:
        self._random = random.Random(seed)
        self._state = _State()
        self._earlier: list[_State] = []
        self._render: Callable[[_State], dict[str, str]] = _glsl if language == "glsl" else _stub

    @property
    def broken(self) -> bool:
        """Whether the tree has an error, so that its build must fail."""
        return bool(self._state.broken)

    def files(self) -> dict[str, str]:
        """Return the files by path."""
        return self._render(self._state)

    def write(self, root: Path, before: Mapping[str, str]) -> dict[str, str]:
        """Update a directory that holds the files `before`, writing only changed files; return the current files."""
        now = self.files()
        for path in before.keys() - now.keys():
            (root / path).unlink()
        for path, text in now.items():
            if before.get(path) != text:
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text, encoding="utf-8")
        return now

    def edit(self) -> str:
        """Make one edit and return its name."""
        self._earlier = [*self._earlier[-20:], copy.deepcopy(self._state)]
        if self._state.broken:
            self._state.broken = ""
            return "mend"
        name = self._random.choice(sorted(_EDITS))
        _EDITS[name](self._state, self._random, self._earlier)
        return name

    def restore(self) -> None:
        """Remove the error, if there is one."""
        self._state.broken = ""


Edit = Callable[[_State, random.Random, list[_State]], None]


def _number(state: _State, rng: random.Random, earlier: list[_State]) -> None:
    state.numbers[rng.choice(sorted(state.numbers))] = rng.randrange(1000)


def _header(state: _State, rng: random.Random, earlier: list[_State]) -> None:
    headers = rng.choice([state.far, state.near or state.far])
    headers[rng.choice(sorted(headers))] = rng.randrange(1000)


def _shadow(state: _State, rng: random.Random, earlier: list[_State]) -> None:
    name = rng.choice(["one", "two"])
    if state.near.pop(name, None) is None:
        state.near[name] = rng.randrange(1000)


def _entry(state: _State, rng: random.Random, earlier: list[_State]) -> None:
    if len(state.entries) > 2 or (len(state.entries) > 1 and rng.random() < 0.3):
        del state.entries[rng.choice(sorted(state.entries))]
    else:
        state.entries[f"e{rng.randrange(5)}"] = rng.randrange(1000)


def _entry_number(state: _State, rng: random.Random, earlier: list[_State]) -> None:
    state.entries[rng.choice(sorted(state.entries))] = rng.randrange(1000)


def _comment(state: _State, rng: random.Random, earlier: list[_State]) -> None:
    state.comments[rng.choice([*state.numbers, *state.far, *state.entries])] = rng.randrange(1000)


def _define(state: _State, rng: random.Random, earlier: list[_State]) -> None:
    state.define = rng.choice([None, 1, 2, rng.randrange(1000)])


def _own_define(state: _State, rng: random.Random, earlier: list[_State]) -> None:
    state.own = rng.choice([None, 1, 2])


def _option(state: _State, rng: random.Random, earlier: list[_State]) -> None:
    if rng.random() < 0.5:
        state.multimodule = not state.multimodule
    else:
        state.level = rng.choice("0s")


def _order(state: _State, rng: random.Random, earlier: list[_State]) -> None:
    state.backwards = not state.backwards


def _mistake(state: _State, rng: random.Random, earlier: list[_State]) -> None:
    state.broken = rng.choice([*state.numbers, *state.entries])


def _revert(state: _State, rng: random.Random, earlier: list[_State]) -> None:
    old = copy.deepcopy(rng.choice(earlier))
    for name in _State.__dataclass_fields__:
        setattr(state, name, getattr(old, name))
    state.broken = ""


_EDITS: dict[str, Edit] = {
    "number": _number,
    "header": _header,
    "shadow": _shadow,
    "shadow again": _shadow,
    "entry": _entry,
    "entry's number": _entry_number,
    "comment": _comment,
    "define": _define,
    "own define": _own_define,
    "option": _option,
    "order": _order,
    "mistake": _mistake,
    "revert": _revert,
}


def _declaration(state: _State, begin: str, suffix: str, entry: str) -> str:
    maths = [f"maths/{name}{suffix}" for name in state.numbers if name != "l"]
    entries = [f"{name}{entry}" for name in sorted(state.entries)]
    if state.backwards:
        entries.reverse()
    return begin + _CRATES.format(
        maths=maths,
        entries=entries,
        suffix=suffix,
        defines={} if state.define is None else {"FACTOR": str(state.define)},
        own={} if state.own is None else {"OWN": str(state.own)},
        multimodule=state.multimodule,
        level=state.level,
    )


def _glsl(state: _State) -> dict[str, str]:
    def note(name: str) -> str:
        return f"// note {state.comments[name]}\n" if name in state.comments else ""

    def wrong(name: str) -> str:
        return "this is wrong\n" if name == state.broken else ""

    start = "#version 460\n#ifndef FACTOR\n#define FACTOR 3\n#endif\n#ifndef OWN\n#define OWN 4\n#endif\n"
    files = {"SConstruct": _declaration(state, _SPIRV, ".glsl", ".comp")}
    for directory, headers in (("far", state.far), ("near", state.near)):
        for name, number in headers.items():
            files[f"{directory}/{name}.h"] = f"{note(name)}#define {name.upper()} {number}\n"
    for name, number in state.numbers.items():
        body = f"return x * float(FACTOR) + float(ONE) + {number}.0;"
        if name == "l":
            body = f"return m0(x) + m1(x) + float(TWO) + {number}.0;"
        declared = "float m0(float x);\nfloat m1(float x);\n" if name == "l" else ""
        path = "light/l.glsl" if name == "l" else f"maths/{name}.glsl"
        text = f'{start}#include "one.h"\n#include "two.h"\n{declared}{note(name)}{wrong(name)}'
        files[path] = f"{text}float {name}(float x) {{ {body} }}\n"
    for name, number in state.entries.items():
        call = "l(d[i])" if number % 2 else "m2(d[i])"
        files[f"{name}.comp"] = (
            f"{start}layout(local_size_x = 64) in;\nlayout(set = 0, binding = 0) buffer B {{ float d[]; }};\n"
            f"float l(float x);\nfloat m2(float x);\n{note(name)}{wrong(name)}"
            f"void main() {{ uint i = gl_GlobalInvocationID.x; d[i] = {call} + float(OWN) + {number}.0; }}\n"
        )
    return files


def _stub(state: _State) -> dict[str, str]:
    def note(name: str) -> str:
        return f"# note {state.comments[name]}\n" if name in state.comments else ""

    def wrong(name: str) -> str:
        return "error this is wrong\n" if name == state.broken else ""

    files = {"SConstruct": _declaration(state, STUB, ".stub", ".stub")}
    for directory, headers in (("far", state.far), ("near", state.near)):
        for name, number in headers.items():
            files[f"{directory}/{name}.h"] = f"{note(name)}warning {name} {number}\n# {number}\n"
    for name, number in state.numbers.items():
        path = "light/l.stub" if name == "l" else f"maths/{name}.stub"
        needs = "import m0\nimport m1\n" if name == "l" else ""
        text = f"include one.h\ninclude two.h\n{note(name)}{wrong(name)}{needs}"
        files[path] = f"{text}export {name} FACTOR {number}\n"
    for name, number in state.entries.items():
        needs = "import l\n" if number % 2 else "import m2\n"
        files[f"{name}.stub"] = f"{note(name)}{wrong(name)}{needs}entry {name} OWN {number}\n"
    return files


def outputs_of(root: Path) -> dict[str, bytes]:
    """Return the outputs of a build, by path."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.suffix in _BUILT and not path.name.startswith(".")
    }
