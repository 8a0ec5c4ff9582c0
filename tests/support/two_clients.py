"""Two clients that share a cache on a server and build the same edited project."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

from cratewright.cache.usage import Usage, read_usage

from .engine_build import build_here
from .random_tree import RandomTree

__all__ = ["edits_by_two_clients"]


def edits_by_two_clients(
    directory: Path,
    url: str,
    *,
    seed: int,
    edits: int,
    begin: Callable[[int, Path], None] = lambda client, root: None,
) -> int:
    """Build after each edit, as one of two clients, and compare with a build without a cache.

    Shape: returns how many results came from the server. `begin` is called before each build, with the client and its
    directory.
    Raises: AssertionError for a build that differs.
    """
    tree, rng = RandomTree(seed, "stub"), random.Random(seed)
    done: list[str] = []
    trees: list[dict[str, str]] = [{}, {}]
    hits = 0
    for _ in range(edits):
        client = rng.randrange(2)
        root, local = directory / f"client {client}", directory / f"local {client}"
        if rng.random() < 0.2:  # a new machine
            shutil.rmtree(local, ignore_errors=True)
        trees[client] = tree.write(root, trees[client])
        begin(client, root)
        text = trees[client]["SConstruct"]
        before = _hits(local, url)
        found = build_here(root, {"CRATE_CACHE": f"{local}, {url}"}, text)
        hits += _hits(local, url) - before
        expected = build_here(root, {"CRATE_CACHE": "off"}, text)
        assert found == expected, f"seed {seed}: after {done[-5:]}"
        assert isinstance(found, str) == tree.broken
        if rng.random() < 0.7:
            done.append(tree.edit())
    return hits


def _hits(local: Path, url: str) -> int:
    return read_usage(str(local)).get(url, Usage()).hits
