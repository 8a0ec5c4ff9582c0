"""The cost of the cache per unit: keys, lookups, checking and decoding of hits, and storing, with many entries.

Usage: `python -m tests.bench cache-lookup [--entries N] [--directory DIR]`.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
from collections.abc import Callable

from cratewright.cache.database import EmbeddedStore
from cratewright.cache.key import fields_digest, key_fields, key_of
from cratewright.cache.results import Found, ResultCache
from cratewright.values.module import CompiledUnit, ModuleCodegen, Observed, Symbol
from cratewright.values.options import CORE_OPTIONS, Options
from cratewright.values.stencil import UnitStencil

ASKED = 2000
FILES = tuple(Observed(f"include/part{number}.glsl", f"{number:064x}") for number in range(8))


def _unit(number: int, noise: bytes) -> CompiledUnit:
    symbols = tuple(Symbol(f"f{index}", f"float f{index}(float)", "a.glsl", index) for index in range(6))
    data = number.to_bytes(8, "little") + noise
    return CompiledUnit(modules=(ModuleCodegen(name=".spv", data=data, exports=symbols),), observed=FILES)


def _key(number: int) -> str:
    return key_of("compile_codegen_unit", "", f"unit {number}")


def _cost(name: str, count: int, work: Callable[[], object]) -> None:
    start = resource.getrusage(resource.RUSAGE_SELF)
    work()
    end = resource.getrusage(resource.RUSAGE_SELF)
    used = end.ru_utime - start.ru_utime + end.ru_stime - start.ru_stime
    print(f"{name:<34}{used / count * 1e6:>7.0f}", flush=True)


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="CPU microseconds a unit")
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--directory", help="where to write (default: the system's temporary directory)")
    chosen = parser.parse_args(arguments)
    noise = random.Random(1).randbytes(9000)
    files = {item.path: item.digest for item in FILES}
    options = Options(tuple(sorted((spec.name, spec.default) for spec in CORE_OPTIONS)))
    stencils = [
        UnitStencil(backend="b", fingerprint="f", target="t", path=f"{n}.glsl", source=noise, options=options)
        for n in range(ASKED)
    ]
    with tempfile.TemporaryDirectory(prefix="cache-lookup-", dir=chosen.directory) as scratch:
        store = EmbeddedStore(scratch)
        cache = ResultCache(store, files.get)

        def keep() -> None:
            for number in range(chosen.entries):
                cache.keep(_key(number), _unit(number, noise))
            store.close()

        def look(first: int, found: bool) -> Callable[[], None]:
            step = max(1, chosen.entries // ASKED)
            keys = [_key(first + number) for number in range(0, step * ASKED, step)]

            def work() -> None:
                answers: list[Found] = cache.find(keys)
                assert all((answer.result is not None) is found for answer in answers)

            return work

        print(f"CPU microseconds a unit of 9 kB, {chosen.entries} entries")
        _cost("kept", chosen.entries, keep)
        _cost("found, checked, decoded", ASKED, look(0, True))
        _cost("not found", ASKED, look(10**9, False))
        _cost("key of a unit", ASKED, lambda: [fields_digest(key_fields("k", "s", item, "", {})) for item in stencils])
    return 0
