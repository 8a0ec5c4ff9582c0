"""Coverage-guided fuzzing of everything that decodes bytes: `python -m tests.fuzz DECODER [--minutes N] [--seed N]`.

Needs `atheris` from PyPI, so it is run by hand. Without an argument it lists the decoders. A decoder may raise only its
own errors: any other, more than 10 seconds or more than 2 GB ends the run, and the input is saved.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests.support.paths import source_paths

sys.path[:0] = source_paths()

import atheris  # noqa: E402

with atheris.instrument_imports(include=["cratewright", "cratewright_native", "cratewright_spirv", "msgpack"]):
    from tests.support.decoders import DECODERS, Decoder


def main(arguments: list[str]) -> int:
    """Fuzz one decoder."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="fuzz a decoder")
    parser.add_argument("decoder", nargs="?", choices=sorted(DECODERS))
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    if chosen.decoder is None:
        print("\n".join(sorted(DECODERS)))
        return 0
    with tempfile.TemporaryDirectory(prefix="cratewright-fuzz-") as scratch:
        child = os.fork()  # the fuzzer ends its process without returning
        if child:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        _fuzz(DECODERS[chosen.decoder], chosen, Path(scratch))
    return 0


def _fuzz(decoder: Decoder, chosen: argparse.Namespace, corpus: Path) -> None:
    for number, seed in enumerate(decoder.seeds()):
        (corpus / str(number)).write_bytes(seed)

    def one(data: bytes) -> None:
        try:
            decoder.decode(data)
        except decoder.errors:
            return

    words = [
        f"-max_total_time={int(chosen.minutes * 60)}",
        f"-seed={chosen.seed}",
        "-timeout=10",
        "-rss_limit_mb=2048",
        "-max_len=20000",
        "-print_final_stats=1",
        f"-artifact_prefix={tempfile.gettempdir()}/cratewright-fuzz-{chosen.decoder}-",
        str(corpus),
    ]
    atheris.Setup([sys.argv[0], *words], one)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
