"""Fills the filter with words and asks it for others: `python use.py [filter.wasm]`."""

from __future__ import annotations

import sys

import wasmtime


def main(path: str) -> None:
    """Load the module, and count what it takes for known."""
    store = wasmtime.Store()
    module = wasmtime.Instance(store, wasmtime.Module.from_file(store.engine, path), []).exports(store)
    room = module["room"](store)

    def tell(word: str) -> int:
        data = word.encode()
        module["memory"].write(store, data, room)
        return len(data)

    known = [f"word {number}" for number in range(4_000)]
    for word in known:
        module["add"](store, tell(word))
    missed = sum(not module["has"](store, tell(word)) for word in known)
    mistaken = sum(module["has"](store, tell(f"other {number}")) for number in range(4_000))
    print(f"{len(known)} words known, {missed} missed, {mistaken} of {len(known)} others taken for known")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "filter.wasm")
