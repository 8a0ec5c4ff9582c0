"""The compiler driver is asked once how it links; later links run the linker directly, to the same bytes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cratewright import CrateType, LinkError, LinkRequest, OptionValue, parse_library
from cratewright_native.toolchains.link_line import link_line
from cratewright_native.toolchains.llvm import Llvm
from cratewright_native.toolchains.toolchain import Toolchain
from tests.support.native_link import link, request_for
from tests.support.native_project import Project

PROGRAM = {
    "app": {"main.c": "int twice(int);\nint main(int n, char **v) { return twice(n) == v[0][0]; }\n"},
    "maths": {"twice.c": "int twice(int x) { return 2 * x; }\n"},
}
CXX = {"app": {"main.cpp": '#include <iostream>\nint main() { std::cout << "hello\\n"; }\n'}}
COSINE = {"app": {"main.c": "double cos(double);\nint main(int n, char **v) { return cos(n) == v[0][0]; }\n"}}
LIBRARY = {"lib": {"lib.c": "int entry(int x) { return x; }\n"}}


class Driver:
    """A stand-in for clang that prints its link command, and records each call."""

    def __init__(self, directory: Path) -> None:
        self.program = directory / "driver"
        self.calls = directory / "calls"
        self.found = directory / "system" / "lib" / "crt.o"
        self.found.parent.mkdir(parents=True)
        self.found.write_text("")
        self.set_command(
            ["/bin/ld", "-o", "cratewright:output", str(self.found), "-u", "a b", 'q"\\$', "cratewright:0"]
        )

    def set_command(self, line: Sequence[str], status: int = 0) -> None:
        """Set the command that it prints."""
        quoted = "".join(f' "{word}"' for word in (w.translate({ord(c): "\\" + c for c in '"\\$'}) for w in line))
        text = self.program.with_name("text")
        text.write_text(f"Version 1\n{quoted}\n")
        self.program.write_text(f"#!/bin/sh\necho \"$@\" >> '{self.calls}'\ncat '{text}' >&2\nexit {status}\n")
        self.program.chmod(0o755)

    def ask(self, *words: str, passed: Sequence[str] = ("a.o", "b.o"), output: str = "app") -> list[str]:
        """Return the command of a link."""
        about = (str(self.program),)
        return link_line(
            [str(self.program)], words, passed=passed, output=output, about=about, environment=dict(os.environ)
        )

    @property
    def count(self) -> int:
        """The number of calls."""
        return len(self.calls.read_text().splitlines()) if self.calls.exists() else 0


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Driver:
    """Return a driver that has not been called yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Driver(tmp_path)


def test_inputs_and_linker_flags_are_filled_in(driver: Driver) -> None:
    crt = str(driver.found)
    start, end = ["/bin/ld", "-o"], [crt, "-u", "a b", 'q"\\$']
    assert driver.ask("a.o", "-Wl,-z,now", "b.o") == [*start, "app", *end, "a.o", "-z", "now", "b.o"]
    assert driver.ask("b.o", "-Wl,--gc-sections", output="x") == [*start, "x", *end, "b.o", "--gc-sections"]
    assert driver.count == 1
    assert driver.calls.read_text() == "-Wl,cratewright:0 -o cratewright:output -###\n"


def test_driver_flags_ask_again(driver: Driver) -> None:
    driver.ask("a.o")
    line = ["/bin/ld", "cratewright:1", "-lm", "cratewright:0", "cratewright:output"]
    driver.set_command(line)
    assert driver.ask("a.o", "-lm", "-Wl,x", "-Wl,y", "b.o") == ["/bin/ld", "x", "y", "b.o", "-lm", "a.o", "app"]
    assert driver.count == 2


def test_changed_search_directory_asks_again(driver: Driver) -> None:
    driver.ask("a.o")
    driver.set_command(["/bin/ld", "cratewright:output", "cratewright:0", str(driver.found)])
    assert driver.ask("a.o")[1] == "-o" and driver.count == 1
    (driver.found.parent.parent / "another").mkdir()
    assert driver.ask("a.o")[1] == "app" and driver.count == 2
    driver.found.unlink()
    driver.ask("a.o")
    assert driver.count == 3


@pytest.mark.parametrize(
    "line",
    [
        ["/bin/ld", "cratewright:0"],
        ["/bin/ld", "cratewright:0", "cratewright:0", "cratewright:output"],
        ["/bin/ld", "--x=cratewright:0", "cratewright:output"],
        [],
    ],
)
def test_unusable_command_is_rejected(driver: Driver, line: list[str]) -> None:
    driver.set_command(line)
    assert driver.ask("a.o") == []
    driver.set_command(["/bin/ld", "cratewright:0", "cratewright:output"])
    assert driver.ask("a.o") == ["/bin/ld", "a.o", "app"]  # failures are not remembered


def test_failing_or_missing_driver(driver: Driver) -> None:
    driver.set_command(["/bin/ld", "cratewright:0", "cratewright:output"], status=1)
    assert driver.ask("a.o") == []
    driver.program.unlink()
    assert driver.ask("a.o") == []


Change = Callable[[LinkRequest], LinkRequest]
CASES: dict[str, tuple[dict[str, dict[str, str]], CrateType, Change]] = {
    "program": (PROGRAM, CrateType.BIN, lambda request: request),
    "no pic": (PROGRAM, CrateType.BIN, lambda request: _with(request, pic=False)),
    "exports": (PROGRAM, CrateType.BIN, lambda request: replace(request, exported=("main", "twice"))),
    "libm": (COSINE, CrateType.BIN, lambda request: replace(request, natives=(parse_library("m", where=""),))),
    "stripped": (PROGRAM, CrateType.BIN, lambda request: _with(request, strip=True)),
    "flags": (PROGRAM, CrateType.BIN, lambda request: _with(request, ldflags=("-static", "-Wl,-z,now", "-u", "main"))),
    "rpath": (PROGRAM, CrateType.BIN, lambda request: _with(request, rpath=("$ORIGIN/a b", "/x"))),
    "C++": (CXX, CrateType.BIN, lambda request: request),
    "library": (LIBRARY, CrateType.CDYLIB, lambda request: replace(request, exported=("entry",))),
}


def _lowered(project: Project, request: LinkRequest) -> LinkRequest:
    modules = [replace(item, module=project.backend.codegen(item.module, request.config)) for item in request.modules]
    return replace(request, modules=tuple(modules))


def _with(request: LinkRequest, **options: OptionValue) -> LinkRequest:
    return replace(request, options=request.options.override(options))


@pytest.fixture(scope="module")
def toolchain_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache directory that the tests of this module share."""
    return tmp_path_factory.mktemp("toolchain_cache")


@pytest.mark.parametrize("case", CASES)
def test_same_bytes_as_by_the_driver(
    project_with: Callable[[str], Project], monkeypatch: pytest.MonkeyPatch, case: str, toolchain_cache: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(toolchain_cache))
    project = project_with("llvm")
    files, kind, change = CASES[case]
    request = change(_lowered(project, request_for(project, files, kind)))
    results = [project.backend.link(request)]
    programs: list[str] = []
    run = Toolchain.run

    def recorded(self: Toolchain, argv: Sequence[str], **words: Any) -> Any:
        programs.append(os.path.basename(argv[0]).partition("-")[0])
        return run(self, argv, **words)

    monkeypatch.setattr(Toolchain, "run", recorded)
    results.append(project.backend.link(request))
    assert set(programs) <= {"ld.lld", "llvm"} and "ld.lld" in programs
    programs.clear()
    monkeypatch.setattr(Llvm, "linker", lambda *_, **__: [])
    results.append(project.backend.link(request))
    assert "clang" in programs and "ld.lld" not in programs
    assert results[0] == results[1] == results[2]  # including what was observed


def test_errors_come_from_the_driver(project_with: Callable[[str], Project]) -> None:
    project = project_with("llvm")
    missing = {"app": {"main.c": "int gone(void);\nint main(void) { return gone(); }\n"}}
    with pytest.raises(LinkError, match="undefined symbols: gone") as caught:
        link(project, request_for(project, missing))
    assert "clang" in str(caught.value)
    with pytest.raises(LinkError, match="cannot be linked") as caught:
        link(project, _with(request_for(project, PROGRAM), ldflags=("-Wl,--no-such-word",)))
    assert "no-such-word" in str(caught.value)


def test_failing_command_falls_back_to_the_driver(
    project_with: Callable[[str], Project], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As if a start file were gone, though no directory has changed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    project = project_with("llvm")
    request = _lowered(project, request_for(project, PROGRAM))
    right = project.backend.link(request)
    (answer,) = [path for path in (tmp_path / "cache" / "cratewright").iterdir() if "crt1.o" in path.read_text()]
    document = json.loads(answer.read_text())
    line, _ = json.loads(document["answer"])
    wrong = [word.replace("crt1.o", "crt0.o") for word in line]
    answer.write_text(json.dumps({**document, "answer": json.dumps([wrong, []])}))
    assert project.backend.link(request) == right
    assert "crt0.o" in answer.read_text()
