"""Crates that the native backend refuses while planning, and the hints it gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cratewright import ConfigurationError, Crate, CrateType, Options, Source, UnsupportedError
from tests.support.native_project import Project, options

ProjectWith = Callable[[str], Project]


def _crate(
    *kinds: CrateType,
    source: str = "a.c",
    target: str = "x86_64-linux-gnu",
    own: Options | None = None,
    **given: object,
) -> Crate:
    values = options(**given)
    return Crate(
        name="app",
        version="",
        backend="native",
        target=target,
        profile="dev",
        crate_types=kinds or (CrateType.RLIB,),
        sources=(Source(path=source, name=source, options=own or values),),
        dependencies=(),
        options=values,
    )


def test_crates_that_every_toolchain_accepts(project: Project) -> None:
    for crate in (
        _crate(target=project.target),
        _crate(CrateType.BIN, target=project.target, lto="fat"),
        _crate(CrateType.CDYLIB, target=project.target, flags=["-Wall"], sanitize="undefined", opt_level="3"),
    ):
        project.backend.check_crate(crate)


@pytest.mark.parametrize("lto", ["thin", "thin-local"])
def test_gcc_has_no_thin_lto(project_with: ProjectWith, lto: str) -> None:
    project = project_with("gcc")
    with pytest.raises(UnsupportedError, match=f"lto='{lto}', which gcc cannot do") as caught:
        project.backend.check_crate(_crate(CrateType.BIN, target=project.target, lto=lto))
    assert "fat" in caught.value.hint
    project.backend.check_crate(_crate(CrateType.RLIB, target=project.target, lto=lto))


def test_gcc_refuses_llvm_ir(project_with: ProjectWith) -> None:
    project = project_with("gcc")
    with pytest.raises(UnsupportedError, match=r"a\.ll: gcc does not read"):
        project.backend.check_crate(_crate(source="a.ll", target=project.target))


@pytest.mark.parametrize("suffix", ["cppm", "ixx", "ccm", "c++m", "mpp"])
def test_cxx_modules_are_refused(project_with: ProjectWith, suffix: str) -> None:
    project = project_with("gcc")
    with pytest.raises(UnsupportedError, match=r"C\+\+ modules are not compiled yet"):
        project.backend.check_crate(_crate(source=f"a.{suffix}", target=project.target))


def test_objective_c_needs_its_compiler(project_with: ProjectWith) -> None:
    project = project_with("gcc")
    if project.toolchain.compiles("objective-c"):
        pytest.skip("does not apply: this gcc compiles Objective-C")
    with pytest.raises(UnsupportedError, match="this gcc has no compiler for Objective-C"):
        project.backend.check_crate(_crate(source="a.m", target=project.target))


def test_gcc_refuses_another_target(project_with: ProjectWith) -> None:
    other = "aarch64-linux-gnu" if project_with("gcc").target.startswith("x86_64") else "x86_64-linux-gnu"
    with pytest.raises(UnsupportedError, match="this gcc compiles for"):
        project_with("gcc").backend.check_crate(_crate(target=other))
    project_with("zig").backend.check_crate(_crate(target=other))


def test_clang_refuses_a_target_without_c_library(project_with: ProjectWith) -> None:
    with pytest.raises(UnsupportedError, match="clang finds no C library for 'x86_64-windows-gnu'"):
        project_with("llvm").backend.check_crate(_crate(target="x86_64-windows-gnu"))


def test_clang_refuses_musl_if_only_glibc_is_installed(project_with: ProjectWith) -> None:
    """It would link with the machine's glibc and name musl's dynamic loader."""
    if list(Path("/").glob("lib/ld-musl-*")) or list(Path("/usr").glob("*-linux-musl")):
        pytest.skip("does not apply: this machine has musl")
    refusal = project_with("llvm").toolchain.refusal("x86_64-linux-musl")
    assert refusal == "clang finds no C library for 'x86_64-linux-musl' on this machine"


def test_lto_for_an_unsupported_target_is_refused(project_with: ProjectWith) -> None:
    with pytest.raises(UnsupportedError, match="which target 'aarch64-macos' does not support yet"):
        project_with("zig").backend.check_crate(_crate(CrateType.BIN, target="aarch64-macos", lto="thin"))


@pytest.mark.parametrize("kind", [CrateType.DYLIB, CrateType.CDYLIB])
def test_shared_libraries_for_wasi_are_refused(project_with: ProjectWith, kind: CrateType) -> None:
    with pytest.raises(UnsupportedError, match=f"target 'wasm32-wasi' has no {kind.value} yet"):
        project_with("zig").backend.check_crate(_crate(kind, target="wasm32-wasi"))


def test_assembly_for_wasm_is_refused(project_with: ProjectWith) -> None:
    with pytest.raises(UnsupportedError, match=r"a\.S: assembly is compiled for ELF targets only"):
        project_with("zig").backend.check_crate(_crate(source="a.S", target="wasm32-wasi"))


@pytest.mark.parametrize(
    "word",
    [
        "-march=native",
        "-mcpu=native",
        "-mtune=native",
        "-o",
        "-flto",
        "-flto=full",
        "-fprofile-use=x",
        "@file",
        "-x",
        "-MD",
        "-fplugin=x",
        "-Xclang",
    ],
)
@pytest.mark.parametrize("option", ["flags", "cflags", "cxxflags", "asmflags", "ldflags"])
def test_unsafe_flags_are_refused_in_every_option(project_with: ProjectWith, word: str, option: str) -> None:
    project = project_with("gcc")
    with pytest.raises(ConfigurationError, match=f"'{word}' cannot be among '{option}'"):
        project.backend.check_crate(_crate(target=project.target, **{option: [word]}))


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("-fsanitize=address", "sanitize"),
        ("-flto=thin", "lto"),
        ("-g", "debuginfo"),
        ("-ggdb3", "debuginfo"),
        ("-O3", "opt_level"),
        ("-Iinc", "include_dirs"),
        ("-std=c11", "std"),
        ("--target=x", "target"),
        ("--coverage", "coverage"),
        ("-fprofile-instr-generate", "coverage"),
        ("-fPIE", "pic"),
        ("-c", "crate_type"),
        ("-oa.o", "called after the crate"),
        ("-lm", "libs"),
        ("-Wl,-s", "ldflags"),
        ("-shared", "crate_type"),
        ("-xc++", "suffix"),
        ("-fmodules", "module"),
        ("-fmodule-map-file=x", "module"),
        ("-include-pch", "no cache key includes"),
        ("-ivfsoverlay", "no cache key includes"),
        ("-F", "no cache key includes"),
        ("--config=x", "no cache key includes"),
        ("-specs=x", "no cache key includes"),
        ("-Wp,-MD,x", "bypass all checks"),
        ("-mllvm", "bypass all checks"),
        ("-fdebug-prefix-map=a=b", "paths of this machine"),
        ("-frandom-seed=1", "paths of this machine"),
        ("-save-temps=obj", "deleted"),
        ("-dumpdir", "deleted"),
        ("-ftime-trace", "deleted"),
        ("-fdiagnostics-format=json", "the compiler's output"),
        ("-Wa,-x", "how objects are made"),
        ("--prefix=/x", "no cache key includes"),
        ("--gcc-toolchain=/x", "part of the toolchain"),
        ("-ccc-gcc-name", "part of the toolchain"),
        ("--language=c", "long form"),
        ("--save-temps", "deleted"),
        ("--preprocess", "long form"),
        ("-print-search-dirs", "print, not compile"),
        ("b.c", "take it for a source"),
    ],
)
def test_refused_flag_names_the_reason_or_option(project_with: ProjectWith, word: str, reason: str) -> None:
    project = project_with("gcc")
    with pytest.raises(ConfigurationError, match="cannot be among 'flags'") as caught:
        project.backend.check_crate(_crate(target=project.target, flags=[word]))
    assert reason in str(caught.value)


def test_flags_of_one_source_are_checked(project: Project) -> None:
    crate = _crate(target=project.target, own=options(flags=["-march=native"]))
    with pytest.raises(ConfigurationError, match=r"a\.c: '-march=native' cannot be"):
        project.backend.check_crate(crate)


def test_harmless_flags_are_accepted(project: Project) -> None:
    words = [
        "-march=haswell",
        "-Wall",
        "-fno-exceptions",
        "-Mx",
        "-include",
        "x.h",
        "-fvisibility=hidden",
        "-gno-column-info",
    ]
    words += [
        "-DX=-I",
        "-D",
        "-O2",
        "-isystem",
        "-lm",
        "-mcmodel=small",
        "-fno-sanitize=undefined",
    ]
    project.backend.check_crate(_crate(target=project.target, flags=words))


def test_options_that_zig_has_no_library_for(project_with: ProjectWith) -> None:
    project = project_with("zig")
    for given in ({"sanitize": ["address"]}, {"coverage": True}):
        with pytest.raises(UnsupportedError, match="zig has no library for"):
            project.backend.check_crate(_crate(CrateType.BIN, **given))
    with pytest.raises(UnsupportedError, match="zig's C libraries need position-independent code"):
        project.backend.check_crate(_crate(CrateType.BIN, pic=False))


def test_missing_sanitizer_library(project_with: ProjectWith, monkeypatch: pytest.MonkeyPatch) -> None:
    project = project_with("gcc")
    with pytest.raises(UnsupportedError, match="the library for -fsanitize=nonsense is not installed") as caught:
        project.backend.check_crate(_crate(CrateType.BIN, target=project.target, sanitize=["nonsense"]))
    assert "leave the option out" in caught.value.hint


def test_gcc_refuses_coverage_with_lto(project_with: ProjectWith) -> None:
    project = project_with("gcc")
    project.backend.check_crate(_crate(CrateType.BIN, target=project.target, coverage=True))
    with pytest.raises(UnsupportedError, match="coverage and lto='fat'"):
        project.backend.check_crate(_crate(CrateType.BIN, target=project.target, coverage=True, lto="fat"))


def test_dylib_needs_pic(project: Project) -> None:
    with pytest.raises(UnsupportedError, match="position-independent code"):
        project.backend.check_crate(_crate(CrateType.DYLIB, target=project.target, pic=False))


def test_shader_options_are_refused(project: Project) -> None:
    for given in ({"entry_point": "main"}, {"multimodule": True}):
        with pytest.raises(ConfigurationError, match="have no meaning for programs"):
            project.backend.check_crate(_crate(target=project.target, **given))


@pytest.mark.parametrize("kind", [CrateType.BIN, CrateType.CDYLIB])
def test_profile_generate_must_be_given_to_the_link_as_well(project: Project, kind: CrateType) -> None:
    crate = _crate(kind, target=project.target, flags=["-fprofile-generate"])
    reasons = {"gcc": "would be deleted", "zig": "zig has no library for -fprofile-generate", "llvm": "record nothing"}
    with pytest.raises(UnsupportedError, match=reasons[project.toolchain.kind]):
        project.backend.check_crate(crate)
    if project.toolchain.kind == "llvm":
        words = ["-fprofile-generate=x"]
        project.backend.check_crate(_crate(kind, target=project.target, flags=words, ldflags=words))
        project.backend.check_crate(_crate(target=project.target, flags=words))


def test_gcc_lto_refuses_mixed_sanitizers(project_with: ProjectWith) -> None:
    project = project_with("gcc")
    words = {"target": project.target, "sanitize": ["undefined"], "own": options(lto="fat")}
    with pytest.raises(UnsupportedError, match=r"a\.c: gcc's LTO sanitizes a whole link"):
        project.backend.check_crate(_crate(CrateType.BIN, lto="fat", **words))
    project.backend.check_crate(_crate(CrateType.RLIB, lto="fat", **words))
