"""A random project of native crates, and what its programs and libraries must do according to the sources."""

from __future__ import annotations

import platform
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.native_e2e.native_scons import WITH_C

__all__ = ["DIRECTORIES", "FLAGS", "HEADERS", "TYPES", "Crate", "Tree", "Unit"]

HEADERS = ("h0.h", "h1.h", "h2.h", "maybe.h", "made.h")
DIRECTORIES = ("inc0", "inc1", "made")
_LANGUAGES = ("c", "c", "cpp", "S", "ll")
TYPES = (["rlib"], ["rlib", "dylib"], ["rlib", "cdylib"], ["rlib", "staticlib"], ["rlib", "cdylib", "staticlib"])
FLAGS = ([], ["-fcommon"], ["-fno-inline"], ["-DEXTRA=5"], ["-include", "h0.h"], ["-fvisibility=hidden"], ["-Wall"])


@dataclass
class Unit:
    """A source with one function, which adds its argument, numbers from headers, and results of other crates."""

    name: str
    language: str
    number: int
    includes: list[str]
    quotes: bool
    is_weak: bool = False
    is_hidden: bool = False
    options: dict[str, object] = field(default_factory=dict)


@dataclass
class Crate:
    units: list[Unit]
    deps: list[int]
    types: list[str]
    words: dict[str, object]
    directories: list[str]
    is_whole: bool = False


class Tree:
    """The state of a random project."""

    def __init__(self, rng: random.Random, kind: str) -> None:
        self.rng, self.kind = rng, kind
        self.headers = {(rng.choice(DIRECTORIES[:2]), name): rng.randrange(10, 99) for name in HEADERS[:3]}
        self.made = 1
        self.crates = [self.crate(number) for number in range(rng.randint(2, 4))]
        self.crates[-1].types = ["bin"]

    def crate(self, number: int) -> Crate:
        rng = self.rng
        units = [self.unit(f"f{number}_{index}") for index in range(rng.randint(1, 3))]
        deps = [dep for dep in range(number) if rng.random() < 0.7]
        words: dict[str, object] = {"lto": self.lto(), "opt_level": rng.choice("012s")}
        return Crate(units, deps, list(rng.choice(TYPES)), words, rng.sample(DIRECTORIES, 3))

    def unit(self, name: str) -> Unit:
        rng, languages = self.rng, [*_LANGUAGES]
        if self.kind == "gcc":
            languages.remove("ll")
        if platform.machine() != "x86_64":
            languages.remove("S")
        includes = rng.sample(HEADERS, rng.randint(0, 3))
        return Unit(name, rng.choice(languages), rng.randrange(10, 99), includes, rng.random() < 0.5)

    def lto(self) -> str:
        return self.rng.choice(("off", "fat") if self.kind == "gcc" else ("off", "thin", "fat"))

    def files(self) -> dict[str, str]:
        """Return the files of the project."""
        found = {f"{place}/{name}": _header(name, number) for (place, name), number in self.headers.items()}
        found |= {f"{place}/.keep": "" for place in DIRECTORIES}
        found["made.in"] = _header("made.h", self.made)
        lines = ['env.Command("made/made.h", "made.in", Copy("$TARGET", "$SOURCE"))']
        for number, crate in enumerate(self.crates):
            sources: list[object] = []
            for unit in crate.units:
                path = f"c{number}/{unit.name}.{unit.language}"
                found[path] = self.text(unit, crate)
                sources.append((path, unit.options) if unit.options and unit.language != "ll" else path)
            if crate.types == ["bin"]:
                found[f"c{number}/main.c"] = self.main(crate)
                sources.append(f"c{number}/main.c")
            deps = ", ".join(
                f"cratewright.whole(c{dep})" if self.crates[dep].is_whole else f"c{dep}" for dep in crate.deps
            )
            name = "app" if crate.types == ["bin"] else f"c{number}"
            words = {"crate_type": crate.types, "include_dirs": crate.directories, **crate.words}
            lines.append(f"c{number} = env.Crate({name!r}, {sources!r}, deps=[{deps}], **{words!r})")
        return {**found, "SConstruct": "\n".join([WITH_C, *lines, ""])}

    def text(self, unit: Unit, crate: Crate) -> str:
        if unit.language == "ll":
            return f"define i32 @{unit.name}(i32 %x) {{\n  %y = add i32 %x, {unit.number}\n  ret i32 %y\n}}\n"
        lines = [
            f"#if __has_include({name})\n#include {name}\n#endif" for name in map(self.quoted(unit), unit.includes)
        ]
        lines += [f"#ifndef {name}\n#define {name} 0\n#endif" for name in (*map(_macro, HEADERS), "EXTRA")]
        total = "+".join((str(unit.number), *map(_macro, HEADERS), "EXTRA"))
        if unit.language == "S":
            lines.append(
                f".text\n.globl {unit.name}\n.type {unit.name},@function\n{unit.name}:\n lea ({total})(%rdi), %eax"
            )
            return "\n".join(
                [*lines, f' ret\n.size {unit.name},.-{unit.name}\n.section .note.GNU-stack,"",@progbits\n']
            )
        c = 'extern "C" ' if unit.language == "cpp" else ""
        lines += [f"{c}int {name}(int);" for name in self.called(crate)]
        if unit.language == "cpp":
            lines.append("template <class T> T same(T x) { return x; }\ninline int zero() { static int n; return n; }")
            total = f"same({total}) + zero()"
        else:
            lines.append(f"int var_{unit.name}{' __attribute__((common))' if unit.number % 2 else ''};")
            total += f" + var_{unit.name}"
        look = "weak" if unit.is_weak else 'visibility("hidden")' if unit.is_hidden else "noinline"
        calls = "".join(f" + {name}(x + 1)" for name in self.called(crate))
        return "\n".join(
            [*lines, f"{c}__attribute__(({look})) int {unit.name}(int x) {{ return x + {total}{calls}; }}\n"]
        )

    def quoted(self, unit: Unit) -> Callable[[str], str]:
        return '"{}"'.format if unit.quotes else "<{}>".format

    def called(self, crate: Crate) -> list[str]:
        """Return the functions of other crates that a crate's C and C++ sources call."""
        return [
            unit.name
            for dep in crate.deps
            for unit in self.crates[dep].units[:2]
            if not self.hides(self.crates[dep], unit)
        ]

    def main(self, crate: Crate) -> str:
        names = [*self.called(crate), *(unit.name for unit in crate.units)]
        calls = "".join(f'  printf("{name} %d\\n", {name}(1));\n' for name in names)
        return (
            "#include <stdio.h>\n"
            + "".join(f"int {name}(int);\n" for name in names)
            + f"int main(void) {{\n{calls}}}\n"
        )

    def value(self, name: str, x: int) -> int:
        """Return the result that a function must have."""
        number, crate, unit = next(
            (number, crate, unit)
            for number, crate in enumerate(self.crates)
            for unit in crate.units
            if unit.name == name
        )
        if unit.language == "ll":
            return x + unit.number
        flags = _flags(crate, unit)
        seen = {*unit.includes, *(["h0.h"] if "-include" in flags else [])}
        places = [*([f"c{number}"] if unit.quotes else []), *crate.directories]
        total = x + unit.number + (5 if "-DEXTRA=5" in flags else 0)
        for header in seen:
            forced = header == "h0.h" and "-include" in flags and header not in unit.includes
            total += next(
                (n for place in (crate.directories if forced else places) if (n := self.at(place, header))), 0
            )
        if unit.language != "S":
            total += sum(self.value(called, x + 1) for called in self.called(crate))
        return total

    def at(self, place: str, header: str) -> int:
        return self.made if (place, header) == ("made", "made.h") else self.headers.get((place, header), 0)

    def hides(self, crate: Crate, unit: Unit) -> bool:
        """Return whether a unit's function is hidden in libraries."""
        is_hidden = (unit.is_hidden and not unit.is_weak) or "-fvisibility=hidden" in _flags(crate, unit)
        return is_hidden and unit.language in ("c", "cpp")

    def exported(self, crate: Crate) -> set[str]:
        """Return the symbols that a crate's cdylib must export."""
        if exports := crate.words.get("exports"):
            return set(exports)  # type: ignore[call-overload]
        seen = [unit for unit in crate.units if not self.hides(crate, unit)]
        weak = {unit.name for unit in seen if unit.is_weak and unit.language in ("c", "cpp")}
        shown = [u for u in crate.units if u.language == "c" and "-fvisibility=hidden" not in _flags(crate, u)]
        return {unit.name for unit in seen} - weak | {f"var_{unit.name}" for unit in shown}


def _flags(crate: Crate, unit: Unit) -> list[str]:
    flags = unit.options.get("flags", crate.words.get("flags", []))
    return [str(word) for word in flags]  # type: ignore[attr-defined]


def _macro(header: str) -> str:
    return re.sub(r"\W", "_", header.upper())


def _header(name: str, number: int) -> str:
    return f"#undef {_macro(name)}\n#define {_macro(name)} {number}\n"
