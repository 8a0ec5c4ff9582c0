"""What a link depends on: files that its linker read, and paths where it looked for a library in vain."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cratewright import (
    CrateType,
    LinkError,
    LinkLibrary,
    LinkModule,
    LinkRequest,
    Observed,
    ToolError,
    digest_file,
    parse_library,
)
from cratewright_native.linking import link as link_module
from cratewright_native.linking.link_files import LinkSearch, link_search, observe_link, parse_link_depfile
from cratewright_native.lookups.observe import FileMemory
from cratewright_native.toolchains.toolchain import Toolchain
from tests.support.native_link import request_for
from tests.support.native_project import Project

APP = {"app": {"main.c": "int foo(void);\nint main(void) { return foo(); }\n"}}
SPACED = "two libs"
DIRECTORIES = ["one", SPACED]


def _library(project: Project, directory: str, *files: str, text: str = "int foo(void) { return 1; }\n") -> None:
    """Make shared libraries and archives from `text`."""
    there = project.root / directory
    there.mkdir(exist_ok=True)
    (there / "foo.c").write_text(text)
    subprocess.run(["gcc", "-fPIC", "-c", "foo.c"], cwd=there, check=True)
    for file in files:
        make = ["gcc", "-shared", "-o", file] if file.endswith(".so") else ["ar", "rcs", file]
        subprocess.run([*make, "foo.o"], cwd=there, check=True)


def _request(project: Project, *libraries: str, **options: object) -> LinkRequest:
    natives = tuple(parse_library(text, where="test") for text in libraries)
    (project.root / "one").mkdir(exist_ok=True)
    request = request_for(project, APP, lib_dirs=DIRECTORIES, **options)
    lowered = (LinkModule(item.crate, project.backend.codegen(item.module, request.config)) for item in request.modules)
    return replace(request, modules=tuple(lowered), natives=natives)


def _observed(project: Project, request: LinkRequest) -> dict[str, str | None]:
    observed = project.backend.link(request).observed
    assert list(observed) == sorted(observed, key=lambda item: item.path)
    assert all(digest_file(os.path.join(project.root, item.path)) == item.digest for item in observed)
    return {item.path: item.digest for item in observed}


def _project_files(found: dict[str, str | None], name: str = "foo") -> dict[str, bool]:
    """Return the observed paths of one library in the project, and whether each exists."""
    return {path: digest is not None for path, digest in found.items() if path.split("/")[-1].startswith(f"lib{name}.")}


@pytest.mark.parametrize(
    ("word", "file", "absent"),
    [
        ("foo", "libfoo.so", ["one/libfoo.a", "one/libfoo.so"]),
        ("foo", "libfoo.a", ["one/libfoo.a", "one/libfoo.so", f"{SPACED}/libfoo.so"]),
        ("static:-bundle=foo", "libfoo.a", ["one/libfoo.a", "one/libfoo.so", f"{SPACED}/libfoo.so"]),
        ("static:-bundle,+whole-archive=foo", "libfoo.a", ["one/libfoo.a", "one/libfoo.so", f"{SPACED}/libfoo.so"]),
    ],
)
def test_library_and_earlier_places_are_observed(project: Project, word: str, file: str, absent: list[str]) -> None:
    _library(project, SPACED, file)
    found = _observed(project, _request(project, word))
    assert _project_files(found) == {**dict.fromkeys(absent, False), f"{SPACED}/{file}": True}
    assert not [path for path in found if "cratewright-native-" in path or path.endswith("main.c.o")]


def test_system_libraries_are_observed_but_not_zigs(project: Project) -> None:
    """zig's own files change only with its version; the system's may change at any time."""
    _library(project, SPACED, "libfoo.a")
    found = _observed(project, _request(project, "foo"))
    outside = {path: digest for path, digest in found.items() if os.path.isabs(path)}
    if project.toolchain.kind == "zig":
        assert outside == {}
    else:
        read = {os.path.basename(path) for path, digest in outside.items() if digest}
        assert {"crti.o", "libc.so", "libc.so.6", "libgcc.a"} <= read
        assert any(path.endswith("/libc.so") and digest is None for path, digest in outside.items())


def test_listing_flag_of_windows_targets(project_with: Callable[[str], Project]) -> None:
    assert project_with("llvm").toolchain.listing("x86_64-windows-gnu", "list") == ("-v",)


def test_missing_directory_is_observed(project: Project) -> None:
    _library(project, SPACED, "libfoo.a")
    request = _request(project, "foo")
    (project.root / "one").rmdir()
    assert _observed(project, request)["one"] is None


@pytest.mark.parametrize("directory", [SPACED, "inner"])
def test_library_that_is_a_linker_script(project: Project, directory: str) -> None:
    """The script names a file on the search path, or one by its absolute path."""
    _library(project, directory, "libinner.a")
    request = _request(project, "foo")
    name = "libinner.a" if directory == SPACED else f"{project.root}/inner/libinner.a"
    (project.root / "one/libfoo.so").write_text(f"INPUT({name})\n")
    found = _observed(project, request)
    assert found["one/libfoo.so"] and found[f"{directory}/libinner.a"]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="gcc makes objects of another class on this machine only")
def test_incompatible_library_is_skipped(project_with: Callable[[str], Project]) -> None:
    """GNU ld skips it; lld and zig refuse it."""
    project = project_with("gcc")
    _library(project, SPACED, "libfoo.a")
    request = _request(project, "foo")
    (project.root / "one/foo.c").write_text("int foo(void) { return 1; }\n")
    subprocess.run(["gcc", "-m32", "-c", "foo.c"], cwd=project.root / "one", check=True)
    subprocess.run(["ar", "rcs", "libfoo.a", "foo.o"], cwd=project.root / "one", check=True)
    found = _observed(project, request)
    assert found["one/libfoo.a"] and found[f"{SPACED}/libfoo.a"]


def test_script_is_observed(project: Project) -> None:
    _library(project, SPACED, "libfoo.a")
    script = project.root / "app.ld"
    zig = project.toolchain.kind == "zig"  # it accepts only this kind of script
    script.write_text("VERSION { { global: main; }; }\n" if zig else "{ main; };\n")
    request = _request(project, "foo", ldflags=[f"-Wl,-T,{script}" if zig else f"-Wl,--dynamic-list={script}"])
    assert _observed(project, request)["app.ld"]


def test_script_on_the_search_path_is_observed(project_with: Callable[[str], Project]) -> None:
    for project in map(project_with, ("gcc", "llvm")):
        _library(project, SPACED, "libfoo.a")
        (project.root / SPACED / "more.ld").write_text("SECTIONS { .more : { *(.more) } } INSERT AFTER .data;\n")
        found = _observed(project, _request(project, "foo", ldflags=["-Wl,-T,more.ld"]))
        assert found[f"{SPACED}/more.ld"], project.toolchain.kind
        assert found["one/more.ld"] is None, project.toolchain.kind


def test_dylibs_of_the_request_are_not_observed(project: Project) -> None:
    _library(project, SPACED, "libfoo.a")
    _library(project, ".", "libother.so", text="int other(void) { return 1; }\n")
    request = _request(project, "foo")
    digest = digest_file(str(project.root / "libother.so")) or ""
    found = _observed(project, replace(request, libraries=(LinkLibrary("other", "libother.so", digest),)))
    assert "libother.so" not in found


def test_staticlib_observes_nothing(project: Project) -> None:
    request = replace(_request(project, "foo"), crate_type=CrateType.STATICLIB)
    assert project.backend.link(request).observed == ()


def test_library_with_a_future_time_is_linked(project: Project) -> None:
    _library(project, SPACED, "libfoo.a")
    later = os.stat(project.root / SPACED / "libfoo.a").st_mtime_ns + 3600 * 10**9
    os.utime(project.root / SPACED / "libfoo.a", ns=(later, later))
    assert project.backend.link(_request(project, "foo")).artifacts


def test_library_that_keeps_changing_is_an_error(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    _library(project, SPACED, "libfoo.a")
    library, listed = project.root / SPACED / "libfoo.a", link_module.linked_files

    def change(depfile: Path, **words: Any) -> Any:
        library.write_bytes(library.read_bytes())
        return listed(depfile, **words)

    monkeypatch.setattr(link_module, "linked_files", change)
    with pytest.raises(ToolError, match="files that crate 'app' is linked with keep changing"):
        project.backend.link(_request(project, "foo"))


def test_linker_without_depfiles_is_an_error(
    project_with: Callable[[str], Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = project_with("gcc")
    _library(project, SPACED, "libfoo.a")
    request = _request(project, "foo")
    monkeypatch.setattr(Toolchain, "listing", lambda *_: ("-Wl,--no-such-word",))
    with pytest.raises(ToolError, match="cannot list the files that it reads") as caught:
        project.backend.link(request)
    assert "2.35" in str(caught.value) and "no-such-word" in str(caught.value)
    with pytest.raises(LinkError, match="undefined symbols: foo"):
        project.backend.link(replace(request, natives=()))


def test_search_of_flags_and_verbose_output(tmp_path: Path) -> None:
    (tmp_path / "a b.ld").write_text("")
    words = ["main.o", f"-L{tmp_path}/near", "-lone", "-Wl,-L,/far,-lfour", "-Xlinker", "--library=two", "-z", "now"]
    words += ["-Wl,-T", f"-Wl,{tmp_path}/a b.ld", "-Ttext=0x100", "-Wl,--version-script=/nowhere"]
    output = 'LIBRARY_PATH=/x -L/no\n "/usr/bin/ld" -o out "-Lnear" -L/usr/lib -lc --as-needed -lone\nld: -L/no\n'
    assert link_search(words, output, str(tmp_path)) == LinkSearch(
        directories=("near", "/far", "/usr/lib"), names=("one", "four", "two", "c"), scripts=(f"{tmp_path}/a b.ld",)
    )


@pytest.mark.parametrize("word", ["", "/", "/.", "/./", "//"])
def test_root_as_library_directory(tmp_path: Path, word: str) -> None:
    root = str(tmp_path)
    (tmp_path / "libx.a").write_text("")
    search = link_search([f"-L{root}{word}"], "", root)
    assert search.directories == ("",)
    found, _ = observe_link([f"{root}{word}/libx.a"], search, "elf", FileMemory(root))
    assert [item.path for item in found] == ["libx.a", "libx.so"]


def _files(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)


@pytest.mark.parametrize(
    ("form", "file", "earlier"),
    [
        ("elf", "b/libx.so", {"a/libx.so", "a/libx.a"}),
        ("macho", "b/libx.dylib", {"a/libx.tbd", "a/libx.dylib", "a/libx.so", "a/libx.a", "b/libx.tbd"}),
        ("wasm", "b/libx.a", {"a/libx.so", "a/libx.a", "b/libx.so"}),
        ("elf", "b/libx.so.1", {"a/libx.so.1"}),
        ("elf", "b/crt1.o", set()),
    ],
)
def test_library_names_per_object_format(tmp_path: Path, form: str, file: str, earlier: set[str]) -> None:
    _files(tmp_path, file, "a/other")
    found, _ = observe_link([f"{tmp_path}/{file}"], LinkSearch(("a", "b")), form, FileMemory(str(tmp_path)))
    assert {item.path for item in found if item.digest is None} == earlier
    assert {item.path for item in found if item.digest} == {file}


def test_without_a_list_every_candidate_counts(tmp_path: Path) -> None:
    """If a linker lists no files, every library it may have found is observed, and every place it may have looked."""
    _files(tmp_path, "b/libx.a", "c/libx.a", "a/other")
    search = LinkSearch(("a", "b", "c"), ("x", ":exact"))
    found, _ = observe_link([], search, "elf", FileMemory(str(tmp_path)))
    assert {item.path for item in found if item.digest} == {"b/libx.a", "c/libx.a"}
    assert {item.path for item in found if item.digest is None} == {
        *("a/libx.so", "a/libx.a", "b/libx.so", "c/libx.so"),
        *("a/exact", "b/exact", "c/exact"),
    }


def test_directory_by_two_names_is_searched_once(tmp_path: Path) -> None:
    _files(tmp_path, "root/x", "system/x", "system/sub/x", "later/liby.a")
    system, later = str(tmp_path / "system"), str(tmp_path / "later")
    search = link_search([f"-L{system}", f"-L{system}/sub/..", f"-L{later}"], "", str(tmp_path / "root"))
    assert search.directories == (system, later)


def test_bundled_files_are_not_observed(tmp_path: Path) -> None:
    _files(tmp_path, "zig/lib/x.a", "y.a")
    listed = [f"{tmp_path}/zig/lib/x.a", f"{tmp_path}/y.a"]
    found, _ = observe_link(listed, LinkSearch(), "elf", FileMemory(str(tmp_path)), bundled="zig/")
    assert found == (Observed("y.a", digest_file(str(tmp_path / "y.a"))),)


def test_removed_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match="disappeared during the link"):
        observe_link([f"{tmp_path}/libx.a"], LinkSearch(), "elf", FileMemory(str(tmp_path)))


def test_file_memory_reads_an_unchanged_library_once(tmp_path: Path) -> None:
    _files(tmp_path, "x.a")
    memory = FileMemory(str(tmp_path))
    time.sleep(0.02)  # a file this new could be rewritten with the same time
    first, changed = memory.digest("x.a")
    assert memory.digest("x.a")[0] is first and changed >= os.stat(tmp_path / "x.a").st_mtime_ns
    os.utime(tmp_path / "x.a", ns=(1, 1))
    memory.digest("x.a")
    (tmp_path / "x.a").write_text("y.a")
    os.utime(tmp_path / "x.a", ns=(1, 1))  # same size and time
    assert memory.digest("x.a")[0] == digest_file(str(tmp_path / "x.a"))


def test_parsing_of_link_depfiles() -> None:
    text = "out: \\\n  m.o \\\n  /a b/x\\ y$$.so \\\n  m.o\n\nm.o:\n"
    assert parse_link_depfile(text, escaped=False) == ("m.o", "/a b/x\\ y$$.so")
    assert parse_link_depfile(text, escaped=True) == ("m.o", "/a b/x y$.so")
