"""Random native crates, edited and rebuilt: each build must equal a clean build.

One tree keeps its outputs and its cache. After each edit, a new tree without a cache must build the same files, and
these must do what the sources say: what each function returns, and what each library exports.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from cratewright_native.binary.elf import elf_symbols
from tests.native_e2e.native_scons import NativeProject

from .native_crates import DIRECTORIES, FLAGS, HEADERS, TYPES, Tree

__all__ = ["native_case"]

_OUTPUTS = ("*.rlib", "*.rlink", "*.so", "*.a", "*.lto", "app", "made/made.h")
_STEPS = 12
_CALL = """\
import ctypes, sys
for line in sys.stdin:
    file, *names = line.split()
    library = ctypes.CDLL(file)
    print(*(getattr(library, name)(1) for name in names))
"""


def native_case(seed: int, directory: Path, counts: Counter[str]) -> None:
    """Build a random project with one of the toolchains, and again after random edits.

    Raises: AssertionError with the edits so far and the difference.
    """
    rng = random.Random(seed)
    kind = ("zig", "llvm", "gcc")[seed % 3]
    tree, project, done = Tree(rng, kind), NativeProject(directory / "kept", kind), [kind]
    written: dict[str, str] = {}
    for step in range(_STEPS):
        if step:
            done.append(", ".join(_edit(tree, project) for _ in range(rng.choice((1, 1, 2)))))
        files = tree.files()
        project.remove(*(name for name in written if name not in files))
        project.write({name: text for name, text in files.items() if written.get(name) != text})
        written = files
        fresh = NativeProject(directory / f"fresh-{step}", kind)
        fresh.environ["CRATE_CACHE"] = "off"
        fresh.write(files)
        for each in (project, fresh):
            each.scons(expect=None)
        counts[f"{kind} builds"] += 1
        counts["refused"] += fresh.status != 0
        wrong = _difference(project, fresh) or (_misbehaviour(tree, fresh) if not fresh.status else "")
        assert not wrong, "\n".join([f"seed {seed}", *done, wrong, *_listed(files)])
        shutil.rmtree(fresh.path)


def _difference(kept: NativeProject, fresh: NativeProject) -> str:
    errors = [_errors(each) for each in (kept, fresh)]
    if (kept.status, errors[0]) != (fresh.status, errors[1]):
        return f"status {kept.status}, should be {fresh.status}\n{kept.output}\n  should be:\n{fresh.output}"
    made = [path for pattern in _OUTPUTS for path in fresh.path.glob(pattern)] if not fresh.status else []
    names = [path.relative_to(fresh.path) for path in made]
    return "".join(
        f"{name} differs\n"
        for name in names
        if not (kept.path / name).exists() or (kept.path / name).read_bytes() != (fresh.path / name).read_bytes()
    )


def _errors(project: NativeProject) -> list[str]:
    text = project.errors.replace(str(project.path), "<tree>")
    return sorted({line for line in text.splitlines() if "error: " in line})


def _misbehaviour(tree: Tree, project: NativeProject) -> str:
    """Return in what programs and libraries differ from what their sources say."""
    crate, wrong = tree.crates[-1], []
    names = [*tree.called(crate), *(unit.name for unit in crate.units)]
    printed = subprocess.run([project.path / "app"], capture_output=True, text=True, check=False).stdout
    if printed.split("\n")[:-1] != (expected := [f"{name} {tree.value(name, 1)}" for name in names]):
        wrong.append(f"app prints {printed!r}, should be {expected}")
    loaded: dict[str, list[str]] = {}
    for number, crate in enumerate(tree.crates[:-1]):
        functions = [unit.name for unit in crate.units if not tree.hides(crate, unit)]
        if {"dylib", "cdylib"} & {*crate.types}:
            path = project.path / f"libc{number}.so"
            exported = {s.name for s in elf_symbols(path.read_bytes(), name=path.name, dynamic=True) if s.defined}
            wanted = tree.exported(crate)
            if exported != wanted if "cdylib" in crate.types else not exported >= wanted:
                wrong.append(f"{path.name} exports {sorted(exported)}, should be {sorted(wanted)}")
            loaded[str(path)] = [name for name in functions if name in exported]
        if "staticlib" in crate.types and shutil.which("cc"):
            archive, library = project.path / f"libc{number}.a", project.path / f"of-archive{number}.so"
            words = ["cc", "-shared", "-Wl,--whole-archive", archive, "-Wl,--no-whole-archive", "-o", library]
            linked = subprocess.run(words, capture_output=True, text=True, check=False)
            wrong += [linked.stderr] if linked.returncode else []
            exports = crate.words.get("exports") or functions
            loaded[str(library)] = [name for name in functions if name in exports]  # type: ignore[operator]
    lines = [" ".join([path, *names]) for path, names in loaded.items()]
    returned = subprocess.run(
        [sys.executable, "-c", _CALL], input="\n".join(lines), capture_output=True, text=True, check=False
    )
    should = [" ".join(str(tree.value(name, 1)) for name in names) for names in loaded.values()]
    if returned.stdout.split("\n")[:-1] != should:
        wrong.append(f"{lines} return {returned.stdout}{returned.stderr}, should be {should}")
    return "\n".join(wrong)


def _edit(tree: Tree, project: NativeProject) -> str:
    """Make a random edit and return its name."""
    rng, crate = tree.rng, tree.rng.choice(tree.crates)
    unit, number = rng.choice(crate.units), tree.crates.index(crate)

    def value() -> None:
        unit.number = rng.randrange(10, 99)

    def header() -> None:
        if tree.headers and rng.random() < 0.7:
            tree.headers[rng.choice(list(tree.headers))] = rng.randrange(10, 99)
        else:
            tree.made = rng.randrange(10, 99)

    def shadow() -> None:
        place = rng.choice((*DIRECTORIES[:2], f"c{number}")), rng.choice(HEADERS[:4])
        if tree.headers.pop(place, 0) == 0:
            tree.headers[place] = rng.randrange(10, 99)

    def unit_option() -> None:
        unit.options = rng.choice(({}, {"opt_level": rng.choice("03")}, {"flags": rng.choice(FLAGS)}))

    def crate_option() -> None:
        key, values = rng.choice((("flags", FLAGS), ("opt_level", "012s"), ("prefer_dynamic", (True, False)),
                                  ("debuginfo", ("none", "full")), ("strip", (True, False))))  # fmt: skip
        crate.words[key] = rng.choice(values)

    def lto() -> None:
        crate.words["lto"] = tree.lto()

    def exports() -> None:
        seen = [each.name for each in crate.units if not tree.hides(crate, each)]
        crate.words["exports"] = seen[:1] if rng.random() < 0.5 else []

    def types() -> None:
        crate.types = crate.types if crate.types == ["bin"] else list(rng.choice(TYPES))

    def directories() -> None:
        rng.shuffle(crate.directories)

    def visibility() -> None:
        of, what = rng.choice(((unit, "is_weak"), (unit, "is_hidden"), (unit, "quotes"), (crate, "is_whole")))
        setattr(of, what, not getattr(of, what))

    def includes() -> None:
        unit.includes = rng.sample(HEADERS, rng.randint(0, 3))

    def units() -> None:
        if len(crate.units) > 1 and rng.random() < 0.5:
            crate.units.remove(unit)
        else:
            crate.units.append(tree.unit(f"f{number}_{int(crate.units[-1].name.split('_')[1]) + 1}"))

    def deps() -> None:
        if number:
            dep = rng.randrange(number)
            crate.deps = sorted({*crate.deps} ^ {dep})

    def remove() -> None:
        for path in project.path.glob(rng.choice(_OUTPUTS)):
            path.unlink()

    def forget() -> None:
        shutil.rmtree(project.path / ".crate-cache", ignore_errors=True)

    kinds = (value, header, header, header, shadow, shadow, unit_option, crate_option, lto, lto, exports, types)
    kinds += (directories, visibility, visibility, visibility, includes, units, deps, remove, forget)
    change = rng.choice(kinds)
    change()
    return change.__name__


def _listed(files: dict[str, str]) -> list[str]:
    return [f"--- {name}\n{text}" for name, text in files.items()]
