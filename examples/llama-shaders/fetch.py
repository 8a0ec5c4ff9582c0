"""The shaders of llama.cpp, out of the source distribution of llama-cpp-python, fetched by pip.

Knows nothing of shaders or of what is built from them: it yields a directory of pinned files.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from cratewright.base.errors import ConfigurationError, CratewrightError, FormatError, OutputError, ToolError

__all__ = ["CACHE", "COPY", "fetch"]

NAME, VERSION = "llama-cpp-python", "0.3.36"
SHA256 = "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e"
STEM = f"{NAME.replace('-', '_')}-{VERSION}"
VENDORED = f"{STEM}/vendor/llama.cpp"
SHADERS = f"{VENDORED}/ggml/src/ggml-vulkan/vulkan-shaders"

COPY = "LLAMA_SHADERS_SDIST"
CACHE = ".sdist"

OTHER_WAY = f"set {COPY} to a copy of {STEM}.tar.gz to build without a network"


def fetch(beside: Path) -> Path:
    """Return the directory of shaders, making it first if it is not there.

    Raises: ConfigurationError, FormatError, OutputError, ToolError.
    """
    cache = beside / CACHE
    shaders = cache / f"{STEM}-shaders"
    if shaders.is_dir():
        return shaders
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as work:
            unpacked = Path(work, STEM)
            _unpack(_given() or _download(Path(work)), unpacked)
            _publish(unpacked, shaders)
    except OSError as error:
        raise OutputError("the shaders cannot be kept", context=[("in", cache), ("why", error)]) from error
    return shaders


def _given() -> Path | None:
    copy = os.environ.get(COPY)
    if not copy:
        return None
    path = Path(copy)
    if not path.is_file():
        hint = f"unset {COPY} to let pip fetch it"
        raise ConfigurationError(f"{COPY} names no file", context=[("file", path)], hint=hint)
    with path.open("rb") as stream:
        digest = hashlib.sha256()
        while block := stream.read(1 << 20):
            digest.update(block)
    if digest.hexdigest() != SHA256:
        rows = [("file", path), ("sha256", digest.hexdigest()), ("wanted", SHA256)]
        raise FormatError(f"{COPY} is not {NAME} {VERSION}", context=rows, hint=f"it must be {STEM}.tar.gz")
    return path


def _download(work: Path) -> Path:
    # pip runs the build backend of a source distribution even to download it: given the digest in a file of
    # requirements, it checks the archive first. Only this package is wanted as source, not its build backend.
    requirements = work / "requirements.txt"
    requirements.write_text(f"{NAME}=={VERSION} --hash=sha256:{SHA256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-binary", NAME, "--dest", str(work), "--requirement", str(requirements)]
    print(f"fetching {NAME} {VERSION} (77 MB, once)", flush=True)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    archive = work / f"{STEM}.tar.gz"
    if done.returncode or not archive.is_file():
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [done.stderr.strip()]
        rows = [("pip", f"exit status {done.returncode}"), ("said", "\n".join(said))]
        raise ToolError(f"pip could not fetch {NAME} {VERSION}", context=rows, hint=OTHER_WAY)
    return archive


def _unpack(archive: Path, target: Path) -> None:
    target.mkdir()
    try:
        with tarfile.open(archive) as members:
            for member in members:
                folder, _, name = member.name.rpartition("/")
                shader = folder == SHADERS and name.endswith((".comp", ".glsl", "-gen.cpp"))
                licence = folder == VENDORED and name == "LICENSE"
                stream = members.extractfile(member) if shader or licence else None
                if stream is not None:
                    (target / name).write_bytes(stream.read())
    except (tarfile.TarError, EOFError) as error:
        raise FormatError("the archive is damaged", context=[("file", archive), ("why", error)]) from error


def _publish(unpacked: Path, shaders: Path) -> None:
    try:
        unpacked.rename(shaders)
    except OSError:
        # Another build was first: its files have the same digest.
        if not shaders.is_dir():
            raise


def main() -> int:
    """Fetch the shaders beside this file and print where they are."""
    try:
        print(fetch(Path(__file__).resolve().parent))
    except CratewrightError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
