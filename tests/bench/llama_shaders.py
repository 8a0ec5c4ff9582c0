"""225 real shaders, with one glslangValidator process each under ninja, compared with our own clean builds.

Every build is clean, in a copy of `examples/llama-shaders`. The baseline only compiles: `glslangValidator -Od` (no
optimization), no depfile, no archive, no validation. Ours compiles, links and validates, and optimizes and strips
nothing either. Every result is checked with `spirv-val`.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .case import OURS, Case, Goal, Way, ratio
from .measure import LEFT, ROOT, found, scons
from .tools import Tools

EXAMPLE = ROOT / "examples" / "llama-shaders"
sys.path[:0] = [str(EXAMPLE)]

import fetch  # noqa: E402
import variants  # noqa: E402

from cratewright.base.errors import CratewrightError, ValidationError  # noqa: E402

__all__ = ["EXAMPLE", "Tools", "cases", "fetch", "variants"]

Crates = Mapping[str, list[variants.Variant]]

OBJECT_ENVIRONMENT = "spv1.5"
ARCHIVE_MAGIC = b"!<arch>\n"
OFF, ALONE = "cratewright, CRATE_CACHE=off", "ninja + glslangValidator, compile only"
SPIRV_MAGIC = b"\x03\x02\x23\x07"


def ninja_file(crates: Crates, tools: Tools, shaders: str) -> str:
    """Return a build file with one compiler process per variant."""
    # The shaders are written for glslc, which needs no extension for #include; glslangValidator needs one.
    include = shlex.quote("-P#extension GL_GOOGLE_include_directive : enable")
    command = f"{shlex.quote(str(tools.glslang))} --quiet -S comp --target-env {variants.TARGET} -Od {include}"
    lines = ["rule glsl", f"  command = {command} $defines -o $out $in", "  description = $out", ""]
    for crate, members in crates.items():
        for variant in members:
            lines.append(f"build ninja/{variants.output(crate, variant)}: glsl {shaders}/{variant.source}")
            given = (shlex.quote(f"-D{key}={value}") for key, value in variant.defines.items())
            lines.append(f"  defines = {' '.join(given)}")
    return "\n".join([*lines, ""])


def validate(tools: Tools, target: str, images: Iterable[Path]) -> int:
    """Check every image with the independent validator; return their number.

    Raises: ValidationError.
    """

    def refusal(image: Path) -> tuple[Path, str]:
        if not image.is_file():
            return image, "it was not made"
        command = [str(tools.validator), "--target-env", target, str(image)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return image, (done.stderr or done.stdout).strip() or "refused" if done.returncode else ""

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(refusal, images))
    wrong = [(image, why) for image, why in answers if why]
    if wrong:
        rows = [(image.name, why.splitlines()[0]) for image, why in wrong[:5]]
        raise ValidationError(f"{len(wrong)} of {len(answers)} results are not valid", context=rows)
    return len(answers)


def archived(archive: Path) -> list[Path]:
    """Extract the SPIR-V members of an archive beside it, and return them.

    Raises: ValidationError.
    """
    data = archive.read_bytes() if archive.is_file() else b""
    if not data.startswith(ARCHIVE_MAGIC):
        raise ValidationError("there is no archive", context=[("file", archive.name)])
    folder = archive.with_suffix(".members")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    members: list[Path] = []
    at = len(ARCHIVE_MAGIC)
    while at < len(data):
        size = int(data[at + 48 : at + 58])
        body = data[at + 60 : at + 60 + size]
        if body.startswith(SPIRV_MAGIC):
            members.append(folder / f"{len(members)}.spv")
            members[-1].write_bytes(body)
        at += 60 + size + size % 2
    return members


def _members(directory: Path, crates: Crates) -> list[Path]:
    found: list[Path] = []
    for crate, wanted in crates.items():
        members = archived(directory / f"lib{crate}.rlib")
        if len(members) != len(wanted):
            rows = [("crate", crate), ("members", len(members)), ("variants", len(wanted))]
            raise ValidationError("an archive does not hold one module per variant", context=rows)
        found += members
    return found


def cases() -> list[Case]:
    """Return the comparison: the baseline, and our build with a fresh cache, without one, and only up to the archives.

    Raises: CratewrightError if the shaders are unavailable.
    """
    crates = variants.crates(0, every=False)
    try:
        tools, missing = Tools.find(), "" if found("ninja") else "ninja is not installed"
        fetch.fetch(EXAMPLE)
    except CratewrightError as error:
        return [Case("225 shaders, clean", [Way("cratewright", missing=str(error).splitlines()[0])])]

    def write(directory: Path) -> None:
        shutil.copytree(EXAMPLE, directory, ignore=shutil.ignore_patterns(*LEFT), dirs_exist_ok=True)
        shaders = fetch.fetch(directory).relative_to(directory).as_posix()
        (directory / "build.ninja").write_text(ninja_file(crates, tools, shaders), encoding="utf-8")

    def begin(directory: Path, number: int) -> None:
        for pattern in (*LEFT, ".ninja*", "ninja", "cache"):
            for path in directory.glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def outputs(below: str) -> Callable[[Path], object]:
        names = [f"{below}{variants.output(crate, v)}" for crate, members in crates.items() for v in members]
        return lambda directory: validate(tools, variants.TARGET, [directory / name for name in names])

    def archives(directory: Path) -> object:
        return validate(tools, OBJECT_ENVIRONMENT, _members(directory, crates))

    words = ["limit=0", "every=0", "opt_level=0", "spirv_metadata=full"]
    whole, libraries = scons(*words, "crate_type=cdylib"), scons(*words, "crate_type=rlib")
    run, same = {"LD_LIBRARY_PATH": str(tools.libraries)}, {"CRATE_GLSLANG": "wheel"}
    fresh, off = ({**same, "CRATE_CACHE": place} for place in ("cache", "off"))
    name = f"{sum(map(len, crates.values()))} shaders, clean"
    return [
        Case(
            name,
            [
                Way(OURS, whole, write, begin, fresh, check=outputs("")),
                Way(OFF, whole, write, begin, off, check=outputs("")),
                Way("cratewright, to archives", libraries, write, begin, fresh, check=archives),
                Way(
                    ALONE,
                    [found("ninja"), "-j2"],
                    write,
                    begin,
                    run,
                    check=outputs("ninja/"),
                    missing=missing,
                ),
            ],
            goals=[
                Goal("ninja + glslangValidator / ours", ratio(ALONE, OURS), 12, least=True),
                Goal("the same, CRATE_CACHE=off", ratio(ALONE, OFF), 12, least=True),
            ],
            headline=True,
        )
    ]
