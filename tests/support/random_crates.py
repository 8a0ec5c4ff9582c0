"""Random graphs of tiny C crates, and mixes of crate types and LTO to build them in."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

__all__ = ["CrateGraphSources", "Mix", "random_graph", "random_mix", "sconstruct"]

_TYPES = (["rlib"], ["dylib"], ["rlib", "dylib"], ["rlib", "dylib"])


@dataclass(frozen=True, slots=True)
class CrateGraphSources:
    """Crates by number, each after its dependencies; the last is a program.

    Shape: `dependencies` of each crate; `files` of each crate, by name.
    """

    dependencies: tuple[tuple[int, ...], ...]
    files: tuple[dict[str, str], ...]


@dataclass(frozen=True, slots=True)
class Mix:
    """Crate types and options for the crates of a graph."""

    types: tuple[tuple[str, ...], ...]
    prefer_dynamic: tuple[bool, ...]
    lto: tuple[str, ...]


def random_graph(random: Random) -> CrateGraphSources:
    """Return a graph whose program prints other numbers if a crate is missing or linked twice."""
    count = random.randint(3, 6)
    dependencies = [
        tuple(sorted(random.sample(range(number), random.randint(min(1, number), min(3, number)))))
        for number in range(count)
    ]
    # The program uses the crates that no other crate uses.
    used = {other for numbers in dependencies for other in numbers}
    loose = {number for number in range(count) if number not in used}
    files = [_library(number, dependencies[number], random) for number in range(count)]
    return CrateGraphSources(
        (*dependencies, tuple(sorted(loose | set(random.sample(range(count), 2))))),
        (*files, {"main.c": _program(sorted(loose), count)}),
    )


def random_mix(random: Random, graph: CrateGraphSources, *, thin: bool) -> Mix:
    """Return a mix, which may be a linkage conflict."""
    words = ("off", "thin", "thin-local", "fat") if thin else ("off", "fat")
    count = len(graph.files)
    return Mix(
        (*(tuple(random.choice(_TYPES)) for _ in range(count - 1)), ("bin",)),
        tuple(random.random() < 0.6 for _ in range(count)),
        tuple(random.choice(words) for _ in range(count)),
    )


def sconstruct(graph: CrateGraphSources, mix: Mix | None, prefix: str) -> str:
    """Return declarations of a graph; without a mix everything is static and without LTO."""
    lines: list[str] = []
    for number, dependencies in enumerate(graph.dependencies):
        program = number == len(graph.dependencies) - 1
        # Dependencies must be declared, because C sources do not name them.
        deps = ", ".join(f"{prefix}{other}" for other in dependencies)
        words = [repr(f"{prefix}{number}"), repr(sorted(graph.files[number])), f"deps=[{deps}]"]
        if mix is None:
            words.append(f"crate_type={'bin' if program else 'rlib'!r}")
        else:
            words.append(f"crate_type={list(mix.types[number])!r}")
            words.append(f"prefer_dynamic={mix.prefer_dynamic[number]}")
            lto = {kind: mix.lto[number] for kind in mix.types[number] if kind != "rlib"}
            words.append(f"lto={lto!r}")
        lines.append(f"{prefix}{number} = env.Crate({', '.join(words)})")
    return "\n".join([*lines, f"Default({prefix}{len(graph.dependencies) - 1})", ""])


def _library(number: int, dependencies: tuple[int, ...], random: Random) -> dict[str, str]:
    declared = "".join(f"int c{other}_f(int);\nextern int c{other}_table[3];\n" for other in dependencies)
    calls = "".join(f" + c{other}_f(x % {random.randint(3, 9)}) * c{other}_table[x % 3]" for other in dependencies)
    numbers = ", ".join(str(random.randint(1, 9)) for _ in range(3))
    hidden = f"c{number}_hidden"
    first = f"""\
{declared}int {hidden}(int);
static int calls;
static int helper(int x) {{ return x * {random.randint(2, 9)} + 1; }}
int c{number}_table[3] = {{{numbers}}};
int c{number}_calls(void) {{ return calls; }}
int c{number}_f(int x) {{ calls++; x &= 1023; return (helper(x) + {hidden}(x){calls}) % 10007; }}
"""
    second = f"""\
static int helper(int x) {{ return x - {random.randint(2, 9)}; }}
__attribute__((weak)) int c{number}_weak(int x) {{ return x + {random.randint(1, 9)}; }}
__attribute__((visibility("hidden"))) int {hidden}(int x) {{ return helper(x) * c{number}_weak(x); }}
int c{number}_unused(int x) {{ return c{number}_missing ? x : helper(x); }}
"""
    second = f"static const int c{number}_missing = {random.randint(0, 1)};\n{second}"
    return {f"c{number}_first.c": first, f"c{number}_second.c": second}


def _program(called: list[int], count: int) -> str:
    declared = "".join(f"int c{number}_calls(void);\n" for number in range(count))
    declared += "".join(f"int c{number}_f(int);\n" for number in called)
    calls = " + ".join(f"c{number}_f(i)" for number in called)
    counts = "".join(f'    printf(" %d", c{number}_calls());\n' for number in range(count))
    return f"""\
#include <stdio.h>
{declared}int main(void) {{
    long sum = 0;
    for (int i = 0; i < 20; i++) sum = sum * 31 % 1000003 + {calls};
    printf("%ld:", sum);
{counts}    printf("\\n");
    return 0;
}}
"""
